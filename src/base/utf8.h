// UTF-8 (RFC 3629).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace berth {

/// Length of the valid sequence at the start of `text`, 0 when there is none.
std::size_t utf8_length(std::string_view text);
/// Whether one valid `character` is neither a control character, the tab excepted, nor U+FFFE or U+FFFF: what
/// YAML 1.2.2 (5.1) allows in a line and what a terminal may be sent.
bool is_printable(std::string_view character);
bool is_utf8(std::string_view text);
/// `text` with each byte that belongs to no valid sequence as U+FFFD.
std::string clean_utf8(std::string_view text);

}  // namespace berth
