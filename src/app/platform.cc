#include "app/platform.h"

#include <chrono>

#include "api/assets.h"
#include "api/auth_routes.h"
#include "api/base_routes.h"
#include "auth/users.h"
#include "base/hash.h"
#include "base/text.h"
#include "io/links.h"
#include "io/seal.h"
#include "io/socket_options.h"

namespace berth::app {
namespace {

/// Loopback, unless the edge is in another network than this process: then what the network here shares with it.
std::string near_edge(const std::string& edge_in) {
  const auto links = edge_in.empty() ? Result<std::vector<std::string>>() : io::link_prefixes();
  if (links)
    for (const std::string& link : *links)
      if (link.contains('.') && !link.starts_with("127.")) return link.substr(0, link.find('/'));
  return "127.0.0.1";
}

constexpr std::string_view kName = "berth@internal";

std::int64_t microseconds_now() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::microseconds>(now).count();
}

// In a time that tells nothing: what is compared are digests under a key that nobody knows.
bool same_secret(std::string_view one, std::string_view other) {
  static const std::string key = io::random_bytes(32);
  return hmac_sha256(key, one) == hmac_sha256(key, other);
}

// Who connected to the edge, or to the trusted proxy before it: the last address is the edge's own word.
std::string client_of(const http::RequestHead& head) {
  std::string_view last;
  for (const http::Field& field : head.fields)
    if (equal_fold(field.name, "X-Forwarded-For")) last = field.value;
  const Cut parts = cut_last(last, ',');
  return std::string(trim(parts.found ? parts.after : last));
}

}  // namespace

Platform::Platform(PlatformOptions options) : options_(std::move(options)), secret_(to_hex(io::random_bytes(32))) {}

Platform::~Platform() = default;

io::Task<Result<void>> Platform::run() {
  CO_TRY(co_await start());
  changed();
  io::Scope scope(co_await io::here());
  scope_ = &scope;
  scope.spawn(runner_->run());
  scope.spawn(projects_->tidy());
  scope.spawn(projects_->run());
  scope.spawn(engine_->run());
  scope.spawn(servers_->run());
  scope.spawn(accept(*local_, true));
  scope.spawn(accept(*edge_, false));
  co_await scope.join();
  scope_ = nullptr;
  co_return Result<void>{};
}

io::Task<Result<void>> Platform::start() {
  const io::Context context = co_await io::here();
  CO_TRY(co_await open_store());
  dispatch_ =
      CO_TRY(api::Dispatch::make(api::with_openapi(routes()),
                                 {.identify = [this](const http::RequestHead& head,
                                                     std::string client) { return identify(head, std::move(client)); },
                                  .keep = [this](job::Entry entry) { return keep(std::move(entry)); },
                                  .now = microseconds_now}));
  const auto path = CO_TRY(io::Address::unix_path(options_.data + "/api.sock"));
  local_ = CO_TRY(io::Listener::open(*context.loop, path, {.backlog = 128, .mode = 0660}));
  co_return open_door(*context.loop);
}

Result<void> Platform::open_door(io::Loop& loop) {
  near_ = near_edge(options_.edge_in);
  if (options_.door >= 0) {
    edge_ = TRY(io::Listener::on(loop, io::inherited(std::exchange(options_.door, -1))));
    return {};
  }
  bool literal = false;
  const auto near = io::Address::ip(near_, 0, literal);
  if (!literal) return fail(Code::internal, near_ + " is not an address of this machine");
  edge_ = TRY(io::Listener::open(loop, near));
  return {};
}

io::Task<Result<void>> Platform::open_store() {
  store_ = CO_TRY(co_await open_platform_store(options_.data, say));
  core_ = CO_TRY(core_of(options_.data));
  CO_TRY(co_await close_begun());
  feed_ = make_page_feed(*(co_await io::here()).loop);
  auth_ = std::make_unique<auth::Desk>(*store_->database, store_->key);
  auth_->set_folder(options_.data);
  runner_ = std::make_unique<job::Runner>(
      *store_->database, job::Runner::Options{.alone = !store_->shared,
                                              .core = core_,
                                              .changed = [feed = feed_](const job::Job& job) { tell_job(*feed, job); },
                                              .say = say});
  engine_ = std::make_unique<PlatformEngine>(PlatformEngineOptions{.engine = options_.engine,
                                                                   .broker = options_.broker,
                                                                   .data = options_.data,
                                                                   .runtime_folder = options_.runtime_folder,
                                                                   .say = say},
                                             *store_->database, *runner_, feed_);
  registries_ = std::make_unique<api::RegistryDesk>(
      *store_->database, store_->key, api::RegistryDesk::Options{.engine = engine_->desk(), .now = microseconds_now});
  engine_->use_registries(*registries_);
  projects_ = CO_TRY(
      PlatformProjects::open({.data = options_.data,
                              .runtime_folder = options_.runtime_folder,
                              .engine = options_.engine,
                              .broker = options_.broker,
                              .broker_folder = options_.broker_folder,
                              .registry_auth = [this](std::string image) { return registry_auth(std::move(image)); },
                              .drifted = [feed = feed_](auto name) { tell_drift(*feed, name); }},
                             *runner_));
  projects_->show_edge(edge_view.status);
  servers_ = std::make_unique<api::ServerDesk>(*store_->database, store_->key,
                                               api::ServerOptions{.folder = options_.data + "/servers",
                                                                  .control = options_.runtime_folder + "/ssh",
                                                                  .local = &engine_->desk(),
                                                                  .now = microseconds_now});
  co_return co_await look_for_admin();
}

