// The version of berth.
#pragma once

#include <string_view>

namespace berth::cli {

inline constexpr std::string_view kVersion = "0.1.0";

}  // namespace berth::cli
