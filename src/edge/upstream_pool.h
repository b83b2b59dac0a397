// Keep-alive connections to the addresses behind routes, one pool per loop.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "edge/route.h"
#include "http/wire.h"
#include "io/tls.h"

namespace berth::edge {

/// Thread: its loop's.
class UpstreamPool {
 public:
  using Connection = std::unique_ptr<http::Wire>;

  explicit UpstreamPool(io::Loop& loop) : loop_(loop) {}

  /// A kept connection that was idle for at most `most` and on which nothing came meanwhile (neither its end nor stray
  /// bytes), or null.
  Connection take(const Upstream& upstream, io::Duration most);
  /// A new one, TLS included. The caller sets the deadline. Code::unavailable when nobody listens there.
  io::Task<Result<Connection>> connect(const Upstream& upstream);
  /// Keeps it. REQUIRES: nothing of an exchange is left on it.
  void put(const Upstream& upstream, Connection connection);

  /// An address that failed less than two seconds ago is asked last.
  void failed(const Upstream& upstream);
  bool is_failing(const Upstream& upstream);

  /// Closes what the new table does not name any more, and what has been idle for long.
  void keep_only(const std::vector<Service>& services);
  std::size_t idle() const;

 private:
  struct Kept {
    Connection connection;
    io::Time since;
  };
  struct Peer {
    std::vector<Kept> kept;  ///< the one used last at the end
    io::Time failing_until{};
  };
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  std::string_view key_of(const Upstream& upstream);
  Peer* find(const Upstream& upstream);
  Peer& at(const Upstream& upstream);

  io::Loop& loop_;
  std::unordered_map<std::string, Peer, Hash, std::equal_to<>> peers_;
  std::string key_;  // reused: a look-up allocates nothing
  std::shared_ptr<io::TlsContext> tls_;
};

}  // namespace berth::edge
