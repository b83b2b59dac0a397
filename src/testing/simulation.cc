#include "testing/simulation.h"

#include <cstdio>

namespace berth::testing {
namespace {

class VirtualPoller final : public io::Poller {
 public:
  io::Time now() override { return now_; }
  void wait(std::optional<io::Duration> most, io::Loop& loop) override {
    if (most) {
      now_ += *most;
    } else if (!std::exchange(interrupted_, false)) {
      std::fprintf(stderr, "simulated loop: these tasks wait for ever:\n%s", loop.describe().c_str());
      std::abort();
    }
  }
  void interrupt() override { interrupted_ = true; }
  bool simulated() const override { return true; }
  Result<void> add(io::Descriptor&) override { return fail(Code::internal, "a simulated loop has no descriptors"); }
  void remove(io::Descriptor&) override {}

 private:
  io::Time now_{};
  bool interrupted_ = false;
};

// One direction.
struct Channel {
  std::string data;
  std::size_t passed = 0;
  bool ended = false;   // the writer sends no more
  bool broken = false;  // the reader is gone
  StreamFaults faults;
  io::WaitList readers, writers;
};

class MemoryStream final : public io::Stream {
 public:
  MemoryStream(std::shared_ptr<Channel> in, std::shared_ptr<Channel> out) : in_(std::move(in)), out_(std::move(out)) {}
  ~MemoryStream() override { close(); }
  io::Attempt try_read(std::span<char> into) override {
    if (in_->passed >= in_->faults.break_after || closed_) return {io::Attempt::failed, 0};
    std::size_t count = std::min({into.size(), in_->data.size(), in_->faults.chunk});
    count = std::min(count, in_->faults.break_after - in_->passed);
    if (count == 0) return {in_->ended ? io::Attempt::end : io::Attempt::blocked, 0};
    std::memcpy(into.data(), in_->data.data(), count);
    in_->data.erase(0, count);
    in_->passed += count;
    in_->writers.wake_all();
    return {io::Attempt::moved, count};
  }
  io::Attempt try_write(std::string_view from) override {
    if (out_->broken || out_->ended || closed_) return {io::Attempt::failed, 0};
    const std::size_t room = out_->faults.capacity - std::min(out_->faults.capacity, out_->data.size());
    const std::size_t count = std::min(room, from.size());
    if (count == 0) return {io::Attempt::blocked, 0};
    out_->data.append(from.substr(0, count));
    out_->readers.wake_all();
    return {io::Attempt::moved, count};
  }
  io::WaitList& waiters(io::Direction direction) override {
    return direction == io::Direction::read ? in_->readers : out_->writers;
  }
  bool ready_now(io::Direction direction) override {
    if (closed_) return true;
    if (direction == io::Direction::read) return !in_->data.empty() || in_->ended;
    return out_->broken || out_->ended || out_->data.size() < out_->faults.capacity;
  }
  void shutdown_write() override {
    out_->ended = true;
    out_->readers.wake_all();
  }
  void close() override {
    closed_ = true;
    shutdown_write();
    in_->broken = true;
    in_->writers.wake_all();
    in_->readers.wake_all();
  }
  Error error() const override { return Error{Code::unavailable, "the in-memory stream was broken"}; }
  std::string peer() const override { return "memory"; }

 private:
  std::shared_ptr<Channel> in_, out_;
  bool closed_ = false;
};

}  // namespace

std::unique_ptr<io::Loop> simulated_loop() {
  return std::make_unique<io::Loop>(std::make_unique<VirtualPoller>());
}

std::pair<std::unique_ptr<io::Stream>, std::unique_ptr<io::Stream>> stream_pair(StreamFaults faults) {
  auto to_first = std::make_shared<Channel>();
  auto to_second = std::make_shared<Channel>();
  to_first->faults = faults;
  return {std::make_unique<MemoryStream>(to_first, to_second), std::make_unique<MemoryStream>(to_second, to_first)};
}

}  // namespace berth::testing
