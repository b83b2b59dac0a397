// Which values may be shown. Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"

namespace berth::plan {

/// Whether the last part of a path or name sounds like a secret: password, passwd, pwd, secret, token, key, credential,
/// auth, cert, dsn, ... as a whole word of it, in any case ("DB_PASSWORD", "apiKey"; not "KEYBOARD").
bool is_secret_name(std::string_view name);
/// A secret's name, or a value that holds credentials: "postgres://user:password@host/".
bool is_secret(std::string_view name, const Json& value);
/// "changed (8 -> 12 bytes)", "added (12 bytes)", "removed (8 bytes)".
std::string redacted_change(const Json& before, const Json& after);
/// HMAC-SHA256 of the value under `key` as 16 hex digits, with the size in bytes: {"hmac": "...", "bytes": 12}. Equal
/// values of one file compare equal; nobody without the key can try passwords.
Json hashed_value(const Json& value, std::string_view key);
/// A copy of a body (container, network, volume, Compose's `build`) in which the values of secrets in environment,
/// labels, options and build arguments are hashed.
Json redacted_body(const Json& body, std::string_view key);

}  // namespace berth::plan
