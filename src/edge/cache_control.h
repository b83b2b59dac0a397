// What Cache-Control says (RFC 9111 5.2), and the targeted fields that replace it (RFC 9213). Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/head.h"

namespace berth::edge {

/// Seconds beyond this count as this (RFC 9111 1.2.2).
inline constexpr std::int64_t kMostDelta = std::int64_t{1} << 31;

/// RFC 9111 1.2.2 delta-seconds: digits only, saturating; nothing for all else.
std::optional<std::int64_t> parse_delta(std::string_view text);

/// One directive of a Cache-Control field line.
struct CacheDirective {
  std::string_view name{};
  std::string_view value{};  ///< without quotes; escapes stay
  bool has_value = false;
  bool well_formed = true;  ///< false: only `name` is meaningful
};
/// Takes the next directive off the front of `list`; nothing at the end. Quoted strings may hold commas.
std::optional<CacheDirective> next_directive(std::string_view& list);

/// The directives of a reply. A number that is none reads as 0: what is invalid is stale (RFC 9111 4.2.1). Of a
/// directive that comes twice the first one counts.
struct ReplyControl {
  bool no_store = false, no_cache = false, is_private = false, is_public = false;
  bool must_revalidate = false, proxy_revalidate = false, must_understand = false;
  std::optional<std::int64_t> max_age{}, shared_max_age{}, stale_while_revalidate{}, stale_if_error{};
  std::vector<std::string> hidden{};  ///< fields that no-cache="..." and private="..." name, in lower case
  bool targeted = false;  ///< of CDN-Cache-Control: Cache-Control, Expires and Pragma say nothing (RFC 9213 2.2)
};
/// From CDN-Cache-Control where it is there and valid, else from Cache-Control.
ReplyControl reply_control(const http::Fields& fields);

/// The directives of a request (RFC 9111 5.2.1); Pragma: no-cache counts where there is no Cache-Control.
struct RequestControl {
  bool no_store = false, no_cache = false, only_if_cached = false;
  std::optional<std::int64_t> max_age{}, min_fresh{}, max_stale{};
};
RequestControl request_control(const http::Fields& fields);

}  // namespace berth::edge
