// The short forms, one text for all of them. What must hold: what a short form says survives being written out again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "base/text.h"
#include "base/units.h"
#include "compose/canonical.h"
#include "compose/load.h"
#include "compose/short.h"

namespace {

using namespace berth;
using namespace berth::compose;

void require(bool holds) {
  if (!holds) std::abort();
}

void check_ports(std::string_view text) {
  const auto ports = parse_ports(text);
  if (!ports) return;
  require(!ports->empty());
  for (const Port& port : *ports) {
    const bool colons = port.host_ip.find(':') != std::string::npos;
    const std::string host = port.host_ip.empty() ? "" : (colons ? "[" + port.host_ip + "]:" : port.host_ip + ":");
    const std::string middle = port.published.empty() && host.empty() ? "" : port.published + ":";
    const auto again = parse_ports(host + middle + std::to_string(port.target) + "/" + port.protocol);
    require(again.has_value());
    require(again->front().target == port.target && again->front().published == port.published);
    require(again->front().host_ip == port.host_ip && again->front().protocol == port.protocol);
  }
}

void check_units(std::string_view text) {
  if (const auto duration = parse_duration(text)) {
    const auto again = parse_duration(format_duration(*duration));
    require(again && *again == *duration);
  }
  if (const auto size = parse_size(text)) {
    const auto again = parse_size(std::to_string(*size));
    require(again && *again == *size);
  }
}

void check_paths(std::string_view text) {
  const std::string clean = clean_path(text);
  require(clean_path(clean) == clean);
  const std::string joined = join_path("/project/folder", text);
  require(joined.starts_with('/'));
  require(join_path("/a/b", relative_path("/a/b", joined)) == joined);
  (void)parent_path(clean);
  (void)base_name(text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check_ports(text);
  if (const auto volume = parse_volume(text)) (void)to_json(volume_node(*volume, {}));
  check_units(text);
  check_paths(text);
  (void)split_words(text);
  const std::string name = normalize_project_name(text);
  require(normalize_project_name(name) == name);
  return 0;
}
