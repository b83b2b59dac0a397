// A byte stream in both directions: socket, TLS over a stream, pipe, in-memory pair (testing/simulation.h).
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "io/scope.h"

namespace berth::io {

enum class Direction { read, write };

/// What one attempt did, without waiting.
struct Attempt {
  enum State {
    moved,    ///< `count` > 0 bytes went
    end,      ///< reading only: the peer sends no more
    blocked,  ///< nothing now: co_await ready(stream, direction), then try again
    failed,   ///< Stream::error() says why; the stream is of no further use
  };
  State state = blocked;
  std::size_t count = 0;
};

/// Attempts never block; waiting is apart, so that a hot path costs no coroutine of its own.
/// One reader and one writer at a time. Thread: its loop's.
class Stream {
 public:
  virtual ~Stream() = default;
  virtual Attempt try_read(std::span<char> into) = 0;
  virtual Attempt try_write(std::string_view from) = 0;
  /// Completes `waiter` when an attempt in `direction` may do something. WaitList::remove undoes it.
  virtual WaitList& waiters(Direction direction) = 0;
  /// True when an attempt that was just blocked may already do more (nothing to wait for).
  virtual bool ready_now(Direction) { return false; }
  /// True when an attempt would certainly be blocked: then it need not be made.
  virtual bool is_blocked(Direction) { return false; }
  /// Whether bytes can go between it and a pipe inside the kernel, by the two attempts below (io/splice.h).
  virtual bool splices() const { return false; }
  /// REQUIRES: splices(), and for `into` an empty pipe, so that blocked means that nothing is there to read.
  virtual Attempt try_splice_into(int /*pipe*/, std::size_t /*most*/) { return {Attempt::failed, 0}; }
  virtual Attempt try_splice_from(int /*pipe*/, std::size_t /*most*/) { return {Attempt::failed, 0}; }
  /// Sends the end of our direction; reading goes on.
  virtual void shutdown_write() = 0;
  /// Ends both directions at once; waits of others end too. Idempotent.
  virtual void close() = 0;
  virtual Error error() const = 0;
  /// Of the peer, for logs and X-Forwarded-For: "192.0.2.1:443", "unix".
  virtual std::string peer() const { return {}; }
  /// The descriptor below, -1 where there is none.
  virtual int descriptor() const { return -1; }
};

/// `CO_TRY(co_await ready(stream, Direction::read));`
class Ready final : public Waiter {
 public:
  /// With `cancel`, which outlives the wait, under that instead of the caller's cancellation.
  Ready(Stream& stream, Direction direction, Cancel* cancel = nullptr)
      : stream_(stream), direction_(direction), cancel_(cancel) {}
  bool await_ready() const { return stream_.ready_now(direction_); }
  template <class Promise>
  bool await_suspend(std::coroutine_handle<Promise> self) {
    if (!(cancel_ ? begin(self, {self.promise().context.loop, cancel_}) : begin(self))) return false;
    list_ = &stream_.waiters(direction_);
    list_->add(*this);
    return true;
  }
  Result<void> await_resume() const { return outcome(); }

 private:
  void detach() noexcept override { list_->remove(*this); }
  Stream& stream_;
  Direction direction_;
  Cancel* cancel_;
  WaitList* list_ = nullptr;
};
inline Ready ready(Stream& stream, Direction direction, Cancel* cancel = nullptr) {
  return {stream, direction, cancel};
}

/// At least one byte, or 0 at the end.
Task<Result<std::size_t>> read_some(Stream& stream, std::span<char> into);
/// All of `from`.
Task<Result<void>> write_all(Stream& stream, std::string_view from);
/// Everything up to the end; Code::invalid beyond `limit` bytes.
Task<Result<std::string>> read_to_end(Stream& stream, std::size_t limit);
/// Bytes from `from` to `to` until the end of `from`, then shutdown_write of `to`. Buffers at most 16 KiB.
Task<Result<void>> copy(Stream& from, Stream& to);

/// Opens streams to one peer; a seam: unix socket, tcp, TLS, ssh; in memory in tests.
class Dialer {
 public:
  virtual ~Dialer() = default;
  virtual Task<Result<std::unique_ptr<Stream>>> dial() = 0;
  /// Names the peer in errors: "unix:///var/run/docker.sock".
  virtual std::string name() const = 0;
};

}  // namespace berth::io
