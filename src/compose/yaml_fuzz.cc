// Any bytes as YAML: it must neither crash nor hang, and stay within its budget. What must hold: what was read, written
// as JSON, is read as the same again. Seeds: testdata/yaml.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "compose/yaml.h"
#include "compose/yaml_text.h"

namespace {

using namespace berth::compose;

void require(bool holds) {
  if (!holds) std::abort();
}

berth::Result<std::vector<Document>> parsed(std::string text) {
  Sources sources;
  Budget budget{.nodes = 20'000, .bytes = 1 << 20};
  const auto file = sources.add("compose.yaml", std::move(text));
  return parse_yaml(sources, file, budget);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto documents = parsed(std::string(reinterpret_cast<const char*>(data), size));
  if (!documents) {
    require(!documents.error().message.empty());
    return 0;
  }
  for (const Document& document : *documents) {
    require(count_nodes(document.root) <= 20'000);
    const std::string json = to_json(document.root).dump();
    const auto again = parsed(fit_for_yaml(json));
    if (again && again->size() == 1) require(to_json(again->front().root).dump() == json);
  }
  return 0;
}
