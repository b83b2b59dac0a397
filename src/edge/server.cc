#include "edge/server.h"

#include "base/text.h"
#include "edge/admission.h"
#include "edge/cache_flight.h"
#include "edge/health.h"
#include "edge/limits.h"
#include "edge/udp_proxy.h"
#include "io/scope.h"

namespace berth::edge {
namespace {

constexpr auto kWantedAgain = std::chrono::seconds(60);
constexpr std::size_t kMostWanted = 4096;
constexpr unsigned kAcceptsInOneGo = 16;
constexpr auto kRoomAgain = std::chrono::milliseconds(10);

/// Ends what is left of connections, be they idle or not, when its time is over.
class EndTimer final : public io::Timer {
 public:
  EndTimer(io::Loop& loop, std::function<void()> end) : Timer(loop), end_(std::move(end)) {}

 private:
  void fire() override { end_(); }
  std::function<void()> end_;
};

}  // namespace

Server::Server(io::Loop& loop, Options options)
    : loop_(loop), shared_(loop, std::move(options.left)), probes_(options.probes) {
  shared_.server = std::move(options.name);
  shared_.access = std::move(options.access);
  shared_.event = std::move(options.event);
  shared_.store = std::move(options.store);
  if (options.limits) shared_.limits = std::move(options.limits);
  shared_.health = std::move(options.health);
  if (shared_.store) shared_.flights = std::make_shared<CacheFlights>();
}

Result<std::unique_ptr<Server>> Server::make(io::Loop& loop, Options options) {
  std::string ticket_key = std::move(options.ticket_key);
  std::unique_ptr<Server> server(new Server(loop, std::move(options)));
  Server* self = server.get();
  server->tls_ =
      TRY(io::TlsContext::server({.choose = [self](const io::ClientHello& hello) { return self->choose(hello); },
                                  .alpn = {"h2", "http/1.1"},
                                  .ticket_key = std::move(ticket_key)}));
  TRY(server->tcp_.set_up([self](const io::ClientHello& hello) {
    io::TlsChoice choice = self->choose(hello);
    choice.policy = self->shared_.live->tcp_tls_policy(hello.server_name);
    return choice;
  }));
  server->use(TRY(Live::make({})));  // until core sends the first: it answers, and knows no host
  return server;
}

void Server::use(std::shared_ptr<const Live> live) {
  shared_.live = std::move(live);
  shared_.idle.set_delay(shared_.live->settings().idle_timeout);
  shared_.stalled.set_delay(shared_.live->settings().stall_timeout);
  shared_.pool.keep_only([&](std::string_view key) { return shared_.live->names_upstream(key); });
  shared_.balancer.forget([&](std::string_view name) { return shared_.live->routes().service(name).get(); });
  shared_.forget_unnamed();
  tcp_.follow();
  shared_.swapped.set();
}

Load Server::load(const LoadCommand& command) {
  Load load;
  for (const std::string& key : command.upstreams) {
    load.running += shared_.pool.exchanges(std::string_view(key));
    load.lasting += shared_.pool.lasting(key);
    if (command.cut) shared_.pool.cut(key);
  }
  for (const std::string& service : command.services) {
    const auto held = shared_.held.find(service);
    if (held != shared_.held.end()) load.held += held->second;
  }
  return load;
}

io::TlsChoice Server::choose(const io::ClientHello& hello) {
  if (hello.acme) return {.identity = shared_.live->tls_challenge(hello.server_name)};
  auto identity = shared_.live->identity(hello.server_name);
  if (!identity) want_certificate(hello.server_name);
  return {.identity = std::move(identity), .policy = shared_.live->tls_policy(lower(hello.server_name))};
}

void Server::want_certificate(std::string_view server_name) {
  const auto host = canonical_host(server_name);
  // Only hosts with a route: else anybody could make us ask for certificates without end.
  if (!host || !shared_.event || !shared_.live->routes().knows_host(Listener::websecure, *host)) return;
  if (wanted_.size() >= kMostWanted) wanted_.clear();
  const auto [at, first] = wanted_.try_emplace(*host, loop_.now());
  if (!first && loop_.now() - at->second < kWantedAgain) return;
  at->second = loop_.now();
  shared_.event({.kind = EdgeEvent::Kind::certificate_wanted, .subject = *host, .detail = {}});
}

Result<io::Address> Server::listen(Listener role, const io::Address& address, io::ListenOptions options) {
  return listen(EntryPoint{.name = std::string(to_text(role)), .role = role}, address, options);
}

Result<io::Address> Server::listen(const EntryPoint& point, const io::Address& address, io::ListenOptions options) {
  return listen(point, TRY(point.udp ? io::Datagrams::bind(address, options) : io::listen_on(address, options)));
}

Result<io::Address> Server::listen(const EntryPoint& point, io::Fd socket) {
  if (point.udp) {
    open_udp_.push_back({point.name, TRY(io::Datagrams::on(loop_, std::move(socket)))});
    return open_udp_.back().socket->address();
  }
  open_.push_back({point.role, point.name, TRY(io::Listener::on(loop_, std::move(socket)))});
  return open_.back().listener->address();
}

io::Task<void> Server::serve(Arrived arrived, Listener role, Serving serving) {
  ++shared_.metrics.connections[static_cast<std::size_t>(role)];
  Attendance attendance{std::move(arrived.seat), Counted(clients_)};
  if (role == Listener::websecure)
    return serve_tls_client(serving, std::move(arrived.stream), tls_, std::move(attendance));
  return serve_client(shared_, std::move(arrived.stream), role, serving.idle, std::move(attendance));
}

/// Where more than HTTP is served, or a proxy stands in front.
io::Task<void> Server::serve_place(Arrived arrived, const Open& open, Serving serving) {
  auto live = shared_.live;
  const TcpTable::Place* place = live->tcp().place(open.entry_point);
  if (!place) co_return co_await serve(std::move(arrived), open.role, serving);  // the table changed since
  ++clients_;
  arrived.stream = co_await tcp_.serve(std::move(arrived.stream), arrived.seat, std::move(live), *place, serving.idle);
  --clients_;
  if (arrived.stream) co_await serve(std::move(arrived), open.role, serving);
}

io::Task<void> Server::serve_udp(OpenUdp& open) {
  co_await serve_datagrams(shared_, *open.socket, open.entry_point);
}

io::Task<void> Server::accept_from(Open& open, Serving serving) {
  Crowd& crowd = shared_.limits->crowd();
  for (unsigned accepted = 1;; ++accepted) {
    if (accepted % kAcceptsInOneGo == 0) co_await io::heavy_turn();
    if (crowd.size() >= most_connections(shared_).all) co_await wait_for_room();
    auto stream = co_await open.listener->accept();
    if (!stream) co_return;  // closed by drain(), or cancelled
    Arrived arrived{std::move(*stream), Crowd::Seat(crowd)};
    const TcpTable::Place* place = shared_.live->tcp().place(open.entry_point);
    const auto peer = parse_ip(cut_last(arrived.stream->peer(), ':').before);
    // Behind a proxy the client is known once its PROXY header came.
    const bool named = peer && !(place && place->expects_proxy(*peer));
    if (named && !admit(shared_, arrived.seat, *peer)) continue;
    serving.clients.spawn(place ? serve_place(std::move(arrived), open, serving)
                                : serve(std::move(arrived), open.role, serving));
  }
}

/// New connections wait in the kernel's queue; those there are go on.
io::Task<void> Server::wait_for_room() {
  ++shared_.metrics.pauses;
  const std::size_t most = most_connections(shared_).all;
  tell_crowded(shared_, "all " + std::to_string(most) +
                            " connections that the edge may have are open: new ones wait until others end");
  while (shared_.limits->crowd().size() >= most_connections(shared_).all && !shared_.draining) {
    if (!co_await io::sleep_for(kRoomAgain)) co_return;
  }
}

io::Task<Result<void>> Server::run() {
  const io::Context context = co_await io::here();
  io::Scope accepts(context), clients(context), background(context);
  shared_.background = &background;
  io::Cancel idle(context.cancel);
  idle_ = &idle;
  for (Open& open : open_) accepts.spawn(accept_from(open, {shared_, idle, clients}));
  for (OpenUdp& open : open_udp_) accepts.spawn(serve_udp(open));
  Prober prober(shared_);
  io::Scope probes(context);
  if (probes_) probes.spawn(prober.run());
  const auto outcome = co_await draining_.wait();
  shared_.draining = true;
  probes.cancel();
  co_await probes.join();
  for (Open& open : open_) open.listener->close();
  for (OpenUdp& open : open_udp_) open.socket->close();
  co_await accepts.join();
  EndTimer end_idle(loop_, [&] { idle.request(); }), cut(loop_, [&] { clients.cancel(); });
  if (patience_ > io::Duration{})
    end_idle.arm(loop_.now() + std::min(patience_, drain_));
  else
    idle.request();
  cut.arm(loop_.now() + drain_);
  co_await clients.join();
  shared_.background = nullptr;
  background.cancel();
  co_await background.join();
  co_await shared_.pool.close();
  idle_ = nullptr;
  co_return outcome;
}

Metrics Server::metrics() const {
  Metrics all = shared_.metrics;
  all.open = clients_;
  all.running = shared_.running.count;
  all.idle_upstreams = shared_.pool.idle();
  all.connects = shared_.pool.connects;
  all.failures = shared_.pool.failures;
  return all;
}

void Server::watch(AccessSink sink, io::Duration time) {
  shared_.watch = std::move(sink);
  shared_.watch_until = loop_.now() + time;
}

void Server::drain(io::Duration most, io::Duration patience) {
  drain_ = most;
  patience_ = patience;
  draining_.set();
}

}  // namespace berth::edge
