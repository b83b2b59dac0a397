// CBOR (RFC 8949) as authenticators write it: definite lengths, no tags, no fractions. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace berth::auth {

struct Cbor {
  enum class Kind { number, bytes, text, array, map, other };
  Kind kind = Kind::other;
  std::int64_t number = 0;
  std::string bytes{};        ///< of bytes and text
  std::vector<Cbor> items{};  ///< of an array; of a map key, value, key, value, ...
  /// Of a map: the value under a number or a text; one of kind `other` when there is none.
  const Cbor& at(std::int64_t key) const;
  const Cbor& at(std::string_view key) const;
};
/// One item at the front of `text`, which then is what follows it. Code::invalid for what is none, deeper than 8 or
/// wider than 1000.
Result<Cbor> parse_cbor(std::string_view& text);

}  // namespace berth::auth
