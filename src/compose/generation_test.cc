#include "compose/generation_store.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "io/file.h"

namespace berth::compose {
namespace {

constexpr std::string_view kFile = R"(services:
  web:
    image: web:${TAG:-1}
    environment: {DB_PASSWORD: "${DB_PASSWORD}"}
  debug:
    image: debug:1
    profiles: [debug]
    networks: [side]
networks:
  side: {}
)";

Generation sample() {
  Generation out;
  out.load.working_dir = "/srv/shop";
  out.load.environment = {{"DB_PASSWORD", "hunter2"}, {"TAG", "2"}};
  out.texts = {{"/srv/shop/compose.yaml", std::string(kFile)}};
  out.secrets = {{"secrets.key", "top secret"}};
  out.head = {
      .project = "shop",
      .working_dir = "/srv/shop",
      .time = "2026-01-01T00:00:00Z",
      .who = "root on web1",
      .command = "berth up -d",
      .summary = "1 to create",
      .images = {{"web", {.reference = "web:2", .id = "sha256:0011", .digests = {"web@sha256:22"}, .scale = 3}}}};
  out.document = *parse_json(R"({"services":{"web":{"image":"web:2"}}})");
  out.plan = Json::object({{"ops", Json::array()}});
  out.events = Json::array();
  return out;
}

struct Store : ::testing::Test {
  std::string state = ::testing::TempDir() + "berth-store-" + std::to_string(::getpid());
  io::SealKey key = *io::SealKey::load_or_make(state + "/seal.key");
  GenerationStore store{GenerationStore::folder_of(state, "shop", "ab12")};
  ~Store() override { std::filesystem::remove_all(state); }

