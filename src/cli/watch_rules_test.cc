#include "cli/watch_rules.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "cli/watch_sync.h"

namespace berth::cli {
namespace {

const ReadText kNothing = [](const std::string&) { return std::string(); };

compose::Project project_of(std::string_view services) {
  compose::Project out;
  const auto parsed = parse_json(services);
  EXPECT_TRUE(parsed) << services;
  for (const auto& [name, config] : parsed->members()) {
    auto& service = out.services.emplace_back();
    service.name = name;
    service.config = config;
  }
  return out;
}

std::vector<WatchRule> rules_of(std::string_view services, const ReadText& read = kNothing) {
  auto rules = watch_rules(project_of(services), {}, read);
  EXPECT_TRUE(rules) << rules.error().text();
  return rules ? std::move(*rules) : std::vector<WatchRule>{};
}

constexpr std::string_view kWeb = R"({"web": {"build": {"context": "/src"}, "develop": {"watch": [
  {"path": "/src/app", "action": "sync", "target": "/code", "ignore": ["node_modules/", "*.tmp"]},
  {"path": "/src/go.mod", "action": "rebuild"},
  {"path": "/src/conf", "action": "sync+restart", "target": "/etc/web/"}]}}})";

TEST(WatchRules, SayWhereAChangedFileGoes) {
  const auto rules = rules_of(kWeb);
  const auto deeds = watch_deeds(rules, {"/src/app/a/b.py", "/src/app", "/elsewhere", "/src/application"});
  ASSERT_EQ(deeds.size(), 1u);
  const auto& deed = deeds.at("web");
  EXPECT_EQ(deed.sync,
            (std::map<std::string, std::string>{{"/code", "/src/app"}, {"/code/a/b.py", "/src/app/a/b.py"}}));
  EXPECT_FALSE(deed.rebuild || deed.restart);
}

TEST(WatchRules, RebuildAndRestart) {
  const auto rules = rules_of(kWeb);
  EXPECT_TRUE(watch_deeds(rules, {"/src/go.mod"}).at("web").rebuild);
  const auto restart = watch_deeds(rules, {"/src/conf/x.ini"}).at("web");
  EXPECT_TRUE(restart.restart);
  EXPECT_EQ(restart.sync.begin()->first, "/etc/web/x.ini");
}

TEST(WatchRules, IgnoredFilesMatterToNobody) {
  const auto rules = rules_of(kWeb);
  EXPECT_TRUE(watch_deeds(rules, {"/src/app/node_modules/x.js", "/src/app/y.tmp", "/src/app/.git/index",
                                  "/src/app/.main.py.swp", "/src/app/main.py~"})
                  .empty());
  EXPECT_TRUE(rules[0].skips("/src/app/node_modules"));
  EXPECT_FALSE(rules[0].skips("/src/app/lib"));
  EXPECT_FALSE(rules[0].skips("/src"));
  EXPECT_TRUE(rules[0].skips("/other"));
}

TEST(WatchRules, TheBuildsOwnIgnoreFileHoldsToo) {
  const auto rules = rules_of(kWeb, [](const std::string& path) {
    return path == "/src/.dockerignore" ? std::string("app/secret\n**/*.log\n") : std::string();
  });
  EXPECT_TRUE(watch_deeds(rules, {"/src/app/secret/key", "/src/app/x.log"}).empty());
  EXPECT_EQ(watch_deeds(rules, {"/src/app/x"}).size(), 1u);
}

TEST(WatchRules, OnlyWhatIsIncluded) {
  const auto rules = rules_of(R"({"web": {"develop": {"watch": [
    {"path": "/src", "action": "sync", "target": "/code", "include": ["**/*.py"]}]}}})");
  EXPECT_EQ(watch_deeds(rules, {"/src/a.py", "/src/b.css"}).at("web").sync.size(), 1u);
}

TEST(WatchRules, AHookRunsOnce) {
  const auto rules = rules_of(R"({"web": {"develop": {"watch": [
    {"path": "/src", "action": "sync+exec", "target": "/code", "exec": {"command": ["reload"]}}]}}})");
  EXPECT_EQ(watch_deeds(rules, {"/src/a", "/src/b"}).at("web").execs.size(), 1u);
}

TEST(WatchRules, OfTheNamedServicesOnly) {
  EXPECT_EQ(watch_rules(project_of(kWeb), {"db"}, kNothing)->size(), 0u);
  EXPECT_EQ(watch_rules(project_of(kWeb), {"web"}, kNothing)->size(), 3u);
}

TEST(WatchSync, ReadsWhatIsThereAndNamesWhatIsGone) {
  const auto folder = std::filesystem::path(::testing::TempDir()) / ("berth-sync-" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder / "sub");
  std::ofstream(folder / "a") << "content";
  std::filesystem::create_symlink("a", folder / "link");
  const auto text = folder.string();
  const auto set = read_sync({{"/code/a", text + "/a"},
                              {"/code/sub", text + "/sub"},
                              {"/code/link", text + "/link"},
                              {"/code/gone", text + "/gone"},
                              {"/", text}});
  ASSERT_TRUE(set);
  EXPECT_EQ(set->files, 3u);
  EXPECT_EQ(set->gone, std::vector<std::string>{"/code/gone"});
  EXPECT_TRUE(set->tar.contains("code/a") && set->tar.contains("content"));
  EXPECT_EQ(files_below(text).size(), 4u);
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace berth::cli
