// Sealed texts: what is kept on disk and must not be read there.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace berth::io {

/// A 32-byte key in a file of mode 0600. XChaCha20-Poly1305 with a random nonce for every text.
/// Thread: any, after it was made.
class SealKey {
 public:
  /// Reads the key; Code::not_found without one, invalid for a file that holds none, denied.
  static Result<SealKey> load(const std::string& path);
  /// The same, and makes it (with its folder, 0700) when there is none; of two makers at a time one wins for both.
  static Result<SealKey> load_or_make(const std::string& path);

  /// `context` is not hidden but bound to the text: open() needs the same one.
  std::string seal(std::string_view text, std::string_view context) const;
  /// Code::invalid for what was cut, changed, sealed with another key or for another context.
  Result<std::string> open(std::string_view sealed, std::string_view context) const;
  /// A key for another purpose, as 64 hex digits; it does not tell this one.
  std::string derive(std::string_view purpose) const;

 private:
  explicit SealKey(std::string bytes) : bytes_(std::move(bytes)) {}
  std::string bytes_;
};

/// `count` bytes from the system's random source.
std::string random_bytes(std::size_t count);

}  // namespace berth::io
