// The effects on images: pull, build, remove.
#include <charconv>

#include "base/text.h"
#include "engine/build.h"
#include "engine/dockerfile.h"
#include "engine/image.h"
#include "engine/reference.h"
#include "engine/registry.h"
#include "io/scope.h"
#include "plan/apply_effects.h"
#include "plan/git_checkout.h"

namespace berth::plan {
namespace {

using Id = io::Task<Result<std::string>>;

constexpr const char* kTemporary = "/tmp";
constexpr std::string_view kImageContext = "docker-image://";

io::Task<Result<std::string>> auth_for(EffectContext& context, std::string reference) {
  if (!context.options.registry_auth) co_return std::string();
  co_return co_await context.options.registry_auth(std::move(reference));
}

io::Task<Result<void>> pull(EffectContext& context, const Node& node, const PullImage& op) {
  const std::string auth = CO_TRY(co_await auth_for(context, op.reference));
  co_return co_await engine::pull_image(
      context.client, {.name = op.reference, .platform = op.platform, .auth = auth},
      [&context, &node](const Json& message) { tell(context, node, std::string(message["status"].text()), message); });
}

// The time of a pull is kept on the engine: a name that is given again.
io::Task<Result<void>> stamp(EffectContext& context, const PullImage& op, const std::string& id) {
  const auto reference = engine::parse_reference(op.reference);
  if (!reference || !reference->digest.empty()) co_return Result<void>{};
  co_return co_await engine::tag_image(context.client, id, op.reference);
}

std::vector<std::string> texts_of(const Json& list) {
  std::vector<std::string> out;
  for (const Json& item : list.items()) out.emplace_back(item.text());
  return out;
}

std::string absolute(const std::string& folder, std::string_view path) {
  if (path.empty() || path.starts_with('/')) return std::string(path);
  return folder + "/" + std::string(path);
}

std::int64_t number_of(std::string_view text) {
  std::int64_t out = 0;
  std::from_chars(text.data(), text.data() + text.size(), out);
  return out;
}

Json ulimits_of(const Json& limits) {
  Json out = Json::array();
  for (const auto& [name, value] : limits.members()) {
    const bool both = value.is_object();
    out.push(Json::object({{"Name", name},
                           {"Soft", both ? value["soft"].integer() : value.integer()},
                           {"Hard", both ? value["hard"].integer() : value.integer()}}));
  }
  return out;
}

// All but the contexts.
engine::BuildImage request_of(const EffectContext& context, const BuildImage& op) {
  const Json& build = op.build;
  engine::BuildImage out;
  out.inline_dockerfile = build["dockerfile_inline"].text();
  out.tags = op.tags;
  out.tags.insert(out.tags.begin(), op.tag);
  for (const auto& [key, value] : build["args"].members()) {
    if (value.is_null())
      out.unset_arguments.push_back(key);
    else
      out.arguments[key] = value.text();
  }
  for (const auto& [key, value] : build["labels"].members()) out.labels[key] = value.text();
  out.cache_from = texts_of(build["cache_from"]);
  out.extra_hosts = texts_of(build["extra_hosts"]);
  for (auto& host : out.extra_hosts)
    if (const auto equals = host.find('='); equals != std::string::npos) host[equals] = ':';
  out.target = build["target"].text();
  out.network = build["network"].text();
  out.platform = op.platform;
  out.registry_config = context.options.registry_config;
  out.isolation = build["isolation"].text() == "default" ? "" : build["isolation"].text();
  if (!build["ulimits"].is_empty()) out.ulimits = ulimits_of(build["ulimits"]);
  out.shm_size = number_of(build["shm_size"].text());
  out.no_cache = op.no_cache;
  out.pull = op.pull;
  out.memory = op.memory;
  out.classic = op.classic;
  return out;
}

// One build with what it needs only while it runs: checkouts, and images made of folders for its named contexts.
class BuildRun {
 public:
  BuildRun(EffectContext& context, const Node& node, const BuildImage& op)
      : context_(context), node_(node), op_(op), request_(request_of(context, op)) {}

  Id run() {
    auto result = co_await prepare_and_build();
    (void)co_await io::shielded(remove_made());
    co_await io::on_pool([&] { checkouts_.clear(); });
    co_return result;
  }

 private:
  engine::ProgressSink sink() {
    return [this](const Json& message) {
      tell(context_, node_, std::string(message["stream"].text(message["status"].text())), message);
    };
  }

  Id prepare_and_build() {
    CO_TRY(co_await set_context());
    std::size_t number = 0;
    for (const auto& [name, value] : op_.build["additional_contexts"].members())
      request_.images[name] = CO_TRY(co_await image_of_context(name, value.text(), ++number));
    CO_TRY(co_await pull_private_bases());
    auto built = CO_TRY(co_await engine::build_image(context_.client, request_, sink()));
    for (const std::string& text : built.notes) context_.warnings.push_back("service \"" + op_.shown + "\": " + text);
    co_return std::move(built.id);
  }

