// Files of variables: the grammar of .env and of env_file.
#pragma once

#include <set>
#include <string>
#include <string_view>

#include "base/error.h"
#include "compose/interpolate.h"

namespace berth::compose {

/// Adds the variables of `text` to `variables`; a later line sees the ones before it, but `lookup` wins.
/// A line is [export] KEY=value or KEY: value; `#` begins a comment at the start of a line and after a blank. An
/// unquoted value ends with its line; '...' is literal, "..." knows escapes; both may span lines. Values that are not
/// in '...' are interpolated. A KEY alone takes its value from `lookup`, and is left out when there is none.
/// Code::invalid with `name`, line and column, never with a value.
struct Dotenv {
  const Lookup& lookup;
  std::set<std::string>& unset;
  std::string name = "variables";  ///< the file, for messages
};
Result<void> parse_dotenv(std::string_view text, const Dotenv& with, Environment& variables);

/// A file's text without the mark that some editors write before it.
std::string_view without_byte_order_mark(std::string_view text);

/// `format: raw`: KEY=value lines as they stand, as in `docker run --env-file`.
Result<void> parse_raw_env(std::string_view text, const Dotenv& with, Environment& variables);

}  // namespace berth::compose
