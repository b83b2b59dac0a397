#include "app/entry_points.h"

#include "app/static_tree.h"
#include "base/text.h"
#include "edge/keys.h"
#include "edge/tcp_file.h"

namespace berth::app {

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
