#include "api/project_load.h"

#include <gtest/gtest.h>

namespace berth::api {
namespace {

Result<LoadedProject> loaded(FileTexts texts) {
  return load_project({.name = "shop", .folder = "/data/projects/shop", .texts = std::move(texts)}, 1);
}
Json problem(FileTexts texts) {
  const auto project = loaded(std::move(texts));
  EXPECT_FALSE(project);
  return project ? Json() : problem_of(project.error(), "/data/projects/shop");
}

TEST(ProjectLoad, TakesTheFolderAndItsVariables) {
  const auto shop = loaded({{"compose.yaml", "services: {web: {image: \"web:${TAG}\", volumes: [./html:/html]}}\n"},
                            {".env", "TAG=2\n"},
                            {"html/index.html", "hello"}});
  ASSERT_TRUE(shop) << shop.error().text();
  EXPECT_EQ(shop->project.name, "shop");
  EXPECT_EQ(shop->project.find("web")->config["image"].text(), "web:2");
  EXPECT_EQ(shop->source.texts.size(), 2u) << "what was read is kept, and nothing else";
}

TEST(ProjectLoad, SeesNothingOfThisProcess) {
  ::setenv("BERTH_SECRET_OF_CORE", "s3cret", 1);
  const auto shop = loaded({{"compose.yaml",
                             "services: {web: {image: a, environment: [BERTH_SECRET_OF_CORE, "
                             "\"X=${BERTH_SECRET_OF_CORE:-none}\"]}}\n"}});
  ::unsetenv("BERTH_SECRET_OF_CORE");
  ASSERT_TRUE(shop);
  EXPECT_EQ(shop->project.find("web")->config.dump().find("s3cret"), std::string::npos);
}

TEST(ProjectLoad, ReadsNothingBeyondTheFolder) {
  const std::pair<const char*, const char*> cases[] = {
      {"env_file", "services: {web: {image: a, env_file: /etc/passwd}}\n"},
      {"env_file above", "services: {web: {image: a, env_file: ../blog/.env}}\n"},
      {"include", "include: [../blog/compose.yaml]\nservices: {web: {image: a}}\n"},
      {"extends", "services: {web: {extends: {file: /etc/compose.yaml, service: x}}}\n"},
      {"remote", "include: [\"https://example.org/x.git\"]\nservices: {web: {image: a}}\n"},
      {"context", "services: {web: {build: /etc}}\n"},
      {"context above", "services: {web: {build: ..}}\n"},
      {"dockerfile", "services: {web: {build: {context: ., dockerfile: ../../seal.key}}}\n"},
      {"contexts", "services: {web: {build: {context: ., additional_contexts: {x: /etc}}}}\n"},
      {"secret", "services: {web: {image: a, secrets: [s]}}\nsecrets: {s: {file: ../../seal.key}}\n"},
      {"config", "services: {web: {image: a, configs: [s]}}\nconfigs: {s: {file: /etc/shadow}}\n"},
  };
  for (const auto& [what, text] : cases) EXPECT_FALSE(loaded({{"compose.yaml", text}})) << what;
}

TEST(ProjectLoad, ProblemsHaveAPlace) {
  const Json typo = problem({{"compose.yaml", "services:\n  web:\n    image: a\n    prots: [\"80\"]\n"}});
  EXPECT_EQ(typo["file"].text(), "compose.yaml");
  EXPECT_EQ(typo["line"].integer(), 4);
  EXPECT_EQ(typo["column"].integer(), 5);
  EXPECT_EQ(typo["message"].text(), "services.web: unknown key \"prots\" (did you mean \"ports\"?)");
  EXPECT_EQ(typo["caret"].text(), "    prots: [\"80\"]\n    ^");
  const Json broken = problem({{"compose.yaml", "services: {web: [\n"}});
  EXPECT_EQ(broken["file"].text(), "compose.yaml");
  EXPECT_GT(broken["line"].integer(), 0) << broken.dump();
  const Json context = problem({{"compose.yaml", "services:\n  web:\n    build: /etc\n"}});
  EXPECT_EQ(context["line"].integer(), 3) << context.dump();
  EXPECT_EQ(problem({{"readme", ""}})["line"].integer(), 0) << "there is no Compose file";
}

TEST(ProjectLoad, BeneathIsByWholeNames) {
  EXPECT_TRUE(lies_beneath("/a/b", "/a/b"));
  EXPECT_TRUE(lies_beneath("/a/b", "/a/b/c"));
  EXPECT_FALSE(lies_beneath("/a/b", "/a/bc"));
  EXPECT_FALSE(lies_beneath("/a/b", "/a/b/../c"));
  EXPECT_FALSE(lies_beneath("/a/b", "/a/b/.."));
}

}  // namespace
}  // namespace berth::api
