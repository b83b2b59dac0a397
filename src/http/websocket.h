// WebSocket (RFC 6455) as a server speaks it: the handshake, a reader of frames, a writer of frames. Without extensions
// and subprotocols. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "http/head.h"

namespace berth::http {

/// What is said at the end (RFC 6455 7.4.1).
enum class CloseCode : std::uint16_t {
  normal = 1000,
  going_away = 1001,
  protocol = 1002,
  not_said = 1005,  ///< never sent: a Close without a code
  bad_text = 1007,
  policy = 1008,
  too_big = 1009,
  internal = 1011,
};

/// The Sec-WebSocket-Accept of a request that opens a WebSocket of version 13 (RFC 6455 4.2.1). Code::invalid for
/// another request: answer it 426 with "Sec-WebSocket-Version: 13".
Result<std::string> websocket_handshake(const RequestHead& head);

/// Whether a request wants to become a WebSocket, rightly or not.
bool opens_websocket(const RequestHead& head);

struct WebSocketMessage {
  enum class Kind {
    text,    ///< whole, UTF-8
    binary,  ///< whole
    ping,    ///< to be answered by a pong with its payload
    pong,
    close,   ///< of the peer, with `code` and the reason as payload; nothing follows
    broken,  ///< the peer broke a rule: close with `code` and the payload as reason; nothing follows
  };
  Kind kind = Kind::text;
  std::string payload{};
  CloseCode code = CloseCode::not_said;
  friend bool operator==(const WebSocketMessage&, const WebSocketMessage&) = default;
};

/// Makes messages of what a client sends. Holds at most one message and one frame of it beside the bytes of the last
/// feed(). A frame that is too big, and every other broken rule, is found out by its head.
class WebSocketReader {
 public:
  /// `most` bytes of a message, over all of its fragments.
  explicit WebSocketReader(std::size_t most) : most_(most) {}
  void feed(std::string_view bytes) { buffer_.append(bytes); }
  /// Nothing: feed more, or it is over after close or broken.
  std::optional<WebSocketMessage> next();

 private:
  struct Head {
    bool last = false;
    int opcode = 0;
    std::uint64_t size = 0;
    std::size_t length = 0;  ///< of the head itself
  };
  enum class Step { whole, more, broken };
  Step read_head(Head& head);
  bool check_head(const Head& head);
  std::string take_payload(const Head& head);
  std::optional<WebSocketMessage> take(const Head& head);
  WebSocketMessage control(int opcode, std::string payload);
  WebSocketMessage closing(std::string payload);
  bool refuse(CloseCode code, std::string_view reason);
  WebSocketMessage refused(CloseCode code, std::string_view reason);

  std::size_t most_;
  std::string buffer_;
  std::size_t used_ = 0;
  std::string message_;  ///< fragments so far
  int opcode_ = 0;       ///< of the message whose fragments come; 0: none
  bool over_ = false;
  WebSocketMessage fault_;
};

/// Appends one whole, unmasked frame. REQUIRES: text, binary, or ping and pong of at most 125 bytes.
void append_frame(std::string& out, WebSocketMessage::Kind kind, std::string_view payload);
/// Appends a Close frame; of the reason, UTF-8, the first 123 bytes of whole characters. not_said sends no code.
void append_close(std::string& out, CloseCode code, std::string_view reason = {});

}  // namespace berth::http
