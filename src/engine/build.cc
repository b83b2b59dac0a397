#include "engine/build.h"

#include "base/text.h"
#include "engine/context.h"
#include "engine/progress.h"
#include "io/file.h"
#include "io/scope.h"

namespace berth::engine {
namespace {

constexpr std::size_t kTailLines = 20;
constexpr const char* kInjectedName = ".dockerfile.berth";

// What the engine is told, and what it is sent.
struct Prepared {
  std::string dockerfile{};  // its name in the tar
  std::optional<BuildContext> context{};
};

Json object_of(const std::map<std::string, std::string>& map) {
  Json json = Json::object();
  for (const auto& [name, value] : map) json.set(name, value);
  return json;
}

// The Dockerfile's path below the context, or "" when it is outside.
std::string below(const std::string& folder, const std::string& path) {
  return path.starts_with(folder + "/") ? path.substr(folder.size() + 1) : std::string();
}

// A Dockerfile from elsewhere travels under a name of its own, which .dockerignore hides from the build.
Result<void> inject_dockerfile(ContextFolder& folder, Prepared& prepared, std::string text) {
  prepared.dockerfile = kInjectedName;
  auto ignore = io::read_file(folder.folder + "/.dockerignore", 1u << 20);
  if (!ignore && ignore.error().code != Code::not_found) return fail(std::move(ignore).error());
  const std::string kept = ignore ? *ignore : ".dockerignore";
  folder.injected.emplace_back(prepared.dockerfile, std::move(text));
  folder.injected.emplace_back(".dockerignore", kept + "\n" + prepared.dockerfile + "\n");
  return {};
}

Result<std::string> read_dockerfile(const std::string& path) {
  auto text = io::read_file(path, 4u << 20);
  if (!text) return fail(text.error().code, "Dockerfile: " + text.error().message);
  return text;
}

// Blocking.
Result<Prepared> prepare(const BuildImage& build) {
  Prepared prepared;
  ContextFolder folder{.folder = build.context};
  while (folder.folder.size() > 1 && folder.folder.ends_with('/')) folder.folder.pop_back();
  const std::string path = build.dockerfile.empty() ? folder.folder + "/Dockerfile" : build.dockerfile;
  folder.ignored = TRY(read_ignore_file(folder.folder, build.inline_dockerfile.empty() ? path : std::string()));
  prepared.dockerfile = below(folder.folder, path);
  if (!build.inline_dockerfile.empty()) {
    TRY(inject_dockerfile(folder, prepared, build.inline_dockerfile));
  } else if (prepared.dockerfile.empty()) {
    TRY(inject_dockerfile(folder, prepared, TRY(read_dockerfile(path))));
  } else {
    TRY(read_dockerfile(path));
    // The engine needs both, and takes them out of what the build sees where they are ignored.
    folder.always = {prepared.dockerfile, ".dockerignore"};
  }
  prepared.context = TRY(BuildContext::scan(std::move(folder)));
  return prepared;
}

Query query_of(const BuildImage& build, const std::string& dockerfile) {
  Query query{{"dockerfile", dockerfile}, {"rm", "1"}, {"forcerm", "1"}};
  for (const std::string& tag : build.tags) query.emplace_back("t", tag);
  Json arguments = object_of(build.arguments);
  for (const std::string& name : build.unset_arguments) arguments.set(name, Json());
  if (!arguments.members().empty()) query.emplace_back("buildargs", arguments.dump());
  if (!build.labels.empty()) query.emplace_back("labels", object_of(build.labels).dump());
  Json sources = Json::array();
  for (const std::string& source : build.cache_from) sources.push(source);
  if (!build.cache_from.empty()) query.emplace_back("cachefrom", sources.dump());
  if (!build.extra_hosts.empty()) query.emplace_back("extrahosts", join(build.extra_hosts, ","));
  if (!build.target.empty()) query.emplace_back("target", build.target);
  if (!build.network.empty()) query.emplace_back("networkmode", build.network);
  if (!build.platform.empty()) query.emplace_back("platform", build.platform);
  if (build.shm_size > 0) query.emplace_back("shmsize", std::to_string(build.shm_size));
  if (build.no_cache) query.emplace_back("nocache", "1");
  if (build.pull) query.emplace_back("pull", "1");
  return query;
}

Result<void> check_features(const Client& client, const BuildImage& build) {
  if (!build.target.empty()) TRY(client.require(Feature::build_target, "build of target " + build.target));
  if (!build.platform.empty()) TRY(client.require(Feature::image_platform, "build for " + build.platform));
  if (!build.cache_from.empty()) TRY(client.require(Feature::build_cache_from, "cache_from of a build"));
  return {};
}

// The image id and the end of the log, gathered from the messages.
struct Progress {
  std::string image{};
  std::string log{};

  void add(const Json& message) {
    if (message["aux"]["ID"].is_text()) image = message["aux"]["ID"].text();
    const std::string_view text = message["stream"].text();
    log += text;
    if (log.size() > (64u << 10)) log.erase(0, 32u << 10);
    // Engines before 17.04 send no aux message.
    constexpr std::string_view kBuilt = "Successfully built ";
    if (image.empty() && text.starts_with(kBuilt)) image = trim(text.substr(kBuilt.size()));
  }
  std::string tail() const {
    const auto lines = split(trim(log), '\n');
    std::string text;
    for (std::size_t i = lines.size() > kTailLines ? lines.size() - kTailLines : 0; i < lines.size(); ++i)
      text.append(text.empty() ? "" : "\n").append(lines[i]);
    return text;
  }
};

}  // namespace

io::Task<Result<std::string>> build_image(Client& client, BuildImage build, ProgressSink progress) {
  CO_TRY(check_features(client, build));
  Result<Prepared> scanned = fail(Code::internal, "not scanned");
  co_await io::on_pool([&] { scanned = prepare(build); });
  Prepared prepared = CO_TRY(std::move(scanned));
  Call call{.method = "POST", .path = "/build", .query = query_of(build, prepared.dockerfile)};
  if (!build.registry_config.empty()) call.headers.emplace_back("X-Registry-Config", build.registry_config);
  Progress seen;
  bool failed = false;
  const ProgressSink watch = [&](const Json& message) {
    seen.add(message);
    failed = failed || !check_progress(message);
    if (progress) progress(message);
  };
  const http::Consumer follow = [&](http::Exchange& exchange) { return follow_progress(exchange, watch); };
  const http::Source source = [&] { return prepared.context->next(); };
  auto outcome = co_await client.upload(std::move(call), source, follow);
  if (!outcome && failed) co_return fail(Code::invalid, "build failed: " + outcome.error().message, seen.tail());
  CO_TRY(std::move(outcome));
  if (seen.image.empty())
    co_return fail(Code::internal, "the engine built an image without saying its id", seen.tail());
  co_return seen.image;
}

}  // namespace berth::engine
