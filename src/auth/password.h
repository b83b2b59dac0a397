// Passwords: argon2id as a PHC string, few at a time.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "io/scope.h"

namespace berth::auth {

constexpr std::size_t kLeastPassword = 10;  ///< bytes
/// kLeastPassword to 256 bytes, no control bytes, not the user's own name: Code::invalid with what to do otherwise.
Result<void> check_new_password(std::string_view password, std::string_view name);

/// "$argon2id$v=19$m=19456,t=2,p=1$..." with a salt of its own. Blocks about 50 ms and takes 19 MiB.
Result<std::string> hash_password(std::string_view password);
/// Whether it is the password of `hash`. Blocks as long.
bool fits_password(const std::string& hash, std::string_view password);
/// The hash was made with less than today's cost, or is none: hash again while the password is at hand.
bool needs_new_hash(const std::string& hash);

/// Hashes on the pool of threads, at most two at a time; 32 may wait, further ones are refused with Code::unavailable:
/// otherwise signing in is a way to take all memory. Thread: its loop's.
class PasswordDesk {
 public:
  io::Task<Result<std::string>> hash(std::string password);
  /// Without a hash (nobody of that name, no password) it takes as long and says false.
  io::Task<Result<bool>> fits(std::optional<std::string> hash, std::string password);

 private:
  io::Task<Result<void>> enter();
  void leave();

  static constexpr std::size_t kAtOnce = 2, kMostWaiting = 32;
  io::Semaphore free_{kAtOnce};
  std::size_t inside_ = 0;
};

}  // namespace berth::auth
