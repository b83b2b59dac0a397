#include "http/h2_session.h"

#include <gtest/gtest.h>

#include "http/h2_session_fixture.h"

namespace berth::http {
namespace {

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

TEST(H2Flow, TakesNoMoreThanTheConnectionsWindow) {
  Server server;
  server.reads = false;
  server.say(kHello);
  std::string said;
  // Four streams fill 48 KiB of their windows each, and then some: 256 KiB are for all of them.
  for (std::uint32_t stream = 1; stream < 20 && said.empty(); stream += 2) {
    said = server.say(head(stream, NONE, fields("POST")));
    for (int i = 0; i < 3 && said.empty(); ++i) said = server.say(frame(DATA, NONE, stream, std::string(16384, 'x')));
  }
  EXPECT_EQ(said, "GOAWAY 3");  // RFC 9113 6.9.1
  EXPECT_FALSE(server.alive);
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

TEST(H2Session, BeginsWithItsSettings) {
  Server server;
  std::string out;
  server.session.pull(out, 1u << 20);
  ASSERT_GE(out.size(), 9u);
  EXPECT_EQ(out[3], SETTINGS);  // RFC 9113 3.4
  EXPECT_EQ(out[4], NONE);
}

TEST(H2Session, WantsSettingsBehindThePreface) {
  const std::string preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
  for (const std::string& first : {frame(PING, NONE, 0, "12345678"), kGet, frame(SETTINGS, ACK, 0, "")}) {
    Server server;
    EXPECT_TRUE(server.say(preface + first).ends_with("GOAWAY 1"));  // RFC 9113 3.4
    EXPECT_FALSE(server.alive);
  }
  Server server;
  EXPECT_EQ(server.say("PRI * HTTP/2.0\r\n\r\nSM\r\n\r!"), "");
  EXPECT_FALSE(server.alive);
}

TEST(H2Session, RefusesStreamsBeyondItsLimit) {
  for (const bool acknowledged : {false, true}) {
    Server server;
    server.answers = false;
    server.say(kHello);
    if (acknowledged) server.say(frame(SETTINGS, ACK, 0, ""));
    for (std::uint32_t stream = 1; stream < 2 * 128; stream += 2) ASSERT_EQ(server.say(head(stream)), "");
    const std::string said = server.say(head(257));
    // RFC 9113 5.1.2; who has acknowledged the limit knows better (5.4.1).
    EXPECT_EQ(said, acknowledged ? "GOAWAY 1" : "RST 257 7");
    if (!acknowledged) EXPECT_EQ(server.say(frame(RST, NONE, 1, u32(8)) + head(259)), "");
  }
}

// RFC 9113 5.1: what may still be on its way to a stream that is over.
TEST(H2Session, IgnoresWhatComesLateToAStream) {
  Server server;
  server.say(kHello);
  EXPECT_EQ(server.say(kGet), kOk);
  for (const std::string& late :
       {frame(RST, NONE, 1, u32(8)), frame(WINDOW, NONE, 1, u32(1)), frame(PRIORITY, NONE, 1, u32(0) + "\1")})
    EXPECT_EQ(server.say(late), "");
  EXPECT_EQ(server.say(head(3)), "HEADERS 3 DATA 3.");
}

// RFC 9113 6.8.
TEST(H2Session, FinishesStreamsAfterTheClientsGoodBye) {
  Server server;
  server.say(kHello + kOpen);
  EXPECT_EQ(server.say(frame(GOAWAY, NONE, 0, u32(0) + u32(0xfedcba) + "why")), "");
  EXPECT_EQ(server.say(frame(DATA, END_STREAM, 1, "x")), kOk);
  EXPECT_FALSE(server.alive);  // nothing can come any more
}

// RFC 9113 6.9.2.
TEST(H2Flow, AWindowMayBecomeNegative) {
  Server server;
  EXPECT_EQ(server.say(kHello + frame(SETTINGS, NONE, 0, setting(4, 3))), "ACK ACK");
  EXPECT_EQ(server.say(kGet), "HEADERS 1 DATA 1");
  EXPECT_EQ(server.say(frame(SETTINGS, NONE, 0, setting(4, 1))), "ACK");
  EXPECT_EQ(server.say(frame(WINDOW, NONE, 1, u32(2))), "");  // 0 now
  EXPECT_EQ(server.say(frame(WINDOW, NONE, 1, u32(2))), "DATA 1.");
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
