#include "http/websocket.h"

#include <gtest/gtest.h>

#include <vector>

namespace berth::http {
namespace {

using Kind = WebSocketMessage::Kind;

std::string bytes(std::initializer_list<int> list) {
  std::string out;
  for (const int byte : list) out += static_cast<char>(byte);
  return out;
}

// Of a client: `first` is the first byte of the frame.
std::string frame(int first, std::string_view payload) {
  std::string out(1, static_cast<char>(first));
  const std::size_t size = payload.size();
  if (size < 126) {
    out += static_cast<char>(0x80 | size);
  } else if (size < 65536) {
    out += bytes({0xfe, static_cast<int>(size >> 8), static_cast<int>(size & 0xff)});
  } else {
    out += bytes({0xff, 0, 0, 0, 0});
    for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(size >> shift & 0xff);
  }
  const std::string mask = "\x37\xfa\x21\x3d";
  out += mask;
  for (std::size_t i = 0; i < size; ++i) out += static_cast<char>(payload[i] ^ mask[i % 4]);
  return out;
}

std::vector<WebSocketMessage> read(std::string_view text, std::size_t step = ~std::size_t{0},
                                   std::size_t most = 100'000) {
  WebSocketReader reader(most);
  std::vector<WebSocketMessage> out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t count = std::min(step, text.size() - at);
    reader.feed(text.substr(at, count));
    at += count;
    while (auto message = reader.next()) out.push_back(std::move(*message));
  }
  return out;
}

struct Case {
  const char* name;
  std::string input;
  std::vector<WebSocketMessage> wanted;
};

WebSocketMessage broken(CloseCode code, std::string reason) {
  return {.kind = Kind::broken, .payload = std::move(reason), .code = code};
}
WebSocketMessage closed(int code, std::string reason) {
  return {.kind = Kind::close, .payload = std::move(reason), .code = static_cast<CloseCode>(code)};
}

std::vector<Case> good_cases() {
  const std::string large(70'000, 'x');
  return {
      // RFC 6455 5.7
      {"masked hello",
       bytes({0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58}),
       {{.kind = Kind::text, .payload = "Hello"}}},
      {"empty", frame(0x82, ""), {{.kind = Kind::binary}}},
      {"16 bits of length",
       frame(0x82, std::string(126, 'a')),
       {{.kind = Kind::binary, .payload = std::string(126, 'a')}}},
      {"64 bits of length", frame(0x82, large), {{.kind = Kind::binary, .payload = large}}},
      {"fragments with a ping between",
       frame(0x01, "Hel") + frame(0x89, "p") + frame(0x00, "") + frame(0x80, "lo") + frame(0x81, "!"),
       {{.kind = Kind::ping, .payload = "p"},
        {.kind = Kind::text, .payload = "Hello"},
        {.kind = Kind::text, .payload = "!"}}},
      {"a character over two fragments",
       frame(0x01, "\xc3") + frame(0x80, "\xa9"),
       {{.kind = Kind::text, .payload = "\xc3\xa9"}}},
      {"pong", frame(0x8a, "x"), {{.kind = Kind::pong, .payload = "x"}}},
      {"nothing after a close", frame(0x88, bytes({3, 0xe8}) + "bye") + frame(0x81, "x"), {closed(1000, "bye")}},
      {"close without a code", frame(0x88, ""), {closed(1005, "")}},
      {"code of an application", frame(0x88, bytes({0x0f, 0xa1})), {closed(4001, "")}},
  };
}

std::vector<Case> bad_cases() {
  const auto protocol = [](std::string reason) { return std::vector{broken(CloseCode::protocol, std::move(reason))}; };
  return {
      {"unmasked", bytes({0x81, 0x01, 'x'}), protocol("a frame of a client is not masked")},
      {"reserved bit", frame(0xc1, "x"), protocol("a reserved bit is set")},
      {"opcode 3", frame(0x83, "x"), protocol("a frame has an unknown opcode")},
      {"opcode 11", frame(0x8b, "x"), protocol("a frame has an unknown opcode")},
      {"continues nothing", frame(0x80, "x"), protocol("nothing is to be continued")},
      {"begins twice", frame(0x01, "x") + frame(0x81, "y"),
       protocol("a message begins before the one before it ended")},
      {"fragmented ping", frame(0x09, "x"), protocol("a control frame is fragmented")},
      {"long ping", frame(0x89, std::string(126, 'x')), protocol("a control frame is longer than 125 bytes")},
      {"long form of 5", bytes({0x82, 0xfe, 0, 5}), protocol("the length of a frame is not in its shortest form")},
      {"longest form of 300", bytes({0x82, 0xff, 0, 0, 0, 0, 0, 0, 1, 44}),
       protocol("the length of a frame is not in its shortest form")},
      {"negative length", bytes({0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0}),
       protocol("the length of a frame is not in its shortest form")},
      {"half a code", frame(0x88, "x"), protocol("a Close has half a code")},
      {"code 1005", frame(0x88, bytes({3, 0xed})), protocol("a Close has a code that nobody sends")},
      {"code 999", frame(0x88, bytes({3, 0xe7})), protocol("a Close has a code that nobody sends")},
      {"code 5000", frame(0x88, bytes({0x13, 0x88})), protocol("a Close has a code that nobody sends")},
      {"reason not UTF-8",
       frame(0x88, bytes({3, 0xe8, 0xff})),
       {broken(CloseCode::bad_text, "the reason of a Close is not UTF-8")}},
      {"text not UTF-8", frame(0x81, "\xc3("), {broken(CloseCode::bad_text, "a text is not UTF-8")}},
      {"too big by its head",
       bytes({0x82, 0xff, 0, 0, 0, 0, 0x40, 0, 0, 0}),
       {broken(CloseCode::too_big, "a message is too big")}},
  };
}

TEST(WebSocket, ReadsWholeAndByteByByte) {
  for (const Case& each : good_cases())
    for (const std::size_t step : {~std::size_t{0}, std::size_t{1}, std::size_t{7}})
      EXPECT_EQ(read(each.input, step), each.wanted) << each.name << " by " << step;
}

TEST(WebSocket, RefusesWhatBreaksARule) {
  for (const Case& each : bad_cases())
    for (const std::size_t step : {~std::size_t{0}, std::size_t{1}})
      EXPECT_EQ(read(each.input + frame(0x81, "after"), step), each.wanted) << each.name << " by " << step;
}

TEST(WebSocket, LimitsAMessageOverItsFragments) {
  const std::string two = frame(0x02, "12345") + frame(0x80, "67890");
  EXPECT_EQ(read(two, 3, 10), (std::vector<WebSocketMessage>{{.kind = Kind::binary, .payload = "1234567890"}}));
  EXPECT_EQ(read(two, 3, 9), std::vector{broken(CloseCode::too_big, "a message is too big")});
}

TEST(WebSocket, WritesFrames) {
  std::string out;
  append_frame(out, Kind::text, "Hello");
  EXPECT_EQ(out, "\x81\x05Hello");
  out.clear();
  append_frame(out, Kind::pong, "");
  EXPECT_EQ(out, bytes({0x8a, 0}));
  for (const auto& [size, head] :
       std::vector<std::pair<std::size_t, std::string>>{{125, bytes({0x82, 125})},
                                                        {126, bytes({0x82, 126, 0, 126})},
                                                        {65535, bytes({0x82, 126, 255, 255})},
                                                        {65536, bytes({0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0})}}) {
    out.clear();
    append_frame(out, Kind::binary, std::string(size, 'x'));
    EXPECT_EQ(out, head + std::string(size, 'x')) << size;
  }
}

TEST(WebSocket, WritesCloses) {
  std::string out;
  append_close(out, CloseCode::not_said);
  EXPECT_EQ(out, bytes({0x88, 0}));
  out.clear();
  append_close(out, CloseCode::normal, "bye");
  EXPECT_EQ(out, bytes({0x88, 5, 3, 0xe8}) + "bye");
  out.clear();
  append_close(out, CloseCode::internal, std::string(122, 'x') + "\xc3\xa9");
  EXPECT_EQ(out, bytes({0x88, 124, 3, 0xf3}) + std::string(122, 'x'));  // no half character
}

Result<std::string> handshake(const std::string& text) {
  RequestHead head;
  const Parsed parsed = parse_request(text, head);
  EXPECT_EQ(parsed.state, Parsed::State::complete) << text;
  return websocket_handshake(head);
}

TEST(WebSocket, ShakesHands) {
  const std::string start = "GET /chat HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: WebSocket\r\n";
  const std::string key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
  const auto good =
      handshake(start + "Connection: keep-alive, Upgrade\r\n" + key + "Sec-WebSocket-Version: 13\r\n\r\n");
  ASSERT_TRUE(good);
  EXPECT_EQ(*good, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");  // RFC 6455 1.3
  for (const std::string& rest : {"Connection: Upgrade\r\n" + key + "Sec-WebSocket-Version: 8\r\n\r\n",
                                  "Connection: Upgrade\r\n" + key + "\r\n", key + "Sec-WebSocket-Version: 13\r\n\r\n",
                                  std::string("Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\r\n"),
                                  std::string("Connection: Upgrade\r\nSec-WebSocket-Key: c2hvcnQ=\r\n"
                                              "Sec-WebSocket-Version: 13\r\n\r\n")}) {
    const auto bad = handshake(start + rest);
    ASSERT_FALSE(bad) << rest;
    EXPECT_EQ(bad.error().code, Code::invalid);
  }
}

}  // namespace
}  // namespace berth::http
