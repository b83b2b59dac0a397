// What RFC 9113 says of frames, states and messages, section by section: the frames that a client sends and the
// answer. Each is sent whole, byte by byte, and in steps of seven. Some errors of a stream end the connection (5.4.1
// allows it): GOAWAY stands there in place of RST.
#include <gtest/gtest.h>

#include "http/h2_session_fixture.h"

namespace berth::http {
namespace {

struct Rule {
  const char* name;  ///< with the section of RFC 9113, or of 7541 where it says HPACK
  std::string sent;
  std::string expected;
  bool answers = true;
};
void PrintTo(const Rule& rule, std::ostream* out) {
  *out << rule.name;
}

std::vector<Rule> framing() {
  return {
      {"4_1_unknown_type_is_ignored", frame(UNKNOWN, NONE, 0, "x") + kGet, kOk},
      {"4_1_unknown_flags_are_ignored", frame(PING, 0x16, 0, "12345678"), "PONG"},
      {"4_1_reserved_bit_is_ignored", frame(PING, NONE, 0x80000000u, "12345678"), "PONG"},
      {"4_2_data_of_the_largest_size", kOpen + frame(DATA, END_STREAM, 1, std::string(16384, 'x')), kOk},
      {"4_2_data_too_large", kOpen + frame(DATA, END_STREAM, 1, std::string(16385, 'x')), "GOAWAY 6"},
      {"4_2_headers_too_large", head(1, END_STREAM, fields("GET", {{"x", std::string(17000, 'x')}})), "GOAWAY 6"},
      {"4_2_ping_too_large", frame(PING, NONE, 0, std::string(16385, 'x')), "GOAWAY 6"},
      {"4_2_settings_too_large", frame(SETTINGS, NONE, 0, std::string(16386, 'x')), "GOAWAY 6"},
      {"4_2_unknown_type_too_large", frame(UNKNOWN, NONE, 0, std::string(16385, 'x')), "GOAWAY 6"},
      {"4_2_unknown_type_of_the_largest_size", frame(UNKNOWN, NONE, 0, std::string(16384, 'x')) + kGet, kOk},
      {"4_3_refused_heads_change_the_table",

       frame(HEADERS, END_STREAM | END_HEADERS, 1,
             block(fields("GET", {{"x y", "1"}})) + std::string("\x40\x01k\x01v", 5)) +
           frame(HEADERS, END_STREAM | END_HEADERS, 3, block(fields()) + "\xbe"),
       "RST 1 1 HEADERS 3 DATA 3."},
      {"4_3_broken_compression", frame(HEADERS, END_STREAM | END_HEADERS, 1, "\x40"), "GOAWAY 9"},
      {"4_3_priority_between_fragments",
       frame(HEADERS, END_STREAM, 1, block(fields())) + frame(PRIORITY, NONE, 1, "\0\0\0\0\0"), "GOAWAY 1"},
      {"4_3_headers_of_another_between_fragments", frame(HEADERS, END_STREAM, 1, block(fields())) + head(3),
       "GOAWAY 1"},
      {"5_1_1_even_stream", head(2), "GOAWAY 1"},
      {"5_1_1_smaller_stream", head(5) + head(3), "GOAWAY 1"},
      {"5_1_1_ids_may_skip", head(7), "HEADERS 7 DATA 7."},
      {"5_1_1_id_used_again", kOpen + frame(RST, NONE, 1, u32(8)) + head(3) + head(1), "GOAWAY 5"},
      {"5_3_priority_of_headers_is_ignored",
       frame(HEADERS, END_STREAM | END_HEADERS | PRIO, 1, u32(0x80000007) + "\xff" + block(fields())), kOk},
      {"RFC7540_5_3_1_stream_of_itself", frame(PRIORITY, NONE, 1, u32(1) + "\1"), "GOAWAY 1"},
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
      {"5_1_half_closed_window_is_fine", kGet + frame(WINDOW, NONE, 1, u32(1)), "", false},
      {"5_1_half_closed_priority_is_fine", kGet + frame(PRIORITY, NONE, 1, u32(0) + "\1"), "", false},
      {"5_1_half_closed_reset_is_fine", kGet + frame(RST, NONE, 1, u32(8)), "", false},
      {"5_1_half_closed_data_unanswered", kGet + frame(DATA, NONE, 1, "x"), "GOAWAY 5", false},
      {"5_1_half_closed_headers_unanswered", kGet + head(1), "GOAWAY 5", false},
      {"5_1_reset_then_window_is_fine", kOpen + frame(RST, NONE, 1, u32(8)) + frame(WINDOW, NONE, 1, u32(1)) + head(3),
       "HEADERS 3 DATA 3."},
      {"5_1_reset_then_priority_is_fine",
       kOpen + frame(RST, NONE, 1, u32(8)) + frame(PRIORITY, NONE, 1, u32(0) + "\1") + head(3), "HEADERS 3 DATA 3."},
      {"5_1_reset_then_continuation", kOpen + frame(RST, NONE, 1, u32(8)) + frame(CONTINUATION, END_HEADERS, 1, ""),
       "GOAWAY 1"},
      {"5_1_trailers_then_data", kOpen + head(1, END_STREAM, {{"x-t", "1"}}) + frame(DATA, NONE, 1, "x"), "GOAWAY 5",
       false},
      {"5_1_trailers_then_trailers", kOpen + head(1, END_STREAM, {{"x-t", "1"}}) + head(1, END_STREAM, {{"x-t", "1"}}),
       "GOAWAY 5", false},
      {"5_4_2_reset_is_not_answered", kOpen + frame(RST, NONE, 1, u32(1)), "", false},
      {"5_4_2_a_stream_error_leaves_others_alone", head(1, END_STREAM, fields("GET", {{"X", "1"}})) + head(3),
       "RST 1 1 HEADERS 3 DATA 3."},
      {"5_5_extension_frame_on_an_idle_stream", frame(UNKNOWN, 0xff, 99, "x") + kGet, kOk},
      {"5_5_extension_frame_on_an_open_stream", kOpen + frame(UNKNOWN, 0xff, 1, "x") + frame(DATA, END_STREAM, 1, ""),
       kOk},
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
      {"6_1_padding_alone", kOpen + frame(DATA, END_STREAM | PADDED, 1, std::string("\x04\0\0\0\0", 5)), kOk},
      {"6_1_padded_without_a_length", kOpen + frame(DATA, END_STREAM | PADDED, 1, ""), "GOAWAY 1"},
      {"6_2_padding",
       frame(HEADERS, END_STREAM | END_HEADERS | PADDED, 1, "\2" + block(fields()) + std::string(2, '\0')), kOk},
      {"6_2_padded_without_a_length", frame(HEADERS, END_STREAM | END_HEADERS | PADDED, 1, ""), "GOAWAY 1"},
      {"6_2_priority_is_cut", frame(HEADERS, END_STREAM | END_HEADERS | PRIO, 1, "\0\0"), "GOAWAY 6"},
      {"6_2_headers_on_stream_0", head(0), "GOAWAY 1"},
      {"6_2_padding_too_long", frame(HEADERS, END_STREAM | END_HEADERS | PADDED, 1, "\x7f" + block(fields())),
       "GOAWAY 1"},
      {"6_3_priority_on_stream_0", frame(PRIORITY, NONE, 0, u32(1) + "\1"), "GOAWAY 1"},
      {"6_3_priority_of_wrong_size", kOpen + frame(PRIORITY, NONE, 1, u32(0)), "GOAWAY 6"},
      {"6_4_reset_on_stream_0", frame(RST, NONE, 0, u32(8)), "GOAWAY 1"},
      {"6_4_reset_of_wrong_size", kOpen + frame(RST, NONE, 1, "abc"), "GOAWAY 6"},
      {"6_4_unknown_code_is_fine", kOpen + frame(RST, NONE, 1, u32(0xfedcba)) + head(3), "HEADERS 3 DATA 3."},
      {"6_5_3_settings_are_acknowledged", frame(SETTINGS, NONE, 0, setting(3, 7)), "ACK"},
      {"6_5_3_an_acknowledgement_is_not", frame(SETTINGS, ACK, 0, ""), ""},
      {"6_5_3_the_last_value_counts", frame(SETTINGS, NONE, 0, setting(4, 65535) + setting(4, 3)) + kGet,
       "ACK HEADERS 1 DATA 1"},
      {"6_5_2_push_of_0", frame(SETTINGS, NONE, 0, setting(2, 0)), "ACK"},
      {"6_5_2_largest_window", frame(SETTINGS, NONE, 0, setting(4, 0x7fffffff)) + kGet, "ACK " + kOk},
      {"6_5_2_largest_frame_size", frame(SETTINGS, NONE, 0, setting(5, 16777215)), "ACK"},
      {"6_5_2_no_header_table", frame(SETTINGS, NONE, 0, setting(1, 0)) + kGet, "ACK " + kOk},
      {"RFC8441_3_protocol_neither_0_nor_1", frame(SETTINGS, NONE, 0, setting(8, 2)), "GOAWAY 1"},
      {"6_5_settings_ack_with_payload", frame(SETTINGS, ACK, 0, setting(3, 1)), "GOAWAY 6"},
      {"6_5_settings_on_a_stream", frame(SETTINGS, NONE, 1, ""), "GOAWAY 1"},
      {"6_5_settings_of_wrong_size", frame(SETTINGS, NONE, 0, "abc"), "GOAWAY 6"},
      {"6_5_2_push_neither_0_nor_1", frame(SETTINGS, NONE, 0, setting(2, 2)), "GOAWAY 1"},
      {"6_5_2_window_too_large", frame(SETTINGS, NONE, 0, setting(4, 0x80000000u)), "GOAWAY 3"},
      {"6_5_2_frame_size_too_small", frame(SETTINGS, NONE, 0, setting(5, 16383)), "GOAWAY 1"},
      {"6_5_2_frame_size_too_large", frame(SETTINGS, NONE, 0, setting(5, 16777216)), "GOAWAY 1"},
      {"6_5_2_unknown_setting_is_ignored", frame(SETTINGS, NONE, 0, setting(0xff, 1)) + kGet, "ACK " + kOk},
      {"6_6_push_by_a_client", frame(PUSH, END_HEADERS, 1, u32(2) + block(fields())), "GOAWAY 1"},
      {"6_7_ping", frame(PING, NONE, 0, "12345678"), "PONG"},
      {"6_7_ping_ack_is_not_answered", frame(PING, ACK, 0, "12345678"), ""},
      {"6_7_ping_on_a_stream", frame(PING, NONE, 1, "12345678"), "GOAWAY 1"},
      {"6_7_ping_of_wrong_size", frame(PING, NONE, 0, "123456"), "GOAWAY 6"},
      {"6_8_goaway_on_a_stream", frame(GOAWAY, NONE, 1, u32(0) + u32(0)), "GOAWAY 1"},
      {"6_8_goaway_too_short", frame(GOAWAY, NONE, 0, u32(0)), "GOAWAY 6"},
      {"6_9_window_of_zero", frame(WINDOW, NONE, 0, u32(0)), "GOAWAY 1"},
      {"6_9_window_of_zero_on_a_stream", kOpen + frame(WINDOW, NONE, 1, u32(0)), "GOAWAY 1"},
      {"6_9_reserved_bit_is_ignored", frame(WINDOW, NONE, 0, u32(0x80000001)) + kGet, kOk},
      {"6_9_window_of_wrong_size", frame(WINDOW, NONE, 0, "abc"), "GOAWAY 6"},
      {"6_9_1_window_overflow", frame(WINDOW, NONE, 0, u32(0x7fffffff)) + frame(WINDOW, NONE, 0, u32(0x7fffffff)),
       "GOAWAY 3"},
      {"6_9_1_window_overflow_on_a_stream",
       kOpen + frame(WINDOW, NONE, 1, u32(0x7fffffff)) + frame(WINDOW, NONE, 1, u32(0x7fffffff)), "RST 1 3"},
      {"6_10_continuation", frame(HEADERS, END_STREAM, 1, "") + frame(CONTINUATION, END_HEADERS, 1, block(fields())),
       kOk},
      {"6_10_eight_continuations",
       frame(HEADERS, END_STREAM, 1, "") + frame(CONTINUATION, NONE, 1, block(fields())) +
           frame(CONTINUATION, NONE, 1, "") + frame(CONTINUATION, NONE, 1, "") + frame(CONTINUATION, NONE, 1, "") +
           frame(CONTINUATION, NONE, 1, "") + frame(CONTINUATION, NONE, 1, "") +
           frame(CONTINUATION, END_HEADERS, 1, ""),
       kOk},
      {"6_10_continuation_of_another_stream",
       frame(HEADERS, END_STREAM, 1, block(fields())) + frame(CONTINUATION, END_HEADERS, 3, ""), "GOAWAY 1"},
      {"6_10_continuation_of_trailers",
       kOpen + frame(HEADERS, END_STREAM, 1, literal("x-t", "1")) + frame(CONTINUATION, END_HEADERS, 1, ""), kOk},
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
      {"8_1_1_length_and_body_agree",
       with(fields("POST", {{"content-length", "2"}}), NONE) + frame(DATA, END_STREAM, 1, "xy"), kOk},
      {"8_1_1_length_too_large_before_trailers",
       with(fields("POST", {{"content-length", "3"}}), NONE) + frame(DATA, NONE, 1, "xy") +
           head(1, END_STREAM, {{"x-t", "1"}}),
       "RST 1 1"},
      {"8_1_1_length_twice", with(fields("POST", {{"content-length", "0"}, {"content-length", "0"}})), "RST 1 1"},
      {"8_1_1_length_that_is_none", with(fields("POST", {{"content-length", "0x0"}})), "RST 1 1"},
      {"8_2_1_delete_in_name", with(fields("GET", {{"x\x7f", "1"}})), "RST 1 1"},
      {"8_2_1_byte_beyond_ascii_in_name", with(fields("GET", {{"x\xe4", "1"}})), "RST 1 1"},
      {"8_2_1_control_byte_in_name", with(fields("GET", {{"x\x01", "1"}})), "RST 1 1"},
      {"8_2_1_empty_name", with(fields("GET", {{"", "1"}})), "RST 1 1"},
      {"8_2_1_upper_case_in_trailers", kOpen + head(1, END_STREAM, {{"X-T", "1"}}), "RST 1 1"},
      {"8_2_1_line_feed_in_trailers", kOpen + head(1, END_STREAM, {{"x-t", "a\nb"}}), "RST 1 1"},
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
      {"8_3_1_authority_twice",
       with({{":method", "GET"}, {":scheme", "https"}, {":path", "/"}, {":authority", "a"}, {":authority", "a"}}),
       "RST 1 1"},
      {"8_3_1_path_without_slash",
       with({{":method", "GET"}, {":scheme", "https"}, {":path", "a"}, {":authority", "a"}}), "RST 1 1"},
      {"8_3_1_star_of_get", with({{":method", "GET"}, {":scheme", "https"}, {":path", "*"}, {":authority", "a"}}),
       "RST 1 1"},
      {"8_3_1_star_of_options",
       with({{":method", "OPTIONS"}, {":scheme", "https"}, {":path", "*"}, {":authority", "a"}}), kOk},
      {"8_3_1_method_empty", with({{":method", ""}, {":scheme", "https"}, {":path", "/"}, {":authority", "a"}}),
       "RST 1 1"},
      {"8_3_1_neither_authority_nor_host", with({{":method", "GET"}, {":scheme", "https"}, {":path", "/"}}), "RST 1 1"},
      {"8_3_1_host_alone", with({{":method", "GET"}, {":scheme", "https"}, {":path", "/"}, {"host", "a"}}), kOk},
      {"8_5_connect", with({{":method", "CONNECT"}, {":authority", "a:1"}}), kOk},
      {"8_5_connect_with_scheme", with({{":method", "CONNECT"}, {":scheme", "https"}, {":authority", "a:1"}}),
       "RST 1 1"},
      {"8_5_connect_without_authority", with({{":method", "CONNECT"}}), "RST 1 1"},
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
    server.answers = rule.answers;
    const bool greets = std::string_view(rule.name) != "3_4_no_preface";
    if (greets) EXPECT_EQ(server.say(kHello), "ACK");
    std::string said;
    for (std::size_t at = 0; at < rule.sent.size(); at += step) {
      const std::string word = server.say(std::string_view(rule.sent).substr(at, step));
      if (!word.empty()) said += (said.empty() ? "" : " ") + word;
    }
    // What was answered before an error may be lost with the connection.
    EXPECT_TRUE(rule.expected.starts_with("GOAWAY") ? said.ends_with(rule.expected) : said == rule.expected)
        << "in steps of " << step << ": " << said << "; expected " << rule.expected;
    // 5.4: an error of the connection ends it, one of a stream does not.
    const bool ends = !greets || rule.expected.starts_with("GOAWAY");
    EXPECT_EQ(server.alive, !ends);
    if (!ends) EXPECT_TRUE(server.say(head(99)).contains(rule.answers ? "HEADERS 99" : "")) << "not served on";
  }
}
std::string name_of(const testing::TestParamInfo<Rule>& rule) {
  return std::string("s") + rule.param.name;
}
INSTANTIATE_TEST_SUITE_P(Framing, Rfc9113, testing::ValuesIn(framing()), name_of);
INSTANTIATE_TEST_SUITE_P(States, Rfc9113, testing::ValuesIn(states()), name_of);
INSTANTIATE_TEST_SUITE_P(Frames, Rfc9113, testing::ValuesIn(frames()), name_of);
INSTANTIATE_TEST_SUITE_P(Messages, Rfc9113, testing::ValuesIn(messages()), name_of);

}  // namespace
}  // namespace berth::http
