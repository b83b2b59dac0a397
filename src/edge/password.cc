#include "edge/password.h"

#include <crypt.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <memory>

#include "base/base64.h"

namespace berth::edge {
namespace {

constexpr std::size_t kMostPassword = 512;

std::string digest(const EVP_MD* kind, std::string_view bytes) {
  unsigned char out[EVP_MAX_MD_SIZE];
  unsigned length = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), out, &length, kind, nullptr) != 1) return {};
  return {reinterpret_cast<const char*>(out), length};
}

/// Appends `value` as `count` characters of crypt's alphabet, low bits first.
void append_crypt64(std::string& out, unsigned value, int count) {
  static constexpr std::string_view kAlphabet = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  for (; count > 0; --count, value >>= 6) out += kAlphabet[value & 63];
}

/// Apache's variant of the MD5 crypt: only its mark differs.
std::string apr1(std::string_view password, std::string_view salt) {
  const EVP_MD* md5 = EVP_md5();
  const std::string pass(password), mark = "$apr1$";
  const std::string inner = digest(md5, pass + std::string(salt) + pass);
  if (inner.size() != 16) return {};
  std::string mixed = pass + mark + std::string(salt);
  for (std::size_t left = pass.size(); left > 0; left -= std::min<std::size_t>(left, 16)) {
    mixed += inner.substr(0, std::min<std::size_t>(left, 16));
  }
  for (std::size_t bits = pass.size(); bits > 0; bits >>= 1) mixed += (bits & 1) != 0 ? '\0' : pass[0];
  std::string state = digest(md5, mixed);
  for (int i = 0; i < 1000; ++i) {
    std::string round = i % 2 != 0 ? pass : state;
    if (i % 3 != 0) round += salt;
    if (i % 7 != 0) round += pass;
    round += i % 2 != 0 ? state : pass;
    state = digest(md5, round);
  }
  static constexpr std::size_t kOrder[5][3] = {{0, 6, 12}, {1, 7, 13}, {2, 8, 14}, {3, 9, 15}, {4, 10, 5}};
  const auto at = [&](std::size_t i) { return static_cast<unsigned>(static_cast<unsigned char>(state[i])); };
  std::string out = mark + std::string(salt) + "$";
  for (const auto& [a, b, c] : kOrder) append_crypt64(out, at(a) << 16 | at(b) << 8 | at(c), 4);
  append_crypt64(out, at(11), 2);
  return out;
}

}  // namespace

bool equal_secret(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

bool fits_password(std::string_view password, const std::string& hash) {
  if (password.size() > kMostPassword || password.contains('\0')) return false;
  if (hash.starts_with("{SHA}")) return equal_secret("{SHA}" + encode_base64(digest(EVP_sha1(), password)), hash);
  if (hash.starts_with("$apr1$")) {
    const std::string_view rest = std::string_view(hash).substr(6);
    return equal_secret(apr1(password, rest.substr(0, std::min<std::size_t>(8, rest.find('$')))), hash);
  }
  // Without a mark it would be DES, which looks at eight characters only.
  if (!hash.starts_with('$')) return false;
  const auto data = std::make_unique<crypt_data>();
  const char* made = crypt_r(std::string(password).c_str(), hash.c_str(), data.get());
  return made && made[0] != '*' && equal_secret(made, hash);
}

}  // namespace berth::edge
