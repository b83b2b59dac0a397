#include "edge/control.h"

#include "io/socket_options.h"

namespace berth::edge {
namespace {

constexpr std::size_t kMostQueued = 1024;

}  // namespace

Result<std::unique_ptr<io::Listener>> listen_for_core(io::Loop& loop, const std::string& path) {
  auto listener = TRY(io::Listener::open(loop, TRY(io::Address::unix_path(path)), {.mode = 0660}));
  TRY(io::share_with_folder(path));
  return listener;
}

void Control::attach(std::unique_ptr<io::Stream> stream) {
  if (stream_) stream_->close();
  stream_ = std::move(stream);
  queue_.clear();
  for (const EdgeEvent& event : greeting_()) send(event);
  attached_.set();
}

void Control::detach(const Stream& stream) {
  stream->close();
  if (stream_ != stream) return;
  stream_.reset();
  queue_.clear();
}

void Control::send(const EdgeEvent& event) {
  if (!stream_) return;
  // Who looks on may miss something, but takes no room from what core must know.
  if (event.kind == EdgeEvent::Kind::request && queue_.size() >= kMostQueued / 2) return;
  if (queue_.size() == kMostQueued) queue_.pop_front();
  queue_.push_back(encode_frame(encode_event(event)));
  queued_.set();
}

io::Task<Result<void>> Control::read_from(Stream stream) {
  FrameReader reader;
  std::vector<char> bytes(64u << 10);
  while (true) {
    const std::size_t count = CO_TRY(co_await io::read_some(*stream, bytes));
    if (count == 0) co_return fail(Code::unavailable, "core closed the channel");
    reader.feed({bytes.data(), count});
    while (auto payload = CO_TRY(reader.next())) send(co_await apply_(std::move(*payload)));
  }
}

io::Task<void> Control::read_frames() {
  while (true) {
    if (const Stream stream = stream_) {
      const auto read = co_await read_from(stream);
      detach(stream);
      if (read.error().code == Code::cancelled) co_return;
      continue;
    }
    attached_.reset();
    if (!co_await attached_.wait()) co_return;
  }
}

io::Task<void> Control::write_events() {
  while (true) {
    co_await flush();
    queued_.reset();
    if (!co_await queued_.wait()) co_return;
  }
}

io::Task<void> Control::flush() {
  while (stream_ && !queue_.empty()) {
    const Stream stream = stream_;
    const std::string frame = std::move(queue_.front());
    queue_.pop_front();
    const auto sent = co_await io::write_all(*stream, frame);
    if (sent) continue;
    if (sent.error().code == Code::cancelled) co_return;
    detach(stream);  // the reader notices and waits for the next one
  }
}

}  // namespace berth::edge
