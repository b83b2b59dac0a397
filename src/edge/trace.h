// The fields by which a request is followed through several programs: traceparent (W3C Trace Context), X-Request-Id.
// Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace berth::edge {

/// "00-<32 hex>-<16 hex>-<2 hex>" in lower case, neither id all zeros; a later version may go on behind that.
bool is_traceparent(std::string_view text);
/// The 32 digits of a traceparent. REQUIRES: is_traceparent().
std::string_view trace_id_of(std::string_view traceparent);
/// A new one, sampled, of 24 random bytes as three numbers.
std::string make_traceparent(std::uint64_t high, std::uint64_t low, std::uint64_t parent);
/// What a client may send as X-Request-Id: 1 to 128 letters, digits and -_.:+/=@
bool is_request_id(std::string_view text);

}  // namespace berth::edge
