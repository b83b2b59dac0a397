#include "compose/project.h"

#include <algorithm>

namespace berth::compose {

std::string Origin::text() const {
  if (line == 0) return file;
  return file + ":" + std::to_string(line) + ":" + std::to_string(column);
}

const Service* Project::find(std::string_view service) const {
  const auto at = std::ranges::lower_bound(services, service, {}, &Service::name);
  return at != services.end() && at->name == service ? &*at : nullptr;
}

Origin Project::origin(std::string_view path) const {
  for (;;) {
    if (const auto at = origins.find(std::string(path)); at != origins.end()) return at->second;
    const std::size_t dot = path.rfind('.');
    if (dot == std::string_view::npos) return {};
    path = path.substr(0, dot);
  }
}

}  // namespace berth::compose
