#include "cli/session.h"

#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "compose/remote_files.h"
#include "engine/dialer.h"
#include "plan/traffic_socket.h"

namespace berth::cli {
namespace {

constexpr std::size_t kParallel = 16;
constexpr std::size_t kRemotes = 32;

// config.json, and a context's file, below `docker --config`, DOCKER_CONFIG or ~/.docker.
std::string docker_folder(const Session& session) {
  const auto& world = session.world;
  if (!session.options.global.docker_config.empty()) return session.options.global.docker_config;
  const auto folder = world.variable("DOCKER_CONFIG");
  return folder.empty() ? world.variable("HOME") + "/.docker" : folder;
}

Result<std::string> text_or_nothing(const World& world, const std::string& path) {
  if (world.files.kind(path) != compose::Files::Kind::file) return std::string();
  return world.files.read(path);
}

Result<engine::Endpoint> engine_endpoint(const Session& session) {
  const auto& world = session.world;
  const engine::EndpointChoice choice{.address = {.host_flag = session.options.global.host,
                                                  .context_flag = session.options.global.context,
                                                  .docker_host = world.variable("DOCKER_HOST"),
                                                  .docker_context = world.variable("DOCKER_CONTEXT"),
                                                  .config = TRY(session.docker_config())},
                                      .docker_folder = docker_folder(session),
                                      .cert_path = world.variable("DOCKER_CERT_PATH"),
                                      .tls_verify = !world.variable("DOCKER_TLS_VERIFY").empty()};
  auto out = TRY(engine::choose_endpoint(choice, world.files.read));
  out.access.ssh.control_folder = world.runtime_folder + "/ssh";
  return out;
}

// The text of a service's Dockerfile; "" where it cannot be read, which the build says.
std::string dockerfile_of(const World& world, const compose::Service& service) {
  const auto& build = service.config["build"];
  if (!build["dockerfile_inline"].is_empty()) return std::string(build["dockerfile_inline"].text());
  const std::string name(build["dockerfile"].text());
  const std::string path = name.starts_with('/') ? name : std::string(build["context"].text()) + "/" + name;
  if (!path.starts_with('/') || world.files.kind(path) != compose::Files::Kind::file) return {};
  return world.files.read(path).value_or(std::string());
}

// What planning images must know of the world: what Dockerfiles build on, and the time.
void add_outside(const World& world, compose::Project& project) {
  const auto since_1970 = world.now().time_since_epoch();
  project.loaded_at = std::chrono::duration_cast<std::chrono::seconds>(since_1970).count();
  for (const auto* services : {&project.services, &project.disabled})
    for (const auto& service : *services)
      if (service.config["build"].is_object()) project.dockerfiles[service.name] = dockerfile_of(world, service);
}

compose::RemoteCache remote_cache(const World& world) {
  const auto cache = world.variable("XDG_CACHE_HOME");
  return {.folder = (cache.starts_with('/') ? cache : world.variable("HOME") + "/.cache") + "/berth/git",
          .environment = world.environment};
}

bool has_service(const compose::Project& project, std::string_view name) {
  const auto is = [&](const compose::Service& service) { return service.name == name; };
  return std::ranges::any_of(project.services, is) || std::ranges::any_of(project.disabled, is);
}

}  // namespace

std::string World::variable(const std::string& name) const {
  const auto found = environment.find(name);
  return found == environment.end() ? std::string() : found->second;
}

Session::Session(const Options& asked, const World& world_, io::Loop& loop_)
    : options(asked), world(world_), console(world_.console), loop(loop_), cancel(&loop_.cancel()) {}

std::unexpected<Error> Session::usage(std::string message) {
  stage_ = Stage::usage;
  return fail(Code::invalid, std::move(message), "see berth " + options.verb + " --help");
}

Result<compose::LoadOptions> Session::load_options(const LoadWish& wish) const {
  const auto& global = options.global;
  compose::LoadOptions out{.working_dir = world.working_dir,
                           .files = global.files,
                           .project_name = global.project_name,
                           .project_directory = global.project_directory,
                           .env_files = global.env_files,
                           .profiles = global.profiles,
                           .targets = wish.targets,
                           .environment = world.environment,
                           .scale = wish.scale,
                           .with_dependencies = wish.with_dependencies};
  out.all_resources = global.all_resources;
  out.compatibility = global.compatibility;
  const auto& config = options.config;
  out.interpolate = !config.no_interpolate && !config.variables;
  out.normalize = !config.no_normalize && !config.variables;
  out.resolve_paths = !config.no_path_resolution && !config.variables;
  out.resolve_environment = !config.no_env_resolution && !config.variables && config.hash.empty();
  out.check_consistency = !config.no_consistency && !config.variables;
  if (wish.every_profile) out.profiles.emplace_back("*");
  return out;
}

std::string Session::setting(const std::string& name) const {
  if (const auto own = world.environment.find(name); own != world.environment.end()) return own->second;
  if (!settings_) {
    const auto load = load_options({});
    settings_ = load ? compose::environment_of(*load, world.files) : std::map<std::string, std::string>();
  }
  const auto found = settings_->find(name);
  return found == settings_->end() ? std::string() : found->second;
}

compose::Remotes Session::remotes() const {
  compose::Remotes out;
  for (const auto& [url, file] : remotes_)
    if (file) out[url] = *file;
  return out;
}

// The world's files with what was fetched. A load that meets another URL fails and names it in `wanted`.
compose::Files Session::files(std::string& wanted) {
  auto out = compose::recording(world.files, texts_);
  out.read = [this, read = out.read](const std::string& path) -> Result<std::string> {
    if (path != "-") return read(path);
    if (!input_) input_ = TRY(read(path));
    return *input_;
  };
  if (options.global.allow_remote || compose::is_on(world.variable("BERTH_ALLOW_REMOTE")))
    out.remote = [this, &wanted](const std::string& url) -> Result<compose::RemoteFile> {
      const auto found = remotes_.find(url);
      if (found != remotes_.end()) return found->second;
      wanted = url;
      return fail(Code::unavailable, "a remote file was not fetched yet");
    };
  return out;
}

// Loading is pure: what it lacks is fetched, and it begins again.
io::Task<Result<compose::Project>> Session::load_files(LoadWish wish) {
  const auto load = CO_TRY(load_options(wish));
  for (std::size_t fetched = 0;; ++fetched) {
    std::string wanted;
    auto project = compose::load(load, files(wanted));
    if (wanted.empty()) co_return project;
    if (fetched == kRemotes)
      co_return fail(Code::invalid, "the project names more than " + std::to_string(kRemotes) + " remote files");
    auto file = co_await compose::fetch_remote(wanted, remote_cache(world));
    if (!file && file.error().code == Code::cancelled) co_return fail(std::move(file).error());
    remotes_.insert_or_assign(wanted, std::move(file));
  }
}

io::Task<Result<compose::Project>> Session::load(LoadWish wish) {
  auto project = co_await load_files(wish);
  if (!project) {
    // A service that does not exist is not a missing file.
    const bool service = project.error().message.contains("no such service");
    stage_ = service ? Stage::engine : Stage::project;
    co_return fail(std::move(project).error());
  }
  for (const auto& name : wish.targets) {
    if (has_service(*project, name)) continue;
    std::vector<std::string_view> names;
    for (const auto& service : project->services) names.push_back(service.name);
    co_return fail(Code::not_found, "no such service: " + name + suggestion(name, names));
  }
  for (const auto& warning : project->warnings) console.warning(warning);
  add_outside(world, *project);
  co_return project;
}

io::Task<Result<Target>> Session::load_or_name(LoadWish wish) {
  const auto& flag = options.global.project_name;
  const auto name = flag.empty() ? setting("COMPOSE_PROJECT_NAME") : flag;
  const bool files_named = !options.global.files.empty() || !setting("COMPOSE_FILE").empty();
  if (!name.empty() && !files_named) {
    const auto loaded = co_await load_files({});
    if (!loaded && loaded.error().code == Code::not_found) {
      Target target{.by_label = true};
      target.project.name = name;
      target.project.working_dir = world.working_dir;
      co_return target;
    }
  }
  co_return Target{.project = CO_TRY(co_await load(std::move(wish)))};
}

io::Task<Result<engine::Client*>> Session::engine() {
  if (!client_) {
    auto endpoint = CO_TRY(engine_endpoint(*this));
    auto dialer =
        world.dialer ? world.dialer(endpoint.address) : CO_TRY(engine::make_dialer(endpoint.address, endpoint.access));
    client_ = CO_TRY(co_await engine::Client::connect(std::move(endpoint.address), std::move(dialer)));
  }
  co_return client_.get();
}

io::Task<Result<plan::Traffic*>> Session::traffic() {
  if (!traffic_) {
    const auto* client = CO_TRY(co_await engine());
    traffic_ = plan::traffic_by_sockets(control_folders(), client->address().text());
  }
  co_return traffic_.get();
}

std::vector<std::string> Session::control_folders() const {
  std::vector<std::string> folders{world.runtime_folder};
  if (world.runtime_folder.starts_with("/run/user/")) folders.emplace_back("/run/berth");
  return folders;
}

Result<std::string> Session::docker_config() const {
  return text_or_nothing(world, docker_folder(*this) + "/config.json");
}

Result<ProgressKind> Session::progress_kind() const {
  const auto kind = options.global.progress.empty() ? setting("COMPOSE_PROGRESS") : options.global.progress;
  if (kind == "quiet") return ProgressKind::quiet;
  if (kind == "json") return ProgressKind::json;
  if (!kind.empty() && kind != "auto" && kind != "tty" && kind != "plain")
    return fail(Code::invalid, "COMPOSE_PROGRESS=" + kind + ": auto, tty, plain, json or quiet");
  const auto ansi = options.global.ansi.empty() ? setting("COMPOSE_ANSI") : options.global.ansi;
  if (kind == "plain" || ansi == "never") return ProgressKind::plain;
  if (kind == "tty" || (console.status().terminal && world.variable("TERM") != "dumb")) return ProgressKind::tty;
  return ProgressKind::plain;
}

Result<std::size_t> Session::parallel() const {
  std::int64_t wanted = 0;
  if (options.global.parallel) {
    wanted = *options.global.parallel;
  } else if (const auto text = setting("COMPOSE_PARALLEL_LIMIT"); !text.empty()) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), wanted);
    if (error != std::errc{} || end != text.data() + text.size())
      return fail(Code::invalid, "COMPOSE_PARALLEL_LIMIT must be an integer (found: \"" + text + "\")");
  }
  if (wanted == 0) return kParallel;
  return wanted < 0 ? 1000 : static_cast<std::size_t>(wanted);
}

Result<std::map<std::string, int>> parse_scale(const Texts& texts) {
  std::map<std::string, int> out;
  for (const auto& text : texts) {
    const auto [name, number, found] = cut(text, '=');
    int value = -1;
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), value);
    if (!found || error != std::errc{} || end != number.data() + number.size() || value < 0)
      return fail(Code::invalid, "\"" + text + "\": write a scale as SERVICE=NUMBER");
    out[std::string(name)] = value;
  }
  return out;
}

}  // namespace berth::cli