api::Routes Platform::routes() {
  api::Routes table = api::base_routes();
  const auto add = [&](api::Routes more) { std::ranges::move(more, std::back_inserter(table)); };
  add(api::auth_routes(*auth_));
  add(projects_->routes());
  add(api::edge_routes(edge_view));
  engine_->show_edge(edge_view.status);
  engine_->show_servers(*servers_);
  engine_->show_projects([this](std::string_view name) { return projects_->manages(name); });
  add(engine_->routes());
  add(api::server_routes(*servers_));
  add(api::registry_routes(*registries_));
  return table;
}

io::Task<Result<std::string>> Platform::registry_auth(std::string reference) {
  if (!registries_) co_return fail(Code::unavailable, "the store is not open yet");
  co_return co_await registries_->auth(std::move(reference));
}

io::Task<Result<Json>> Platform::describe() {
  CO_TRY(co_await open_store());
  co_return api::description(routes());
}

io::Task<Result<auth::Principal>> Platform::identify(const http::RequestHead& head, std::string client) {
  auto known = CO_TRY(co_await auth_->recognise(head.fields, std::move(client)));
  co_return std::move(known.who);
}

io::Task<Result<std::int64_t>> Platform::keep(job::Entry entry) {
  if (entry.decision == job::Decision::begun) entry.core = core_;
  co_return co_await store_->database->write<std::int64_t>(
      [&entry](store::Transaction& transaction) { return job::append(transaction, entry); });
}

// What a core before this one began; where others may be at work on the store, the one of this data folder.
io::Task<Result<void>> Platform::close_begun() {
  const std::string core = store_->shared ? core_ : "";
  const std::int64_t closed = CO_TRY(co_await store_->database->write<std::int64_t>(
      [&core](store::Transaction& transaction) { return job::close_begun(transaction, microseconds_now(), core); }));
  if (closed > 0) say(std::to_string(closed) + " changes were interrupted: berth audit list --decision interrupted");
  co_return Result<void>{};
}

// Until there is one the host answers loopback only.
io::Task<Result<void>> Platform::look_for_admin() {
  const bool open = CO_TRY(co_await store_->database->read<bool>(auth::needs_setup));
  set_ready(!open);
  co_return Result<void>{};
}

io::Task<void> Platform::accept(io::Listener& listener, bool local) {
  while (true) {
    auto stream = co_await listener.accept();
    if (!stream) co_return;
    scope_->spawn(local ? serve_local(std::move(*stream)) : serve_edge(std::move(*stream)));
  }
}

io::Task<void> Platform::serve_local(std::unique_ptr<io::Stream> stream) {
  const auto peer = io::peer_user(*stream);
  if (!peer || (peer->user != 0 && peer->user != io::own_user())) co_return;
  const api::Door door{
      .local = true,
      .who = {
          .id = "local", .name = "local", .role = auth::Role::admin, .from = "unix:uid=" + std::to_string(peer->user)}};
  const http::Handler handler = [this, &door](http::ServerRequest& request, http::ResponseWriter& response) {
    return answer(door, request, response);
  };
  const auto served = co_await http::serve_connection(std::move(stream), handler);
  static_cast<void>(served);  // how a connection ends is its client's matter
}

io::Task<void> Platform::serve_edge(std::unique_ptr<io::Stream> stream) {
  const http::Handler handler = [this](http::ServerRequest& request, http::ResponseWriter& response) {
    return answer_edge(request, response);
  };
  const auto served = co_await http::serve_connection(std::move(stream), handler);
  static_cast<void>(served);
}

io::Task<Result<void>> Platform::answer_edge(http::ServerRequest& request, http::ResponseWriter& response) {
  if (!same_secret(request.head().fields.get("X-Berth-Edge"), secret_))
    co_return co_await response.send(403, {{"Content-Type", "text/plain"}}, "this port is the edge's\n");
  const api::Door door{.client = client_of(request.head())};
  co_return co_await answer(door, request, response);
}

io::Task<Result<void>> Platform::answer(const api::Door& door, http::ServerRequest& request,
                                        http::ResponseWriter& response) {
  const std::string_view path = request.head().path;
  if (path != "/api" && !path.starts_with("/api/")) co_return co_await api::serve_asset(request, response);
  CO_TRY(co_await dispatch_->answer(door, request, response));
  if (!ready_ && request.head().method == "POST") CO_TRY(co_await look_for_admin());
  co_return Result<void>{};
}

std::optional<edge::Route> Platform::route() const {
  if (!edge_) return {};
  edge::Route route{.name = std::string(kName),
                    .rule = "Host(`" + options_.host + "`)",
                    .priority = 1 << 20,  // no container takes its requests away
                    .listeners = {edge::Listener::websecure},
                    .service = std::string(kName)};
  if (!ready_ && !options_.setup_remote) {
    edge::IpAllowList loopback;
    for (const char* range : {"127.0.0.0/8", "::1"})
      if (const auto cidr = edge::parse_cidr(range)) loopback.ranges.push_back(*cidr);
    route.middlewares.push_back({.name = "berth-setup@internal", .action = std::move(loopback)});
  }
  route.middlewares.push_back(
      {.name = "berth-edge@internal", .action = edge::Headers{.request = {{"X-Berth-Edge", secret_}}}});
  return route;
}

std::optional<edge::Service> Platform::service() const {
  if (!edge_) return {};
  return edge::Service{.name = std::string(kName),
                       .upstreams = {{.host = near_, .port = edge_->address().port(), .target = "berth"}},
                       .down = {}};
}

void Platform::set_ready(bool ready) {
  if (std::exchange(ready_, ready) != ready) changed();
}

}  // namespace berth::app
