#include "http/body.h"

#include <algorithm>
#include <utility>

#include "http/text.h"

namespace berth::http {
namespace {
constexpr std::size_t kMostSizeDigits = 15;
}

BodyKind body_of(const RequestHead& head) {
  if (head.framing.chunked) return {BodyKind::End::chunked, 0};
  const std::uint64_t length = head.framing.length.value_or(0);
  return length == 0 ? BodyKind{} : BodyKind{BodyKind::End::length, length};
}

BodyKind body_of(const ResponseHead& head, std::string_view method) {
  const bool tunnel = method == "CONNECT" && head.status / 100 == 2;
  if (method == "HEAD" || head.status / 100 == 1 || head.status == 204 || head.status == 304 || tunnel) return {};
  if (head.framing.chunked) return {BodyKind::End::chunked, 0};
  if (!head.framing.length) return {BodyKind::End::close, 0};
  return *head.framing.length == 0 ? BodyKind{} : BodyKind{BodyKind::End::length, *head.framing.length};
}

BodyDecoder::BodyDecoder(BodyKind kind, BodyLimits limits) : limits_(limits), left_(kind.length) {
  switch (kind.end) {
    case BodyKind::End::none:
      state_ = State::done;
      break;
    case BodyKind::End::length:
      state_ = kind.length == 0 ? State::done : State::fixed;
      break;
    case BodyKind::End::chunked:
      state_ = State::size;
      left_ = 0;
      break;
    case BodyKind::End::close:
      state_ = State::until_close;
      break;
  }
}

BodyDecoder::Step BodyDecoder::take_data(std::string_view& input, State after) {
  const std::size_t count = static_cast<std::size_t>(std::min<std::uint64_t>(left_, input.size()));
  const std::string_view data = input.substr(0, count);
  input.remove_prefix(count);
  left_ -= count;
  if (left_ == 0) state_ = after;
  return {Next::data, data, {}};
}

BodyDecoder::Step BodyDecoder::next(std::string_view& input) {
  while (true) {
    if (state_ == State::done) return {Next::end, {}, {}};
    if (state_ == State::broken) return {Next::refused, {}, "body is broken"};
    if (input.empty()) return {};
    switch (state_) {
      case State::fixed:
        return take_data(input, State::done);
      case State::chunk:
        return take_data(input, State::chunk_return);
      case State::until_close:
        return {Next::data, std::exchange(input, {}), {}};
      default:
        break;
    }
    const std::string_view reason = take_framing(input.front());
    if (!reason.empty()) {
      state_ = State::broken;
      return {Next::refused, {}, reason};
    }
    input.remove_prefix(1);
  }
}

// One byte that is not data; the reason when it is out of place.
std::string_view BodyDecoder::take_framing(char c) {
  const auto expect = [&](char wanted, State then) -> std::string_view {
    if (c != wanted) return "malformed chunk";
    state_ = then;
    return {};
  };
  switch (state_) {
    case State::size:
      return take_size(c);
    case State::extension:
      return take_extension(c);
    case State::size_feed:
      if (c != '\n') return "malformed chunk size";
      end_size();
      return {};
    case State::chunk_return:
      return expect('\r', State::chunk_feed);
    case State::chunk_feed:
      return expect('\n', State::size);
    case State::trailer:
      return take_trailer(c);
    case State::trailer_feed:
      if (c != '\n') return "malformed trailer";
      state_ = line_ == 0 ? State::done : State::trailer;
      line_ = 0;
      in_value_ = false;
      return {};
    default:
      return "body is broken";
  }
}

std::string_view BodyDecoder::take_size(char c) {
  if (const int value = hex_value(c); value >= 0) {
    if (++digits_ > kMostSizeDigits) return "chunk size is too large";
    left_ = left_ * 16 + static_cast<std::uint64_t>(value);
    return {};
  }
  if (digits_ == 0) return "malformed chunk size";
  if (c == '\r') {
    state_ = State::size_feed;
    return {};
  }
  if (c != ';') return "malformed chunk size";
  state_ = State::extension;
  extension_ = 0;
  return {};
}

std::string_view BodyDecoder::take_extension(char c) {
  if (c == '\r') {
    state_ = State::size_feed;
    return {};
  }
  if (!in_class(c, kFieldByte)) return "control byte in a chunk extension";
  if (++extension_ > limits_.extension || ++extensions_ > limits_.extensions) return "chunk extensions are too large";
  return {};
}

void BodyDecoder::end_size() {
  state_ = left_ == 0 ? State::trailer : State::chunk;
  digits_ = 0;
  line_ = 0;
  in_value_ = false;
}

std::string_view BodyDecoder::take_trailer(char c) {
  if (++trailers_ > limits_.trailers) return "trailers are too large";
  if (c == '\r') {
    if (line_ > 0 && !in_value_) return "malformed trailer";
    state_ = State::trailer_feed;
    return {};
  }
  if (in_value_) {
    ++line_;
    return in_class(c, kFieldByte) ? std::string_view() : "control byte in a trailer";
  }
  if (c == ':' && line_ > 0) {
    in_value_ = true;
  } else if (!in_class(c, kTchar)) {
    return "malformed trailer";
  }
  ++line_;
  return {};
}

void append_chunk_size(std::string& out, std::size_t size) {
  static constexpr char kHex[] = "0123456789abcdef";
  char digits[16];
  std::size_t count = 0;
  for (std::size_t rest = size; rest > 0 || count == 0; rest >>= 4) digits[count++] = kHex[rest & 15];
  while (count > 0) out.push_back(digits[--count]);
  out.append("\r\n");
}

}  // namespace berth::http
