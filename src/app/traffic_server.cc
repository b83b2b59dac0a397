#include "app/traffic_server.h"

#include <algorithm>

#include "io/file.h"
#include "io/socket_options.h"

namespace berth::app {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr auto kQuestion = seconds(5);     // for the line with the question
constexpr auto kAgain = milliseconds(50);  // between two tries to connect to a container that starts
constexpr auto kUsed = seconds(15);        // for the edge to use a snapshot
constexpr auto kCommand = seconds(15);     // for the edge to answer
constexpr auto kBeyond = seconds(30);      // for what a drain does beside waiting for requests

io::Task<Result<void>> accepts_at(edge::Upstream upstream) {
  bool ok = false;
  const io::Address address = io::Address::ip(upstream.host, upstream.port, ok);
  if (!ok) co_return fail(Code::internal, "\"" + upstream.host + "\" is no address");
  CO_TRY(co_await io::connect(address));
  co_return Result<void>{};
}

io::Task<bool> accept(const std::vector<edge::Upstream>& upstreams) {
  for (const auto& upstream : upstreams)
    if (!co_await io::within(seconds(2), accepts_at(upstream))) co_return false;
  co_return true;
}

std::string text_of(const std::vector<edge::Upstream>& upstreams) {
  std::string out;
  for (const auto& each : upstreams) out += (out.empty() ? "" : ", ") + each.host + ":" + std::to_string(each.port);
  return out;
}

}  // namespace

io::Task<Result<void>> TrafficServer::run() {
  const auto address = CO_TRY(io::Address::unix_path(path_));
  const io::Context context = co_await io::here();
  const auto listener = CO_TRY(io::Listener::open(*context.loop, address, {.backlog = 64, .mode = 0660}));
  io::Scope scope(context);
  while (true) {
    auto stream = co_await listener->accept();
    if (!stream) break;
    scope.spawn(serve(std::move(*stream)));
  }
  scope.cancel();
  co_await scope.join();
  co_return io::remove_file(path_);
}

io::Task<void> TrafficServer::serve(std::unique_ptr<io::Stream> stream) {
  const auto line = co_await io::within(kQuestion, plan::read_control_line(*stream));
  if (!line) co_return;
  const auto peer = io::peer_user(*stream);
  const bool own = peer && (peer->user == 0 || peer->user == io::own_user());
  const std::string reply = co_await answer(*line, own);
  const auto sent = co_await io::within(kQuestion, io::write_all(*stream, reply));
  static_cast<void>(sent);
}

// Whoever it is told to could open the store as well.
io::Task<Result<Json>> TrafficServer::registry(std::string reference, bool own) {
  if (!own) co_return fail(Code::denied, "logins of registries are told to root and to the user of berth alone");
  if (!board_.registry_auth) co_return fail(Code::unavailable, "this serve keeps no registries");
  co_return Json::object({{"auth", CO_TRY(co_await board_.registry_auth(std::move(reference)))}});
}

io::Task<std::string> TrafficServer::answer(std::string line, bool own) {
  using What = plan::ControlRequest::What;
  const auto request = plan::decode_control_request(line);
  if (!request) co_return plan::encode(request.error());
  if (request->what == What::view) {
    // What changed a moment ago counts.
    const auto looked = co_await io::within(seconds(2), look());
    static_cast<void>(looked);
    co_return plan::encode(view());
  }
  if (request->what == What::cache || request->what == What::metrics || request->what == What::requests) {
    const auto told = co_await io::within(kCommand, tell(*request));
    co_return told ? told->dump() + '\n' : plan::encode(told.error());
  }
  if (request->what == What::registry) {
    const auto told = co_await io::within(kCommand, registry(request->reference, own));
    co_return told ? told->dump() + '\n' : plan::encode(told.error());
  }
  if (request->what == What::hold) {
    const auto held = co_await io::within(request->most + kBeyond, hold(*request));
    co_return held ? held->dump() + '\n' : plan::encode(held.error());
  }
  if (request->what == What::drain) {
    const auto drained = co_await io::within(request->most + kBeyond, drain(request->container, request->most));
    co_return drained ? plan::encode(*drained) : plan::encode(drained.error());
  }
  auto routed = co_await io::within(request->most, route(request->container));
  if (!routed && routed.error().code == Code::timeout) {
    const Way way = board_.desk.way_of(request->container);
    const std::string where = way.upstreams.empty() ? "" : " at " + text_of(way.upstreams);
    routed = fail(Code::timeout,
                  "it accepted no connection" + where + " within " + std::to_string(request->most.count()) + " s");
  }
  co_return routed ? plan::encode(*routed) : plan::encode(routed.error());
}