  // The folder that `text` names; a repository is checked out.
  Id folder_of(std::string text) {
    const auto source = parse_git_source(text);
    if (!source) co_return text;
    tell(context_, node_, "fetching " + source->url);
    checkouts_.push_back(CO_TRY(co_await check_out(*source, kTemporary)));
    co_return checkouts_.back().folder;
  }

  io::Task<Result<void>> set_context() {
    const std::string context(op_.build["context"].text()), dockerfile(op_.build["dockerfile"].text());
    if (is_url(context) && !parse_git_source(context)) {
      if (!request_.inline_dockerfile.empty())
        co_return fail(Code::invalid,
                       "dockerfile_inline does not go with a context that the engine fetches (" + context + ")");
      request_.remote = context;
      request_.dockerfile = dockerfile;
      co_return Result<void>{};
    }
    request_.context = CO_TRY(co_await folder_of(context));
    if (!request_.inline_dockerfile.empty()) co_return Result<void>{};
    request_.dockerfile = absolute(request_.context, dockerfile);
    if (request_.context != context && dockerfile.starts_with(context + "/"))
      request_.dockerfile = request_.context + dockerfile.substr(context.size());
    co_return Result<void>{};
  }

  // An image that holds what the named context is.
  Id image_of_context(const std::string& name, std::string_view value, std::size_t number) {
    if (value.starts_with(kImageContext)) co_return std::string(value.substr(kImageContext.size()));
    const std::string what = "additional_contexts." + name;
    if (value.find("://") != std::string_view::npos && !parse_git_source(value))
      co_return fail(Code::invalid, what + ": \"" + std::string(value) +
                                        "\" is none of a folder, a git repository, docker-image://IMAGE, service:NAME");
    engine::BuildImage files{
        .context = CO_TRY(co_await folder_of(std::string(value))),
        .inline_dockerfile = "FROM scratch\nCOPY . /\n",
        .tags = {"berth-context/" + lower(op_.shown) + std::to_string(number) + ":" + std::to_string(node_.id)},
        .classic = request_.classic};
    auto built = co_await engine::build_image(context_.client, files, sink());
    if (!built) co_return fail(std::move(built.error()).within(what));
    made_.push_back(files.tags.front());
    co_return made_.back();
  }

  // A build without a session has no credentials: what needs them is here before it begins.
  io::Task<Result<void>> pull_private_bases() {
    if (!context_.options.registry_auth || !request_.remote.empty()) co_return Result<void>{};
    Result<std::string> text = std::string();
    co_await io::on_pool([&] { text = engine::read_dockerfile(request_); });
    if (!text) co_return Result<void>{};  // the build says so
    for (const std::string& base : engine::base_images(engine::scan_dockerfile(*text), request_.arguments)) {
      if (request_.images.contains(base)) continue;
      const auto auth = co_await auth_for(context_, base);
      if (!auth || auth->empty()) continue;
      const bool here = (co_await engine::inspect_image(context_.client, base)).has_value();
      if (here && !op_.pull) continue;
      const auto pulled = co_await engine::pull_image(
          context_.client, {.name = base, .platform = request_.platform, .auth = *auth}, sink());
      if (!pulled && !here) co_return fail(Error(pulled.error()).within("cannot pull the base image " + base));
      request_.pull = false;  // the builder would ask again, and without credentials
    }
    co_return Result<void>{};
  }

  io::Task<Result<void>> remove_made() {
    for (const std::string& image : made_) (void)co_await engine::remove_image(context_.client, image);
    co_return Result<void>{};
  }

  EffectContext& context_;
  const Node& node_;
  const BuildImage& op_;
  engine::BuildImage request_;
  std::vector<std::string> made_{};
  std::vector<Checkout> checkouts_{};
};

}  // namespace

Id take_effect(EffectContext& context, const Node& node, const PullImage& op) {
  const auto pulled = co_await pull(context, node, op);
  if (!pulled) {
    Error error = Error(pulled.error()).within("cannot pull " + op.reference);
    error.message += engine::login_advice(error, op.reference, context.options.login);
    if (node.best_effort) error.message += "; it can be built";
    if (co_await engine::inspect_image(context.client, op.reference))
      error.message += "; this engine has an older one: --pull missing uses it";
    co_return fail(std::move(error));
  }
  const Json image = CO_TRY(co_await engine::inspect_image(context.client, op.reference));
  std::string id(image["Id"].text());
  CO_TRY(co_await stamp(context, op, id));
  co_return id;
}

Id take_effect(EffectContext& context, const Node& node, const BuildImage& op) {
  if (op.if_absent) {
    const auto found = co_await engine::inspect_image(context.client, op.tag);
    if (found) co_return std::string((*found)["Id"].text());
    if (found.error().code != Code::not_found) co_return fail(found.error());
  }
  BuildRun run(context, node, op);
  auto built = co_await run.run();
  if (!built) co_return fail(std::move(built.error()).within("cannot build " + op.tag));
  co_return built;
}

Id take_effect(EffectContext& context, const Node&, const RemoveImage& op) {
  const auto removed = co_await engine::remove_image(context.client, op.reference);
  if (!removed && removed.error().code != Code::not_found) co_return fail(removed.error());
  co_return std::string();
}

}  // namespace berth::plan
