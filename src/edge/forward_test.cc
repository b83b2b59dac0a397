#include "edge/forward.h"

#include <gtest/gtest.h>

#include "edge/step.h"

#include "edge/access.h"
#include "edge/page.h"
#include "edge/path.h"

namespace berth::edge {
namespace {

std::string canonical(std::string_view path) {
  std::string storage;
  const auto result = canonical_path(path, storage);
  return result ? std::string(*result) : "refused";
}

TEST(Path, HasOneForm) {
  const std::pair<const char*, const char*> cases[] = {
      {"/", "/"},
      {"/a/b", "/a/b"},
      {"/a/", "/a/"},
      {"//a//b", "/a/b"},
      {"/./a/./", "/a/"},
      {"/a/../b", "/b"},
      {"/a/b/..", "/a/"},
      {"/a/..", "/"},
      {"/%61%2D%7e", "/a-~"},
      {"/%e4%bd", "/%E4%BD"},
      {"/a%20b", "/a%20b"},
      {"/a%2e/b", "/a./b"},
      {"/%2e%2E/x", "refused"},
      {"/..", "refused"},
      {"/a/../../b", "refused"},
      {"/a%2fb", "refused"},
      {"/a%2Fb", "refused"},
      {"/a%5cb", "refused"},
      {"/a\\b", "refused"},
      {"/a%00", "refused"},
      {"/a%25b", "refused"},
      {"/a%", "refused"},
      {"/a%2", "refused"},
      {"/a%zz", "refused"},
      {"a", "refused"},
      {"", "refused"},
      {"/a/...", "/a/..."},
      {"/.hidden", "/.hidden"},
      {"/a/%2e%2e/b", "/b"},
      {"/a%3Fb", "/a%3Fb"},
      {"/..;/admin", "refused"},
      {"/a/..;x=1/b", "refused"},
      {"/.;/admin", "refused"},
      {"/a/%2e%2E;/b", "refused"},
      {"/a;v=1/b;..", "/a;v=1/b;.."},
      {"/a/...;/b", "/a/...;/b"},
      {"/%c0%afadmin", "refused"},
      {"/%C1%9cadmin", "refused"},
      {"/a/%c0%ae%c0%ae/b", "refused"},
      {"/%e0%80%af", "refused"},
      {"/%f0%80%80%af", "refused"},
      {"/%C0%41", "/%C0A"},
      {"/%e0%a0%80%f0%9f%98%80", "/%E0%A0%80%F0%9F%98%80"},
  };
  for (const auto& [given, expected] : cases) EXPECT_EQ(canonical(given), expected) << given;
}

TEST(Path, StaysWhereItIsWhenCanonical) {
  std::string storage;
  const std::string_view path = "/static/app.js";
  EXPECT_EQ(canonical_path(path, storage)->data(), path.data());
}

TEST(Path, CanonicalFormIsStable) {
  for (const char* path : {"/a/%2e/b//c/", "/%41/%7E/..", "/a.b/.c/..d", "/%c3%bc/x%2c"}) {
    EXPECT_EQ(canonical(canonical(path)), canonical(path)) << path;
  }
}

TEST(Forward, ReadsTheHost) {
  std::string storage;
  EXPECT_EQ(request_host("App.Test:80", storage).value(), "app.test");
  EXPECT_EQ(request_host("app.test.", storage).value(), "app.test");
  EXPECT_EQ(request_host("[::1]:443", storage).value(), "::1");
  EXPECT_EQ(request_host("[0:0::1]", storage).value(), "::1");
  for (const char* wrong : {"", ":80", "a%41", ".", "..", ".a", "a..", "a b", "[x]"}) {
    EXPECT_FALSE(request_host(wrong, storage).has_value()) << wrong;
  }
}

http::RequestHead parse(const std::string& text) {
  http::RequestHead head;
  EXPECT_EQ(http::parse_request(text, head).state, http::Parsed::State::complete) << text;
  return head;
}

Hop hop(std::string_view peer = "192.0.2.1", Listener listener = Listener::websecure) {
  return {.listener = listener, .peer = *parse_ip(peer), .peer_text = std::string(peer), .server = "me"};
}

TEST(Forward, FindsTheClientBehindTrustedProxies) {
  const std::string text =
      "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 6.6.6.6, 198.51.100.7\r\n"
      "X-Forwarded-For: 10.0.0.2\r\n\r\n";
  const auto head = parse(text);
  const std::vector<Cidr> proxies{*parse_cidr("10.0.0.0/8")};
  EXPECT_EQ(client_address(hop("10.0.0.1"), head.fields, proxies).text(), "198.51.100.7");
  EXPECT_EQ(client_address(hop("192.0.2.1"), head.fields, proxies).text(), "192.0.2.1");
  const std::string broken = "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 6.6.6.6, unknown\r\n\r\n";
  EXPECT_EQ(client_address(hop("10.0.0.1"), parse(broken).fields, proxies).text(), "10.0.0.1");
}

Route with(std::vector<Middleware> middlewares) {
  return {.name = "r",
          .rule = "Host(`a`)",
          .priority = 0,
          .listeners = {Listener::websecure},
          .service = "s",
          .middlewares = std::move(middlewares),
          .warnings = {}};
}

std::string request(const std::string& text, const Route& route, bool trusted = false, bool websocket = false) {
  const auto head = parse(text);
  Rewritten rewritten;
  rewritten.begin(head.path);
  for (const Middleware& each : route.middlewares) {
    EXPECT_EQ(take_step(each, {head, head.path, hop()}, rewritten).status, 0);
  }
  std::string out;
  const Hop from = hop();
  append_request(out, {.head = head,
                       .route = route,
                       .rewritten = rewritten,
                       .hop = from,
                       .host = head.authority,
                       .trusted = trusted,
                       .websocket = websocket});
  return out;
}

TEST(Forward, HeadersMiddlewareSetsAndRemoves) {
  const Route route = with(
      {{"h",
        Headers{.request = {{"X-A", "new"}, {"X-Gone", ""}, {"Host", "inner"}, {"X-Forwarded-Proto", "gopher"}}}}});
  EXPECT_EQ(request("GET /? HTTP/1.1\r\nHost: a\r\nX-A: old\r\nx-gone: 1\r\nX-B: b\r\n\r\n", route),
            "GET /? HTTP/1.1\r\nHost: inner\r\nX-B: b\r\nX-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Host: a\r\n"
            "X-Forwarded-Port: 443\r\nX-Forwarded-Server: me\r\nX-Real-Ip: 192.0.2.1\r\nX-A: new\r\n"
            "X-Forwarded-Proto: gopher\r\n\r\n");
}

TEST(Forward, FramingIsWrittenAnew) {
  const std::string chunked = request("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: CHUNKED\r\n\r\n", with({}));
  EXPECT_TRUE(chunked.contains("\r\nTransfer-Encoding: chunked\r\n")) << chunked;
  const std::string length = request("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 007\r\n\r\n", with({}));
  EXPECT_TRUE(length.contains("\r\nContent-Length: 7\r\n")) << length;
  EXPECT_FALSE(length.contains("007"));
  const std::string socket =
      request("GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\r\n", with({}),
              false, true);
  EXPECT_TRUE(socket.ends_with("Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n")) << socket;
}

std::string reply(const std::string& text, const std::string& asked, const Route& route = with({})) {
  http::ResponseHead head;
  EXPECT_EQ(http::parse_response(text, head).state, http::Parsed::State::complete);
  const http::RequestHead request_head = parse(asked);
  const bool has_body = http::body_of(head, request_head.method).end != http::BodyKind::End::none;
  clean_reply(head);
  apply_reply_headers(route, head);
  std::string out;
  append_reply(out, head, shape_reply(request_head, head, has_body, true));
  return out;
}

TEST(Forward, ShapesReplies) {
  const std::string get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n", old = "GET / HTTP/1.0\r\nHost: a\r\n\r\n";
  EXPECT_EQ(reply("HTTP/1.1 200 Whatever you say\r\nContent-Length: 3\r\nX-A: 1\r\n\r\n", get),
            "HTTP/1.1 200 OK\r\nX-A: 1\r\nContent-Length: 3\r\n\r\n");
  EXPECT_EQ(reply("HTTP/1.0 200 OK\r\n\r\n", get), "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
  EXPECT_EQ(reply("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", old),
            "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(reply("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"),
            "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n");
  EXPECT_EQ(reply("HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", get), "HTTP/1.1 204 No Content\r\n\r\n");
  EXPECT_EQ(reply("HTTP/1.1 299 \r\nContent-Length: 0\r\n\r\n", get), "HTTP/1.1 299 \r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(reply("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-B: old\r\nServer: x\r\n\r\n", get,
                  with({{"h", Headers{.response = {{"X-B", "new"}, {"Server", ""}}}}})),
            "HTTP/1.1 200 OK\r\nX-B: new\r\nContent-Length: 0\r\n\r\n");
}

std::string own(const OwnReply& reply, bool keep_alive) {
  http::ResponseHead head;
  const std::string body = make_own_reply(reply, head);
  std::string out;
  append_reply(out, head, {.chunked = false, .keep_alive = keep_alive});
  return out + body;
}

TEST(Page, FollowsAccept) {
  EXPECT_EQ(own({.status = 404, .message = "Nothing here."}, true),
            "HTTP/1.1 404 Not Found\r\nContent-Type: text/plain; charset=utf-8\r\n"
            "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nContent-Length: 18\r\n\r\n"
            "404 Nothing here.\n");
  EXPECT_EQ(own({.status = 308, .message = "Moved.", .accept = "*/*", .location = "https://a/"}, false),
            "HTTP/1.1 308 Permanent Redirect\r\nLocation: https://a/\r\nContent-Type: text/plain; charset=utf-8\r\n"
            "X-Content-Type-Options: nosniff\r\nContent-Length: 11\r\nConnection: close\r\n\r\n308 Moved.\n");
}

TEST(Access, IsOneJsonLine) {
  const std::chrono::sys_time<std::chrono::milliseconds> time(std::chrono::milliseconds(1'700'000'000'042));
  EXPECT_EQ(access_line({.client = "192.0.2.1",
                         .method = "GET",
                         .scheme = "https",
                         .host = "a",
                         .path = "/\"\n",
                         .status = 200,
                         .sent = 5,
                         .received = 0,
                         .duration = std::chrono::microseconds(1500),
                         .route = "r",
                         .target = "t",
                         .protocol = "HTTP/2",
                         .tls = "TLSv1.3",
                         .agent = "c\"url",
                         .request_id = "i",
                         .trace_id = "0a",
                         .upstream = std::chrono::microseconds(1250),
                         .retries = 1,
                         .error = {}},
                        time),
            R"({"time":"2023-11-14T22:13:20.042Z","client":"192.0.2.1","protocol":"HTTP/2",)"
            R"("tls":"TLSv1.3","method":"GET","scheme":"https","host":"a",)"
            R"("path":"/\"\n","status":200,"sent":5,"received":0,"ms":1.500,"route":"r","target":"t",)"
            R"("upstream_ms":1.250,"retries":1,"agent":"c\"url","request_id":"i","trace_id":"0a"})");
}

}  // namespace
}  // namespace berth::edge
