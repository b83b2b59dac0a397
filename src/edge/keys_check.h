// Inside of edge/keys: what must hold for the values of a table beyond their types.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "base/json.h"
#include "edge/service.h"
#include "edge/tcp_route.h"

namespace berth::edge {

/// Whether a label or file may set the field `name` to `value`: framing is the edge's own.
Result<void> check_field(std::string_view path, std::string_view name, std::string_view value);

/// Nothing but types to check.
template <class T>
Result<void> check(std::string_view, T&) {
  return {};
}
Result<void> check(std::string_view path, RedirectScheme& action);
Result<void> check(std::string_view path, RedirectRegex& action);
Result<void> check(std::string_view path, StripPrefix& action);
Result<void> check(std::string_view path, StripPrefixRegex& action);
/// Takes the slash from the prefix's end.
Result<void> check(std::string_view path, AddPrefix& action);
Result<void> check(std::string_view path, ReplacePath& action);
Result<void> check(std::string_view path, ReplacePathRegex& action);
/// Adds what the flags stand for to `response`.
Result<void> check(std::string_view path, Headers& action);
Result<void> check(std::string_view path, RateLimit& action);
Result<void> check(std::string_view path, InFlight& action);
Result<void> check(std::string_view path, IpAllowList& action);
Result<void> check(std::string_view path, BasicAuth& action);
Result<void> check(std::string_view path, DigestAuth& action);
Result<void> check(std::string_view path, ApiKey& action);
Result<void> check(std::string_view path, Jwt& action);
Result<void> check(std::string_view path, ForwardAuth& action);
Result<void> check(std::string_view path, Compress& action);
Result<void> check(std::string_view path, Retry& action);
Result<void> check(std::string_view path, CircuitBreaker& action);
Result<void> check(std::string_view path, ErrorPages& action);
Result<void> check(std::string_view path, EncodedCharacters& action);
Result<void> check(std::string_view path, Maintenance& action);
Result<void> check(std::string_view path, Sticky& sticky);
Result<void> check(std::string_view path, HealthCheck& health);
Result<void> check(std::string_view path, Cgi& cgi);
Result<void> check(std::string_view path, TcpIpAllowList& action);
Result<void> check(std::string_view path, ProxyOut& proxy);
Result<void> check(std::string_view path, Transport& transport);
/// Refuses what is known and not offered here.
Result<void> check_offered(std::string_view path, const Json& transport);
Result<void> check(std::string_view path, TcpTransport& transport);

}  // namespace berth::edge