io::Task<Result<Json>> TrafficServer::tell(plan::ControlRequest request) {
  if (request.what == plan::ControlRequest::What::cache) return ask_cache(std::move(request));
  if (request.what == plan::ControlRequest::What::metrics) return show_metrics();
  return show_requests(std::move(request));
}

plan::TrafficView TrafficServer::view() const {
  plan::TrafficView out{.edge = board_.accepted != 0};
  for (const std::string& id : board_.desk.containers())
    for (const auto& upstream : board_.desk.upstreams_of(id)) out.routed[id].push_back(upstream.port);
  return out;
}

io::Task<Result<plan::Routing>> TrafficServer::route(std::string id) {
  using State = Way::State;
  const io::Context context = co_await io::here();
  CO_TRY(co_await look());
  while (true) {
    const Way way = board_.desk.way_of(id);
    if (way.state == State::unwanted) co_return plan::Routing::none;
    if (way.state == State::gone) co_return fail(Code::conflict, "the container is gone");
    if (way.state == State::down || way.state == State::refused) co_return fail(Code::conflict, way.why);
    if (way.state == State::open && co_await accept(way.upstreams)) break;
    const auto moved = co_await io::within(way.state == State::open ? kAgain : milliseconds(1000), next_move());
    static_cast<void>(moved);
    if (const auto why = context.cancel->why()) co_return fail(*why, "given up");
  }
  board_.desk.handover.admit(id);
  CO_TRY(co_await look());
  CO_TRY(co_await used());
  if (board_.desk.upstreams_of(id).empty())
    co_return fail(Code::conflict, "the container stopped serving while it was routed");
  co_return plan::Routing::routed;
}

io::Task<Result<plan::Drained>> TrafficServer::drain(std::string id, io::Duration most) {
  CO_TRY(co_await look());
  const auto before = board_.desk.upstreams_of(id);
  board_.desk.handover.leave(id);
  CO_TRY(co_await look());
  if (!board_.desk.upstreams_of(id).empty()) {
    board_.desk.handover.stay(id);
    board_.wanted.set();
    co_return fail(Code::conflict, "no other container answers its requests");
  }
  if (auto done = co_await io::within(kUsed, used()); !done) co_return fail(std::move(done).error());
  std::vector<std::string> keys;
  for (const auto& upstream : before) keys.push_back(edge::upstream_key(upstream));
  const auto empty = co_await io::within(most, until_unused(keys));
  if (!empty && empty.error().code != Code::timeout) co_return fail(empty.error());
  if (empty) co_return plan::Drained::empty;
  // What lasts beyond the deadline (WebSockets, event streams, downloads) ends here, and not in the middle of a write.
  const auto cut = co_await load({.upstreams = std::move(keys), .services = {}, .cut = true});
  static_cast<void>(cut);  // an edge that is away cuts nothing; the container's end does
  co_return plan::Drained::forced;
}

// A purge of each thing that the words mean, or the counters.
io::Task<Result<Json>> TrafficServer::ask_cache(plan::ControlRequest request) {
  if (request.by.empty()) co_return co_await command({});
  const auto by = edge::purge_kind(request.by);
  if (!by) co_return fail(Code::invalid, "\"" + request.by + "\" is no kind of purge");
  std::int64_t purged = 0;
  for (const auto& purge : CO_TRY(edge::purges_of(*by, request.text)))
    purged += CO_TRY(co_await command({.id = 0, .purge = purge}))["purged"].integer();
  co_return Json::object({{"purged", purged}});
}

