#include "edge/udp_proxy.h"

#include <array>
#include <map>

#include "io/scope.h"

namespace berth::edge {
namespace {

constexpr std::size_t kMostSessions = 4096;
constexpr int kTurn = 64;  // datagrams after which others of the loop have theirs

std::span<char> scratch() {
  static thread_local std::array<char, 64u << 10> bytes;
  return bytes;
}

struct Session {
  io::Address client;
  std::unique_ptr<io::Datagrams> server;
  UpstreamPool::Use use;
  io::Time heard{};  ///< when the client sent last
};

class UdpProxy {
 public:
  UdpProxy(Shared& shared, io::Datagrams& socket, std::string entry_point)
      : shared_(shared), socket_(socket), entry_point_(std::move(entry_point)) {}

  io::Task<void> run() {
    io::Scope scope(co_await io::here());
    for (int turn = 1;; ++turn) {
      const auto got = socket_.try_receive(scratch());
      if (!got && got.error().code == Code::cancelled) break;
      if (got && *got) {
        take(**got, scope);
        if (turn % kTurn == 0 && !co_await io::sleep_until(shared_.loop.now())) break;
      } else if (!co_await socket_.readable()) {
        break;
      }
    }
    scope.cancel();
    co_await scope.join();
  }

 private:
  static std::string key_of(const io::Address& client) {
    return {reinterpret_cast<const char*>(client.raw()), client.size()};
  }

  void take(const io::Datagrams::Received& got, io::Scope& scope) {
    const std::string key = key_of(got.from);
    auto known = sessions_.find(key);
    if (known == sessions_.end()) {
      auto session = open(got.from);
      if (!session) return;
      known = sessions_.emplace(key, std::move(session)).first;
      scope.spawn(answer(key, known->second));
    }
    known->second->heard = shared_.loop.now();
    known->second->server->send(std::string_view(scratch().data(), got.size));
  }

  const TcpTable::Place* place() const { return shared_.live->tcp().place(entry_point_); }

  std::shared_ptr<Session> open(const io::Address& client) {
    const TcpTable::Place* here = place();
    if (!here || !here->udp || sessions_.size() >= kMostSessions) return nullptr;
    const Service& service = *here->udp->service;
    if (service.upstreams.empty()) return nullptr;
    const auto ip = parse_ip(client.host());
    const Ip address = ip ? *ip : Ip{};
    const Balancer::Facts facts{.now = shared_.loop.now(),
                                .client = address,
                                .cookie = {},
                                .usable = [&](const Upstream& each) { return !shared_.pool.is_failing(each); },
                                .exchanges = [&](const Upstream& each) { return shared_.pool.exchanges(each); }};
    balancer_.forget(shared_.live->tcp().config().udp_services);
    const Upstream& upstream = service.upstreams[balancer_.choose(service, facts)];
    bool ok = false;
    const io::Address to = io::Address::ip(upstream.host, upstream.port, ok);
    auto socket = ok ? io::Datagrams::connect(shared_.loop, to) : fail(Code::invalid, "no address");
    if (!socket) return nullptr;
    return std::make_shared<Session>(Session{.client = client,
                                             .server = std::move(*socket),
                                             .use = shared_.pool.begin(upstream),
                                             .heard = shared_.loop.now()});
  }

  /// The server's answers, until the client is silent for long or the server's host says that nobody is there.
  io::Task<void> answer(std::string key, std::shared_ptr<Session> session) {
    for (int turn = 1;; ++turn) {
      const auto got = session->server->try_receive(scratch());
      if (!got) break;
      if (*got) {
        socket_.send(std::string_view(scratch().data(), (*got)->size), &session->client);
        if (turn % kTurn == 0 && !co_await io::sleep_until(shared_.loop.now())) break;
        continue;
      }
      const TcpTable::Place* here = place();
      const io::Time over = session->heard + (here ? here->point.udp_timeout : EntryPoint{}.udp_timeout);
      if (over <= shared_.loop.now()) break;
      const auto waited = co_await io::within(over - shared_.loop.now(), session->server->readable());
      if (!waited && waited.error().code != Code::timeout) break;
    }
    sessions_.erase(key);
  }

  Shared& shared_;
  io::Datagrams& socket_;
  std::string entry_point_;
  Balancer balancer_;
  std::map<std::string, std::shared_ptr<Session>> sessions_;  ///< by the client's address
};

}  // namespace

io::Task<void> serve_datagrams(Shared& shared, io::Datagrams& socket, std::string entry_point) {
  UdpProxy proxy(shared, socket, std::move(entry_point));
  co_await proxy.run();
}

}  // namespace berth::edge
