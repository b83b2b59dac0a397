// The way from the root of a model to a value, for messages.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace berth::compose {

/// Lives on the stack of a walk; only an error turns it into text, such as "services.web.ports.0".
struct Trail {
  const Trail* up = nullptr;
  std::string_view key{};  ///< "" for an entry of a list
  std::size_t index = 0;

  std::string text() const {
    if (up == nullptr) return std::string(key);
    std::string before = up->text();
    if (!before.empty()) before += '.';
    return before.append(key.empty() ? std::to_string(index) : std::string(key));
  }
};

}  // namespace berth::compose
