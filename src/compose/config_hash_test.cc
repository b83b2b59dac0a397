// Every expected hash is what docker compose 2.26.1 printed: `config --hash '*'` in the folder /project.
#include "compose/config_hash.h"

#include <gtest/gtest.h>

#include "compose/load.h"
#include "testing/golden.h"

namespace berth::compose {
namespace {

using berth::testing::GoldenCase;

Result<Project> load_case(std::string_view input) {
  std::map<std::string, std::string> texts;
  for (const auto& [name, text] : berth::testing::golden_files(input)) texts["/project/" + name] = text;
  LoadOptions options;
  options.working_dir = "/project";
  options.resolve_environment = false;
  return load(options, memory_files(std::move(texts)));
}

class HashGolden : public ::testing::TestWithParam<GoldenCase> {};

TEST_P(HashGolden, IsThatOfDockerCompose) {
  const auto project = load_case(GetParam().input);
  ASSERT_TRUE(project) << project.error().message;
  std::string out, texts;
  for (const Service& service : project->services) {
    out += service.name + ' ' + config_hash(*project, service, {}) + '\n';
    texts += config_hash_text(*project, service, {}) + '\n';
  }
  SCOPED_TRACE(texts);
  berth::testing::expect_golden(GetParam(), out);
}

INSTANTIATE_TEST_SUITE_P(Cases, HashGolden, ::testing::ValuesIn(berth::testing::golden_cases(TESTDATA "/hash")),
                         berth::testing::golden_name);

TEST(ConfigHash, TakesIdsForServices) {
  const auto project = load_case(R"(
=== compose.yaml
services:
  a: {image: x, network_mode: "service:b", ipc: "service:c", volumes_from: ["b:ro", "container:other:ro"]}
  b: {image: x}
  c: {image: x}
)");
  ASSERT_TRUE(project) << project.error().message;
  const std::string text = config_hash_text(*project, *project->find("a"), {{"b", "idofb"}, {"c", "idofc"}});
  EXPECT_NE(text.find(R"("network_mode":"container:idofb")"), std::string::npos) << text;
  EXPECT_NE(text.find(R"("ipc":"container:idofc")"), std::string::npos) << text;
  EXPECT_NE(text.find(R"("volumes_from":["idofb","other"])"), std::string::npos) << text;
}

TEST(ConfigHash, KnowsNothingOfBuildScaleAndPullPolicy) {
  const auto hash = [](const std::string& more) {
    const auto project =
        load_case("=== compose.yaml\nservices:\n  a:\n    image: x\n    deploy: {mode: replicated}\n" + more);
    return project ? config_hash(*project, project->services[0], {}) : project.error().message;
  };
  EXPECT_EQ(hash(""), hash("    build: .\n    scale: 3\n    pull_policy: always\n"));
  EXPECT_NE(hash(""), hash("    user: u\n"));
}

}  // namespace
}  // namespace berth::compose
