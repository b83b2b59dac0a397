// Base64 (RFC 4648) as the Engine API uses it. Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace berth::engine {

enum class Base64 {
  standard,  ///< '+' and '/'
  url,       ///< '-' and '_'
};
/// With padding.
std::string encode_base64(std::string_view bytes, Base64 alphabet = Base64::standard);
/// Either alphabet, with or without padding; Code::invalid otherwise.
Result<std::string> decode_base64(std::string_view text);

}  // namespace berth::engine
