#include "edge/encoder.h"

#include <brotli/encode.h>
#include <zlib.h>
#include <zstd.h>

#include <charconv>

#include "base/text.h"

namespace berth::edge {
namespace {

constexpr std::size_t kPiece = 16u << 10;
// Levels where the time of a page of 100 KB is near a millisecond: an edge compresses while clients wait.
constexpr int kGzipLevel = 5, kBrotliLevel = 4, kZstdLevel = 3;
constexpr int kBrotliWindow = 18;  // 256 KiB an exchange instead of 4 MiB

class Gzip final : public Encoder {
 public:
  Gzip() { ready_ = deflateInit2(&stream_, kGzipLevel, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK; }
  ~Gzip() override {
    if (ready_) deflateEnd(&stream_);
  }
  bool put(std::string_view in, Then then, std::string& out) override {
    if (!ready_) return false;
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in.data()));  // zlib only reads it
    stream_.avail_in = static_cast<uInt>(in.size());
    const int flush = then == Then::more ? Z_NO_FLUSH : then == Then::flush ? Z_SYNC_FLUSH : Z_FINISH;
    do {
      const std::size_t before = out.size();
      out.resize(before + kPiece);
      stream_.next_out = reinterpret_cast<Bytef*>(out.data() + before);
      stream_.avail_out = kPiece;
      const int done = deflate(&stream_, flush);
      out.resize(before + kPiece - stream_.avail_out);
      if (done == Z_STREAM_ERROR) return false;
    } while (stream_.avail_out == 0);
    return true;
  }

 private:
  z_stream stream_{};
  bool ready_ = false;
};

class Brotli final : public Encoder {
 public:
  Brotli() : state_(BrotliEncoderCreateInstance(nullptr, nullptr, nullptr)) {
    if (!state_) return;
    BrotliEncoderSetParameter(state_, BROTLI_PARAM_QUALITY, kBrotliLevel);
    BrotliEncoderSetParameter(state_, BROTLI_PARAM_LGWIN, kBrotliWindow);
  }
  ~Brotli() override { BrotliEncoderDestroyInstance(state_); }
  bool put(std::string_view in, Then then, std::string& out) override {
    if (!state_) return false;
    const auto operation = then == Then::more    ? BROTLI_OPERATION_PROCESS
                           : then == Then::flush ? BROTLI_OPERATION_FLUSH
                                                 : BROTLI_OPERATION_FINISH;
    std::size_t left = in.size();
    const auto* next = reinterpret_cast<const std::uint8_t*>(in.data());
    do {
      std::size_t none = 0;
      if (!BrotliEncoderCompressStream(state_, operation, &left, &next, &none, nullptr, nullptr)) return false;
      std::size_t made = 0;
      const std::uint8_t* bytes = BrotliEncoderTakeOutput(state_, &made);
      out.append(reinterpret_cast<const char*>(bytes), made);
    } while (left > 0 || BrotliEncoderHasMoreOutput(state_) != 0);
    return true;
  }

 private:
  BrotliEncoderState* state_;
};

class Zstd final : public Encoder {
 public:
  Zstd() : context_(ZSTD_createCCtx()) {
    if (context_) ZSTD_CCtx_setParameter(context_, ZSTD_c_compressionLevel, kZstdLevel);
    // Browsers refuse windows beyond 8 MiB (RFC 9659); this is also what an exchange holds.
    if (context_) ZSTD_CCtx_setParameter(context_, ZSTD_c_windowLog, 18);
  }
  ~Zstd() override { ZSTD_freeCCtx(context_); }
  bool put(std::string_view in, Then then, std::string& out) override {
    if (!context_) return false;
    const auto operation = then == Then::more ? ZSTD_e_continue : then == Then::flush ? ZSTD_e_flush : ZSTD_e_end;
    ZSTD_inBuffer from{in.data(), in.size(), 0};
    while (true) {
      const std::size_t before = out.size();
      out.resize(before + kPiece);
      ZSTD_outBuffer to{out.data() + before, kPiece, 0};
      const std::size_t left = ZSTD_compressStream2(context_, &to, &from, operation);
      out.resize(before + to.pos);
      if (ZSTD_isError(left) != 0) return false;
      if (then == Then::more ? from.pos == from.size : left == 0) return true;
    }
  }

 private:
  ZSTD_CCtx* context_;
};

/// Thousandths; 0 for what is no weight.
int weight_of(std::string_view parameters) {
  for (const std::string_view part : split(parameters, ';')) {
    const Cut pair = cut(trim(part), '=');
    if (!equal_fold(trim(pair.before), "q")) continue;
    double value = 0;
    const std::string_view text = trim(pair.after);
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool right = error == std::errc{} && end == text.data() + text.size() && value >= 0 && value <= 1;
    return right ? static_cast<int>(value * 1000 + 0.5) : 0;
  }
  return 1000;
}

}  // namespace

std::unique_ptr<Encoder> make_encoder(std::string_view encoding) {
  if (encoding == "gzip") return std::make_unique<Gzip>();
  if (encoding == "br") return std::make_unique<Brotli>();
  if (encoding == "zstd") return std::make_unique<Zstd>();
  return nullptr;
}

std::string_view choose_encoding(std::string_view accepted, const std::vector<std::string>& offered) {
  constexpr int kUnsaid = -1;
  const auto said = [&](std::string_view name) {
    for (const std::string_view item : split(accepted, ',')) {
      const Cut parts = cut(item, ';');
      if (equal_fold(trim(parts.before), name)) return weight_of(parts.after);
    }
    return kUnsaid;
  };
  const int others = said("*"), plain = said("identity");
  std::string_view best;
  int most = plain == kUnsaid ? 0 : plain;
  for (const std::string& each : offered) {
    const int own = said(each), weight = own == kUnsaid ? others : own;
    if (weight <= 0 || weight < most || (weight == most && !best.empty())) continue;
    best = each;
    most = weight;
  }
  return best;
}

}  // namespace berth::edge
