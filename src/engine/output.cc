#include "engine/output.h"

namespace berth::engine {
namespace {
constexpr std::size_t kMostJson = 1u << 20;
constexpr std::size_t kReadSize = 32u << 10;

Result<std::optional<OutputPiece>> end_of(const StdcopyReader& frames, bool tty) {
  if (!tty && !frames.at_boundary()) return fail(Code::internal, "the output ends in the middle of a frame");
  return std::nullopt;
}
}  // namespace

OutputStream::OutputStream(http::BodyReader body, bool tty) : body_(std::move(body)), tty_(tty) {}

io::Task<Result<std::optional<OutputPiece>>> OutputStream::next() {
  while (true) {
    auto piece = CO_TRY(frames_.next(unread_));
    if (piece) co_return piece;
    const std::string_view bytes = CO_TRY(co_await body_.next());
    if (bytes.empty()) co_return end_of(frames_, tty_);
    if (tty_) co_return OutputPiece{Channel::out, bytes};
    unread_ = bytes;
  }
}

JsonStream::JsonStream(http::BodyReader body) : body_(std::move(body)) {}

io::Task<Result<std::optional<Json>>> JsonStream::next() {
  while (true) {
    const std::size_t end = buffer_.find('\n', scanned_);
    if (end != std::string::npos) {
      const std::string_view line = std::string_view(buffer_).substr(used_, end - used_);
      used_ = scanned_ = end + 1;
      if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
      co_return std::optional(CO_TRY(parse_json(line)));
    }
    buffer_.erase(0, used_);
    used_ = 0;
    scanned_ = buffer_.size();
    if (buffer_.size() > kMostJson) co_return fail(Code::internal, "the engine sent a message of more than 1 MiB");
    const std::string_view bytes = CO_TRY(co_await body_.next());
    if (!bytes.empty()) {
      buffer_.append(bytes);
      continue;
    }
    const std::string last = std::exchange(buffer_, {});
    scanned_ = 0;
    if (last.find_first_not_of(" \t\r\n") == std::string::npos) co_return std::optional<Json>();
    co_return std::optional(CO_TRY(parse_json(last)));
  }
}

Attachment::Attachment(http::Upgraded upgraded, bool tty)
    : upgraded_(std::move(upgraded)), buffer_(kReadSize), tty_(tty) {}

io::Task<Result<std::optional<OutputPiece>>> Attachment::next() {
  while (true) {
    auto piece = CO_TRY(frames_.next(unread_));
    if (piece) co_return piece;
    const std::size_t count = CO_TRY(co_await upgraded_.read(buffer_));
    if (count == 0) co_return end_of(frames_, tty_);
    const std::string_view bytes(buffer_.data(), count);
    if (tty_) co_return OutputPiece{Channel::out, bytes};
    unread_ = bytes;
  }
}

io::Task<Result<void>> Attachment::write(std::string_view bytes) {
  co_return co_await upgraded_.write(bytes);
}

io::Task<Result<void>> Attachment::close_input() {
  upgraded_.shutdown_write();
  co_return Result<void>{};
}

}  // namespace berth::engine
