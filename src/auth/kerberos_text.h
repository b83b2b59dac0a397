// What Kerberos says as text: the Authorization of SPNEGO (RFC 4559) and names of principals. Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "http/head.h"

namespace berth::auth {

/// The token of "Authorization: Negotiate <base64>"; "" without one. Code::denied for one that is not base64, for
/// several, and for one of another mechanism that browsers fall back to (NTLM).
Result<std::string> negotiate_token(const http::Fields& fields);

/// The user's part of "user@REALM"; Code::denied for another realm (they are compared byte by byte), for principals of
/// services and hosts ("HTTP/x@REALM", "ada/admin@REALM"), and for names with characters that need escapes.
Result<std::string> user_of_principal(std::string_view principal, std::string_view realm);

/// "HTTP/host@REALM" or Code::invalid.
Result<void> check_service(std::string_view principal);
/// What stands behind the last "@".
std::string_view realm_of(std::string_view principal);

}  // namespace berth::auth
