// What a container uses as docker shows it. Pure.
#pragma once

#include <cstdint>
#include <string>

#include "base/json.h"

namespace berth::cli {

/// "1.5kB", "34MB": decimal units with three digits.
std::string decimal_size(std::uint64_t bytes);
/// "1.5KiB", "34MiB": binary units with four digits.
std::string binary_size(std::uint64_t bytes);

/// The members of `docker stats --format json`; without a sample everything reads "--".
Json usage_row(const std::string& id, const std::string& name, const Json& sample);

}  // namespace berth::cli
