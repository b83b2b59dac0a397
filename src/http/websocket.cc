#include "http/websocket.h"

#include <utility>

#include "base/base64.h"
#include "base/utf8.h"
#include "http/url.h"

namespace berth::http {
namespace {

using Kind = WebSocketMessage::Kind;

constexpr int kContinuation = 0, kText = 1, kBinary = 2, kClose = 8, kPing = 9, kPong = 10;
constexpr std::size_t kMostControl = 125, kMask = 4, kKey = 16;

bool is_control(int opcode) {
  return opcode >= kClose;
}
bool is_known(int opcode) {
  return opcode <= kBinary || (opcode >= kClose && opcode <= kPong);
}

/// Codes that a peer may send (RFC 6455 7.4 and the registry).
bool may_be_sent(unsigned code) {
  if (code >= 3000 && code <= 4999) return true;
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014);
}

int opcode_of(Kind kind) {
  switch (kind) {
    case Kind::text:
      return kText;
    case Kind::binary:
      return kBinary;
    case Kind::ping:
      return kPing;
    case Kind::pong:
      return kPong;
    case Kind::close:
    case Kind::broken:
      break;
  }
  return kClose;
}

void append_number(std::string& out, std::uint64_t number, int bytes) {
  for (int i = bytes - 1; i >= 0; --i) out += static_cast<char>(number >> (8 * i) & 0xff);
}

void append_raw(std::string& out, int opcode, std::string_view payload) {
  out += static_cast<char>(0x80 | opcode);
  if (payload.size() <= kMostControl) {
    append_number(out, payload.size(), 1);
  } else if (payload.size() <= 0xffff) {
    append_number(out, 126, 1);
    append_number(out, payload.size(), 2);
  } else {
    append_number(out, 127, 1);
    append_number(out, payload.size(), 8);
  }
  out.append(payload);
}

}  // namespace

bool opens_websocket(const RequestHead& head) {
  return head.fields.has_token("Upgrade", "websocket");
}

Result<std::string> websocket_handshake(const RequestHead& head) {
  const bool asked = head.method == "GET" && head.fields.has_token("Upgrade", "websocket") &&
                     head.fields.has_token("Connection", "upgrade");
  if (!asked) return fail(Code::invalid, "this path answers a WebSocket handshake only");
  if (head.fields.get("Sec-WebSocket-Version") != "13")
    return fail(Code::invalid, "Sec-WebSocket-Version is not 13; no other version is spoken");
  const std::string_view key = head.fields.get("Sec-WebSocket-Key");
  const auto decoded = decode_base64(key);
  if (!decoded || decoded->size() != kKey) return fail(Code::invalid, "Sec-WebSocket-Key is not 16 bytes in base64");
  return websocket_accept(key);
}

bool WebSocketReader::refuse(CloseCode code, std::string_view reason) {
  fault_ = refused(code, reason);
  return false;
}

WebSocketMessage WebSocketReader::refused(CloseCode code, std::string_view reason) {
  over_ = true;
  return {.kind = Kind::broken, .payload = std::string(reason), .code = code};
}

// RFC 6455 5.2. The sizes of a head are written in their shortest form.
WebSocketReader::Step WebSocketReader::read_head(Head& head) {
  const std::string_view bytes = std::string_view(buffer_).substr(used_);
  if (bytes.size() < 2) return Step::more;
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  head = {.last = (at(0) & 0x80) != 0, .opcode = at(0) & 0x0f, .size = at(1) & 0x7fu, .length = 2 + kMask};
  if ((at(0) & 0x70) != 0) {
    refuse(CloseCode::protocol, "a reserved bit is set");
    return Step::broken;
  }
  if ((at(1) & 0x80) == 0) {
    refuse(CloseCode::protocol, "a frame of a client is not masked");
    return Step::broken;
  }
  const std::size_t extra = head.size == 126 ? 2 : head.size == 127 ? 8 : 0;
  if (is_control(head.opcode) && extra != 0) {
    refuse(CloseCode::protocol, "a control frame is longer than 125 bytes");
    return Step::broken;
  }
  if (bytes.size() < 2 + extra) return Step::more;
  if (extra != 0) {
    head.size = 0;
    for (std::size_t i = 0; i < extra; ++i) head.size = head.size << 8 | at(2 + i);
    const std::uint64_t least = extra == 2 ? 126 : 65536;
    if (head.size < least || head.size >> 63 != 0) {
      refuse(CloseCode::protocol, "the length of a frame is not in its shortest form");
      return Step::broken;
    }
  }
  head.length += extra;
  return check_head(head) ? Step::whole : Step::broken;
}

