// Plans as files and generations, in a world of their own.
#include <gtest/gtest.h>

#include <fstream>

#include "cli/cli_world_test.h"
#include "io/file.h"

namespace berth::cli {
namespace {

constexpr std::string_view kSecretShop = R"(services:
  web:
    image: web:1
    environment:
      MODE: ${MODE:-slow}
      DB_PASSWORD: ${DB_PASSWORD:-}
      API_TOKEN: inline-token-value
)";

struct History : ::testing::Test, CliWorld {
  History() {
    state = folder + "-state";
    world.state_folders = {state};
    world.environment["USER"] = "ann";
  }
  ~History() override { std::filesystem::remove_all(state); }

  Json history() {
    EXPECT_EQ(run("history --format json"), 0) << err;
    const auto json = parse_json(out);
    EXPECT_TRUE(json) << out;
    return json ? *json : Json();
  }
  std::string mode_of_web() {
    const auto inspected = engine.handle({.method = "GET", .target = "/containers/shop-web-1/json"});
    const auto json = parse_json(inspected.body);
    for (const Json& pair : (*json)["Config"]["Env"].items())
      if (pair.text().starts_with("MODE=")) return std::string(pair.text().substr(5));
    return "";
  }
  std::vector<std::string> state_files() const {
    std::vector<std::string> out_files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(state))
      if (entry.is_regular_file()) out_files.push_back(entry.path().string());
    return out_files;
  }
  std::string plan_file() const { return state + "/saved.plan"; }

  std::string state;
};

TEST_F(History, EachChangeIsKeptAndANoOpIsNot) {
  ASSERT_EQ(run("up -d"), 0) << err;
  EXPECT_FALSE(err.contains("warning")) << err;
  EXPECT_EQ(history().size(), 1u);
  engine.forget_calls();
  ASSERT_EQ(run("up -d"), 0) << err;
  EXPECT_EQ(engine.changes(), std::vector<std::string>{});
  world.environment["MODE"] = "fast";
  ASSERT_EQ(run("up -d"), 0) << err;
  const auto all = history();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all.items()[0]["number"].integer(), 2);
  EXPECT_EQ(all.items()[0]["command"].text(), "berth up -d");
  EXPECT_TRUE(all.items()[0]["who"].text().starts_with("ann on "));
  EXPECT_EQ(all.items()[0]["summary"].text(), "1 to recreate");
  ASSERT_EQ(run("history"), 0);
  EXPECT_TRUE(out.starts_with("GENERATION")) << out;
}

TEST_F(History, DiffAndRollback) {
  ASSERT_EQ(run("up -d"), 0) << err;
  world.environment["MODE"] = "fast";
  ASSERT_EQ(run("up -d"), 0) << err;
  EXPECT_EQ(mode_of_web(), "fast");
  ASSERT_EQ(run("diff 1 2"), 0) << err;
  EXPECT_TRUE(out.contains("services.web.environment.MODE: \"slow\" -> \"fast\"")) << out;
  ASSERT_EQ(run("diff 2"), 0) << err;
  EXPECT_EQ(out, "") << out;
  world.environment.erase("MODE");
  ASSERT_EQ(run("diff 2"), 0) << err;
  EXPECT_TRUE(out.contains("MODE")) << out;
  world.environment["MODE"] = "fast";
  ASSERT_EQ(run("rollback"), 0) << err;
  EXPECT_EQ(mode_of_web(), "slow");
  EXPECT_EQ(history().items()[0]["note"].text(), "rollback to 1");
  ASSERT_EQ(run("rollback 1"), 0) << err;
  EXPECT_TRUE(err.contains("nothing to do")) << err;
  ASSERT_EQ(run("rollback 2"), 0) << err;
  EXPECT_EQ(mode_of_web(), "fast");
  EXPECT_EQ(run("rollback 99"), 1);
  EXPECT_TRUE(err.contains("there is no generation 99")) << err;
  EXPECT_EQ(run("rollback x"), 1);
}

