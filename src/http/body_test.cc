#include "http/body.h"

#include <gtest/gtest.h>

namespace berth::http {
namespace {

using End = BodyKind::End;
using Next = BodyDecoder::Next;

BodyKind request_body(const std::string& fields) {
  const std::string text = "POST / HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n";
  RequestHead head;
  EXPECT_EQ(parse_request(text, head).state, Parsed::State::complete);
  return body_of(head);
}
BodyKind response_body(int status, std::string_view method, const std::string& fields) {
  const std::string text = "HTTP/1.1 " + std::to_string(status) + " X\r\n" + fields + "\r\n";
  ResponseHead head;
  EXPECT_EQ(parse_response(text, head).state, Parsed::State::complete);
  return body_of(head, method);
}

TEST(BodyKind, OfRequests) {
  EXPECT_EQ(request_body(""), BodyKind{});
  EXPECT_EQ(request_body("Content-Length: 0\r\n"), BodyKind{});
  EXPECT_EQ(request_body("Content-Length: 3\r\n"), (BodyKind{End::length, 3}));
  EXPECT_EQ(request_body("Transfer-Encoding: chunked\r\n"), (BodyKind{End::chunked, 0}));
}

TEST(BodyKind, OfResponses) {
  const std::string three = "Content-Length: 3\r\n";
  EXPECT_EQ(response_body(200, "GET", three), (BodyKind{End::length, 3}));
  EXPECT_EQ(response_body(200, "GET", ""), (BodyKind{End::close, 0}));
  EXPECT_EQ(response_body(200, "GET", "Transfer-Encoding: chunked\r\n"), (BodyKind{End::chunked, 0}));
  EXPECT_EQ(response_body(200, "HEAD", three), BodyKind{});
  EXPECT_EQ(response_body(204, "GET", ""), BodyKind{});
  EXPECT_EQ(response_body(304, "GET", three), BodyKind{});
  EXPECT_EQ(response_body(100, "GET", ""), BodyKind{});
  EXPECT_EQ(response_body(200, "CONNECT", three), BodyKind{});
  EXPECT_EQ(response_body(404, "CONNECT", three), (BodyKind{End::length, 3}));
}

struct Read {
  std::string data;
  std::string rest;
  std::string reason;
  bool ended = false;
  friend bool operator==(const Read&, const Read&) = default;
};
// Feeds pieces of at most `piece` bytes.
Read decode(BodyKind kind, std::string_view input, std::size_t piece, BodyLimits limits = {}) {
  BodyDecoder decoder(kind, limits);
  Read read;
  while (true) {
    std::string_view part = input.substr(0, piece);
    const std::size_t before = part.size();
    const BodyDecoder::Step step = decoder.next(part);
    input.remove_prefix(before - part.size());
    read.data += step.data;
    if (step.what == Next::refused) read.reason = step.reason;
    if (step.what == Next::end) read.ended = true;
    if (step.what == Next::refused || step.what == Next::end || (step.what == Next::need_more && input.empty())) break;
  }
  read.rest = input;
  return read;
}
Read decode_chunks(std::string_view input, BodyLimits limits = {}) {
  const Read whole = decode({End::chunked, 0}, input, input.size() + 1, limits);
  for (std::size_t piece = 1; piece < 5; ++piece) {
    Read split = decode({End::chunked, 0}, input, piece, limits);
    split.rest = whole.reason.empty() ? split.rest : whole.rest;
    EXPECT_EQ(split.data, whole.data);
    EXPECT_EQ(split.reason, whole.reason);
    EXPECT_EQ(split.ended, whole.ended);
  }
  return whole;
}

TEST(BodyDecoder, ReadsALength) {
  for (std::size_t piece = 1; piece < 9; ++piece) {
    const Read read = decode({End::length, 4}, "abcdNEXT", piece);
    EXPECT_EQ(read.data, "abcd");
    EXPECT_TRUE(read.ended);
    EXPECT_EQ(read.rest, "NEXT");
  }
  EXPECT_FALSE(decode({End::length, 4}, "abc", 9).ended);
}

TEST(BodyDecoder, ReadsUntilTheEnd) {
  BodyDecoder decoder({End::close, 0});
  EXPECT_TRUE(decoder.may_close());
  EXPECT_FALSE(decoder.done());
  EXPECT_EQ(decode({End::close, 0}, "abc", 2).data, "abc");
}

TEST(BodyDecoder, MayCloseOnlyAtTheEnd) {
  BodyDecoder decoder({End::length, 2});
  EXPECT_FALSE(decoder.may_close());
  std::string_view input = "ab";
  decoder.next(input);
  EXPECT_TRUE(decoder.may_close());
  EXPECT_TRUE(BodyDecoder().may_close());
}

TEST(BodyDecoder, ReadsChunks) {
  EXPECT_EQ(decode_chunks("3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\nNEXT"),
            (Read{.data = "abc0123456789", .rest = "NEXT", .reason = "", .ended = true}));
  EXPECT_EQ(decode_chunks("0\r\n\r\n"), (Read{.data = "", .rest = "", .reason = "", .ended = true}));
  EXPECT_EQ(decode_chunks("1;a=\"b\";c\r\nx\r\n0;d\r\nExpires: never\r\nX:\r\n\r\n").data, "x");
  EXPECT_TRUE(decode_chunks("1;a=\"b\";c\r\nx\r\n0;d\r\nExpires: never\r\nX:\r\n\r\n").ended);
  EXPECT_FALSE(decode_chunks("5\r\nabc").ended);
}

struct Bad {
  std::string name;
  std::string input;
  std::string reason;
};
void PrintTo(const Bad& bad, std::ostream* out) {
  *out << bad.name;
}
class BadChunks : public testing::TestWithParam<Bad> {};
TEST_P(BadChunks, AreRefused) {
  EXPECT_EQ(decode_chunks(GetParam().input).reason, GetParam().reason);
}
const Bad kBad[] = {
    {"no_size", "\r\n", "malformed chunk size"},
    {"not_hex", "g\r\n", "malformed chunk size"},
    {"prefix", "0x5\r\nabcde\r\n", "malformed chunk size"},
    {"sign", "+5\r\nabcde\r\n", "malformed chunk size"},
    {"space_before", " 5\r\nabcde\r\n", "malformed chunk size"},
    {"space_after", "5 \r\nabcde\r\n", "malformed chunk size"},
    {"underscore", "1_0\r\n", "malformed chunk size"},
    {"bare_lf", "5\nabcde\r\n", "malformed chunk size"},
    {"cr_alone", "5\rabcde\r\n", "malformed chunk size"},
    {"sixteen_digits", "0000000000000005\r\nabcde\r\n", "chunk size is too large"},
    {"overflow", "ffffffffffffffffff\r\n", "chunk size is too large"},
    {"too_long", "3\r\nabcd\r\n", "malformed chunk"},
    {"no_crlf_after", "3\r\nabc3\r\n", "malformed chunk"},
    {"lf_after", "3\r\nabc\n0\r\n\r\n", "malformed chunk"},
    {"control_in_extension", "3;\x01\r\nabc\r\n", "control byte in a chunk extension"},
    {"lf_in_extension", "3;a\nabc\r\n", "control byte in a chunk extension"},
    {"trailer_without_colon", "0\r\nabc\r\n\r\n", "malformed trailer"},
    {"trailer_folded", "0\r\nA: b\r\n c\r\n\r\n", "malformed trailer"},
    {"trailer_space", "0\r\nA : b\r\n\r\n", "malformed trailer"},
    {"trailer_no_name", "0\r\n: b\r\n\r\n", "malformed trailer"},
    {"trailer_control", std::string("0\r\nA: \0\r\n\r\n", 11), "control byte in a trailer"},
    {"trailer_lf", "0\r\nA: b\n\r\n", "control byte in a trailer"},
    {"end_of_lf", "0\r\n\n", "malformed trailer"},
};
INSTANTIATE_TEST_SUITE_P(Body, BadChunks, testing::ValuesIn(kBad), [](const auto& p) { return p.param.name; });

TEST(BodyDecoder, BoundsExtensionsAndTrailers) {
  EXPECT_EQ(decode_chunks("1;" + std::string(300, 'a') + "\r\nx\r\n").reason, "chunk extensions are too large");
  std::string many;
  for (int i = 0; i < 100; ++i) many += "1;" + std::string(200, 'a') + "\r\nx\r\n";
  EXPECT_EQ(decode_chunks(many).reason, "chunk extensions are too large");
  EXPECT_EQ(decode_chunks("0\r\nA: " + std::string(9000, 'b')).reason, "trailers are too large");
  EXPECT_EQ(decode_chunks("1;abcd\r\n", {.extension = 3}).reason, "chunk extensions are too large");
}

TEST(BodyDecoder, StaysBroken) {
  BodyDecoder decoder({End::chunked, 0});
  std::string_view bad = "g";
  EXPECT_EQ(decoder.next(bad).what, Next::refused);
  std::string_view good = "0\r\n\r\n";
  EXPECT_EQ(decoder.next(good).what, Next::refused);
  EXPECT_FALSE(decoder.may_close());
}

TEST(ChunkWriter, WritesWhatTheDecoderReads) {
  std::string text;
  for (const std::size_t size : {1u, 15u, 16u, 255u, 4096u, 70000u}) {
    append_chunk_size(text, size);
    text.append(std::string(size, 'x')).append(kChunkEnd);
  }
  EXPECT_EQ(text.substr(0, 8), "1\r\nx\r\nf\r");
  text.append(kLastChunk);
  const Read read = decode({End::chunked, 0}, text, 1000);
  EXPECT_EQ(read.data.size(), 1u + 15 + 16 + 255 + 4096 + 70000);
  EXPECT_TRUE(read.ended);
}

}  // namespace
}  // namespace berth::http
