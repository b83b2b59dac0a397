#include "engine/build.h"

#include "base/text.h"
#include "engine/build_progress.h"
#include "engine/build_request.h"
#include "engine/context.h"
#include "engine/progress.h"
#include "io/file.h"
#include "io/scope.h"

namespace berth::engine {
namespace {

constexpr const char* kInjectedName = ".dockerfile.berth";
constexpr const char* kInjectedIgnore = ".dockerignore";

// What the engine is told, and what it is sent.
struct Prepared {
  std::string dockerfile{};  // its name in the tar
  std::string shown{};       // its name for people
  Dockerfile file{};
  std::optional<BuildContext> context{};  // none: the engine fetches it
};

std::string without_slashes(std::string folder) {
  while (folder.size() > 1 && folder.ends_with('/')) folder.pop_back();
  return folder;
}

std::string path_of_dockerfile(const BuildImage& build) {
  return build.dockerfile.empty() ? without_slashes(build.context) + "/Dockerfile" : build.dockerfile;
}

// The Dockerfile's path below the context, or "" when it is outside.
std::string below(const std::string& folder, const std::string& path) {
  return path.starts_with(folder + "/") ? path.substr(folder.size() + 1) : std::string();
}

// A Dockerfile that is not the context's own travels under a name of its own, which .dockerignore hides from the build.
Result<void> inject_dockerfile(ContextFolder& folder, Prepared& prepared, std::string text) {
  prepared.dockerfile = kInjectedName;
  auto ignore = io::read_file(folder.folder + "/" + kInjectedIgnore, 1u << 20);
  if (!ignore && ignore.error().code != Code::not_found) return fail(std::move(ignore).error());
  const std::string kept = ignore ? *ignore : kInjectedIgnore;
  folder.injected.emplace_back(prepared.dockerfile, std::move(text));
  folder.injected.emplace_back(kInjectedIgnore, kept + "\n" + prepared.dockerfile + "\n");
  return {};
}

// Blocking.
Result<Prepared> prepare(const BuildImage& build) {
  Prepared prepared;
  if (!build.remote.empty()) {
    prepared.dockerfile = build.dockerfile.empty() ? "Dockerfile" : build.dockerfile;
    return prepared;
  }
  ContextFolder folder{.folder = without_slashes(build.context)};
  const std::string path = path_of_dockerfile(build);
  const bool in_place = build.inline_dockerfile.empty();
  folder.ignored = TRY(read_ignore_file(folder.folder, in_place ? path : std::string()));
  const std::string text = TRY(read_dockerfile(build));
  prepared.file = scan_dockerfile(text);
  prepared.shown = in_place ? path : "dockerfile_inline";
  prepared.dockerfile = below(folder.folder, path);
  if (!in_place || prepared.dockerfile.empty() || !build.images.empty()) {
    TRY(inject_dockerfile(folder, prepared, with_contexts(text, build.images, build.arguments)));
    prepared.file.hidden = true;
  } else {
    // The engine needs both, and takes them out of what the build sees where they are ignored.
    folder.always = {prepared.dockerfile, kInjectedIgnore};
    prepared.file.hidden = folder.ignored.excludes(prepared.dockerfile) || folder.ignored.excludes(kInjectedIgnore);
  }
  prepared.context = TRY(BuildContext::scan(std::move(folder)));
  return prepared;
}

Result<void> check_features(const Client& client, const BuildImage& build) {
  if (!build.target.empty()) TRY(client.require(Feature::build_target, "build of target " + build.target));
  if (!build.platform.empty()) TRY(client.require(Feature::image_platform, "build for " + build.platform));
  if (!build.cache_from.empty()) TRY(client.require(Feature::build_cache_from, "cache_from of a build"));
  return {};
}

io::Task<Result<Prepared>> prepare_on_pool(const BuildImage& build) {
  Result<Prepared> prepared = fail(Code::internal, "not scanned");
  co_await io::on_pool([&] { prepared = prepare(build); });
  co_return prepared;
}

io::Task<Result<void>> send(Client& client, Call call, Prepared& prepared, BuildProgress& seen) {
  const ProgressSink watch = [&](const Json& message) { seen.add(message); };
  if (!prepared.context) {
    call.deadline = {};
    auto exchange = CO_TRY(co_await client.stream(std::move(call)));
    co_return co_await follow_progress(exchange, watch);
  }
  const http::Consumer follow = [&](http::Exchange& exchange) { return follow_progress(exchange, watch); };
  const http::Source source = [&] { return prepared.context->next(); };
  co_return co_await client.upload(std::move(call), source, follow);
}

// The engine has no BuildKit although its version should: it says so before it begins.
bool refuses_buildkit(const Error& error) {
  const std::string words = lower(error.message);
  return error.code != Code::cancelled && (words.contains("buildkit") || words.contains("invalid version"));
}

}  // namespace

Result<std::string> read_dockerfile(const BuildImage& build) {
  if (!build.inline_dockerfile.empty()) return build.inline_dockerfile;
  auto text = io::read_file(path_of_dockerfile(build), 4u << 20);
  if (!text) return fail(text.error().code, "Dockerfile: " + text.error().message);
  return text;
}

io::Task<Result<BuiltImage>> build_image(Client& client, BuildImage build, ProgressSink progress) {
  CO_TRY(check_features(client, build));
  Prepared prepared = CO_TRY(co_await prepare_on_pool(build));
  BuilderChoice choice = CO_TRY(choose_builder(build, prepared.file, client.version(), prepared.shown));
  BuildProgress seen(std::move(progress));
  Result<void> outcome;
  while (true) {
    Call call{.method = "POST", .path = "/build", .query = build_query(build, prepared.dockerfile, choice.buildkit)};
    if (!build.registry_config.empty()) call.headers.emplace_back("X-Registry-Config", build.registry_config);
    outcome = co_await send(client, std::move(call), prepared, seen);
    if (outcome || seen.failed() || !choice.buildkit || !refuses_buildkit(outcome.error())) break;
    if (const auto need = needs_buildkit(prepared.file))
      choice.notes.push_back("this engine has no BuildKit, which line " + std::to_string(need->line) + " of " +
                             prepared.shown + " needs (" + need->what + "); built by the classic builder");
    choice.buildkit = false;
    prepared = CO_TRY(co_await prepare_on_pool(build));
  }
  if (!outcome && seen.failed()) co_return fail(seen.explain(outcome.error(), prepared.file, prepared.shown));
  CO_TRY(std::move(outcome));
  if (seen.image().empty()) co_return fail(Code::internal, "the engine built an image without saying its id");
  co_return BuiltImage{.id = seen.image(), .notes = std::move(choice.notes)};
}

}  // namespace berth::engine
