// A stream with its read buffer, as both ends of an HTTP/1.1 connection use it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/body.h"
#include "http/head.h"
#include "io/stream.h"

namespace berth::http {

/// Header fields in order, owned.
using Headers = std::vector<std::pair<std::string, std::string>>;
/// The first value of `name`, or "".
std::string_view header(const Headers& headers, std::string_view name);
/// Code::invalid for a name that is no token or a value with control bytes.
Result<void> check_headers(const Headers& headers);

/// The next piece of a body, valid until the next call; empty at the end.
using Source = std::function<io::Task<Result<std::string_view>>()>;

/// Thread: loop only. Owns the stream; holds a buffer only while bytes are in it or a head is pinned. A parsed head
/// stays at its place in the buffer (its views valid) until next_message().
class Wire {
 public:
  explicit Wire(std::unique_ptr<io::Stream> stream);
  Wire(Wire&&) = delete;
  ~Wire();
  io::Stream& stream() { return *stream_; }
  /// What was read and not consumed.
  std::string_view unread() const { return {buffer_ + begin_, end_ - begin_}; }
  void consume(std::size_t count) { begin_ += count; }
  /// One attempt to read behind unread(): Attempt::failed as the stream says, or when a head fills the most that a
  /// buffer holds (error() tells). Moves unread(), but not the head.
  io::Attempt try_fill();
  Error error() const;
  /// Reads at least one more byte behind unread(); false at the end of the stream. Otherwise as try_fill().
  io::Task<Result<bool>> fill();
  /// Keeps the `size` bytes at the front of unread() as the head, in place.
  void pin(std::size_t size);
  /// Forgets the head.
  void next_message();
  /// The stream and what was read too much, for an upgrade.
  std::pair<std::unique_ptr<io::Stream>, std::string> release();

 private:
  bool make_room();
  void give_back();

  std::unique_ptr<io::Stream> stream_;
  char* buffer_ = nullptr;  ///< null: nothing is held
  std::size_t capacity_ = 0, pinned_ = 0, begin_ = 0, end_ = 0;
  bool full_ = false;
};

/// Reads one body from a wire that outlives it. Thread: loop only.
class BodyPump {
 public:
  BodyPump() = default;
  BodyPump(Wire& wire, BodyKind kind) : wire_(&wire), decoder_(kind) {}
  /// The next piece, valid until the next call; empty at the end. Code::invalid for a malformed body, unavailable when
  /// the peer closed before its end.
  io::Task<Result<std::string_view>> next();
  bool done() const { return finished_ || decoder_.done(); }

 private:
  Wire* wire_ = nullptr;
  BodyDecoder decoder_;
  bool finished_ = false;
};

/// A connection that left HTTP after a handshake. One reader and one writer at a time. Thread: loop only.
class Upgraded {
 public:
  Upgraded(std::unique_ptr<io::Stream> stream, std::string early)
      : stream_(std::move(stream)), early_(std::move(early)) {}
  /// At least one byte, 0 at the end; first what came with the handshake.
  io::Task<Result<std::size_t>> read(std::span<char> into);
  /// All of `bytes`, which must live until the task ends.
  io::Task<Result<void>> write(std::string_view bytes) { return io::write_all(*stream_, bytes); }
  void shutdown_write() { stream_->shutdown_write(); }
  void close() { stream_->close(); }
  io::Stream& stream() { return *stream_; }

 private:
  std::unique_ptr<io::Stream> stream_;
  std::string early_;
};

}  // namespace berth::http
