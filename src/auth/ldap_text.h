// Names in LDAP's two languages: what somebody typed never becomes syntax. Pure.
#pragma once

#include <string>
#include <string_view>

namespace berth::auth {

/// As a value of a search filter (RFC 4515 3): everything but letters and digits as \XX.
std::string escape_filter(std::string_view text);
/// As a value in a distinguished name (RFC 4514 2.4): everything but letters and digits as \XX.
std::string escape_dn(std::string_view text);

/// `pattern` with `name`, already escaped, at every "{name}".
std::string with_name(std::string_view pattern, const std::string& escaped);

}  // namespace berth::auth
