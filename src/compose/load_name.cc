#include "base/text.h"
#include "compose/load.h"

namespace berth::compose {

std::string normalize_project_name(std::string_view text) {
  std::string name;
  for (const char c : lower(text)) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (letter || ((c == '_' || c == '-') && !name.empty())) name += c;
  }
  return name;
}

}  // namespace berth::compose
