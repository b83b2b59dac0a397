#include "auth/password.h"

#include <sodium.h>

#include <algorithm>
#include <array>

#include "base/text.h"

namespace berth::auth {
namespace {

// OWASP's recommendation for argon2id: 19 MiB, two passes.
constexpr unsigned long long kPasses = 2;
constexpr std::size_t kMemory = std::size_t{19456} * 1024;
constexpr std::size_t kMost = 256;

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
}

/// A hash of nothing that anybody knows, to compare with when there is none.
const std::string& dummy_hash() {
  static const std::string kHash = [] {
    std::array<char, 32> random{};
    ::randombytes_buf(random.data(), random.size());
    return hash_password(std::string_view(random.data(), random.size())).value_or("");
  }();
  return kHash;
}

}  // namespace

Result<void> check_new_password(std::string_view password, std::string_view name) {
  if (password.size() < kLeastPassword)
    return fail(Code::invalid,
                "password: it is too short; use at least " + std::to_string(kLeastPassword) + " characters");
  if (password.size() > kMost) return fail(Code::invalid, "password: it is longer than 256 bytes");
  if (std::ranges::any_of(password, is_control)) return fail(Code::invalid, "password: it has control characters");
  if (equal_fold(password, name)) return fail(Code::invalid, "password: it is the user's name; choose another one");
  return {};
}

Result<std::string> hash_password(std::string_view password) {
  if (sodium_init() < 0) return fail(Code::internal, "there are no random numbers");
  std::array<char, crypto_pwhash_argon2id_STRBYTES> text{};
  if (crypto_pwhash_argon2id_str(text.data(), password.data(), password.size(), kPasses, kMemory) != 0)
    return fail(Code::unavailable, "there is no memory to hash a password; try again");
  return std::string(text.data());
}

bool fits_password(const std::string& hash, std::string_view password) {
  if (sodium_init() < 0) return false;
  return crypto_pwhash_argon2id_str_verify(hash.c_str(), password.data(), password.size()) == 0;
}

bool needs_new_hash(const std::string& hash) {
  return crypto_pwhash_argon2id_str_needs_rehash(hash.c_str(), kPasses, kMemory) != 0;
}

io::Task<Result<void>> PasswordDesk::enter() {
  if (inside_ >= kAtOnce + kMostWaiting)
    co_return fail(Code::unavailable, "too many are signing in at the moment; try again in a few seconds");
  ++inside_;
  auto entered = co_await free_.acquire();
  if (!entered) --inside_;
  co_return entered;
}

void PasswordDesk::leave() {
  --inside_;
  free_.release();
}

io::Task<Result<std::string>> PasswordDesk::hash(std::string password) {
  CO_TRY(co_await enter());
  Result<std::string> made;
  co_await io::on_pool([&] { made = hash_password(password); });
  leave();
  co_return made;
}

io::Task<Result<bool>> PasswordDesk::fits(std::optional<std::string> hash, std::string password) {
  CO_TRY(co_await enter());
  bool fits = false;
  co_await io::on_pool([&] { fits = fits_password(hash ? *hash : dummy_hash(), password) && hash.has_value(); });
  leave();
  co_return fits;
}

}  // namespace berth::auth
