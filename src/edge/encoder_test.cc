#include "edge/encoder.h"

#include <gtest/gtest.h>
#include <zlib.h>
#include <zstd.h>

#include <brotli/decode.h>

namespace berth::edge {
namespace {

/// What `bytes` decode to, as far as they go.
std::string decoded(std::string_view encoding, std::string bytes, std::size_t most = 1u << 20) {
  std::string out(most, '\0');
  if (encoding == "gzip") {
    z_stream stream{};
    inflateInit2(&stream, 15 + 16);
    stream.next_in = reinterpret_cast<Bytef*>(bytes.data());
    stream.avail_in = static_cast<uInt>(bytes.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    inflate(&stream, Z_SYNC_FLUSH);
    out.resize(stream.total_out);
    inflateEnd(&stream);
  } else if (encoding == "br") {
    BrotliDecoderState* state = BrotliDecoderCreateInstance(nullptr, nullptr, nullptr);
    std::size_t in = bytes.size(), room = out.size();
    const auto* from = reinterpret_cast<const std::uint8_t*>(bytes.data());
    auto* to = reinterpret_cast<std::uint8_t*>(out.data());
    BrotliDecoderDecompressStream(state, &in, &from, &room, &to, nullptr);
    out.resize(out.size() - room);
    BrotliDecoderDestroyInstance(state);
  } else {
    ZSTD_DStream* state = ZSTD_createDStream();
    ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
    ZSTD_outBuffer to{out.data(), out.size(), 0};
    while (in.pos < in.size && ZSTD_isError(ZSTD_decompressStream(state, &to, &in)) == 0) continue;
    out.resize(to.pos);
    ZSTD_freeDStream(state);
  }
  return out;
}

TEST(Encoder, RoundTripsAndFlushes) {
  for (const char* encoding : {"gzip", "br", "zstd"}) {
    const auto encoder = make_encoder(encoding);
    ASSERT_TRUE(encoder);
    std::string text, out;
    EXPECT_TRUE(encoder->put("event one\n", Encoder::Then::flush, out));
    EXPECT_EQ(decoded(encoding, out), "event one\n") << encoding;
    text = "event one\n";
    for (int i = 0; i < 2000; ++i) {
      const std::string piece = "line " + std::to_string(i * 7919) + "\n";
      text += piece;
      EXPECT_TRUE(encoder->put(piece, Encoder::Then::more, out));
    }
    EXPECT_TRUE(encoder->put("", Encoder::Then::end, out));
    EXPECT_EQ(decoded(encoding, out), text) << encoding;
    EXPECT_LT(out.size(), text.size() / 2) << encoding;
  }
  EXPECT_FALSE(make_encoder("deflate"));
}

TEST(Encoder, ChoosesAsTheClientLikes) {
  const std::vector<std::string> all{"gzip", "br", "zstd"};
  const std::pair<std::string, std::string> cases[] = {
      {"gzip", "gzip"},
      {"br, gzip", "gzip"},
      {"br;q=1, gzip;q=0.9", "br"},
      {"BR ; Q=0.5", "br"},
      {"*", "gzip"},
      {"*;q=0.5, gzip;q=0", "br"},
      {"gzip;q=0", ""},
      {"identity", ""},
      {"identity;q=1, gzip;q=0.5", ""},
      {"identity;q=0, zstd;q=0.1", "zstd"},
      {"deflate", ""},
      {"", ""},
      {"gzip;q=2", ""},
      {"gzip;q=x", ""},
      {";;;,,,=", ""},
  };
  for (const auto& [accepted, chosen] : cases) EXPECT_EQ(choose_encoding(accepted, all), chosen) << accepted;
}

}  // namespace
}  // namespace berth::edge
