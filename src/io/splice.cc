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

Task<Result<void>> until_ready(Stream& stream, Direction direction) {
  co_return co_await ready(stream, direction);
}

/// All that is in the pipe.
Task<Result<void>> drain(Pipe& pipe, Stream& to, std::size_t held, Duration stall) {
  while (held > 0) {
    const Attempt attempt = to.try_splice_from(pipe.read.get(), held);
    if (attempt.state == Attempt::moved)
      held -= attempt.count;
    else if (attempt.state == Attempt::blocked)
      CO_TRY(co_await within(stall, until_ready(to, Direction::write)));
    else
      co_return fail(to.error());
  }
  co_return Result<void>{};
}

}  // namespace

Task<Result<std::uint64_t>> splice(Stream& from, Stream& to, std::uint64_t count, Duration stall) {
  Pipe pipe = CO_TRY(pipes.take());
  std::uint64_t moved = 0;
  while (moved < count) {
    const auto most = static_cast<std::size_t>(std::min<std::uint64_t>(pipe.size, count - moved));
    const Attempt attempt = from.try_splice_into(pipe.write.get(), most);
    if (attempt.state == Attempt::end) break;
    if (attempt.state == Attempt::failed) co_return fail(from.error());
    if (attempt.state == Attempt::blocked) {
      CO_TRY(co_await within(stall, until_ready(from, Direction::read)));
      continue;
    }
    CO_TRY(co_await drain(pipe, to, attempt.count, stall));
    moved += attempt.count;
  }
  pipes.put(std::move(pipe));
  co_return moved;
}

}  // namespace berth::io
