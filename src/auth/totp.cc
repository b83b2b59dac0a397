#include "auth/totp.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>

#include "http/url.h"

namespace berth::auth {
namespace {

constexpr std::int64_t kStep = 30;
constexpr std::size_t kDigits = 6;

}  // namespace

std::string encode_base32(std::string_view bytes) {
  static constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  std::string out;
  unsigned held = 0, bits = 0;
  for (const char c : bytes) {
    held = (held << 8 | static_cast<unsigned char>(c)) & 0xFFFF;
    for (bits += 8; bits >= 5; bits -= 5) out += kLetters[held >> (bits - 5) & 31];
  }
  if (bits > 0) out += kLetters[held << (5 - bits) & 31];
  return out;
}

std::int64_t totp_step(std::int64_t seconds) {
  return seconds / kStep;
}

std::string totp_code(std::string_view secret, std::int64_t step) {
  std::array<unsigned char, 8> counter{};
  for (std::size_t i = 0; i < counter.size(); ++i)
    counter[counter.size() - 1 - i] = static_cast<unsigned char>(static_cast<std::uint64_t>(step) >> (8 * i));
  std::array<unsigned char, EVP_MAX_MD_SIZE> sum{};
  unsigned size = 0;
  HMAC(EVP_sha1(), secret.data(), static_cast<int>(secret.size()), counter.data(), counter.size(), sum.data(), &size);
  const std::size_t at = sum[19] & 15;
  std::uint32_t number = 0;
  for (std::size_t i = 0; i < 4; ++i) number = number << 8 | sum[at + i];
  std::string digits = std::to_string((number & 0x7FFFFFFF) % 1000000);
  return std::string(kDigits - digits.size(), '0') + digits;
}

std::optional<std::int64_t> accept_totp(std::string_view secret, std::string_view code, std::int64_t seconds,
                                        std::int64_t last) {
  if (code.size() != kDigits) return {};
  std::optional<std::int64_t> found;
  const std::int64_t present = totp_step(seconds);
  for (std::int64_t step = present - 1; step <= present + 1; ++step) {
    const bool fits = CRYPTO_memcmp(totp_code(secret, step).data(), code.data(), kDigits) == 0;
    if (fits && step > last) found = step;
  }
  return found;
}

std::string totp_uri(std::string_view issuer, std::string_view account, std::string_view secret) {
  const std::string name = http::percent_encode(issuer);
  return "otpauth://totp/" + name + ":" + http::percent_encode(account) + "?secret=" + encode_base32(secret) +
         "&issuer=" + name + "&algorithm=SHA1&digits=6&period=30";
}

}  // namespace berth::auth
