// A server's session and the frames that its tests feed it.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/h2_session.h"

namespace berth::http {

// Frames written by hand (RFC 9113 4.1, 6), heads in HPACK's literals without indexing (RFC 7541 6.2.2).

enum Type : std::uint8_t {
  DATA,
  HEADERS,
  PRIORITY,
  RST,
  SETTINGS,
  PUSH,
  PING,
  GOAWAY,
  WINDOW,
  CONTINUATION,
  UNKNOWN = 0x20
};
enum Flag : std::uint8_t { NONE = 0, END_STREAM = 1, ACK = 1, END_HEADERS = 4, PADDED = 8, PRIO = 0x20 };

inline std::string u32(std::uint32_t value) {
  return {static_cast<char>(value >> 24), static_cast<char>(value >> 16), static_cast<char>(value >> 8),
          static_cast<char>(value)};
}
inline std::string frame(int type, int flags, std::uint32_t stream, std::string_view payload, std::size_t told = ~0u) {
  const auto length = static_cast<std::uint32_t>(told == ~0u ? payload.size() : told);
  return u32(length).substr(1) + static_cast<char>(type) + static_cast<char>(flags) + u32(stream) +
         std::string(payload);
}
inline std::string literal(std::string_view name, std::string_view value) {
  std::string out(1, '\0');
  for (const std::string_view text : {name, value}) {
    if (text.size() < 127) {
      out += static_cast<char>(text.size());
    } else {
      out += '\x7f';
      std::size_t rest = text.size() - 127;
      for (; rest >= 128; rest /= 128) out += static_cast<char>(rest % 128 + 128);
      out += static_cast<char>(rest);
    }
    out += text;
  }
  return out;
}
using Pairs = std::vector<std::pair<std::string, std::string>>;
inline std::string block(const Pairs& fields) {
  std::string out;
  for (const auto& [name, value] : fields) out += literal(name, value);
  return out;
}
inline Pairs fields(std::string method = "GET", Pairs more = {}) {
  Pairs all{{":method", std::move(method)}, {":scheme", "https"}, {":path", "/"}, {":authority", "a.test"}};
  all.insert(all.end(), more.begin(), more.end());
  return all;
}
inline std::string head(std::uint32_t stream, int flags = END_STREAM, const Pairs& with = fields()) {
  return frame(HEADERS, flags | END_HEADERS, stream, block(with));
}
inline std::string setting(int id, std::uint32_t value) {
  return std::string{static_cast<char>(id >> 8), static_cast<char>(id)} + u32(value);
}
inline const std::string kHello = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(SETTINGS, NONE, 0, "");

/// A server that answers 200 when a request is complete, with `body` behind it.
struct Server final : H2Events {
  struct Stream : H2Stream {
    std::string text;
  };
  std::map<const H2Stream*, std::unique_ptr<Stream>> streams;
  std::vector<std::string> log;
  std::string body = "hello";
  bool answers = true, refuses = false, reads = true;
  H2Session session{{}, *this};
  bool alive = true;

  H2Stream* on_begin(std::int32_t) override {
    if (refuses) return nullptr;
    auto made = std::make_unique<Stream>();
    H2Stream* result = made.get();
    streams[result] = std::move(made);
    return result;
  }
  void on_field(H2Stream& stream, std::string_view name, std::string_view value) override {
    static_cast<Stream&>(stream).text.append(name).append("=").append(value).append(" ");
  }
  void on_fields_end(H2Stream& stream) override {
    if (stream.in_ended) answer(stream);
  }
  void on_data(H2Stream& stream, std::string_view data) override {
    static_cast<Stream&>(stream).text += data;
    if (reads) session.consume(stream, data.size());
  }
  void on_in_end(H2Stream& stream) override { answer(stream); }
  void on_sent(H2Stream&) override {}
  void on_close(H2Stream& stream, std::uint32_t error) override {
    log.push_back("closed " + std::to_string(error));
    streams.erase(&stream);
  }
  void answer(H2Stream& stream) {
    log.push_back(static_cast<Stream&>(stream).text);
    if (!answers) return;
    stream.out = body;
    session.respond(stream, 200, {}, !body.empty());
    stream.out_ended = true;
  }

  /// What the session says to `bytes`, a word each: "SETTINGS", "HEADERS 1", "RST 1 5", "GOAWAY 1".
  std::string say(std::string_view bytes, std::int64_t now = 0) {
    if (alive) alive = session.feed(bytes, now).has_value();
    std::string out;
    session.pull(out, 1u << 20);
    alive = alive && session.wants_read();
    return words(out);
  }
  static std::string words(std::string_view out) {
    std::string text;
    const auto number = [&](std::size_t at) {
      std::uint32_t value = 0;
      for (std::size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<std::uint8_t>(out[at + i]);
      return value;
    };
    while (out.size() >= 9) {
      const std::size_t length = number(0) >> 8;
      const auto type = static_cast<std::uint8_t>(out[3]);
      const std::string stream = " " + std::to_string(number(5));
      const bool ends = type <= HEADERS && (out[4] & END_STREAM) != 0;
      if (type == DATA) text += "DATA" + stream + (ends ? ". " : " ");
      if (type == HEADERS) text += "HEADERS" + stream + (ends ? ". " : " ");
      if (type == RST) text += "RST" + stream + " " + std::to_string(number(9)) + " ";
      if (type == GOAWAY) text += "GOAWAY " + std::to_string(number(13)) + " ";
      if (type == PING) text += "PONG ";
      if (type == SETTINGS && (out[4] & ACK) != 0) text += "ACK ";
      out.remove_prefix(9 + length);
    }
    if (!text.empty()) text.pop_back();
    return text;
  }
};

inline const std::string kOk = "HEADERS 1 DATA 1.";
inline const std::string kOpen = head(1, NONE, fields("POST"));
inline const std::string kGet = head(1);

}  // namespace berth::http
