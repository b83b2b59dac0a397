#include "app/entry_points.h"

#include <algorithm>

#include "base/text.h"
#include "edge/keys.h"
#include "edge/tcp_file.h"

namespace berth::app {

Result<void> set_entry_point(Json& tree, std::string_view path, std::string_view value) {
  const std::string lowered = lower(path);
  const auto parts = split(lowered, '.');
  if (parts.size() < 3 || std::ranges::count(parts, std::string_view()) > 0)
    return fail(Code::invalid, "write --entrypoints.NAME.address=:PORT");
  Json* at = &tree.slot(kEntryPoints);
  for (std::size_t i = 1; i < parts.size(); ++i) {
    if (!at->is_object()) *at = Json::object();
    at = &at->slot(parts[i]);
  }
  *at = value;
  return {};
}

Result<std::vector<edge::EntryPoint>> read_entry_points(const Json& tree, const std::vector<std::string>& hosts) {
  std::vector<edge::EntryPoint> out;
  const Json lowered = edge::lower_keys(tree);
  for (const auto& [name, entry] : lowered[lower(kEntryPoints)].members()) {
    const std::string subject = std::string(kEntryPoints) + "." + name;
    auto point = edge::read_entry_point(name, entry, hosts);
    if (!point) return fail(std::move(point.error()).within(subject));
    const bool usual = point->name == "web" || point->name == "websecure";
    if (usual) point->addresses.clear();
    if (!usual && point->addresses.empty()) return fail(Code::invalid, subject + ".address is missing");
    point->http = usual;
    out.push_back(std::move(*point));
  }
  return out;
}

}  // namespace berth::app
