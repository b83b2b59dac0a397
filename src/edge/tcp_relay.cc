#include "edge/tcp_relay.h"

#include <array>

#include "io/scope.h"

namespace berth::edge {
namespace {

constexpr std::size_t kMostHeld = 64u << 10;
constexpr int kTurn = 16;  // reads after which others of the loop have theirs

/// What was read and could be written at once never leaves this. No coroutine keeps anything in it while it waits.
std::span<char> scratch() {
  static thread_local std::array<char, kMostHeld> bytes;
  return bytes;
}

class Relay final : io::Timer {
 public:
  Relay(io::Context context, std::optional<io::Duration> linger)
      : Timer(*context.loop), loop_(*context.loop), scope_(context), linger_(linger) {}

  io::Task<Relayed> run(io::Stream& first, io::Stream& second) {
    scope_.spawn(pass(first, second, out_.forth));
    scope_.spawn(pass(second, first, out_.back));
    co_await scope_.join();
    co_return std::move(out_);
  }

 private:
  void fire() override {
    over_ = true;
    scope_.cancel();
  }

  /// After the first end each byte gives the rest time again.
  void touch() {
    if (ending_ && linger_) arm(loop_.now() + *linger_);
  }

  io::Task<void> pass(io::Stream& from, io::Stream& to, std::uint64_t& count) {
    const auto done = co_await move(from, to, count);
    if (done) {
      to.shutdown_write();
      ending_ = true;
      touch();
      co_return;
    }
    // An error takes the other direction along: its end would never come.
    if (!over_ && out_.error.empty()) out_.error = done.error().message;
    over_ = true;
    scope_.cancel();
  }

  io::Task<Result<void>> move(io::Stream& from, io::Stream& to, std::uint64_t& count) {
    std::string rest;
    for (int turn = 1;; ++turn) {
      CO_TRY(co_await io::ready(from, io::Direction::read));
      const io::Attempt got = from.try_read(scratch());
      if (got.state == io::Attempt::end) co_return Result<void>{};
      if (got.state == io::Attempt::failed) co_return fail(from.error());
      if (got.state == io::Attempt::blocked) continue;
      std::string_view bytes(scratch().data(), got.count);
      count += got.count;
      touch();
      const io::Attempt put = to.try_write(bytes);
      if (put.state == io::Attempt::failed) co_return fail(to.error());
      bytes.remove_prefix(put.count);
      if (!bytes.empty()) {
        rest.assign(bytes);
        CO_TRY(co_await io::write_all(to, rest));
        std::string().swap(rest);
        touch();
      }
      if (turn % kTurn == 0) CO_TRY(co_await io::sleep_until(loop_.now()));
    }
  }

  io::Loop& loop_;
  io::Scope scope_;
  std::optional<io::Duration> linger_;
  Relayed out_;
  bool ending_ = false, over_ = false;
};

}  // namespace

io::Task<Relayed> relay(io::Stream& first, io::Stream& second, std::optional<io::Duration> linger) {
  Relay both(co_await io::here(), linger);
  co_return co_await both.run(first, second);
}

}  // namespace berth::edge