TEST_F(History, RollbackBringsTheWholeProjectBack) {
  ASSERT_EQ(run("up -d"), 0) << err;
  files["/shop/compose.yaml"] = "services:\n  web:\n    image: web:1\n  other:\n    image: db:1\n";
  ASSERT_EQ(run("up -d --remove-orphans"), 0) << err;
  files["/shop/compose.yaml"] = "services: [broken";
  ASSERT_EQ(run("rollback 1"), 0) << err;
  EXPECT_TRUE(err.contains("taking project shop")) << err;
  files["/shop/compose.yaml"] = kShop;
  ASSERT_EQ(run("ps --services"), 0) << err;
  EXPECT_EQ(out, "db\nweb\n");
}

TEST_F(History, RollbackSaysWhatIsMissingAndChangesNothing) {
  ASSERT_EQ(run("up -d"), 0) << err;
  engine.add_image("web:2", {.config = kCommand});
  files["/shop/compose.yaml"] = replace_all(kShop, "web:1", "web:2");
  ASSERT_EQ(run("up -d"), 0) << err;
  const auto images = parse_json(engine.handle({.method = "GET", .target = "/images/json"}).body);
  for (const Json& image : images->items())
    for (const Json& tag : image["RepoTags"].items())
      if (tag.text() == "web:1" || tag.text().starts_with("berth/keep:"))
        engine.handle({.method = "DELETE", .target = "/images/" + std::string(tag.text())});
  engine.forget_calls();
  EXPECT_EQ(run("rollback 1"), 1);
  EXPECT_TRUE(err.contains("image web:1")) << err;
  EXPECT_TRUE(err.contains("nothing was changed")) << err;
  EXPECT_EQ(engine.changes(), std::vector<std::string>{});
}

TEST_F(History, SecretsAreNowhereInClear) {
  files["/shop/compose.yaml"] = kSecretShop;
  world.environment["DB_PASSWORD"] = "hunter2-first";
  ASSERT_EQ(run("up -d"), 0) << err;
  world.environment["DB_PASSWORD"] = "hunter2-second";
  std::string shown;
  ASSERT_EQ(run("plan --out " + plan_file()), 0) << err;
  shown += out + err;
  ASSERT_EQ(run("plan --format json"), 0) << err;
  shown += out + err;
  ASSERT_EQ(run("apply " + plan_file()), 0) << err;
  shown += out + err;
  for (const auto* line : {"history", "history --format json", "diff 1 2", "diff 1 2 --format json", "explain web",
                           "explain web --format json"}) {
    ASSERT_EQ(run(line), 0) << line << err << shown;
    shown += out + err;
  }
  for (const std::string_view secret : {"hunter2", "inline-token-value"}) {
    EXPECT_FALSE(shown.contains(secret)) << shown;
    for (const auto& file : state_files()) EXPECT_FALSE(io::read_file(file)->contains(secret)) << file;
  }
  EXPECT_TRUE(shown.contains("DB_PASSWORD: changed (13 -> 14 bytes)")) << shown;
}

TEST_F(History, ASavedPlanIsAppliedOrRefused) {
  ASSERT_EQ(run("up -d"), 0) << err;
  world.environment["MODE"] = "fast";
  ASSERT_EQ(run("plan --detailed-exitcode --out " + plan_file()), 2) << err;
  world.environment["MODE"] = "other";
  EXPECT_EQ(run("apply " + plan_file()), 74);
  EXPECT_TRUE(err.contains("variable MODE changed")) << err;
  world.environment["MODE"] = "fast";
  files["/shop/compose.yaml"] += "# a comment\n";
  EXPECT_EQ(run("apply " + plan_file()), 74);
  EXPECT_TRUE(err.contains("file /shop/compose.yaml changed")) << err;
  files["/shop/compose.yaml"] = kShop;
  engine.exit("shop-db-1", 3);
  EXPECT_EQ(run("apply " + plan_file()), 74);
  EXPECT_TRUE(err.contains("service:db:1")) << err;
  engine.handle({.method = "POST", .target = "/containers/shop-db-1/start"});
  world.working_dir = "/elsewhere";
  ASSERT_EQ(run("apply " + plan_file()), 0) << err;
  EXPECT_EQ(mode_of_web(), "fast");
  EXPECT_EQ(run("apply " + plan_file()), 74) << "it is done";
}

