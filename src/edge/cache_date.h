// HTTP dates (RFC 9110 5.6.7) as seconds since 1970. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace berth::edge {

/// IMF-fixdate, RFC 850 and asctime forms; names in any case (RFC 9111 4.2), GMT only, days that exist. A year of two
/// digits is at most 50 years after `now`. Nothing for all else: a date that is none is in the past.
std::optional<std::int64_t> parse_http_date(std::string_view text, std::int64_t now);

/// "Sun, 06 Nov 1994 08:49:37 GMT", 29 bytes.
void append_http_date(std::string& out, std::int64_t seconds);

}  // namespace berth::edge
