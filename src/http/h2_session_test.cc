#include "http/h2_session.h"

#include <gtest/gtest.h>

#include <map>

namespace berth::http {
namespace {

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

std::string u32(std::uint32_t value) {
  return {static_cast<char>(value >> 24), static_cast<char>(value >> 16), static_cast<char>(value >> 8),
          static_cast<char>(value)};
}
std::string frame(int type, int flags, std::uint32_t stream, std::string_view payload, std::size_t told = ~0u) {
  const auto length = static_cast<std::uint32_t>(told == ~0u ? payload.size() : told);
  return u32(length).substr(1) + static_cast<char>(type) + static_cast<char>(flags) + u32(stream) +
         std::string(payload);
}
std::string literal(std::string_view name, std::string_view value) {
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
std::string block(const Pairs& fields) {
  std::string out;
  for (const auto& [name, value] : fields) out += literal(name, value);
  return out;
}
Pairs fields(std::string method = "GET", Pairs more = {}) {
  Pairs all{{":method", std::move(method)}, {":scheme", "https"}, {":path", "/"}, {":authority", "a.test"}};
  all.insert(all.end(), more.begin(), more.end());
  return all;
}
std::string head(std::uint32_t stream, int flags = END_STREAM, const Pairs& with = fields()) {
  return frame(HEADERS, flags | END_HEADERS, stream, block(with));
}
std::string setting(int id, std::uint32_t value) {
  return std::string{static_cast<char>(id >> 8), static_cast<char>(id)} + u32(value);
}
const std::string kHello = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(SETTINGS, NONE, 0, "");

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
      out.remove_prefix(9 + length);
    }
    if (!text.empty()) text.pop_back();
    return text;
  }
};

struct Rule {
  const char* name;  ///< with the section of RFC 9113, or of 7541 where it says HPACK
  std::string sent;
  std::string expected;
};
void PrintTo(const Rule& rule, std::ostream* out) {
  *out << rule.name;
}

const std::string kOk = "HEADERS 1 DATA 1.";
const std::string kOpen = head(1, NONE, fields("POST"));
const std::string kGet = head(1);

std::vector<Rule> framing() {
  return {
      {"4_1_unknown_type_is_ignored", frame(UNKNOWN, NONE, 0, "x") + kGet, kOk},
      {"4_1_unknown_flags_are_ignored", frame(PING, 0x16, 0, "12345678"), "PONG"},
      {"4_1_reserved_bit_is_ignored", frame(PING, NONE, 0x80000000u, "12345678"), "PONG"},
      {"4_2_data_of_the_largest_size", kOpen + frame(DATA, END_STREAM, 1, std::string(16384, 'x')), kOk},
      {"4_2_data_too_large", kOpen + frame(DATA, END_STREAM, 1, std::string(16385, 'x')), "GOAWAY 6"},
      {"4_2_headers_too_large", head(1, END_STREAM, fields("GET", {{"x", std::string(17000, 'x')}})), "GOAWAY 6"},
      {"4_3_broken_compression", frame(HEADERS, END_STREAM | END_HEADERS, 1, "\x40"), "GOAWAY 9"},
      {"4_3_priority_between_fragments",
       frame(HEADERS, END_STREAM, 1, block(fields())) + frame(PRIORITY, NONE, 1, "\0\0\0\0\0"), "GOAWAY 1"},
      {"4_3_headers_of_another_between_fragments", frame(HEADERS, END_STREAM, 1, block(fields())) + head(3),
       "GOAWAY 1"},
      {"5_1_1_even_stream", head(2), "GOAWAY 1"},
      {"5_1_1_smaller_stream", head(5) + head(3), "GOAWAY 1"},
      {"5_1_2_stream_of_itself", frame(PRIORITY, NONE, 1, u32(1) + "\1"), "GOAWAY 1"},
      {"HPACK_2_3_3_index_beyond_tables", frame(HEADERS, END_STREAM | END_HEADERS, 1, "\xff\x80\x01"), "GOAWAY 9"},
      {"HPACK_4_2_size_update_at_the_end", frame(HEADERS, END_STREAM | END_HEADERS, 1, block(fields()) + "\x20"),
       "GOAWAY 9"},
      {"HPACK_6_1_index_zero", frame(HEADERS, END_STREAM | END_HEADERS, 1, "\x80"), "GOAWAY 9"},
      {"HPACK_6_3_size_update_too_large",
       frame(HEADERS, END_STREAM | END_HEADERS, 1, "\x3f\xe1\xff\x03" + block(fields())), "GOAWAY 9"},
      {"HPACK_5_2_huffman_padding_too_long",
       frame(HEADERS, END_STREAM | END_HEADERS, 1,
             block(fields()) + std::string("\x00\x85\xf2\xb2\x4a\x84\xff\x84\x49\x50\x9f\xff", 12)),
       "GOAWAY 9"},
  };
}

