// Base64 (RFC 4648).
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace berth {

enum class Base64 {
  standard,  ///< '+' and '/'
  url,       ///< '-' and '_'
};
/// With padding.
std::string encode_base64(std::string_view bytes, Base64 alphabet = Base64::standard);
/// The URL alphabet without padding, as JOSE writes it (RFC 7515 2).
std::string encode_base64url(std::string_view bytes);
/// Either alphabet, with or without padding; Code::invalid otherwise.
Result<std::string> decode_base64(std::string_view text);

}  // namespace berth
