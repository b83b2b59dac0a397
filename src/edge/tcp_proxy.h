// TCP routers at work: which connections of an entry point are theirs, and the way to a server and back.
#pragma once

#include <memory>
#include <string>

#include "edge/balance.h"
#include "edge/crowd.h"
#include "edge/shared.h"
#include "edge/tcp_arrival.h"
#include "edge/tcp_relay.h"

namespace berth::edge {

/// Thread: its loop's.
class TcpProxy {
 public:
  explicit TcpProxy(Shared& shared) : shared_(shared) {}
  /// Code::internal when TLS cannot be set up. `choose` picks certificates as for HTTP.
  Result<void> set_up(io::ChooseIdentity choose);

  /// Serves a connection of `place` to its end when a TCP router gets it; else gives it back for HTTP, a PROXY header
  /// taken away and its client made the peer. Null: nothing is left to do. `place` is of `live`. Waiting for the first
  /// bytes ends by `idle`.
  /// `seat` is the connection's; it is given its client's name when a PROXY header names one.
  io::Task<std::unique_ptr<io::Stream>> serve(std::unique_ptr<io::Stream> stream, Crowd::Seat& seat,
                                              std::shared_ptr<const Live> live, const TcpTable::Place& place,
                                              io::Cancel& idle);
  /// The table changed.
  void follow();

 private:
  struct Job;
  class Held;
  io::Task<Result<void>> read_begin(Arrival& arrival, const TcpTable::Place& place, bool greeting);
  const TcpTable::Entry* choose(const Arrival& arrival, const Live& live, const TcpTable::Place& place) const;
  io::Task<void> run(Job job);
  io::Task<Result<Relayed>> connect_and_relay(Job& job);
  io::Task<Result<std::unique_ptr<io::Stream>>> reach(Job& job);
  io::Task<Result<std::unique_ptr<io::Stream>>> dial(Job& job, const Upstream& upstream);
  bool admit(Job& job);
  void report(const Job& job, const std::string& why);

  Shared& shared_;
  Balancer balancer_;
  std::shared_ptr<io::TlsContext> tls_, upstream_tls_;
};

}  // namespace berth::edge