TEST_F(History, WhatIsNoPlanIsRefused) {
  ASSERT_TRUE(io::make_folder(state, 0700));
  ASSERT_TRUE(io::write_file(plan_file(), "{\"kind\":\"else\"}"));
  EXPECT_EQ(run("apply " + plan_file()), 1);
  EXPECT_TRUE(err.contains("no saved plan")) << err;
  EXPECT_EQ(run("apply " + state + "/absent"), 1);
}

TEST_F(History, WithoutAStateFolderUpWarnsAndWorks) {
  world.state_folders = {"/proc/no/such/folder"};
  ASSERT_EQ(run("up -d"), 0) << err;
  EXPECT_TRUE(err.contains("no generation was kept")) << err;
}

TEST_F(History, WithoutItsKeyAGenerationIsListedOnly) {
  ASSERT_EQ(run("up -d"), 0) << err;
  ASSERT_TRUE(io::remove_file(state + "/seal.key"));
  EXPECT_EQ(history().size(), 1u);
  EXPECT_EQ(run("rollback 1"), 1);
  EXPECT_TRUE(err.contains("sealed with another key")) << err;
}

TEST_F(History, ExplainTellsOfTheLastTime) {
  ASSERT_EQ(run("up -d"), 0) << err;
  world.environment["MODE"] = "fast";
  ASSERT_EQ(run("up -d"), 0) << err;
  ASSERT_EQ(run("explain web"), 0) << err;
  EXPECT_TRUE(out.contains("service:web:1: recreated in generation 2")) << out;
  EXPECT_TRUE(out.contains("Env.MODE: \"slow\" -> \"fast\"")) << out;
  ASSERT_EQ(run("explain web --format json"), 0) << err;
  const auto json = parse_json(out);
  ASSERT_TRUE(json) << out;
  EXPECT_EQ((*json)["last"].items().at(0)["generation"].integer(), 2);
}

TEST_F(History, ImagesAreHeldAndDroppedWithTheProject) {
  ASSERT_EQ(run("up -d"), 0) << err;
  const auto tags = [&] { return engine.handle({.method = "GET", .target = "/images/json"}).body; };
  EXPECT_TRUE(tags().contains("berth/keep:shop."));
  ASSERT_EQ(run("images"), 0) << err;
  EXPECT_FALSE(out.contains("berth/keep")) << out;
  ASSERT_EQ(run("down --rmi local"), 0) << err;
  EXPECT_FALSE(tags().contains("berth/keep:shop."));
}

TEST_F(History, ANewVolumeInPlaceOfOneWithDataIsAskedAbout) {
  files["/shop/compose.yaml"] =
      "services:\n  db:\n    image: db:1\n    volumes: [old_data:/data]\nvolumes:\n  old_data: {}\n";
  ASSERT_EQ(run("up -d"), 0) << err;
  files["/shop/compose.yaml"] = replace_all(files["/shop/compose.yaml"], "old_data", "data");
  EXPECT_EQ(run("up -d"), 1);
  EXPECT_TRUE(err.contains("data is at risk")) << err;
  EXPECT_TRUE(err.contains("shop_old_data")) << err;
  ASSERT_EQ(run("plan"), 0);
  EXPECT_TRUE(out.contains("data at risk: it would be new and empty")) << out;
  ASSERT_EQ(run("up -d --yes"), 0) << err;
}

}  // namespace
}  // namespace berth::cli