bool WebSocketReader::check_head(const Head& head) {
  if (!is_known(head.opcode)) return refuse(CloseCode::protocol, "a frame has an unknown opcode");
  if (is_control(head.opcode)) return head.last || refuse(CloseCode::protocol, "a control frame is fragmented");
  if (head.opcode == kContinuation && opcode_ == 0) return refuse(CloseCode::protocol, "nothing is to be continued");
  if (head.opcode != kContinuation && opcode_ != 0)
    return refuse(CloseCode::protocol, "a message begins before the one before it ended");
  if (head.size > most_ - message_.size()) return refuse(CloseCode::too_big, "a message is too big");
  return true;
}

std::string WebSocketReader::take_payload(const Head& head) {
  const auto size = static_cast<std::size_t>(head.size);
  const std::size_t mask = used_ + head.length - kMask, from = used_ + head.length;
  std::string payload = buffer_.substr(from, size);
  for (std::size_t i = 0; i < size; ++i) payload[i] = static_cast<char>(payload[i] ^ buffer_[mask + i % kMask]);
  used_ = from + size;
  return payload;
}

std::optional<WebSocketMessage> WebSocketReader::next() {
  while (!over_) {
    Head head;
    const Step step = read_head(head);
    if (step == Step::broken) return fault_;
    const bool whole = step == Step::whole && buffer_.size() - used_ >= head.length + head.size;
    if (!whole) {
      buffer_.erase(0, std::exchange(used_, 0));
      return std::nullopt;
    }
    if (auto message = take(head)) return message;
  }
  return std::nullopt;
}

std::optional<WebSocketMessage> WebSocketReader::take(const Head& head) {
  std::string payload = take_payload(head);
  if (is_control(head.opcode)) return control(head.opcode, std::move(payload));
  if (head.opcode != kContinuation) opcode_ = head.opcode;
  message_ += payload;
  if (!head.last) return std::nullopt;
  const bool text = std::exchange(opcode_, 0) == kText;
  if (text && !is_utf8(message_)) return refused(CloseCode::bad_text, "a text is not UTF-8");
  return WebSocketMessage{.kind = text ? Kind::text : Kind::binary, .payload = std::exchange(message_, {})};
}

WebSocketMessage WebSocketReader::control(int opcode, std::string payload) {
  if (opcode == kClose) return closing(std::move(payload));
  return {.kind = opcode == kPing ? Kind::ping : Kind::pong, .payload = std::move(payload)};
}

WebSocketMessage WebSocketReader::closing(std::string payload) {
  if (payload.size() == 1) return refused(CloseCode::protocol, "a Close has half a code");
  WebSocketMessage message{.kind = Kind::close};
  if (!payload.empty()) {
    const unsigned code = static_cast<unsigned char>(payload[0]) * 256u + static_cast<unsigned char>(payload[1]);
    if (!may_be_sent(code)) return refused(CloseCode::protocol, "a Close has a code that nobody sends");
    message.code = static_cast<CloseCode>(code);
    message.payload = payload.substr(2);
    if (!is_utf8(message.payload)) return refused(CloseCode::bad_text, "the reason of a Close is not UTF-8");
  }
  over_ = true;
  return message;
}

void append_frame(std::string& out, WebSocketMessage::Kind kind, std::string_view payload) {
  append_raw(out, opcode_of(kind), payload);
}

void append_close(std::string& out, CloseCode code, std::string_view reason) {
  std::string payload;
  if (code != CloseCode::not_said) {
    append_number(payload, static_cast<std::uint64_t>(code), 2);
    while (!reason.empty()) {
      const std::size_t length = utf8_length(reason);
      if (length == 0 || payload.size() + length > kMostControl) break;
      payload.append(reason.substr(0, length));
      reason.remove_prefix(length);
    }
  }
  append_raw(out, kClose, payload);
}

}  // namespace berth::http
