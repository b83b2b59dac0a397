#include "io/stream.h"

namespace berth::io {

Task<Result<std::size_t>> read_some(Stream& stream, std::span<char> into) {
  while (true) {
    const Attempt attempt = stream.try_read(into);
    switch (attempt.state) {
      case Attempt::moved:
        co_return attempt.count;
      case Attempt::end:
        co_return std::size_t{0};
      case Attempt::failed:
        co_return fail(stream.error());
      case Attempt::blocked:
        CO_TRY(co_await ready(stream, Direction::read));
    }
  }
}

namespace {
Task<Result<void>> write_rest(Stream& stream, std::string_view from) {
  while (!from.empty()) {
    const Attempt attempt = stream.try_write(from);
    if (attempt.state == Attempt::moved) {
      from.remove_prefix(attempt.count);
    } else if (attempt.state == Attempt::blocked) {
      CO_TRY(co_await ready(stream, Direction::write));
    } else {
      co_return fail(stream.error());
    }
  }
  co_return Result<void>{};
}
Task<Result<void>> failed_write(Stream& stream) {
  co_return fail(stream.error());
}
}  // namespace

Task<Result<void>> write_all(Stream& stream, std::string_view from) {
  if (from.empty()) return ok();
  // Most writes are taken at once, and need no coroutine.
  const Attempt attempt = stream.try_write(from);
  if (attempt.state == Attempt::failed) return failed_write(stream);
  const std::size_t moved = attempt.state == Attempt::moved ? attempt.count : 0;
  return moved == from.size() ? ok() : write_rest(stream, from.substr(moved));
}

Task<Result<std::string>> read_to_end(Stream& stream, std::size_t limit) {
  std::string out;
  char buffer[16384];
  while (true) {
    const std::size_t count = CO_TRY(co_await read_some(stream, buffer));
    if (count == 0) co_return out;
    if (out.size() + count > limit) co_return fail(Code::invalid, "more than " + std::to_string(limit) + " bytes came");
    out.append(buffer, count);
  }
}

Task<Result<void>> copy(Stream& from, Stream& to) {
  char buffer[16384];
  while (true) {
    const std::size_t count = CO_TRY(co_await read_some(from, buffer));
    if (count == 0) break;
    CO_TRY(co_await write_all(to, std::string_view(buffer, count)));
  }
  to.shutdown_write();
  co_return Result<void>{};
}

}  // namespace berth::io
