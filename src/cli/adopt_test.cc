// Taking over what runs, in a world of its own.
#include <gtest/gtest.h>

#include "cli/cli_world_test.h"

namespace berth::cli {
namespace {

struct Adopt : ::testing::Test, CliWorld {
  Adopt() {
    state = folder + "-state";
    world.state_folders = {state};
  }
  ~Adopt() override { std::filesystem::remove_all(state); }

  // Up without a generation, as another tool does it; then from another folder.
  void bring_up() {
    world.state_folders.clear();
    ASSERT_EQ(run("up -d"), 0) << err;
    world.state_folders = {state};
    world.working_dir = "/elsewhere";
    engine.forget_calls();
  }
  std::size_t generations() {
    EXPECT_EQ(run("-p shop history --format json"), 0) << err;
    const auto json = parse_json(out);
    return json ? json->size() : 0;
  }
  // Changes of containers and networks; the lock and the id of the engine are volumes.
  std::vector<std::string> changes() {
    auto all = engine.changes();
    std::erase_if(all, [](const std::string& call) { return call.contains("volume") || call.contains("/tag"); });
    return all;
  }

  std::string state;
};

TEST_F(Adopt, FindsTheFilesByLabelsAndKeepsAGeneration) {
  bring_up();
  ASSERT_EQ(run("adopt shop --detailed-exitcode"), 0) << err;
  EXPECT_TRUE(out.starts_with("shop: 2 containers from /shop (/shop/compose.yaml)\nnothing differs")) << out;
  EXPECT_TRUE(err.contains("generation 1 is kept")) << err;
  EXPECT_EQ(changes(), std::vector<std::string>{});
  EXPECT_EQ(generations(), 1u);
  ASSERT_EQ(run("-p shop adopt --format json"), 0) << err;
  const auto json = parse_json(out);
  ASSERT_TRUE(json) << out;
  EXPECT_EQ((*json)["generation"].integer(), 1);
  EXPECT_EQ((*json)["recreate"].integer(), 0);
  EXPECT_EQ(generations(), 1u);
}

TEST_F(Adopt, ReportsWhatDiffers) {
  bring_up();
  files["/shop/compose.yaml"] = replace_all(kShop, "slow", "fast");
  ASSERT_EQ(run("adopt shop --detailed-exitcode"), 2) << err;
  EXPECT_TRUE(out.contains("MODE")) << out;
  EXPECT_EQ(changes(), std::vector<std::string>{});
  ASSERT_EQ(run("-p shop history"), 0) << err;
  EXPECT_TRUE(out.contains("differed")) << out;
}

TEST_F(Adopt, TakesOtherFilesWhereTheyAreGiven) {
  bring_up();
  files["/elsewhere/compose.yaml"] = files["/shop/compose.yaml"];
  files.erase("/shop/compose.yaml");
  EXPECT_EQ(run("adopt shop"), 1);
  EXPECT_TRUE(err.contains("/shop/compose.yaml, which is not here; give -f")) << err;
  ASSERT_EQ(run("-f compose.yaml adopt shop"), 0) << err;
  EXPECT_TRUE(out.contains("com.docker.compose.project.working_dir: \"/shop\", berth writes \"/elsewhere\"")) << out;
  EXPECT_EQ(changes(), std::vector<std::string>{});
}

TEST_F(Adopt, DryRunKeepsNothing) {
  bring_up();
  ASSERT_EQ(run("--dry-run adopt shop"), 0) << err;
  EXPECT_EQ(engine.changes(), std::vector<std::string>{});
  EXPECT_EQ(generations(), 0u);
}

TEST_F(Adopt, SaysWhatCannotBeAdopted) {
  EXPECT_EQ(run("adopt nothing"), 1);
  EXPECT_TRUE(err.contains("no container of this engine belongs to a project \"nothing\"")) << err;
  world.working_dir = "/elsewhere";
  EXPECT_EQ(run("adopt"), 14);
  EXPECT_EQ(run("adopt a b"), 16);
}

}  // namespace
}  // namespace berth::cli
