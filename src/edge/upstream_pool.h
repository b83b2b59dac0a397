// Keep-alive connections to the addresses behind routes, one pool per loop.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "edge/route.h"
#include "edge/upstream_session.h"
#include "http/wire.h"
#include "io/tls.h"

namespace berth::edge {

class H2Trunk;

/// A connection to an upstream, or an exchange's part of one.
struct UpstreamLink : http::Wire {
  using Wire::Wire;
  std::unique_ptr<UpstreamSession> session;  ///< null: it speaks HTTP/1.1; else the stream may be null
};

/// Thread: its loop's.
class UpstreamPool {
  struct Kept;
  struct Peer;

 public:
  using Connection = std::unique_ptr<UpstreamLink>;
  /// Told when the last exchange ended with an upstream that the table does not name any more; its upstream_key().
  using Left = std::function<void(const std::string& key)>;

  /// An exchange with an upstream, from its choice to its end.
  class Use {
   public:
    Use() = default;
    Use(Use&& other) noexcept : pool_(other.pool_) {
      other.forget();
      peer_ = std::exchange(other.peer_, nullptr);
    }
    Use& operator=(Use&& other) noexcept {
      std::swap(pool_, other.pool_);
      std::swap(peer_, other.peer_);
      std::swap(lasting_, other.lasting_);
      return *this;
    }
    ~Use() {
      forget();
      if (peer_) pool_->end(*peer_);
    }
    /// The exchange runs for long by now: it counts as lasting, and cut() requests `cancel` with Code::unavailable.
    void lasts(io::Cancel& cancel);

   private:
    friend class UpstreamPool;
    using Entry = std::pair<const std::string, Peer>;
    Use(UpstreamPool& pool, Entry& peer) : pool_(&pool), peer_(&peer) {}
    void forget() {
      if (lasting_) std::erase(peer_->second.lasting, lasting_);
      lasting_ = nullptr;
    }
    UpstreamPool* pool_ = nullptr;
    Entry* peer_ = nullptr;
    io::Cancel* lasting_ = nullptr;
  };

  explicit UpstreamPool(io::Loop& loop, Left left = {});
  ~UpstreamPool();
  /// Ends connections that are shared. To be awaited before this is destroyed, once no exchange is left.
  io::Task<void> close();

  /// Counts an exchange until the Use is gone, which must be before the pool is.
  Use begin(const Upstream& upstream);

  /// A kept connection that was idle for at most `most` and on which nothing came meanwhile (neither its end nor stray
  /// bytes), or null. A part of a shared one (HTTP/2) also when it was idle for longer: GOAWAY says what was not done.
  Connection take(const Upstream& upstream, io::Duration most);
  /// A new one, TLS included, or a part of one that others make just now; with `plain` one that speaks HTTP/1.1 where
  /// both can be had. The caller sets the deadline. Code::unavailable when nobody listens there. REQUIRES: a Use of
  /// `upstream`, but with `plain`.
  io::Task<Result<Connection>> connect(const Upstream& upstream, bool plain = false);
  /// Keeps it. REQUIRES: nothing of an exchange is left on it.
  void put(const Upstream& upstream, Connection connection);

  /// An address that failed less than two seconds ago is asked last; with `passive`, one that failed as often within
  /// its window, for as long.
  void failed(const Upstream& upstream, const std::optional<PassiveHealth>& passive = {});
  /// What a health check found: a down one is asked last.
  void set_down(const Upstream& upstream, bool down);
  bool is_failing(const Upstream& upstream);
  /// Exchanges that run now.
  std::size_t exchanges(const Upstream& upstream);

  /// Those of them that lasted when they were looked at (Use::lasts).
  std::size_t lasting(std::string_view key) const;
  std::size_t exchanges(std::string_view key) const;
  /// Ends the exchanges with this upstream_key() that last; how many. Those that begin to within a second follow.
  std::size_t cut(std::string_view key);

  /// Closes what the new table does not name any more, and what has been idle for long.
  void keep_only(const std::function<bool(std::string_view key)>& names);
  /// The upstreams that the table does not name any more and that still have an exchange, by upstream_key().
  std::vector<std::string> leaving() const;
  std::size_t idle() const;
  std::uint64_t connects = 0, failures = 0;  ///< begun, and of upstreams; for the metrics

 private:
  struct Kept {
    Connection connection;
    io::Time since;
  };
  struct Peer {
    std::string host;  ///< with the next four what its key says
    std::uint16_t port = 0;
    bool tls = false, h2 = false;
    Speaks speaks = Speaks::http;
    std::string transport;
    std::shared_ptr<const ReadyTransport> ready;   ///< by which those kept were made
    std::vector<Kept> kept;                        ///< the one used last at the end
    std::vector<std::shared_ptr<H2Trunk>> trunks;  ///< of HTTP/2
    std::shared_ptr<io::Event> changed;            ///< a trunk, or `dials`
    std::size_t dials = 0, failed_dials = 0;       ///< running; which were for a connection that is shared
    bool shares = true;                            ///< the last connection was HTTP/2, as far as is known
    io::Time failing_until{}, failures_since{};
    std::uint32_t failures = 0;  ///< since `failures_since`, for passive health
    bool down = false;           ///< a health check says so
    std::size_t exchanges = 0;
    bool leaving = false;  ///< not named any more; goes with its last exchange
    std::vector<io::Cancel*> lasting;
    io::Time cut_at{};
  };
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  std::string_view key_of(const Upstream& upstream);
  Peer* find(const Upstream& upstream);
  Use::Entry* look_up(const Upstream& upstream);
  Use::Entry& entry(const Upstream& upstream);
  static bool is_of(const Peer& peer, const Upstream& upstream);
  Result<std::shared_ptr<io::TlsContext>> tls_for(const Upstream& upstream, bool plain);
  void end(Use::Entry& peer);
  static void drop(Peer& peer);
  Connection share(Peer& peer);
  io::Task<Result<Connection>> dial(const Upstream& upstream, bool plain);
  io::Task<Result<Connection>> dial_for_all(const Upstream& upstream, Peer& peer);
  Connection begin_sharing(const Upstream& upstream, std::unique_ptr<io::Stream> stream);

  io::Loop& loop_;
  Left left_;
  io::Cancel cancel_;  ///< of the connections that are shared
  std::unordered_map<std::string, Peer, Hash, std::equal_to<>> peers_;
  std::string key_;                      // reused: a look-up allocates nothing
  std::array<Use::Entry*, 64> known_{};  ///< found last, by where the upstream lies: saves most look-ups
  std::shared_ptr<io::TlsContext> tls_, plain_tls_;
  io::Scope trunks_;
};

}  // namespace berth::edge
