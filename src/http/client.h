// An HTTP/1.1 client over io's streams: one pool per peer, request and response bodies that stream, upgrades.
#pragma once

#include <optional>

#include "http/wire.h"

namespace berth::http {

struct Request {
  std::string method = "GET";
  std::string target = "/";
  std::string host = "localhost";  ///< the Host field
  Headers headers{};               ///< beyond Host and framing
  std::string body{};              ///< sent with Content-Length unless it is empty and the method usually has none
};

/// The start of a reply.
struct Reply {
  int status = 0;
  std::string reason{};
  Headers headers{};
};

namespace detail {
struct Idle;
}

/// The body of a reply; its connection goes back to the pool once the body was read to its end, else it is closed.
/// Movable while no next() runs. Thread: loop only.
class BodyReader {
 public:
  BodyReader(std::shared_ptr<Wire> wire, BodyKind kind, std::weak_ptr<detail::Idle> home);
  BodyReader(BodyReader&&) noexcept = default;
  BodyReader& operator=(BodyReader&&) = delete;
  ~BodyReader();
  /// The next piece, valid until the next call; empty at the end. Code::unavailable when the reply was cut off,
  /// internal when it is malformed.
  io::Task<Result<std::string_view>> next();
  /// All of it; Code::internal beyond `limit` bytes.
  io::Task<Result<std::string>> all(std::size_t limit);

 private:
  void settle();

  std::shared_ptr<Wire> wire_;  // null once it went home
  BodyPump pump_;
  std::weak_ptr<detail::Idle> home_;  // expired: close the connection after the body
};

/// One request's reply: the head is there, the body streams.
struct Exchange {
  Reply reply;
  BodyReader body;
};

/// Reads a reply; the exchange lives until it returns.
using Consumer = std::function<io::Task<Result<void>>(Exchange& exchange)>;

struct PoolOptions {
  std::size_t idle = 8;  ///< connections kept
  io::Duration keep = std::chrono::seconds(30);
  HeadLimits head{};
};

/// Connections to one peer. Deadlines are the caller's: `io::within(60s, pool.exchange(...))`. Interim replies (1xx)
/// are skipped. A kept connection that turns out closed before any byte of the reply came is replaced once by a fresh
/// one for requests without an effect (GET, HEAD, OPTIONS). Thread: loop only.
class Pool {
 public:
  explicit Pool(std::unique_ptr<io::Dialer> dialer, PoolOptions options = {});
  ~Pool();
  /// Code::unavailable when the peer does not answer or closes, internal when its reply is malformed; the dialer's
  /// errors as they are.
  io::Task<Result<Exchange>> exchange(Request request);
  /// The body streams from `source` with chunked coding while `consume` reads the reply, so that neither side can block
  /// the other. Ends when `consume` ended; what the source still had is not sent then. An error of the source is the
  /// error of the call.
  io::Task<Result<void>> upload(Request request, Source source, Consumer consume);
  struct Handshake {
    Reply reply{};
    std::optional<Upgraded> connection{};  ///< on 101, or 200 with `accept_ok`
    std::string body{};                    ///< of a refusal, at most 64 KiB
  };
  /// Sends `request` (which names Connection and Upgrade itself) on a fresh connection and takes it over on 101; with
  /// `accept_ok` on a 200 too.
  io::Task<Result<Handshake>> upgrade(Request request, bool accept_ok);
  std::string name() const;

 private:
  std::shared_ptr<Wire> take_idle();
  io::Task<Result<std::shared_ptr<Wire>>> dial();
  enum class After { keep, close };
  io::Task<Result<Exchange>> receive(std::shared_ptr<Wire> wire, std::string method, After after);

  std::unique_ptr<io::Dialer> dialer_;
  PoolOptions options_;
  std::shared_ptr<detail::Idle> idle_;
};

}  // namespace berth::http
