// Variables, packets, records and heads of CGI, from and to bytes.
#include <gtest/gtest.h>

#include "edge/cgi_head.h"
#include "edge/cgi_vars.h"
#include "edge/fastcgi_record.h"
#include "edge/uwsgi_packet.h"

namespace berth::edge {
namespace {

constexpr std::string_view kHead =
    "POST /shop/caf%C3%A9/index.php/a%20b?x=1&y=2 HTTP/1.1\r\nHost: app.test:8443\r\nContent-Type: text/plain\r\n"
    "Content-Length: 5\r\nAccept: text/html\r\naccept: */*\r\nCookie: a=1\r\nCookie: b=2\r\nProxy: http://evil.test\r\n"
    "X-Real-Ip: 10.0.0.9\r\n\r\n";

CgiVars vars_of(std::string_view text, Cgi options, bool fastcgi, bool https = true) {
  http::RequestHead head;
  EXPECT_EQ(http::parse_request(text, head).state, http::Parsed::State::complete);
  const CgiRequest request{.head = head,
                           .options = options,
                           .client = "10.0.0.9",
                           .host = "app.test",
                           .https = https,
                           .length = head.framing.length};
  return (fastcgi ? fastcgi_vars(request) : uwsgi_vars(request)).value();
}

std::string get(const CgiVars& vars, std::string_view name) {
  std::string found = "(none)";
  for (const auto& [each, value] : vars) {
    if (each != name) continue;
    EXPECT_EQ(found, "(none)") << name << " is there twice";
    found = value;
  }
  return found;
}

TEST(CgiVars, TellWhatNginxTells) {
  const CgiVars vars = vars_of(kHead, {.params = {{"App_env", "prod"}, {"Server-Name", "over"}}}, false);
  const std::pair<std::string_view, std::string_view> wanted[] = {
      {"QUERY_STRING", "x=1&y=2"},
      {"REQUEST_METHOD", "POST"},
      {"CONTENT_TYPE", "text/plain"},
      {"CONTENT_LENGTH", "5"},
      {"REQUEST_URI", "/shop/caf%C3%A9/index.php/a%20b?x=1&y=2"},
      {"PATH_INFO", "/shop/caf\xC3\xA9/index.php/a b"},
      {"DOCUMENT_ROOT", "/var/www/html"},
      {"SERVER_PROTOCOL", "HTTP/1.1"},
      {"REQUEST_SCHEME", "https"},
      {"HTTPS", "on"},
      {"REMOTE_ADDR", "10.0.0.9"},
      {"SERVER_PORT", "8443"},
      {"SERVER_NAME", "over"},
      {"HTTP_HOST", "app.test:8443"},
      {"HTTP_ACCEPT", "text/html, */*"},
      {"HTTP_COOKIE", "a=1; b=2"},
      {"HTTP_X_REAL_IP", "10.0.0.9"},
      {"APP_ENV", "prod"},
      {"HTTP_PROXY", "(none)"},
      {"HTTP_CONTENT_LENGTH", "(none)"},
      {"HTTP_CONTENT_TYPE", "(none)"},
  };
  for (const auto& [name, value] : wanted) EXPECT_EQ(get(vars, name), value) << name;
  EXPECT_EQ(get(vars_of(kHead, {}, false, false), "HTTPS"), "(none)");
}

struct ScriptCase {
  std::string_view path, script, info;
  Cgi options{};
};

TEST(CgiVars, NameTheScript) {
  const ScriptCase cases[] = {
      {"/index.php", "/index.php", ""},
      {"/a/b.php/c/d.php", "/a/b.php", "/c/d.php"},
      {"/a.phpx/b", "/a.phpx/b", ""},
      {"/a.phpx/b.php", "/a.phpx/b.php", ""},
      {"/", "/index.php", ""},
      {"/admin/", "/admin/index.php", ""},
      {"/style.css", "/style.css", ""},
      {"/blog/post/", "/front.php", "", {.script = "/front.php"}},
      {"/x.php", "/x.php", "", {.script = "/front.php"}},
      {"/admin/", "/admin/home.php", "", {.root = "/srv", .index = "home.php"}},
  };
  for (const ScriptCase& one : cases) {
    const CgiVars vars = vars_of("GET " + std::string(one.path) + " HTTP/1.1\r\nHost: a\r\n\r\n", one.options, true);
    EXPECT_EQ(get(vars, "SCRIPT_NAME"), one.script) << one.path;
    EXPECT_EQ(get(vars, "PATH_INFO"), one.info) << one.path;
    EXPECT_EQ(get(vars, "SCRIPT_FILENAME"), one.options.root + std::string(one.script)) << one.path;
    EXPECT_EQ(get(vars, "GATEWAY_INTERFACE"), "CGI/1.1");
    EXPECT_EQ(get(vars, "REDIRECT_STATUS"), "200");
    EXPECT_EQ(get(vars, "CONTENT_LENGTH"), "");
  }
}

TEST(CgiVars, RefuseControlCharactersInThePath) {
  http::RequestHead head;
  const std::string_view text = "GET /a%0Ab HTTP/1.1\r\nHost: a\r\n\r\n";
  ASSERT_EQ(http::parse_request(text, head).state, http::Parsed::State::complete);
  const Cgi options;
  EXPECT_FALSE(uwsgi_vars({.head = head, .options = options, .client = "::1", .host = "a"}));
  EXPECT_FALSE(fastcgi_vars({.head = head, .options = options, .client = "::1", .host = "a"}));
}

TEST(UwsgiPacket, HasSizesInLittleEndian) {
  const auto packet = uwsgi_packet({{"A", "bc"}, {"NAME", ""}});
  EXPECT_EQ(packet.value(), std::string("\0\x0f\0\0\1\0A\2\0bc\4\0NAME\0\0", 19));
  EXPECT_EQ(uwsgi_packet({{"A", std::string(0xffff - 5, 'x')}}).value().size(), 0xffffu + 4);
  EXPECT_FALSE(uwsgi_packet({{"A", std::string(0xffff - 4, 'x')}}));
}

TEST(FastcgiRecord, BeginsAndSendsABody) {
  const std::string begin = fastcgi_begin({{"A", "b"}, {"L", std::string(300, 'x')}}).value();
  EXPECT_EQ(begin.substr(0, 16), std::string("\1\1\0\1\0\x08\0\0\0\1\0\0\0\0\0\0", 16));
  EXPECT_EQ(begin.substr(16, 8), std::string("\1\4\0\1\1\x36\0\0", 8));
  EXPECT_EQ(begin.substr(24, 10), std::string("\1\1Ab\1\x80\0\1\x2cL", 10));
  EXPECT_EQ(begin.substr(begin.size() - 8), std::string("\1\4\0\1\0\0\0\0", 8));
  EXPECT_FALSE(fastcgi_begin({{"A", std::string(300 << 10, 'x')}}));
  std::string body;
  append_fastcgi_body(body, std::string(70'000, 'y'));
  append_fastcgi_body(body, "");
  EXPECT_EQ(body.size(), 70'000u + 3 * 8);
  EXPECT_EQ(body.substr(0, 8), std::string("\1\5\0\1\xff\xf8\0\0", 8));
  EXPECT_EQ(body.substr(body.size() - 8), std::string("\1\5\0\1\0\0\0\0", 8));
}

std::string record(int type, std::string_view content, int padding = 0, int id = 1, int version = 1) {
  std::string out{static_cast<char>(version), static_cast<char>(type), 0, static_cast<char>(id)};
  out += static_cast<char>(content.size() >> 8);
  out += static_cast<char>(content.size() & 0xff);
  out += static_cast<char>(padding);
  out += '\0';
  return out.append(content).append(static_cast<std::size_t>(padding), '\0');
}

const std::string kEnded = record(3, std::string("\0\0\0\7\0\0\0\0", 8));

/// What comes out: "out:TEXT err:TEXT end 0" or "refused: WHY".
std::string decoded(std::string_view bytes, std::size_t step) {
  FastcgiDecoder decoder;
  std::string out, errors, last;
  for (std::size_t at = 0; at < bytes.size() && last.empty(); at += step) {
    std::string_view input = bytes.substr(at, step);
    while (true) {
      const auto next = decoder.next(input);
      if (next.what == FastcgiDecoder::Step::need_more) break;
      if (next.what == FastcgiDecoder::Step::output) out.append(next.data);
      if (next.what == FastcgiDecoder::Step::errors) errors.append(next.data);
      if (next.what == FastcgiDecoder::Step::end) last = "end " + std::to_string(next.status);
      if (next.what == FastcgiDecoder::Step::refused) last = "refused: " + std::string(next.reason);
      if (!last.empty()) break;
    }
  }
  return "out:" + out + " err:" + errors + " " + last;
}

TEST(FastcgiRecord, TakesAnAnswerApartHoweverItArrives) {
  const std::string answer =
      record(6, "one", 5) + record(7, "oops") + record(6, "two") + record(6, "") + record(7, "") + kEnded;
  for (const std::size_t step : {1u, 2u, 7u, 8u, 9u, 1000u})
    EXPECT_EQ(decoded(answer, step), "out:onetwo err:oops end 0");
  EXPECT_EQ(decoded(record(3, std::string("\0\0\0\0\2\0\0\0", 8)), 3), "out: err: end 2");
}

TEST(FastcgiRecord, RefusesWhatBreaksTheRules) {
  EXPECT_EQ(decoded(record(6, "x", 0, 1, 2), 4), "out: err: refused: a record of another version");
  EXPECT_EQ(decoded(record(6, "x", 0, 2), 4), "out: err: refused: a record of another request");
  EXPECT_EQ(decoded(record(10, "x"), 4), "out: err: refused: a record of a type that nobody asked for");
  EXPECT_EQ(decoded(record(3, "short"), 4), "out: err: refused: an end of a wrong length");
  EXPECT_EQ(decoded(record(6, "") + record(6, "late"), 4), "out: err: refused: output behind its end");
}

struct HeadCase {
  std::string_view text;
  int status;  ///< 0: refused, 1: needs more
};

TEST(CgiHead, ReadsBothForms) {
  const HeadCase cases[] = {
      {"Status: 404 Not Found\r\nContent-Type: text/html\r\n\r\n", 404},
      {"Content-Type: text/html\n\nbody", 200},
      {"Location: /there\r\n\r\n", 302},
      {"Location: /there\r\nStatus: 201\r\n\r\n", 201},
      {"HTTP/1.1 503 Busy\r\nX: y\r\n\r\n", 503},
      {"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nabc", 200},
      {"Content-Type: text/html\r\n", 1},
      {"", 1},
      {"Status: 99\r\n\r\n", 0},
      {"Status: 200x\r\n\r\n", 0},
      {"Status: 200\r\nStatus: 404\r\n\r\n", 0},
      {"no field\r\n\r\n", 0},
      {"X: a\rb\r\n\r\n", 0},
      {"HTTP/1.1 100 Continue\r\n\r\n", 0},
      {"Transfer-Encoding: chunked\r\n\r\n", 0},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", 0},
      {"Content-Length: 3\r\nContent-Length: 4\r\n\r\n", 0},
  };
  for (const HeadCase& one : cases) {
    std::string text;
    http::ResponseHead head;
    const auto parsed = parse_cgi_head(one.text, text, head);
    using State = http::Parsed::State;
    EXPECT_EQ(parsed.state, one.status == 0   ? State::refused
                            : one.status == 1 ? State::need_more
                                              : State::complete)
        << one.text;
    if (one.status < 2) continue;
    EXPECT_EQ(head.status, one.status) << one.text;
    EXPECT_FALSE(head.fields.find("status"));
    EXPECT_LE(parsed.consumed, one.text.size());
  }
  std::string text;
  http::ResponseHead head;
  EXPECT_EQ(parse_cgi_head(std::string(kMostCgiHead, 'x'), text, head).state, http::Parsed::State::refused);
}

}  // namespace
}  // namespace berth::edge
