#include "edge/transport.h"

#include <algorithm>

#include "base/text.h"
#include "edge/file_value.h"
#include "edge/service.h"

namespace berth::edge {

Result<void> use_transport(Service& service, std::string_view reference, const std::vector<std::string>& known) {
  if (reference.empty()) return {};
  const std::string name = file_name(reference);
  if (std::ranges::count(known, name) == 0) {
    service.upstreams.clear();
    service.down = "serversTransport \"" + std::string(reference) + "\" is not defined in any file";
    std::vector<std::string_view> names(known.begin(), known.end());
    return fail(Code::invalid, service.down + suggestion(name, names));
  }
  for (Upstream& each : service.upstreams) each.transport = name;
  return {};
}

}  // namespace berth::edge