io::Task<Result<Json>> TrafficServer::command(edge::CacheCommand command) {
  command.id = ++board_.asked;
  std::string payload = edge::encode_command(command);
  co_return co_await answer_of(command.id, std::move(payload));
}

io::Task<Result<Json>> TrafficServer::answer_of(std::uint64_t id, std::string payload) {
  if (board_.accepted == 0) co_return fail(Code::unavailable, "the edge is not running; try again in a moment");
  board_.commands.push_back(std::move(payload));
  board_.outgoing.set();
  while (!board_.answers.contains(id)) CO_TRY(co_await next_move());
  const edge::EdgeEvent event = board_.answers.extract(id).mapped();
  if (!event.subject.empty()) co_return fail(Code::invalid, event.subject);
  co_return parse_json(event.detail);
}

io::Task<Result<edge::Load>> TrafficServer::load(edge::LoadCommand command) {
  command.id = ++board_.asked;
  std::string payload = edge::encode_command(command);
  const Json answer = CO_TRY(co_await io::within(kCommand, answer_of(command.id, std::move(payload))));
  co_return edge::decode_load(answer.dump());
}

io::Task<Result<void>> TrafficServer::until_still(edge::LoadCommand command) {
  while (CO_TRY(co_await load(command)).running > 0) CO_TRY(co_await io::sleep_for(kAgain));
  co_return Result<void>{};
}

// Pauses, stops or resumes; then waits for the requests that run, counts what is left, and cuts it if that was asked.
io::Task<Result<Json>> TrafficServer::hold(plan::ControlRequest request) {
  const auto& wanted = request.hold;
  Desk& desk = board_.desk;
  std::vector<std::string> services = desk.services_named(wanted.name);
  if (services.empty() && desk.holds.contains(wanted.name)) services.push_back(wanted.name);
  if (services.empty())
    co_return fail(Code::not_found,
                   "\"" + wanted.name + "\" is no service, router or host of this edge; berth route list shows them");
  edge::LoadCommand about{.upstreams = {}, .services = services};
  for (const auto& upstream : desk.upstreams_behind(services)) about.upstreams.push_back(edge::upstream_key(upstream));
  const edge::Load before = CO_TRY(co_await load(about));
  for (const std::string& service : services) {
    if (wanted.verb == "resume")
      desk.holds.erase(service);
    else
      desk.holds[service] = {.message = wanted.message, .most = wanted.limit, .count = wanted.count};
  }
  CO_TRY(board_.held());
  CO_TRY(co_await io::within(kUsed, used()));
  Json names = Json::array();
  for (const std::string& service : services) names.push(service);
  Json reply = Json::object({{"services", std::move(names)}, {"waiting", static_cast<std::int64_t>(before.held)}});
  if (wanted.verb == "resume") co_return reply;
  const auto still = co_await io::within(request.most, until_still(about));
  if (!still && still.error().code != Code::timeout) co_return fail(still.error());
  about.cut = wanted.cut;
  const edge::Load left = still ? edge::Load{} : CO_TRY(co_await load(about));
  reply.set("running", static_cast<std::int64_t>(left.running));
  reply.set("lasting", static_cast<std::int64_t>(left.lasting));
  reply.set("cut", wanted.cut && left.lasting > 0);
  co_return reply;
}

// A look that begins from now on has ended.
io::Task<Result<void>> TrafficServer::look() {
  const std::uint64_t next = board_.begun + 1;
  board_.wanted.set();
  while (board_.ended < next) CO_TRY(co_await next_move());
  co_return Result<void>{};
}

// The edge uses what is known now.
io::Task<Result<void>> TrafficServer::used() {
  while (board_.accepted < board_.desk.snapshot.version) CO_TRY(co_await next_move());
  co_return Result<void>{};
}

io::Task<Result<void>> TrafficServer::until_unused(std::vector<std::string> keys) {
  while (std::ranges::any_of(keys, [&](const auto& key) { return board_.leaving.contains(key); }))
    CO_TRY(co_await next_move());
  co_return Result<void>{};
}

io::Task<Result<void>> TrafficServer::next_move() {
  board_.moved.reset();
  co_return co_await board_.moved.wait();
}

}  // namespace berth::app
