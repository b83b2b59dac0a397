// Cookies of the platform's host: read strictly, written with all their attributes (RFC 6265bis). Pure.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "http/head.h"

namespace berth::auth {

/// The session; __Host- keeps other hosts and plain http from setting it.
inline constexpr std::string_view kSessionCookie = "__Host-berth";
/// Binds a sign-in with a provider to the browser that began it.
inline constexpr std::string_view kLoginCookie = "__Host-berth-login";

/// The value of the one cookie of this name; nothing when there is none, or several: then one of them was planted, and
/// which one cannot be known.
std::optional<std::string> read_cookie(const http::Fields& fields, std::string_view name);

/// A Set-Cookie value. REQUIRES: a name and value of the URL alphabet.
std::string set_cookie(std::string_view name, std::string_view value, std::chrono::seconds life);
/// One that takes the cookie away.
std::string clear_cookie(std::string_view name);

}  // namespace berth::auth
