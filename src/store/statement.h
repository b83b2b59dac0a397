// The text of statements: written once, read by two databases. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace berth::store {

enum class Dialect : std::uint8_t { sqlite, postgres };

/// Each `?` outside of quotes and comments as $1, $2, ...
struct Numbered {
  std::string sql{};
  std::size_t count = 0;
};
Numbered number_parameters(std::string_view sql);
/// The statements of `sql`, divided by semicolons outside of quotes and comments; those of white space only left out.
std::vector<std::string> split_statements(std::string_view sql);
/// {serial}, {blob}, {integer}, {number} and {text} as the type that `dialect` has for it; other braces stay.
std::string with_types(std::string_view sql, Dialect dialect);

}  // namespace berth::store
