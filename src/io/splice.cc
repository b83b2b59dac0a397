#include "io/splice.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "io/socket.h"

namespace berth::io {
namespace {

constexpr int kPipeSize = 256 << 10;
constexpr std::size_t kMostKept = 16;

struct Pipe {
  Fd read, write;
  std::size_t size = 0;  ///< bytes that fit
};

/// Empty pipes of a thread; making one costs more than a small body.
class Pipes {
 public:
  Result<Pipe> take() {
    if (!kept_.empty()) {
      Pipe pipe = std::move(kept_.back());
      kept_.pop_back();
      return pipe;
    }
    int ends[2];
    if (::pipe2(ends, O_NONBLOCK | O_CLOEXEC) != 0)
      return fail(Code::internal, std::string("no pipe: ") + std::strerror(errno));
    Pipe pipe{Fd(ends[0]), Fd(ends[1])};
    // A user with many pipes is refused a larger one, and gets by with less.
    const int size = ::fcntl(ends[1], F_SETPIPE_SZ, kPipeSize);
    pipe.size = static_cast<std::size_t>(size > 0 ? size : ::fcntl(ends[1], F_GETPIPE_SZ));
    return pipe;
  }
  /// REQUIRES: empty.
  void put(Pipe pipe) {
    if (kept_.size() < kMostKept) kept_.push_back(std::move(pipe));
  }

 private:
  std::vector<Pipe> kept_;
};
thread_local Pipes pipes;

/// How long a wait may take, for all waits of a transfer: its timer moves only when it fires too early, not once a
/// wait.
class Stall final : Timer {
 public:
  Stall(Context context, Duration most)
      : Timer(*context.loop), loop_(*context.loop), cancel_(context.cancel), most_(most) {}
  /// Until an attempt may do something; Code::timeout.
  Ready until_ready(Stream& stream, Direction direction) {
    until_ = loop_.now() + most_;
    if (!armed()) arm(until_);
    return ready(stream, direction, &cancel_);
  }

 private:
  void fire() override {
    if (loop_.now() < until_)
      arm(until_);
    else
      cancel_.request(Code::timeout);
  }
  Loop& loop_;
  Cancel cancel_;
  const Duration most_;
  Time until_{};
};

/// The rest of what is in the pipe.
Task<Result<void>> drain(const Pipe& pipe, Stream& to, std::size_t held, Stall& stall) {
  while (held > 0) {
    const Attempt attempt = to.try_splice_from(pipe.read.get(), held);
    if (attempt.state == Attempt::moved)
      held -= attempt.count;
    else if (attempt.state == Attempt::blocked)
      CO_TRY(co_await stall.until_ready(to, Direction::write));
    else
      co_return fail(to.error());
  }
  co_return Result<void>{};
}

}  // namespace

Task<Result<std::uint64_t>> splice(Stream& from, Stream& to, std::uint64_t count, Duration most_stall) {
  Pipe pipe = CO_TRY(pipes.take());
  Stall stall(co_await here(), most_stall);
  std::uint64_t moved = 0;
  while (moved < count) {
    const auto most = static_cast<std::size_t>(std::min<std::uint64_t>(pipe.size, count - moved));
    const Attempt attempt = from.try_splice_into(pipe.write.get(), most);
    if (attempt.state == Attempt::end) break;
    if (attempt.state == Attempt::failed) co_return fail(from.error());
    if (attempt.state == Attempt::blocked) {
      CO_TRY(co_await stall.until_ready(from, Direction::read));
      continue;
    }
    const Attempt sent = to.try_splice_from(pipe.read.get(), attempt.count);
    const std::size_t left = attempt.count - (sent.state == Attempt::moved ? sent.count : 0);
    if (left > 0) CO_TRY(co_await drain(pipe, to, left, stall));
    moved += attempt.count;
  }
  pipes.put(std::move(pipe));
  co_return moved;
}

}  // namespace berth::io
