// URLs: percent-encoding, queries, and the parts of an http(s) URL (RFC 3986). Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace berth::http {

/// Everything but RFC 3986's unreserved characters as %XX, '/' too: safe as one path segment or a query part.
std::string percent_encode(std::string_view text);
/// Code::invalid for a '%' without two hex digits after it. '+' stays '+'.
Result<std::string> percent_decode(std::string_view text);

/// "a=1&b=x%20y"; pairs in order.
std::string encode_query(const std::vector<std::pair<std::string, std::string>>& pairs);
/// The reverse; '+' reads as a space, a part without '=' has an empty value. Code::invalid as percent_decode.
Result<std::vector<std::pair<std::string, std::string>>> decode_query(std::string_view query);

struct Url {
  std::string scheme{};    ///< "http" or "https", lower case
  std::string host{};      ///< lower case, without the brackets of an IPv6 address
  std::uint16_t port = 0;  ///< the scheme's own when not said
  std::string path{};      ///< begins with '/', encoded as given
  std::string query{};     ///< without '?'
  /// For a Host field: brackets where needed, the port when it is not the scheme's.
  std::string authority() const;
  /// path?query.
  std::string target() const;
};
/// An absolute http or https URL; a fragment is dropped. Code::invalid for another scheme, user info, a bad host or
/// port, control bytes.
Result<Url> parse_url(std::string_view text);

/// Sec-WebSocket-Accept for a Sec-WebSocket-Key (RFC 6455 4.2.2).
std::string websocket_accept(std::string_view key);

}  // namespace berth::http