std::vector<Rule> states() {
  return {
      {"5_1_idle_data", frame(DATA, END_STREAM, 1, "x"), "GOAWAY 1"},
      {"5_1_idle_reset", frame(RST, NONE, 1, u32(8)), "GOAWAY 1"},
      {"5_1_idle_window", frame(WINDOW, NONE, 1, u32(1)), "GOAWAY 1"},
      {"5_1_idle_continuation", frame(CONTINUATION, END_HEADERS, 1, block(fields())), "GOAWAY 1"},
      {"5_1_idle_priority_is_fine", frame(PRIORITY, NONE, 3, u32(0) + "\1") + kGet, kOk},
      {"5_1_half_closed_data", kGet + frame(DATA, END_STREAM, 1, "x"), "GOAWAY 5"},
      {"5_1_half_closed_headers", kGet + head(1), "GOAWAY 5"},
      {"5_1_half_closed_continuation", kGet + frame(CONTINUATION, END_HEADERS, 1, ""), "GOAWAY 1"},
      {"5_1_reset_then_data", kOpen + frame(RST, NONE, 1, u32(8)) + frame(DATA, END_STREAM, 1, "x"), "GOAWAY 5"},
      {"5_1_reset_then_headers", kOpen + frame(RST, NONE, 1, u32(8)) + head(1), "GOAWAY 5"},
      {"5_1_closed_window_is_fine", kGet + frame(WINDOW, NONE, 1, u32(1)), kOk},
      {"5_1_closed_priority_is_fine", kGet + frame(PRIORITY, NONE, 1, u32(0) + "\1"), kOk},
      {"5_5_extension_between_fragments", frame(HEADERS, END_STREAM, 1, block(fields())) + frame(UNKNOWN, NONE, 0, "x"),
       "GOAWAY 1"},
      {"3_4_no_preface", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", ""},
  };
}

std::vector<Rule> frames() {
  return {
      {"6_1_data_on_stream_0", frame(DATA, END_STREAM, 0, "x"), "GOAWAY 1"},
      {"6_1_padding_too_long", kOpen + frame(DATA, END_STREAM | PADDED, 1, "\x06hello"), "GOAWAY 1"},
      {"6_1_padding", kOpen + frame(DATA, END_STREAM | PADDED, 1, "\x02hello"), kOk},
      {"6_2_headers_on_stream_0", head(0), "GOAWAY 1"},
      {"6_2_padding_too_long", frame(HEADERS, END_STREAM | END_HEADERS | PADDED, 1, "\x7f" + block(fields())),
       "GOAWAY 1"},
      {"6_3_priority_on_stream_0", frame(PRIORITY, NONE, 0, u32(1) + "\1"), "GOAWAY 1"},
      {"6_3_priority_of_wrong_size", kOpen + frame(PRIORITY, NONE, 1, u32(0)), "GOAWAY 6"},
      {"6_4_reset_on_stream_0", frame(RST, NONE, 0, u32(8)), "GOAWAY 1"},
      {"6_4_reset_of_wrong_size", kOpen + frame(RST, NONE, 1, "abc"), "GOAWAY 6"},
      {"6_5_settings_ack_with_payload", frame(SETTINGS, ACK, 0, setting(3, 1)), "GOAWAY 6"},
      {"6_5_settings_on_a_stream", frame(SETTINGS, NONE, 1, ""), "GOAWAY 1"},
      {"6_5_settings_of_wrong_size", frame(SETTINGS, NONE, 0, "abc"), "GOAWAY 6"},
      {"6_5_2_push_neither_0_nor_1", frame(SETTINGS, NONE, 0, setting(2, 2)), "GOAWAY 1"},
      {"6_5_2_window_too_large", frame(SETTINGS, NONE, 0, setting(4, 0x80000000u)), "GOAWAY 3"},
      {"6_5_2_frame_size_too_small", frame(SETTINGS, NONE, 0, setting(5, 16383)), "GOAWAY 1"},
      {"6_5_2_frame_size_too_large", frame(SETTINGS, NONE, 0, setting(5, 16777216)), "GOAWAY 1"},
      {"6_5_2_unknown_setting_is_ignored", frame(SETTINGS, NONE, 0, setting(0xff, 1)) + kGet, kOk},
      {"6_6_push_by_a_client", frame(PUSH, END_HEADERS, 1, u32(2) + block(fields())), "GOAWAY 1"},
      {"6_7_ping", frame(PING, NONE, 0, "12345678"), "PONG"},
      {"6_7_ping_ack_is_not_answered", frame(PING, ACK, 0, "12345678"), ""},
      {"6_7_ping_on_a_stream", frame(PING, NONE, 1, "12345678"), "GOAWAY 1"},
      {"6_7_ping_of_wrong_size", frame(PING, NONE, 0, "123456"), "GOAWAY 6"},
      {"6_8_goaway_on_a_stream", frame(GOAWAY, NONE, 1, u32(0) + u32(0)), "GOAWAY 1"},
      {"6_9_window_of_zero", frame(WINDOW, NONE, 0, u32(0)), "GOAWAY 1"},
      {"6_9_window_of_zero_on_a_stream", kOpen + frame(WINDOW, NONE, 1, u32(0)), "GOAWAY 1"},
      {"6_9_window_of_wrong_size", frame(WINDOW, NONE, 0, "abc"), "GOAWAY 6"},
      {"6_9_1_window_overflow", frame(WINDOW, NONE, 0, u32(0x7fffffff)) + frame(WINDOW, NONE, 0, u32(0x7fffffff)),
       "GOAWAY 3"},
      {"6_9_1_window_overflow_on_a_stream",
       kOpen + frame(WINDOW, NONE, 1, u32(0x7fffffff)) + frame(WINDOW, NONE, 1, u32(0x7fffffff)), "RST 1 3"},
      {"6_9_2_window_may_become_negative",
       frame(SETTINGS, NONE, 0, setting(4, 3)) + kGet + frame(SETTINGS, NONE, 0, setting(4, 2)), "HEADERS 1 DATA 1"},
      {"6_10_continuation", frame(HEADERS, END_STREAM, 1, "") + frame(CONTINUATION, END_HEADERS, 1, block(fields())),
       kOk},
      {"6_10_continuation_after_the_end", kGet + frame(CONTINUATION, END_HEADERS, 1, ""), "GOAWAY 1"},
      {"6_10_continuation_on_stream_0", frame(HEADERS, END_STREAM, 1, "") + frame(CONTINUATION, END_HEADERS, 0, ""),
       "GOAWAY 1"},
      {"6_10_data_before_continuation", frame(HEADERS, NONE, 1, block(fields())) + frame(DATA, NONE, 1, "x"),
       "GOAWAY 1"},
  };
}

std::vector<Rule> messages() {
  const auto with = [](const Pairs& all, int flags = END_STREAM) { return head(1, flags, all); };
  return {
      {"8_1_trailers", kOpen + frame(DATA, NONE, 1, "x") + head(1, END_STREAM, {{"x-t", "1"}}), kOk},
      {"8_1_trailers_without_end", kOpen + head(1, NONE, {{"x-t", "1"}}), "RST 1 1"},
      {"8_1_trailers_with_pseudo_field", kOpen + head(1, END_STREAM, {{":method", "GET"}}), "RST 1 1"},
      {"8_1_1_length_too_small",
       with(fields("POST", {{"content-length", "1"}}), NONE) + frame(DATA, END_STREAM, 1, "xy"), "RST 1 1"},
      {"8_1_1_length_too_large",
       with(fields("POST", {{"content-length", "3"}}), NONE) + frame(DATA, END_STREAM, 1, "xy"), "RST 1 1"},
      {"8_1_1_length_without_body", with(fields("POST", {{"content-length", "3"}})), "RST 1 1"},
      {"8_2_1_upper_case_name", with(fields("GET", {{"X-Test", "1"}})), "RST 1 1"},
      {"8_2_1_space_in_name", with(fields("GET", {{"x test", "1"}})), "RST 1 1"},
      {"8_2_1_colon_in_name", with(fields("GET", {{"x:y", "1"}})), "RST 1 1"},
      {"8_2_1_line_feed_in_value", with(fields("GET", {{"x", "a\nb"}})), "RST 1 1"},
      {"8_2_1_carriage_return_in_value", with(fields("GET", {{"x", "a\rb"}})), "RST 1 1"},
      {"8_2_1_nul_in_value", with(fields("GET", {{"x", std::string("a\0b", 3)}})), "RST 1 1"},
      {"8_2_1_space_before_value", with(fields("GET", {{"x", " a"}})), "RST 1 1"},
      {"8_2_1_tab_after_value", with(fields("GET", {{"x", "a\t"}})), "RST 1 1"},
      {"8_2_2_connection", with(fields("GET", {{"connection", "keep-alive"}})), "RST 1 1"},
      {"8_2_2_keep_alive", with(fields("GET", {{"keep-alive", "1"}})), "RST 1 1"},
      {"8_2_2_proxy_connection", with(fields("GET", {{"proxy-connection", "close"}})), "RST 1 1"},
      {"8_2_2_transfer_encoding", with(fields("GET", {{"transfer-encoding", "chunked"}})), "RST 1 1"},
      {"8_2_2_upgrade", with(fields("GET", {{"upgrade", "foo"}})), "RST 1 1"},
      {"8_2_2_te_trailers", with(fields("GET", {{"te", "trailers"}})), kOk},
      {"8_2_2_te_other", with(fields("GET", {{"te", "trailers, deflate"}})), "RST 1 1"},
      {"8_3_unknown_pseudo_field", with({{":method", "GET"}, {":scheme", "https"}, {":path", "/"}, {":test", "1"}}),
       "RST 1 1"},
      {"8_3_pseudo_field_of_a_reply",
       with({{":method", "GET"}, {":scheme", "https"}, {":path", "/"}, {":status", "200"}}), "RST 1 1"},
      {"8_3_pseudo_field_after_others", with({{":method", "GET"}, {":scheme", "https"}, {"x", "1"}, {":path", "/"}}),
       "RST 1 1"},
      {"8_3_pseudo_field_twice",
       with(fields("GET", {})).substr(0, 0) +
           with({{":method", "GET"}, {":method", "GET"}, {":scheme", "https"}, {":path", "/"}}),
       "RST 1 1"},
      {"8_3_1_path_empty", with({{":method", "GET"}, {":scheme", "https"}, {":path", ""}, {":authority", "a"}}),
       "RST 1 1"},
      {"8_3_1_path_missing", with({{":method", "GET"}, {":scheme", "https"}, {":authority", "a"}}), "RST 1 1"},
      {"8_3_1_method_missing", with({{":scheme", "https"}, {":path", "/"}, {":authority", "a"}}), "RST 1 1"},
      {"8_3_1_scheme_missing", with({{":method", "GET"}, {":path", "/"}, {":authority", "a"}}), "RST 1 1"},
      {"8_3_1_scheme_twice", with({{":method", "GET"}, {":scheme", "https"}, {":scheme", "https"}, {":path", "/"}}),
       "RST 1 1"},
      {"8_3_1_path_twice", with({{":method", "GET"}, {":scheme", "https"}, {":path", "/"}, {":path", "/"}}), "RST 1 1"},
      {"8_5_connect_with_path", with({{":method", "CONNECT"}, {":path", "/"}, {":authority", "a:1"}}), "RST 1 1"},
      {"8441_connect_with_protocol",
       with({{":method", "CONNECT"},
             {":protocol", "websocket"},
             {":scheme", "https"},
             {":path", "/"},
             {":authority", "a"}}),
       kOk},
      {"8441_protocol_without_connect",
       with(fields("GET", {})).substr(0, 0) + with({{":method", "GET"},
                                                    {":protocol", "websocket"},
                                                    {":scheme", "https"},
                                                    {":path", "/"},
                                                    {":authority", "a"}}),
       "RST 1 1"},
  };
}

class Rfc9113 : public testing::TestWithParam<Rule> {};

TEST_P(Rfc9113, IsObeyed) {
  const Rule& rule = GetParam();
  for (const std::size_t step : {rule.sent.size(), std::size_t{1}, std::size_t{7}}) {
    Server server;
    const bool greets = std::string_view(rule.name) != "3_4_no_preface";
    if (greets) EXPECT_EQ(server.say(kHello), "");
    std::string said;
    for (std::size_t at = 0; at < rule.sent.size(); at += step) {
      const std::string word = server.say(std::string_view(rule.sent).substr(at, step));
      if (!word.empty()) said += (said.empty() ? "" : " ") + word;
    }
    // What was answered before an error may be lost with the connection.
    EXPECT_TRUE(rule.expected.starts_with("GOAWAY") ? said.ends_with(rule.expected) : said == rule.expected)
        << "in steps of " << step << ": " << said << "; expected " << rule.expected;
    if (!greets) EXPECT_FALSE(server.alive);
  }
}
std::string name_of(const testing::TestParamInfo<Rule>& rule) {
  return std::string("s") + rule.param.name;
}
INSTANTIATE_TEST_SUITE_P(Framing, Rfc9113, testing::ValuesIn(framing()), name_of);
INSTANTIATE_TEST_SUITE_P(States, Rfc9113, testing::ValuesIn(states()), name_of);
INSTANTIATE_TEST_SUITE_P(Frames, Rfc9113, testing::ValuesIn(frames()), name_of);
INSTANTIATE_TEST_SUITE_P(Messages, Rfc9113, testing::ValuesIn(messages()), name_of);

// Floods: each ends with GOAWAY ENHANCE_YOUR_CALM (11) or, where the library is faster, another GOAWAY; nothing grows.

std::string until_gone(const std::string& piece, int most) {
  Server server;
  server.answers = false;
  server.say(kHello);
  for (int i = 0; i < most; ++i) {
    const std::string said = server.say(piece);
    if (said.contains("GOAWAY")) return said.substr(said.find("GOAWAY"));
  }
  return "never";
}

TEST(H2Flood, EndsByABudget) {
  EXPECT_EQ(until_gone(frame(PING, NONE, 0, "12345678"), 3000), "GOAWAY 11");
  EXPECT_EQ(until_gone(frame(SETTINGS, NONE, 0, ""), 3000), "GOAWAY 11");
  EXPECT_EQ(until_gone(frame(PRIORITY, NONE, 1, u32(0) + "\1"), 3000), "GOAWAY 11");
  EXPECT_EQ(until_gone(frame(WINDOW, NONE, 0, u32(1)), 3000), "GOAWAY 11");
  EXPECT_EQ(until_gone(frame(UNKNOWN, NONE, 0, ""), 3000), "GOAWAY 11");
}

TEST(H2Flood, ResetsOfTheClientEndIt) {
  Server server;
  server.answers = false;
  server.say(kHello);
  std::string said;
  std::uint32_t stream = 1;
  for (; stream < 2000 && !said.contains("GOAWAY"); stream += 2)
    said = server.say(head(stream) + frame(RST, NONE, stream, u32(8)));
  EXPECT_EQ(said, "GOAWAY 11");
  EXPECT_LT(stream, 500u);
}

TEST(H2Flood, ResetsThatTheClientProvokesEndIt) {
  Server server;
  server.answers = false;
  server.say(kHello);
  std::string said;
  std::uint32_t stream = 1;
  for (; stream < 2000 && !said.contains("GOAWAY"); stream += 2)
    said = server.say(head(stream, NONE) + frame(WINDOW, NONE, stream, u32(0x7fffffff)) +
                      frame(WINDOW, NONE, stream, u32(0x7fffffff)));
  EXPECT_TRUE(said.contains("GOAWAY 11")) << said;
  EXPECT_LT(stream, 500u);
}

TEST(H2Flood, ContinuationsEndIt) {
  Server server;
  server.say(kHello);
  std::string said = server.say(frame(HEADERS, END_STREAM, 1, block(fields())));
  int i = 0;
  for (; i < 100 && said.empty() && server.alive; ++i)
    said = server.say(frame(CONTINUATION, NONE, 1, literal("a", "b")));
  EXPECT_LE(i, 9);
  EXPECT_FALSE(server.alive);
}

TEST(H2Flood, ABlockThatUnpacksToMuchEndsIt) {
  Server server;
  server.say(kHello);
  // A field of 4,000 bytes goes into the table; then each byte names it.
  const std::string remembered = std::string("\x40\x01x\x7f\xa1\x1e", 6) + std::string(4000, 'v');
  EXPECT_EQ(server.say(frame(HEADERS, END_STREAM | END_HEADERS, 1, block(fields()) + remembered)), kOk);
  EXPECT_EQ(server.say(frame(HEADERS, END_STREAM | END_HEADERS, 3, block(fields()) + std::string(60, '\xbe'))),
            "HEADERS 3 DATA 3.");
  const std::string said =
      server.say(frame(HEADERS, END_STREAM | END_HEADERS, 5, block(fields()) + std::string(15'000, '\xbe')));
  EXPECT_TRUE(said.contains("GOAWAY 11")) << said;
}

TEST(H2Flood, ABudgetFillsAgain) {
  Server server;
  server.say(kHello);
  for (int i = 0; i < 10'000; ++i) ASSERT_EQ(server.say(frame(PING, NONE, 0, "12345678"), 1 + i / 150), "PONG") << i;
}

TEST(H2Flow, SendsNoMoreThanTheWindow) {
  Server server;
  server.body = std::string(200'000, 'b');
  server.say(kHello);
  std::string out;
  EXPECT_TRUE(server.session.feed(head(1), 0).has_value());
  server.session.pull(out, 1u << 20);
  EXPECT_LT(out.size(), 66'500u);
  EXPECT_GT(out.size(), 65'535u);
  EXPECT_EQ(server.say(frame(WINDOW, NONE, 0, u32(1'000'000))), "");
  EXPECT_TRUE(server.say(frame(WINDOW, NONE, 1, u32(1'000'000))).ends_with("DATA 1."));
}

TEST(H2Flow, TakesNoMoreThanItsOwnWindow) {
  Server server;
  server.reads = false;
  server.say(kHello + kOpen);
  const std::string block_of_data = frame(DATA, NONE, 1, std::string(16384, 'x'));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(server.say(block_of_data), "");
  EXPECT_EQ(server.say(block_of_data), "RST 1 3");
}

TEST(H2Flow, StopsAtWhatTheCallerTakes) {
  Server server;
  server.body = std::string(60'000, 'b');
  server.say(kHello);
  EXPECT_TRUE(server.session.feed(head(1), 0).has_value());
  std::string first, rest;
  server.session.pull(first, 1000);
  EXPECT_LT(first.size(), 17'500u);
  EXPECT_TRUE(server.session.wants_write());
  server.session.pull(rest, 1u << 20);
  EXPECT_EQ(Server::words(rest).substr(0, 6), "DATA 1");
}

TEST(H2Session, RefusesStreamsBeyondWhatItTakes) {
  Server server;
  server.say(kHello);
  server.refuses = true;
  EXPECT_EQ(server.say(kGet), "RST 1 7");
  server.refuses = false;
  EXPECT_EQ(server.say(head(3)), "HEADERS 3 DATA 3.");
}

TEST(H2Session, EndsARequestThatNobodyReadsOn) {
  Server server;
  server.answers = false;
  server.say(kHello + kOpen);
  H2Stream& stream = *server.streams.begin()->second;
  server.session.respond(stream, 413, {}, false);
  EXPECT_EQ(server.say(""), "HEADERS 1. RST 1 0");
}

TEST(H2Session, SendsTrailers) {
  Server server;
  server.answers = false;
  server.say(kHello + kGet);
  H2Stream& stream = *server.streams.begin()->second;
  stream.out = "x";
  stream.trailers = {{"grpc-status", "0"}};
  stream.out_ended = true;
  server.session.respond(stream, 200, {}, true);
  EXPECT_EQ(server.say(""), "HEADERS 1 DATA 1 HEADERS 1.");
}

}  // namespace
}  // namespace berth::http
