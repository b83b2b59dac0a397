#include "edge/snapshot.h"

#include <gtest/gtest.h>

#include "base/json.h"
#include "edge/channel.h"

namespace berth::edge {
namespace {

using namespace std::chrono_literals;

Snapshot full() {
  Snapshot snapshot;
  snapshot.version = 7;
  snapshot.settings = {.public_https_port = 8443,
                       .trusted_proxies = {"10.0.0.0/8"},
                       .header_bytes = 1000,
                       .header_count = 10,
                       .body_bytes = 5,
                       .header_timeout = 1ms,
                       .idle_timeout = 2ms,
                       .stall_timeout = 3ms,
                       .connect_timeout = 4ms,
                       .response_timeout = 5ms};
  snapshot.services = {
      {.name = "s",
       .upstreams = {{.host = "172.18.0.2", .port = 80, .tls = true, .target = "c", .transport = "way"},
                     {.host = "fd00::2", .port = 81, .tls = false, .target = "d"}},
       .pass_host = false,
       .down = "x"}};
  snapshot.routes = {{.name = "r",
                      .rule = "Host(`a`)",
                      .priority = -3,
                      .listeners = {Listener::web, Listener::websecure},
                      .service = "s",
                      .middlewares = {{"m1", RedirectScheme{"https", "444", true}},
                                      {"m2", StripPrefix{.prefixes = {"/a", "/b"}}},
                                      {"m3", AddPrefix{"/c"}},
                                      {"m5", RateLimit{.average = 100, .period = 2000ms, .burst = 50}},
                                      {"m4", Headers{.request = {{"A", "1"}}, .response = {{"B", ""}, {"C", "\"ü"}}}}},
                      .warnings = {"w"},
                      .resolver = "le",
                      .tls_options = "o",
                      .domains = {{"a", "*.a"}, {"b"}}}};
  snapshot.certificates = {{.hosts = {"a", "*.b"},
                            .chain = "CHAIN",
                            .key = "KEY",
                            .not_before = std::chrono::sys_seconds(1s),
                            .not_after = std::chrono::sys_seconds(2s)}};
  snapshot.tls_options = {{.name = "o",
                           .min_version = 10,
                           .max_version = 12,
                           .ciphers = {"c"},
                           .curves = {"d"},
                           .alpn = {"e"},
                           .client_auth = "f",
                           .client_ca = "g"}};
  snapshot.http_challenges = {{.host = "a", .token = "t", .answer = "t.x"}};
  snapshot.tls_challenges = {snapshot.certificates[0]};
  snapshot.transports = {
      {.name = "way", .server_name = "s.test", .roots = {"ROOT"}, .certificates = {{"OWN", "SECRET"}}}};
  snapshot.tcp.transports.emplace_back().name = "tcp-way";
  return snapshot;
}

TEST(Snapshot, SurvivesTheWire) {
  const Snapshot sent = full();
  const auto got = decode_snapshot(encode_snapshot(sent));
  ASSERT_TRUE(got.has_value()) << got.error().text();
  EXPECT_EQ(got->version, sent.version);
  EXPECT_EQ(got->settings, sent.settings);
  EXPECT_EQ(got->routes, sent.routes);
  EXPECT_EQ(got->services, sent.services);
  ASSERT_EQ(got->certificates.size(), 1u);
  EXPECT_EQ(got->certificates[0].hosts, sent.certificates[0].hosts);
  EXPECT_EQ(got->certificates[0].chain, "CHAIN");
  EXPECT_EQ(got->certificates[0].key, "KEY");
  EXPECT_EQ(got->certificates[0].not_before, sent.certificates[0].not_before);
  EXPECT_EQ(got->certificates[0].not_after, sent.certificates[0].not_after);
  EXPECT_EQ(got->tls_options, sent.tls_options);
  EXPECT_EQ(got->http_challenges, sent.http_challenges);
  EXPECT_EQ(got->transports, sent.transports);
  EXPECT_EQ(got->tcp, sent.tcp);
  ASSERT_EQ(got->tls_challenges.size(), 1u);
  EXPECT_EQ(got->tls_challenges[0].hosts, sent.tls_challenges[0].hosts);
  EXPECT_EQ(encode_snapshot(*got), encode_snapshot(sent));
}

std::string error_after(void (*change)(Json&)) {
  Json json = parse_json(encode_snapshot(full())).value();
  change(json);
  const auto got = decode_snapshot(json.dump());
  return got ? "accepted" : got.error().message;
}

TEST(Snapshot, RefusesWhatIsWrongAndTellsNoSecret) {
  EXPECT_FALSE(decode_snapshot("").has_value());
  EXPECT_FALSE(decode_snapshot("{\"format\":1,\"version\":1").has_value());
  EXPECT_EQ(error_after([](Json& json) { json.set("format", 2); }), "snapshot: its format is not 1");
  EXPECT_EQ(error_after([](Json& json) { json.erase("version"); }), "snapshot: its version is missing");
  EXPECT_EQ(error_after([](Json& json) { json.slot("settings").set("idle_timeout", "KEY"); }),
            "snapshot: settings.idle_timeout is not a number");
  EXPECT_EQ(error_after([](Json& json) { json.slot("settings").set("public_https_port", 70000); }),
            "snapshot: settings.public_https_port is not a port");
  EXPECT_EQ(error_after([](Json& json) { json.slot("routes").items_mut()[0].set("listeners", Json::array({"ssh"})); }),
            "snapshot: route \"r\" has an unknown listener");
  EXPECT_EQ(error_after([](Json& json) { json.slot("routes").items_mut()[0].erase("listeners"); }),
            "snapshot: a route lacks its name or listeners");
  EXPECT_EQ(error_after([](Json& json) {
              json.slot("routes")
                  .items_mut()[0]
                  .slot("middlewares")
                  .push(Json::object({{"name", "auth"}, {"action", Json::object({{"magic", Json::object()}})}}));
            }),
            "snapshot: middleware \"auth\": middleware kind \"magic\" is not known");
  EXPECT_EQ(error_after([](Json& json) {
              json.slot("services").items_mut()[0].slot("upstreams").items_mut()[0].set("host", "evil.example");
            }),
            "snapshot: service \"s\" has a wrong upstream address");
  EXPECT_EQ(error_after([](Json& json) { json.slot("certificates").items_mut()[0].erase("chain"); }),
            "snapshot: a certificate lacks hosts, chain or key");
}

TEST(Channel, FramesComeInAnyPieces) {
  const std::string bytes = encode_frame("one") + encode_frame("") + encode_frame(std::string(70000, 'x'));
  for (const std::size_t step : {std::size_t{1}, std::size_t{3}, std::size_t{1000}, bytes.size()}) {
    FrameReader reader;
    std::vector<std::string> frames;
    for (std::size_t at = 0; at < bytes.size(); at += step) {
      reader.feed(std::string_view(bytes).substr(at, step));
      while (auto frame = reader.next().value()) frames.push_back(std::move(*frame));
    }
    ASSERT_EQ(frames.size(), 3u);
    EXPECT_EQ(frames[0], "one");
    EXPECT_EQ(frames[1], "");
    EXPECT_EQ(frames[2].size(), 70000u);
  }
}

TEST(Channel, RefusesHugeFrames) {
  FrameReader reader;
  reader.feed("\x7f\xff\xff\xff");
  const auto frame = reader.next();
  ASSERT_FALSE(frame.has_value());
  EXPECT_EQ(frame.error().code, Code::invalid);
}

TEST(Channel, EventsSurviveTheWire) {
  using Kind = EdgeEvent::Kind;
  for (const EdgeEvent& event :
       {EdgeEvent{Kind::accepted, 3, "", ""}, EdgeEvent{Kind::refused, 0, "", "why"},
        EdgeEvent{Kind::listening, 0, "web", "127.0.0.1:80"}, EdgeEvent{Kind::certificate_wanted, 0, "a.test", ""},
        EdgeEvent{Kind::upstream_failed, 0, "s", "x"}, EdgeEvent{Kind::stopped, 0, "", ""}}) {
    EXPECT_EQ(decode_event(encode_event(event)).value(), event);
  }
  EXPECT_FALSE(decode_event(R"({"event":"unknown"})").has_value());
  EXPECT_FALSE(decode_event("x").has_value());
}

}  // namespace
}  // namespace berth::edge
