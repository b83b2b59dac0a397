// The COMPOSE_* variables, and what is off unless it is asked for.
#include <gtest/gtest.h>

#include "cli/cli_world_test.h"

namespace berth::cli {
namespace {

struct Settings : ::testing::Test, CliWorld {};

TEST_F(Settings, ComeFromTheEnvFileToo) {
  files["/shop/.env"] = "COMPOSE_PARALLEL_LIMIT=many\n";
  EXPECT_EQ(run("up -d"), 1);
  EXPECT_TRUE(err.contains("COMPOSE_PARALLEL_LIMIT must be an integer (found: \"many\")")) << err;
  world.environment["COMPOSE_PARALLEL_LIMIT"] = "2";
  EXPECT_EQ(run("up -d"), 0) << err;
}

TEST_F(Settings, ProgressAndCompatibility) {
  files["/shop/.env"] = "COMPOSE_PROGRESS=json\nCOMPOSE_COMPATIBILITY=1\n";
  ASSERT_EQ(run("up -d"), 0) << err;
  EXPECT_TRUE(err.contains("{\"id\":\"container shop_web_1\"")) << err;
  world.environment["COMPOSE_PROGRESS"] = "fancy";
  EXPECT_EQ(run("up -d --force-recreate"), 1);
  EXPECT_TRUE(err.contains("COMPOSE_PROGRESS=fancy: auto, tty, plain, json or quiet")) << err;
}

TEST_F(Settings, OrphansOfTheEnvFile) {
  ASSERT_EQ(run("up -d"), 0) << err;
  files["/shop/compose.yaml"] = "services: {db: {image: 'db:1'}}\n";
  files["/shop/.env"] = "COMPOSE_IGNORE_ORPHANS=true\n";
  ASSERT_EQ(run("up -d"), 0) << err;
  EXPECT_FALSE(err.contains("--remove-orphans")) << err;
  files["/shop/.env"] = "COMPOSE_REMOVE_ORPHANS=true\n";
  ASSERT_EQ(run("up -d"), 0) << err;
  ASSERT_EQ(run("ps --format json --all"), 0) << err;
  EXPECT_FALSE(out.contains("shop-web-1")) << out;
}

TEST_F(Settings, RemoteFilesAreOffUnlessAskedFor) {
  files["/shop/compose.yaml"] = "include: [\"ssh://-oProxyCommand=id/x\"]\n";
  EXPECT_EQ(run("config"), 15);
  EXPECT_TRUE(err.contains("compose.yaml:1:11: include: ssh://-oProxyCommand=id/x: remote files are off")) << err;
  EXPECT_EQ(run("--allow-remote config"), 15);
  EXPECT_TRUE(err.contains("compose.yaml:1:11: include: ssh://-oProxyCommand=id/x names no Compose file")) << err;
  world.environment["BERTH_ALLOW_REMOTE"] = "1";
  EXPECT_EQ(run("-f file:///shop config"), 15);
  EXPECT_TRUE(err.contains("file:///shop names no Compose file of a git repository")) << err;
}

}  // namespace
}  // namespace berth::cli
