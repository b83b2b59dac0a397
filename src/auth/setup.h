// The setup token: who holds it makes the first admin. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace berth::auth {

/// What is kept of the one token there may be. Times in microseconds since 1970.
struct SetupToken {
  std::string hash{};  ///< secret_hash()
  std::int64_t expires_at = 0;
  std::int64_t wrong = 0;  ///< tries that did not fit
};
inline constexpr std::int64_t kSetupLife = std::int64_t{60} * 60 * 1'000'000;
inline constexpr std::int64_t kSetupTries = 5;

/// Whether `token` opens the setup at `now`. Code::denied, for a wrong one too late or too often with what to do;
/// whether it is the token that is wrong is told by `counts`: only that counts as a try.
struct SetupVerdict {
  Result<void> allowed{};
  bool counts = false;
};
SetupVerdict judge_setup(const std::optional<SetupToken>& kept, std::string_view token, std::int64_t now);

}  // namespace berth::auth