  std::string path(int number) const { return store.folder() + "/" + std::to_string(number) + ".generation"; }
};

TEST_F(Store, GivesBackWhatItKept) {
  ASSERT_EQ(*store.keep(sample(), key), 1);
  const auto again = store.read(1, key);
  ASSERT_TRUE(again) << again.error().text();
  auto expected = sample();
  expected.head.number = 1;
  EXPECT_EQ(head_text(again->head), head_text(expected.head));
  EXPECT_EQ(body_text(*again), body_text(expected));
  EXPECT_EQ(store.heads().at(0).images.at("web").digests, std::vector<std::string>{"web@sha256:22"});
}

TEST_F(Store, HasNoSecretInClear) {
  ASSERT_TRUE(store.keep(sample(), key));
  const auto text = *io::read_file(path(1));
  for (const std::string_view secret : {"hunter2", "top secret", "DB_PASSWORD", "services"})
    EXPECT_FALSE(text.contains(secret)) << secret;
  struct stat status{};
  ASSERT_EQ(::stat(path(1).c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
}

TEST_F(Store, IsBoundedAndCleansUpAfterAKill) {
  for (int i = 1; i <= 23; ++i) ASSERT_EQ(*store.keep(sample(), key), i);
  EXPECT_EQ(store.numbers().size(), kGenerations);
  EXPECT_EQ(store.numbers().front(), 4);
  ASSERT_TRUE(io::write_file(path(24) + ".a1B2c3", "half"));
  EXPECT_EQ(store.numbers().back(), 23);
  ASSERT_EQ(*store.keep(sample(), key), 24);
  EXPECT_EQ(io::list_folder(store.folder())->size(), kGenerations);
  EXPECT_EQ(store.read(1, key).error().code, Code::not_found);
}

TEST_F(Store, ADamagedFileIsNamedAndNoOther) {
  ASSERT_TRUE(store.keep(sample(), key));
  ASSERT_TRUE(store.keep(sample(), key));
  const auto whole = *io::read_file(path(1));
  for (std::size_t cut = 0; cut < whole.size(); ++cut) {
    ASSERT_TRUE(io::write_file(path(1), whole.substr(0, cut)));
    const auto read = store.read(1, key);
    ASSERT_FALSE(read) << cut;
    EXPECT_TRUE(read.error().message.contains("1.generation")) << read.error().message;
  }
  ASSERT_TRUE(io::write_file(path(1), "{\"kind\":\"else\"}\nbytes"));
  std::vector<std::string> damaged;
  EXPECT_EQ(store.heads(&damaged).size(), 1u);
  EXPECT_EQ(damaged.size(), 1u);
  // A head that says something else is not believed.
  auto forged = whole;
  forged.replace(forged.find("berth up -d"), 11, "berth up -x");
  ASSERT_TRUE(io::write_file(path(1), forged));
  EXPECT_EQ(store.read(1, key).error().code, Code::invalid);
  ASSERT_TRUE(io::write_file(path(1), *io::read_file(path(2))));
  EXPECT_EQ(store.read(1, key).error().code, Code::invalid);
}

TEST_F(Store, NeedsItsOwnKey) {
  ASSERT_TRUE(store.keep(sample(), key));
  ASSERT_TRUE(io::remove_file(state + "/seal.key"));
  const auto other = *io::SealKey::load_or_make(state + "/seal.key");
  EXPECT_EQ(store.read(1, other).error().code, Code::invalid);
  EXPECT_EQ(store.heads().size(), 1u);
}

TEST(Generation, BecomesItsProjectAgain) {
  const auto project = project_of(sample());
  ASSERT_TRUE(project) << project.error().text();
  ASSERT_EQ(project->services.size(), 1u);
  EXPECT_EQ(project->services[0].config["image"].text(), "sha256:0011");
  EXPECT_EQ(project->services[0].config["environment"]["DB_PASSWORD"].text(), "hunter2");
  EXPECT_EQ(project->services[0].scale, 3);
}

TEST(Generation, HasAServiceThatACommandLineSwitchedOn) {
  auto generation = sample();
  generation.head.images["debug"] = {.reference = "debug:1", .id = "sha256:33"};
  const auto project = project_of(generation);
  ASSERT_TRUE(project) << project.error().text();
  EXPECT_TRUE(project->find("debug"));
  EXPECT_TRUE(project->networks.contains("side"));
}

TEST(Generation, NamesTheVariablesOfItsFilesOnly) {
  const std::map<std::string, std::string> environment{
      {"TAG", "2"}, {"AWS_SECRET", "x"}, {"COMPOSE_PROFILES", "a"}, {"TA", "y"}, {"DB_PASSWORD", "z"}};
  const auto named = named_variables(environment, sample().texts);
  EXPECT_EQ(named, (std::map<std::string, std::string>{{"COMPOSE_PROFILES", "a"}, {"DB_PASSWORD", "z"}, {"TAG", "2"}}));
}

TEST(Generation, DifferencesHideSecrets) {
  const auto before =
      *parse_json(R"({"services":{"web":{"environment":{"A":"1","API_TOKEN":"aaa"},"ports":[{"target":1}]}},
                                      "configs":{"motd":{"content":"hello"}}})");
  const auto after =
      *parse_json(R"({"services":{"web":{"environment":{"A":"2","API_TOKEN":"bbbb"},"ports":[{"target":2}]}},
                                     "configs":{"motd":{"content":"bye"}}})");
  std::string text;
  for (const auto& difference : document_differences(before, after)) text += plan::to_text(difference) + "\n";
  EXPECT_EQ(text,
            "configs.motd.content: changed (5 -> 3 bytes)\n"
            "services.web.environment.A: \"1\" -> \"2\"\n"
            "services.web.environment.API_TOKEN: changed (3 -> 4 bytes)\n"
            "services.web.ports[0].target: 1 -> 2\n");
  EXPECT_TRUE(text_differences({{"a", "x"}}, {{"a", "y"}}, true).at(0).secret);
}

TEST(Generation, ABodyOfSomethingElseIsRefused) {
  EXPECT_FALSE(parse_generation({}, "{}"));
  EXPECT_FALSE(parse_generation({}, "not json"));
  EXPECT_FALSE(parse_head("{}"));
  EXPECT_FALSE(parse_head(R"({"kind":"berth generation","format":9})"));
  EXPECT_FALSE(parse_head(R"({"kind":"berth generation","format":1,"number":0,"project":"x"})"));
}

}  // namespace
}  // namespace berth::compose
