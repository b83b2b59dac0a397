#include "edge/tcp_proxy.h"

#include <algorithm>
#include <set>

#include "base/text.h"
#include "edge/admission.h"
#include "edge/limits.h"
#include "edge/ready_transport.h"
#include "io/scope.h"
#include "io/socket_options.h"

namespace berth::edge {

/// One connection of a limited client, until it goes.
class TcpProxy::Held {
 public:
  /// REQUIRES: begin() of `limits` returned true for these.
  Held(Limits& limits, std::string name, const Ip& client)
      : limits_(&limits), name_(std::move(name)), client_(client) {}
  Held(Held&& other) noexcept
      : limits_(std::exchange(other.limits_, nullptr)), name_(std::move(other.name_)), client_(other.client_) {}
  Held& operator=(Held&&) = delete;
  ~Held() {
    if (limits_) limits_->end(name_, client_);
  }

 private:
  Limits* limits_;
  std::string name_;
  Ip client_;
};

/// All that a connection needs of the table, which may be another one long before it ends.
struct TcpProxy::Job {
  Arrival arrival;
  std::unique_ptr<io::Stream> client{};
  std::string route{};
  TcpRoute::Tls tls = TcpRoute::Tls::none;
  std::vector<TcpMiddleware> middlewares{};
  TcpService service{};
  Settings settings{};
  Upstream upstream{};  ///< that was reached
  UpstreamPool::Use use{};
  std::vector<Held> held{};
};

namespace {

RequestFacts facts_of(const Arrival& arrival) {
  return {.host = arrival.greeting().server_name,
          .method = {},
          .path = {},
          .query = {},
          .client = arrival.ends().source.ip,
          .headers = nullptr,
          .alpn = arrival.greeting().alpn};
}

/// Where a client's first bytes cannot change what happens they are not waited for: servers may speak first.
bool must_look(const TcpTable::Place& place) {
  const bool any = !place.plain.empty() || !place.secure.empty();
  return any && (!place.secure.empty() || (place.point.http && place.point.role == Listener::websecure));
}

/// How long one direction may be silent behind the end of the other.
std::optional<io::Duration> linger_of(const TcpService& service, const Upstream& upstream) {
  std::chrono::milliseconds most(service.termination_delay);
  if (upstream.ready && upstream.ready->options().termination_delay != Transport().termination_delay)
    most = upstream.ready->options().termination_delay.value;
  return most.count() < 0 ? std::nullopt : std::optional<io::Duration>(most);
}

/// PostgreSQL's own way to TLS, towards a server.
io::Task<Result<void>> ask_for_tls(io::Stream& server) {
  CO_TRY(co_await io::write_all(server, kPostgresTls));
  char answer = 0;
  const std::size_t count = CO_TRY(co_await io::read_some(server, std::span(&answer, 1)));
  if (count == 1 && answer == 'S') co_return Result<void>{};
  co_return fail(Code::unavailable, "the server speaks no TLS");
}

}  // namespace

Result<void> TcpProxy::set_up(io::ChooseIdentity choose) {
  tls_ = TRY(io::TlsContext::server({.choose = std::move(choose), .alpn = {}}));
  return {};
}

void TcpProxy::follow() {
  balancer_.forget(shared_.live->tcp().servers());
}

io::Task<Result<void>> TcpProxy::read_begin(Arrival& arrival, const TcpTable::Place& place, bool greeting) {
  if (place.expects_proxy(arrival.ends().source.ip)) CO_TRY(co_await arrival.read_proxy_header());
  if (greeting) CO_TRY(co_await arrival.read_greeting(!place.secure.empty()));
  co_return Result<void>{};
}

const TcpTable::Entry* TcpProxy::choose(const Arrival& arrival, const Live& live, const TcpTable::Place& place) const {
  const ClientGreeting& greeting = arrival.greeting();
  const RequestFacts facts = facts_of(arrival);
  if (greeting.state != ClientGreeting::State::tls) return TcpTable::find(place.plain, facts);
  if (greeting.acme() && live.tls_challenge(greeting.server_name)) return nullptr;
  const TcpTable::Entry* entry = TcpTable::find(place.secure, facts);
  // HostSNI(`*`) gets what is left over.
  const bool http = place.point.http && place.point.role == Listener::websecure;
  const bool theirs = http && live.routes().knows_host(Listener::websecure, facts.host);
  return entry && entry->catch_all && theirs ? nullptr : entry;
}

io::Task<std::unique_ptr<io::Stream>> TcpProxy::serve(std::unique_ptr<io::Stream> stream, Crowd::Seat& seat,
                                                      std::shared_ptr<const Live> live, const TcpTable::Place& place,
                                                      io::Cancel& idle) {
  io::keep_alive(*stream);
  Job job{.arrival = Arrival(std::move(stream))};
  job.settings = live->settings();
  const Ip peer = job.arrival.ends().source.ip;
  auto begun =
      co_await io::within(job.settings.header_timeout, read_begin(job.arrival, place, must_look(place))).under(idle);
  const Ip client = job.arrival.ends().source.ip;
  if (begun && client != peer && !edge::admit(shared_, seat, client))
    begun = fail(Code::denied, "too many connections of one client");
  const bool broken = job.arrival.greeting().state == ClientGreeting::State::broken;
  const TcpTable::Entry* entry = begun && !broken ? choose(job.arrival, *live, place) : nullptr;
  if (!entry) {
    // What is no TLS at all gets its answer from HTTP's side.
    if (begun && place.point.http && !job.arrival.is_postgres()) co_return job.arrival.release();
    job.arrival.stream().close();
    co_return nullptr;
  }
  job.route = entry->route.name;
  job.tls = entry->route.tls;
  job.middlewares = entry->route.middlewares;
  job.service = *entry->service;
  live.reset();
  co_await run(std::move(job));
  co_return nullptr;
}

bool TcpProxy::admit(Job& job) {
  const Ip& client = job.arrival.ends().source.ip;
  for (const TcpMiddleware& each : job.middlewares) {
    if (const auto* list = std::get_if<TcpIpAllowList>(&each.action)) {
      if (std::ranges::none_of(list->ranges, [&](const Cidr& range) { return range.contains(client); })) return false;
    } else if (const auto* most = std::get_if<InFlightConn>(&each.action); most && most->amount > 0) {
      // HTTP's middlewares may have the same names.
      std::string name = "tcp " + each.name;
      if (!shared_.limits->begin(name, client, most->amount)) return false;
      job.held.emplace_back(*shared_.limits, std::move(name), client);
    }
  }
  return true;
}

io::Task<void> TcpProxy::run(Job job) {
  const io::Time begun = shared_.loop.now();
  Result<Relayed> relayed = fail(Code::denied, "a middleware refused the client");
  if (admit(job)) relayed = co_await connect_and_relay(job);
  if (job.client)
    job.client->close();
  else
    job.arrival.stream().close();
  if (!relayed && relayed.error().code == Code::unavailable) report(job, relayed.error().message);
  if (!shared_.access) co_return;
  const std::string client = job.arrival.ends().source.ip.text();
  const std::string& why = relayed ? relayed->error : relayed.error().message;
  shared_.access({.client = client,
                  .method = "TCP",
                  .scheme = job.tls == TcpRoute::Tls::none ? "tcp" : "tls",
                  .host = job.arrival.greeting().server_name,
                  .path = {},
                  .status = 0,
                  .sent = relayed ? relayed->back : 0,
                  .received = relayed ? relayed->forth : 0,
                  .duration = std::chrono::duration_cast<std::chrono::microseconds>(shared_.loop.now() - begun),
                  .route = job.route,
                  .target = job.upstream.target,
                  .cache = {},
                  .error = why});
}

io::Task<Result<Relayed>> TcpProxy::connect_and_relay(Job& job) {
  job.client = job.arrival.release();
  if (job.tls == TcpRoute::Tls::terminate) {
    auto secure = io::tls_over(std::move(job.client), tls_);
    io::TlsStream& shaken = *secure;
    job.client = std::move(secure);
    CO_TRY(co_await io::within(job.settings.header_timeout, shaken.handshake()));
  }
  auto server = CO_TRY(co_await reach(job));
  auto relayed = co_await relay(*job.client, *server, linger_of(job.service, job.upstream));
  server->close();
  co_return relayed;
}

io::Task<Result<std::unique_ptr<io::Stream>>> TcpProxy::reach(Job& job) {
  const Service& service = job.service.servers;
  if (service.upstreams.empty()) co_return fail(Code::unavailable, service.down);
  std::set<const Upstream*> tried;
  Error last;
  while (tried.size() < service.upstreams.size()) {
    const Balancer::Facts facts{
        .now = shared_.loop.now(),
        .client = job.arrival.ends().source.ip,
        .cookie = {},
        .usable = [&](const Upstream& each) { return !tried.contains(&each) && !shared_.pool.is_failing(each); },
        .exchanges = [&](const Upstream& each) { return shared_.pool.exchanges(each); }};
    const Upstream* upstream = &service.upstreams[balancer_.choose(service, facts)];
    for (const Upstream& each : service.upstreams)
      if (tried.contains(upstream) && !tried.contains(&each)) upstream = &each;
    tried.insert(upstream);
    UpstreamPool::Use use = shared_.pool.begin(*upstream);
    auto server = co_await io::within(connect_time(*upstream, job.settings), dial(job, *upstream));
    if (server) {
      job.upstream = *upstream;
      job.use = std::move(use);
      co_return server;
    }
    last = server.error();
    if (last.code == Code::cancelled) break;
    shared_.pool.failed(*upstream);
  }
  co_return fail(last.code == Code::cancelled ? Code::cancelled : Code::unavailable, last.message);
}

io::Task<Result<std::unique_ptr<io::Stream>>> TcpProxy::dial(Job& job, const Upstream& upstream) {
  bool ok = false;
  const io::Address address = io::Address::ip(upstream.host, upstream.port, ok);
  if (!ok) co_return fail(Code::internal, "upstream \"" + upstream.host + "\" is not an address");
  auto stream = CO_TRY(co_await io::connect(address));
  if (upstream.ready)
    io::keep_alive(*stream, upstream.ready->options().keep_alive.value);
  else
    io::keep_alive(*stream);
  if (const auto& proxy = job.service.proxy) {
    const ProxyHeader& ends = job.arrival.ends();
    CO_TRY(co_await io::write_all(*stream, proxy->version == 1 ? encode_proxy_v1(ends) : encode_proxy_v2(ends)));
  }
  const bool passes = job.tls == TcpRoute::Tls::passthrough;
  if (job.arrival.is_postgres() && (passes || upstream.tls)) CO_TRY(co_await ask_for_tls(*stream));
  if (!upstream.tls) co_return stream;
  if (!upstream_tls_) upstream_tls_ = CO_TRY(io::TlsContext::client({.verify = false}));
  const auto& ready = upstream.ready;
  auto context = ready ? CO_TRY(ready->tls(ReadyTransport::Offer::none)) : upstream_tls_;
  auto secure =
      io::tls_over(std::move(stream), std::move(context), ready ? ready->expected(upstream.host) : std::string());
  CO_TRY(co_await secure->handshake());
  co_return std::unique_ptr<io::Stream>(std::move(secure));
}

void TcpProxy::report(const Job& job, const std::string& why) {
  const io::Time now = shared_.loop.now();
  if (!shared_.event || now - shared_.reported < std::chrono::seconds(1)) return;
  shared_.reported = now;
  shared_.event({.kind = EdgeEvent::Kind::upstream_failed, .subject = job.service.servers.name, .detail = why});
}

}  // namespace berth::edge
