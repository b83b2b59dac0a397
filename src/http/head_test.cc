#include "http/head.h"

#include <gtest/gtest.h>

#include "http/text.h"

namespace berth::http {
namespace {

using State = Parsed::State;

std::string get(std::string_view fields) {
  return "GET / HTTP/1.1\r\nHost: a\r\n" + std::string(fields) + "\r\n";
}

// "complete", "need_more" or "400 reason".
std::string verdict(const Parsed& parsed) {
  if (parsed.state == State::complete) return "complete";
  if (parsed.state == State::need_more) return "need_more";
  return std::to_string(parsed.status) + " " + std::string(parsed.reason);
}
std::string request_verdict(std::string_view text, HostRule rule = HostRule::required) {
  RequestHead head;
  return verdict(parse_request(text, head, {}, rule));
}
std::string response_verdict(std::string_view text) {
  ResponseHead head;
  return verdict(parse_response(text, head));
}

struct Case {
  std::string name;
  std::string input;
  std::string expected;
};
void PrintTo(const Case& c, std::ostream* out) {
  *out << c.name;
}

TEST(Words, SayWhatByteByByteSays) {
  std::string text(21, 'a');
  for (std::size_t size = 0; size <= text.size(); ++size) {
    for (std::size_t at = 0; at < size; ++at) {
      for (int byte = 0; byte < 256; ++byte) {
        text[at] = static_cast<char>(byte);
        const std::string_view seen = std::string_view(text).substr(0, size);
        ASSERT_EQ(all_field_bytes(seen), all_in_class(seen, kFieldByte)) << size << " " << at << " " << byte;
        std::string other(seen);
        for (const int against : {byte, byte ^ 0x20, byte ^ 0x80, byte ^ 1}) {
          other[at] = static_cast<char>(against);
          const bool same = lower_ascii(seen[at]) == lower_ascii(other[at]);
          ASSERT_EQ(same_letters(seen, other), same) << size << " " << at << " " << byte << " " << against;
        }
      }
      text[at] = 'a';
    }
  }
}

TEST(Fields, KnowWhatIsNotThere) {
  Fields fields;
  EXPECT_FALSE(fields.may_have("Host"));
  fields.add({"Host", "a"});
  EXPECT_TRUE(fields.may_have("HOST"));
  EXPECT_EQ(fields.get("hOsT"), "a");
  EXPECT_FALSE(fields.find("Hos").has_value());
  fields.clear();
  EXPECT_FALSE(fields.may_have("host"));
}

class RequestVerdict : public testing::TestWithParam<Case> {};
TEST_P(RequestVerdict, IsAsExpected) {
  EXPECT_EQ(request_verdict(GetParam().input), GetParam().expected);
}

const Case kRequests[] = {
    {"plain", get(""), "complete"},
    {"old", "GET / HTTP/1.0\r\n\r\n", "complete"},
    {"one_empty_line_before", "\r\n" + get(""), "complete"},
    {"two_empty_lines_before", "\r\n\r\n" + get(""), "400 malformed request line"},
    {"empty_line_of_bare_lf", "\n" + get(""), "400 bare CR or LF"},
    {"bare_lf_after_request_line", "GET / HTTP/1.1\nHost: a\r\n\r\n", "400 bare CR or LF"},
    {"bare_lf_after_field", "GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n", "400 bare CR or LF"},
    {"bare_lf_at_end", "GET / HTTP/1.1\r\nHost: a\r\n\n", "400 bare CR or LF"},
    {"bare_cr_in_value", get("X: a\rb\r\n"), "400 bare CR or LF"},
    {"bare_cr_seen_early", "GET / HTTP/1.1\r\nX: a\rb", "400 bare CR or LF"},
    {"two_crs", "GET / HTTP/1.1\r\r\nHost: a\r\n\r\n", "400 bare CR or LF"},
    {"nul_in_value", get(std::string("X: a\0b\r\n", 8)), "400 control byte in a field value"},
    {"nul_in_name", get(std::string("X\0Y: b\r\n", 8)), "400 field name is not a token"},
    {"del_in_value", get("X: a\x7f\r\n"), "400 control byte in a field value"},
    {"obs_text_in_value", get("X: \xc3\xa4\r\n"), "complete"},
    {"tab_in_value", get("X: a\tb\r\n"), "complete"},
    {"empty_value", get("X:\r\n"), "complete"},
    {"folded", get("X: a\r\n b\r\n"), "400 folded field line"},
    {"folded_by_tab", get("X: a\r\n\tb\r\n"), "400 folded field line"},
    {"folded_first", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", "400 folded field line"},
    {"space_before_colon", get("X : a\r\n"), "400 white space between field name and colon"},
    {"tab_before_colon", get("X\t: a\r\n"), "400 white space between field name and colon"},
    {"no_colon", get("X\r\n"), "400 field line without a colon"},
    {"no_name", get(": a\r\n"), "400 field name is not a token"},
    {"space_in_name", get("X Y: a\r\n"), "400 field name is not a token"},
    {"non_ascii_name", get("X\xc3: a\r\n"), "400 field name is not a token"},
    {"no_host", "GET / HTTP/1.1\r\n\r\n", "400 no Host"},
    {"two_hosts", get("Host: a\r\n"), "400 more than one Host"},
    {"two_hosts_by_case", get("HOST: b\r\n"), "400 more than one Host"},
    {"host_with_path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", "400 malformed Host"},
    {"host_with_user", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", "400 malformed Host"},
    {"host_list", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", "400 malformed Host"},
    {"host_with_port", "GET / HTTP/1.1\r\nHost: a:8080\r\n\r\n", "complete"},
    {"host_with_big_port", "GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n", "400 malformed Host"},
    {"host_with_word_port", "GET / HTTP/1.1\r\nHost: a:b\r\n\r\n", "400 malformed Host"},
    {"host_ipv6", "GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", "complete"},
    {"host_open_bracket", "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", "400 malformed Host"},
    {"host_empty", "GET / HTTP/1.1\r\nHost:\r\n\r\n", "complete"},
    {"two_spaces", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", "400 malformed request target"},
    {"tab_as_space", "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", "400 malformed request line"},
    {"no_version", "GET /\r\nHost: a\r\n\r\n", "400 malformed request line"},
    {"lower_case_version", "GET / http/1.1\r\nHost: a\r\n\r\n", "400 malformed HTTP version"},
    {"version_with_space", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n", "400 malformed HTTP version"},
    {"long_version", "GET / HTTP/1.10\r\nHost: a\r\n\r\n", "400 malformed HTTP version"},
    {"version_2", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", "505 HTTP version is neither 1.0 nor 1.1"},
    {"version_1_2", "GET / HTTP/1.2\r\nHost: a\r\n\r\n", "505 HTTP version is neither 1.0 nor 1.1"},
    {"h2_preface", "PRI * HTTP/2.0\r\n\r\n", "505 HTTP version is neither 1.0 nor 1.1"},
    {"method_not_token", "G(T / HTTP/1.1\r\nHost: a\r\n\r\n", "400 method is not a token"},
    {"empty_method", " / HTTP/1.1\r\nHost: a\r\n\r\n", "400 method is not a token"},
    {"unknown_method", "BREW / HTTP/1.1\r\nHost: a\r\n\r\n", "complete"},
    {"space_in_target", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", "400 malformed request target"},
    {"fragment", "GET /#a HTTP/1.1\r\nHost: a\r\n\r\n", "400 malformed request target"},
    {"non_ascii_target", "GET /\xc3\xa4 HTTP/1.1\r\nHost: a\r\n\r\n", "400 malformed request target"},
    {"control_in_target", "GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n", "400 malformed request target"},
    {"bad_percent", "GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n", "400 malformed request target"},
    {"short_percent", "GET /%4 HTTP/1.1\r\nHost: a\r\n\r\n", "400 malformed request target"},
    {"last_percent", "GET /%41 HTTP/1.1\r\nHost: a\r\n\r\n", "complete"},
    {"backslash_in_path", "GET /a\\b HTTP/1.1\r\nHost: a\r\n\r\n", "400 malformed request target"},
    {"browser_query", "GET /?a=[1]|{2}^`\\% HTTP/1.1\r\nHost: a\r\n\r\n", "complete"},
    {"relative_target", "GET a HTTP/1.1\r\nHost: a\r\n\r\n", "400 malformed request target"},
    {"asterisk", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "complete"},
    {"asterisk_of_get", "GET * HTTP/1.1\r\nHost: a\r\n\r\n", "400 malformed request target"},
    {"absolute", "GET http://a/b HTTP/1.1\r\nHost: a\r\n\r\n", "complete"},
    {"absolute_other_host", "GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n", "400 Host differs from the request target"},
    {"absolute_with_user", "GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n", "400 malformed request target"},
    {"absolute_other_scheme", "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", "400 malformed request target"},
    {"absolute_without_host", "GET http:///b HTTP/1.1\r\nHost: a\r\n\r\n", "400 malformed request target"},
    {"connect", "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", "complete"},
    {"connect_without_port", "CONNECT a HTTP/1.1\r\nHost: a\r\n\r\n", "400 malformed request target"},
    {"length", get("Content-Length: 5\r\n"), "complete"},
    {"length_twice", get("Content-Length: 5\r\nContent-Length: 5\r\n"), "400 more than one Content-Length"},
    {"length_list", get("Content-Length: 5, 5\r\n"), "400 malformed Content-Length"},
    {"length_sign", get("Content-Length: +5\r\n"), "400 malformed Content-Length"},
    {"length_minus", get("Content-Length: -1\r\n"), "400 malformed Content-Length"},
    {"length_hex", get("Content-Length: 0x5\r\n"), "400 malformed Content-Length"},
    {"length_inner_space", get("Content-Length: 1 2\r\n"), "400 malformed Content-Length"},
    {"length_empty", get("Content-Length:\r\n"), "400 malformed Content-Length"},
    {"length_huge", get("Content-Length: 99999999999999999999\r\n"), "400 malformed Content-Length"},
    {"chunked", get("Transfer-Encoding: Chunked\r\n"), "complete"},
    {"chunked_twice", get("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
     "400 more than one Transfer-Encoding"},
    {"chunked_list", get("Transfer-Encoding: chunked, chunked\r\n"), "400 malformed Transfer-Encoding"},
    {"chunked_not_last", get("Transfer-Encoding: chunked, identity\r\n"), "400 malformed Transfer-Encoding"},
    {"comma_chunked", get("Transfer-Encoding: ,chunked\r\n"), "400 malformed Transfer-Encoding"},
    {"coding_empty", get("Transfer-Encoding:\r\n"), "400 malformed Transfer-Encoding"},
    {"coding_vertical_tab", get("Transfer-Encoding: \vchunked\r\n"), "400 control byte in a field value"},
    {"coding_quoted", get("Transfer-Encoding: \"chunked\"\r\n"), "400 malformed Transfer-Encoding"},
    {"coding_gzip", get("Transfer-Encoding: gzip, chunked\r\n"), "501 transfer coding other than chunked"},
    {"coding_identity", get("Transfer-Encoding: identity\r\n"), "501 transfer coding other than chunked"},
    {"coding_unknown", get("Transfer-Encoding: xchunked\r\n"), "501 transfer coding other than chunked"},
    {"length_and_chunked", get("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"),
     "400 both Content-Length and Transfer-Encoding"},
    {"chunked_in_1_0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", "400 Transfer-Encoding in HTTP/1.0"},
    {"tls_hello", "\x16\x03\x01\x02", "400 method is not a token"},
    {"line_without_end", "GET / HTTP/1.1\r", "need_more"},
    {"fields_without_end", "GET / HTTP/1.1\r\nHost: a\r\n", "need_more"},
};
INSTANTIATE_TEST_SUITE_P(Head, RequestVerdict, testing::ValuesIn(kRequests),
                         [](const auto& param) { return param.param.name; });

TEST(RequestHead, GivesTheParts) {
  const std::string text =
      "POST /a/b?c=d HTTP/1.1\r\nHost: example.org:81\r\ncontent-length:  7 \r\nConnection: keep-alive, Upgrade\r\n"
      "Upgrade: websocket\r\nExpect: 100-continue\r\nX: 1\r\nx: 2\r\n\r\nrest";
  RequestHead head;
  const Parsed parsed = parse_request(text, head);
  ASSERT_EQ(verdict(parsed), "complete");
  EXPECT_EQ(text.substr(parsed.consumed), "rest");
  EXPECT_EQ(head.method, "POST");
  EXPECT_EQ(head.path, "/a/b");
  EXPECT_EQ(head.query, "c=d");
  EXPECT_EQ(head.authority, "example.org:81");
  EXPECT_EQ(head.framing.length, 7u);
  EXPECT_EQ(head.upgrade, "websocket");
  EXPECT_TRUE(head.expect_continue);
  EXPECT_TRUE(head.keep_alive);
  EXPECT_EQ(head.fields.get("X"), "1");
  EXPECT_EQ(head.fields.find("Y"), std::nullopt);
  EXPECT_TRUE(head.fields.has_token("connection", "UPGRADE"));
  EXPECT_FALSE(head.fields.has_token("connection", "keep"));
}

TEST(RequestHead, TakesTheHostOfAnAbsoluteTarget) {
  RequestHead head;
  ASSERT_EQ(verdict(parse_request("GET HTTP://A:80?q HTTP/1.1\r\nHost: a:80\r\n\r\n", head)), "complete");
  EXPECT_EQ(head.authority, "A:80");
  EXPECT_EQ(head.path, "/");
  EXPECT_EQ(head.query, "q");
}

TEST(RequestHead, UpgradesOnlyWhereConnectionNamesIt) {
  RequestHead head;
  const std::string text = get("Upgrade: websocket\r\n");
  ASSERT_EQ(verdict(parse_request(text, head)), "complete");
  EXPECT_EQ(head.upgrade, "");
}

TEST(RequestHead, KeepsAliveByVersion) {
  RequestHead head;
  const std::string close = get("Connection: x, close\r\n");
  ASSERT_EQ(verdict(parse_request(close, head)), "complete");
  EXPECT_FALSE(head.keep_alive);
  ASSERT_EQ(verdict(parse_request("GET / HTTP/1.0\r\n\r\n", head)), "complete");
  EXPECT_FALSE(head.keep_alive);
  ASSERT_EQ(verdict(parse_request("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", head)), "complete");
  EXPECT_TRUE(head.keep_alive);
}

TEST(RequestHead, IsReusedWithoutTraces) {
  RequestHead head;
  const std::string full = get("Content-Length: 5\r\nConnection: upgrade\r\nUpgrade: x\r\n");
  ASSERT_EQ(verdict(parse_request(full, head)), "complete");
  const std::string plain = "OPTIONS * HTTP/1.1\r\nHost: b\r\n\r\n";
  ASSERT_EQ(verdict(parse_request(plain, head)), "complete");
  EXPECT_EQ(head.framing.length, std::nullopt);
  EXPECT_EQ(head.upgrade, "");
  EXPECT_EQ(head.path, "");
  EXPECT_EQ(head.fields.size(), 1u);
}

TEST(RequestHead, MayLackTheHostForAClient) {
  EXPECT_EQ(request_verdict("GET / HTTP/1.1\r\n\r\n", HostRule::optional), "complete");
  EXPECT_EQ(request_verdict("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", HostRule::optional),
            "400 more than one Host");
}

TEST(RequestHead, NeedsMoreAtEveryPrefixAndThenTheSame) {
  const std::string text = get("Content-Length: 5\r\nConnection: upgrade\r\nUpgrade: x\r\n");
  RequestHead head;
  for (std::size_t size = 0; size < text.size(); ++size)
    ASSERT_EQ(request_verdict(std::string_view(text).substr(0, size)), "need_more") << size;
  EXPECT_EQ(parse_request(text, head).consumed, text.size());
}

TEST(RequestHead, IsBounded) {
  RequestHead head;
  const HeadLimits limits{.bytes = 200, .target = 20, .fields = 3};
  const auto check = [&](const std::string& text) { return verdict(parse_request(text, head, limits)); };
  EXPECT_EQ(check("GET /" + std::string(30, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n"), "414 request target is too long");
  EXPECT_EQ(check("GET /" + std::string(100, 'a')), "414 request target is too long");
  EXPECT_EQ(check(get("A: 1\r\nB: 2\r\n")), "complete");
  EXPECT_EQ(check(get("A: 1\r\nB: 2\r\nC: 3\r\n")), "431 too many field lines");
  EXPECT_EQ(check(get("A: " + std::string(200, 'b') + "\r\n")), "431 head is too large");
  EXPECT_EQ(check("GET / HTTP/1.1\r\nA: " + std::string(200, 'b')), "431 head is too large");
  std::string many = "GET / HTTP/1.1\r\nHost: a\r\n";
  for (std::size_t i = 0; i < Fields::kMost; ++i) many += "A: 1\r\n";
  EXPECT_EQ(request_verdict(many + "\r\n"), "431 too many field lines");
}

class ResponseVerdict : public testing::TestWithParam<Case> {};
TEST_P(ResponseVerdict, IsAsExpected) {
  EXPECT_EQ(response_verdict(GetParam().input), GetParam().expected);
}
const Case kResponses[] = {
    {"plain", "HTTP/1.1 200 OK\r\n\r\n", "complete"},
    {"no_reason", "HTTP/1.1 200 \r\n\r\n", "complete"},
    {"no_reason_no_space", "HTTP/1.1 200\r\n\r\n", "complete"},
    {"reason_with_spaces", "HTTP/1.0 404 Not Found here\r\n\r\n", "complete"},
    {"control_in_reason", "HTTP/1.1 200 O\x01K\r\n\r\n", "400 control byte in the reason phrase"},
    {"status_too_low", "HTTP/1.1 099 X\r\n\r\n", "400 status code out of range"},
    {"status_too_high", "HTTP/1.1 600 X\r\n\r\n", "400 status code out of range"},
    {"status_word", "HTTP/1.1 abc X\r\n\r\n", "400 malformed status code"},
    {"status_of_four", "HTTP/1.1 2000 X\r\n\r\n", "400 malformed status line"},
    {"no_status", "HTTP/1.1\r\n\r\n", "400 malformed status line"},
    {"version_2", "HTTP/2.0 200 OK\r\n\r\n", "505 HTTP version is neither 1.0 nor 1.1"},
    {"not_http", "ICY 200 OK!!\r\n\r\n", "400 malformed HTTP version"},
    {"length_twice", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
     "400 more than one Content-Length"},
    {"length_and_chunked", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
     "400 both Content-Length and Transfer-Encoding"},
    {"folded", "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n", "400 folded field line"},
    {"bare_lf", "HTTP/1.1 200 OK\n\n", "400 bare CR or LF"},
    {"cut_off", "HTTP/1.1 200 OK\r\nA: b\r\n", "need_more"},
};
INSTANTIATE_TEST_SUITE_P(Head, ResponseVerdict, testing::ValuesIn(kResponses),
                         [](const auto& param) { return param.param.name; });

TEST(ResponseHead, GivesTheParts) {
  ResponseHead head;
  const Parsed parsed =
      parse_response("HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\nbytes", head);
  ASSERT_EQ(verdict(parsed), "complete");
  EXPECT_EQ(head.status, 101);
  EXPECT_EQ(head.reason, "UPGRADED");
  EXPECT_EQ(head.upgrade, "tcp");
}

TEST(Writer, WritesWhatTheParserReads) {
  const std::string text = "GET /a HTTP/1.1\r\nHost: a\r\nX:  y \r\n\r\n";
  RequestHead head;
  ASSERT_EQ(verdict(parse_request(text, head)), "complete");
  std::string out;
  append_head(out, head);
  EXPECT_EQ(out, "GET /a HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n");
  out.clear();
  ResponseHead answer;
  ASSERT_EQ(verdict(parse_response("HTTP/1.1 200\r\nA:b\r\n\r\n", answer)), "complete");
  append_head(out, answer);
  EXPECT_EQ(out, "HTTP/1.1 200 \r\nA: b\r\n\r\n");
}

TEST(Text, Classes) {
  EXPECT_TRUE(is_token("x-Y_1"));
  EXPECT_FALSE(is_token(""));
  EXPECT_FALSE(is_token("a b"));
  EXPECT_TRUE(is_field_value(""));
  EXPECT_FALSE(is_field_value(" a"));
  EXPECT_FALSE(is_field_value("a\r\nb: c"));
  EXPECT_TRUE(same_name("Content-LENGTH", "content-length"));
  EXPECT_FALSE(same_name("a", "ab"));
  // '@' and '`' differ by the bit that makes letters lower case.
  EXPECT_FALSE(same_name("@", "`"));
  EXPECT_EQ(reason_of(404), "Not Found");
  EXPECT_EQ(reason_of(599), "");
}

}  // namespace
}  // namespace berth::http
