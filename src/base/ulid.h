// ULIDs: ids that sort by the time they were made.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace berth {

/// 26 characters of Crockford's base 32: 48 bits of milliseconds since 1970, then 80 random bits. REQUIRES: `random`
/// has 10 bytes.
std::string encode_ulid(std::int64_t milliseconds, std::string_view random);
/// Whether `text` is `kind`_ and a ULID as encode_ulid() writes it.
bool is_id_of(std::string_view text, std::string_view kind);

}  // namespace berth
