// scale, push, stats, volumes, completion and --format on the fake engine.
#include <gtest/gtest.h>

#include "cli/cli_world_test.h"

namespace berth::cli {
namespace {

struct More : ::testing::Test, CliWorld {
  void SetUp() override { ASSERT_EQ(run("up -d"), 0) << err; }
};

TEST_F(More, ScaleMakesAndRemovesContainers) {
  ASSERT_EQ(run("scale web=3"), 0) << err;
  ASSERT_EQ(run("ps -q web"), 0);
  EXPECT_EQ(std::ranges::count(out, '\n'), 3);
  ASSERT_EQ(run("scale web=0 db=1"), 0) << err;
  ASSERT_EQ(run("ps --services"), 0);
  EXPECT_EQ(out, "db\n");
  EXPECT_EQ(run("scale web"), 16);
  EXPECT_TRUE(err.contains("SERVICE=NUMBER")) << err;
  EXPECT_EQ(run("scale nosuch=1"), 1);
}

TEST_F(More, PushSendsBuiltImagesOnly) {
  files["/shop/compose.yaml"] =
      "services:\n  web:\n    image: reg.local/web:1\n    build: {context: ., tags: [reg.local/web:latest]}\n"
      "  local:\n    build: .\n  db:\n    image: db:1\n";
  ASSERT_EQ(run("--dry-run push"), 0) << err;
  EXPECT_EQ(out, "push reg.local/web:1\npush reg.local/web:latest\n");
  EXPECT_TRUE(err.contains("service local  skipped")) << err;
  EXPECT_EQ(run("push"), 1);
  EXPECT_TRUE(err.contains("reg.local/web:1 cannot be pushed")) << err;
  EXPECT_EQ(run("push --ignore-push-failures"), 0) << err;
  EXPECT_TRUE(err.contains("warning:")) << err;
}

TEST_F(More, StatsOnce) {
  ASSERT_EQ(run("stats --no-stream"), 0) << err;
  EXPECT_TRUE(out.starts_with("CONTAINER ID   NAME         CPU %")) << out;
  ASSERT_EQ(run("stats --no-stream --format json web"), 0) << err;
  EXPECT_EQ((*parse_json(out))["Name"].text(), "shop-web-1");
  EXPECT_EQ((*parse_json(out))["MemUsage"].text(), "1MiB / 1GiB");
  engine.exit("shop-web-1", 0);
  ASSERT_EQ(run("stats --no-stream --all --format {{.Name}}={{.CPUPerc}} web"), 0) << err;
  EXPECT_EQ(out, "shop-web-1=--\n");
}

TEST_F(More, PsByTemplate) {
  ASSERT_EQ(run("ps --format {{.Service}}:{{.State}}"), 0) << err;
  EXPECT_EQ(out, "db:running\nweb:running\n");
  ASSERT_EQ(run("ps --format table_{{.Service}} db"), 0) << err;
  EXPECT_EQ(out, "SERVICE\ndb\n");
  EXPECT_EQ(run("ps --format {{.Nme}}"), 16);
  EXPECT_TRUE(err.contains("there is no field .Nme")) << err;
  EXPECT_EQ(run("ps --format {{range_.Ports}}"), 16);
}

TEST_F(More, VolumesOfTheProjectAndOfAService) {
  files["/shop/compose.yaml"] =
      "services:\n  web:\n    image: web:1\n    volumes: [data:/data]\n  db:\n    image: db:1\n    volumes: "
      "[rows:/rows]\n"
      "volumes:\n  data:\n  rows:\n";
  ASSERT_EQ(run("up -d"), 0) << err;
  ASSERT_EQ(run("volumes"), 0) << err;
  EXPECT_EQ(out, "DRIVER   VOLUME NAME\nlocal    shop_data\nlocal    shop_rows\n");
  ASSERT_EQ(run("volumes -q db"), 0) << err;
  EXPECT_EQ(out, "shop_rows\n");
  ASSERT_EQ(run("volumes --format json db"), 0) << err;
  EXPECT_EQ((*parse_json(out))["Name"].text(), "shop_rows");
}

TEST_F(More, CompletionKnowsTheProject) {
  ASSERT_EQ(run_words({"__complete", "logs", "-f", "w"}), 0) << err;
  EXPECT_EQ(out, "web\n:4\n");
  files.clear();
  ASSERT_EQ(run_words({"__complete", "logs", "w"}), 0) << err;
  EXPECT_EQ(out, ":4\n");
  EXPECT_EQ(err, "");
  EXPECT_EQ(run("completion tcsh"), 16);
  ASSERT_EQ(run("completion fish"), 0);
  ASSERT_EQ(run("man up"), 0);
  EXPECT_TRUE(out.starts_with(".TH \"BERTH\\-UP\" 1")) << out;
  EXPECT_EQ(run("man upp"), 16);
}

TEST_F(More, VizDrawsDependencies) {
  ASSERT_EQ(run("alpha viz --spaces --indentation-size 2 --image"), 0) << err;
  EXPECT_TRUE(out.starts_with("digraph \"shop\" {\n  layout=dot;\n")) << out;
  EXPECT_TRUE(out.contains("\n  \"web\" -> \"db\";\n")) << out;
  EXPECT_TRUE(out.contains("<b>Image:</b><br/>web:1")) << out;
  EXPECT_EQ(run("alpha publish"), 16);
}

TEST_F(More, ADryRunMakesNoOneOff) {
  engine.forget_calls();
  ASSERT_EQ(run("--dry-run run web ls"), 0) << err;
  EXPECT_EQ(engine.changes(), std::vector<std::string>{});
}

TEST_F(More, RunReadsAFileOfVariables) {
  files["/shop/one.env"] = "A=from file\nB=${MODE:-none}\n";
  ASSERT_EQ(run("run -d --env-from-file one.env -e A=flag web"), 0) << err;
  const auto& calls = engine.calls();
  const auto create = std::ranges::find_if(calls.rbegin(), calls.rend(), [](const testing::FakeCall& call) {
    return call.method == "POST" && call.path == "/containers/create";
  });
  ASSERT_NE(create, calls.rend());
  const auto environment = create->body["Env"].dump();
  EXPECT_TRUE(environment.contains("\"A=flag\"") && environment.contains("\"B=none\"")) << environment;
  EXPECT_EQ(run("run --env-from-file missing.env web"), 1);
}

TEST_F(More, WatchNeedsASection) {
  EXPECT_EQ(run("watch --no-up"), 1);
  EXPECT_TRUE(err.contains("develop.watch")) << err;
  EXPECT_EQ(run("up -d --watch"), 16);
}

}  // namespace
}  // namespace berth::cli
