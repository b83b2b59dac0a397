// Digests, as bytes and as text.
#pragma once

#include <string>
#include <string_view>

namespace berth {

/// SHA-256 (FIPS 180-4) of `bytes`: 32 bytes.
std::string sha256(std::string_view bytes);
/// HMAC-SHA256 (RFC 2104) of `bytes` under `key`: 32 bytes.
std::string hmac_sha256(std::string_view key, std::string_view bytes);
/// SHA-256 of `bytes` as 64 hex digits in lower case.
std::string sha256_hex(std::string_view bytes);
/// HMAC-SHA256 of `bytes` under `key` as 64 hex digits in lower case.
std::string hmac_sha256_hex(std::string_view key, std::string_view bytes);
/// `bytes` as hex digits in lower case.
std::string to_hex(std::string_view bytes);

}  // namespace berth
