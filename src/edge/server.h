// The data plane of one loop: listeners, clients, the routes in use.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "edge/connection.h"
#include "edge/crowd.h"
#include "edge/load_command.h"
#include "edge/tcp_proxy.h"
#include "io/datagram.h"
#include "io/socket.h"

namespace berth::edge {

/// Thread: its loop's. Owns listeners and connections; run() must have returned before it is destroyed.
class Server {
 public:
  struct Options {
    std::string name = "berth";  ///< this host's name, for X-Forwarded-Server
    AccessSink access{};
    EventSink event{};
    UpstreamPool::Left left{};
    std::shared_ptr<CacheStore> store{};  ///< of the process; null: nothing is cached
    std::shared_ptr<Limits> limits{};     ///< of the process; null: of its own
    std::string ticket_key{};             ///< io::TlsServerOptions::ticket_key
    bool probes = true;                   ///< asks upstreams for their health; else set_down() tells
    std::function<void(const Upstream&, bool down)> health{};  ///< what it found, for the others; may be empty
  };
  /// Code::internal when TLS cannot be set up.
  static Result<std::unique_ptr<Server>> make(io::Loop& loop, Options options);

  /// What requests and handshakes that begin from now on see. Touches no connection.
  void use(std::shared_ptr<const Live> live);
  const std::shared_ptr<const Live>& live() const { return shared_.live; }

  /// What the prober of another loop found.
  void set_down(const Upstream& upstream, bool down) { shared_.pool.set_down(upstream, down); }

  /// Opens a listener; its address with the real port. Code::conflict or denied as io::Listener::open says.
  Result<io::Address> listen(Listener role, const io::Address& address, io::ListenOptions options = {});
  /// The same for an entry point of another name, TCP or UDP.
  Result<io::Address> listen(const EntryPoint& point, const io::Address& address, io::ListenOptions options = {});
  /// The same on a socket that listens already.
  Result<io::Address> listen(const EntryPoint& point, io::Fd socket);

  /// Serves until drain() ended, or until cancelled.
  io::Task<Result<void>> run();
  /// Closes the listeners and, after `patience`, idle connections; until then each gets one more reply, the last one.
  /// Exchanges may finish for at most `most`, then they are cut.
  void drain(io::Duration most, io::Duration patience = {});

  /// What was counted so far, with what is open now.
  Metrics metrics() const;
  Metrics& counts() { return shared_.metrics; }
  /// The newest requests that run, at most `most`.
  Json running(std::size_t most) const { return Running::describe(shared_.running, loop_.now(), most); }
  /// Tells `sink` of each request that ends in the next `time`.
  void watch(AccessSink sink, io::Duration time);
  std::size_t connections() const { return clients_; }
  std::vector<std::string> leaving() const { return shared_.pool.leaving(); }
  /// What runs here; cuts it as the command says.
  Load load(const LoadCommand& command);
  std::size_t idle_upstreams() const { return shared_.pool.idle(); }

 private:
  struct Open {
    Listener role;
    std::string entry_point;
    std::unique_ptr<io::Listener> listener;
  };
  struct OpenUdp {
    std::string entry_point;
    std::unique_ptr<io::Datagrams> socket;
  };
  Server(io::Loop& loop, Options options);
  io::TlsChoice choose(const io::ClientHello& hello);
  void want_certificate(std::string_view server_name);
  /// A connection, and its place among the others.
  struct Arrived {
    std::unique_ptr<io::Stream> stream;
    Crowd::Seat seat;
  };
  io::Task<void> accept_from(Open& open, Serving serving);
  io::Task<void> wait_for_room();
  io::Task<void> serve(Arrived arrived, Listener role, Serving serving);
  io::Task<void> serve_place(Arrived arrived, const Open& open, Serving serving);
  io::Task<void> serve_udp(OpenUdp& open);

  io::Loop& loop_;
  Shared shared_;
  bool probes_;
  std::shared_ptr<io::TlsContext> tls_;
  TcpProxy tcp_{shared_};
  std::vector<Open> open_;
  std::vector<OpenUdp> open_udp_;
  std::size_t clients_ = 0;
  io::Cancel* idle_ = nullptr;  ///< while run() runs
  io::Event draining_;
  io::Duration drain_{}, patience_{};
  std::unordered_map<std::string, io::Time> wanted_;  ///< host -> when its certificate was asked for
};

}  // namespace berth::edge
