// Lists of texts, as flags and arguments come.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace berth::cli {

using Texts = std::vector<std::string>;
using Seconds = std::optional<std::int64_t>;

inline bool contains(std::span<const std::string> texts, std::string_view text) {
  return std::ranges::find(texts, text) != texts.end();
}

}  // namespace berth::cli
