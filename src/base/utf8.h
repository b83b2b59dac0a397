// UTF-8 (RFC 3629).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace berth {

/// Length of the valid sequence at the start of `text`, 0 when there is none.
std::size_t utf8_length(std::string_view text);
bool is_utf8(std::string_view text);
/// `text` with each byte that belongs to no valid sequence as U+FFFD.
std::string clean_utf8(std::string_view text);

}  // namespace berth
