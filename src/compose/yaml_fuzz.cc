// Any bytes as a compose file: YAML, variables, merge keys, validation, long forms, output. It must neither crash nor
// hang. Seeds: testdata/yaml.
#include <cstddef>
#include <cstdint>

#include "compose/config.h"
#include "compose/load.h"

namespace {

berth::compose::Files files_with(std::string text) {
  return berth::compose::memory_files({{"/project/compose.yaml", text},
                                       {"/project/other.yaml", std::move(text)},
                                       {"/project/.env", "A=1\nB=${A:-2}\n"},
                                       {"/project/base.yaml", "services: {base: {image: base, ports: ['80']}}\n"}});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  berth::compose::LoadOptions options;
  options.working_dir = "/project";
  options.environment = {{"HOME", "/home/user"}, {"EMPTY", ""}};
  options.profiles = {"*"};
  const auto files = files_with(std::string(reinterpret_cast<const char*>(data), size));
  const auto project = berth::compose::load(options, files);
  if (project) {
    (void)berth::compose::config_json(*project);
    (void)berth::compose::config_yaml(*project);
  }
  options.interpolate = false;
  options.check_consistency = false;
  (void)berth::compose::load(options, files);
  return 0;
}
