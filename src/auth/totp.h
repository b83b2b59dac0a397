// Time-based one-time passwords: RFC 6238 with SHA-1, six digits and steps of 30 s, which every authenticator knows.
// Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace berth::auth {

/// RFC 4648 base32 without padding, as authenticators take secrets.
std::string encode_base32(std::string_view bytes);

/// Steps since 1970 at `seconds` since 1970.
std::int64_t totp_step(std::int64_t seconds);
/// RFC 4226 5.3 for the step, six digits.
std::string totp_code(std::string_view secret, std::int64_t step);

/// The step that `code` belongs to: the present one, the one before or the one after. Only one greater than `last`
/// counts, so that a code works once: store what it returns with a conditional update before letting anyone in.
std::optional<std::int64_t> accept_totp(std::string_view secret, std::string_view code, std::int64_t seconds,
                                        std::int64_t last);

/// otpauth://totp/..., for a QR code. It holds the secret.
std::string totp_uri(std::string_view issuer, std::string_view account, std::string_view secret);

}  // namespace berth::auth
