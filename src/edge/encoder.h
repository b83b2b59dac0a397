// Bodies in gzip, br and zstd, piece by piece; and which of them a client wants. Heavy headers stay in encoder.cc.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace berth::edge {

/// Compresses one body. Thread: one at a time.
class Encoder {
 public:
  virtual ~Encoder() = default;
  enum class Then {
    more,   ///< what comes out may stay inside
    flush,  ///< all that was put in can be read from what comes out
    end,
  };
  /// Appends to `out`. False when the library fails: the body is broken then.
  virtual bool put(std::string_view in, Then then, std::string& out) = 0;
};
/// `encoding`: gzip, br or zstd; null for another one, or without memory.
std::unique_ptr<Encoder> make_encoder(std::string_view encoding);

/// The encoding of `offered` (in order of our liking) that the Accept-Encoding `accepted` likes best; "" when it wants
/// none of them, or the body as it is at least as much (RFC 9110 12.5.3).
std::string_view choose_encoding(std::string_view accepted, const std::vector<std::string>& offered);

}  // namespace berth::edge
