#include "engine/build_request.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "engine/build_progress.h"

namespace berth::engine {
namespace {

constexpr ApiVersion kOld{1, 38}, kDebian{1, 41}, kNew{1, 44};
constexpr std::string_view kPlain = "FROM a\nRUN x\n", kMount = "FROM a\nRUN --mount=type=cache,target=/c x\n";

// "buildkit" or "classic" with its notes, or "!" and the refusal.
std::string choose(const BuildImage& build, std::string_view dockerfile, ApiVersion version) {
  const auto choice = choose_builder(build, scan_dockerfile(dockerfile), version, "Dockerfile");
  if (!choice) return "!" + choice.error().message;
  std::string out = choice->buildkit ? "buildkit" : "classic";
  for (const std::string& note : choice->notes) out += "; " + note;
  return out;
}

TEST(BuilderChoice, IsBuildkitWhereItIsOffered) {
  EXPECT_EQ(choose({}, kPlain, kDebian), "buildkit");
  EXPECT_EQ(choose({}, kMount, kNew), "buildkit");
  EXPECT_EQ(choose({}, kPlain, kOld), "classic");
  EXPECT_EQ(choose({.classic = true}, kPlain, kNew), "classic");
}

TEST(BuilderChoice, RefusesADockerfileThatNeedsWhatIsNotThere) {
  EXPECT_EQ(choose({}, kMount, kOld),
            "!Dockerfile:2: RUN --mount needs BuildKit, but this engine speaks API 1.38 and has none; upgrade it");
  EXPECT_TRUE(choose({.classic = true}, kMount, kNew).starts_with("!Dockerfile:2: RUN --mount needs BuildKit"));
  EXPECT_TRUE(choose({.network = "mine"}, kMount, kNew).starts_with("!network: BuildKit takes host, none or default"));
}

TEST(BuilderChoice, IsClassicForWhatOnlyThatOneCan) {
  EXPECT_EQ(choose({.network = "mine"}, kPlain, kNew),
            "classic; built by the classic builder: this engine's BuildKit does not take network");
  EXPECT_EQ(choose({.network = "host"}, kPlain, kNew), "buildkit");
  EXPECT_TRUE(choose({.shm_size = 1}, kPlain, kDebian).starts_with("classic; "));
  EXPECT_EQ(choose({.shm_size = 1}, kPlain, kNew), "buildkit");
  EXPECT_EQ(choose({.ulimits = Json::array({1}), .shm_size = 1}, kMount, kDebian),
            "buildkit; shm_size, ulimits: not taken by this engine's BuildKit, which the Dockerfile needs; ignored");
}

TEST(BuilderChoice, IsClassicForADockerfileThatStepsMustNotSee) {
  const auto choice = [](std::string_view text) {
    Dockerfile file = scan_dockerfile(text);
    file.hidden = true;
    return choose_builder({}, file, kNew, "Dockerfile")->buildkit;
  };
  EXPECT_FALSE(choice(kPlain));
  EXPECT_TRUE(choice(kMount));
  EXPECT_TRUE(choice("# syntax=docker/dockerfile:1\nFROM a\n"));
}

std::string query(const BuildImage& build, bool buildkit) {
  std::string out;
  for (const auto& [name, value] : build_query(build, "D", buildkit)) out += name + "=" + value + " ";
  return out;
}

TEST(BuildQuery, SaysWhatIsAskedFor) {
  EXPECT_EQ(query({}, true), "version=2 dockerfile=D rm=1 forcerm=1 ");
  EXPECT_EQ(query({.tags = {"a", "b"},
                   .arguments = {{"X", "1"}},
                   .unset_arguments = {"Y"},
                   .labels = {{"l", "v"}},
                   .cache_from = {"c"},
                   .extra_hosts = {"h:1", "i:2"},
                   .target = "t",
                   .network = "none",
                   .platform = "p",
                   .shm_size = 5,
                   .memory = 6,
                   .no_cache = true,
                   .pull = true},
                  false),
            "dockerfile=D rm=1 forcerm=1 t=a t=b buildargs={\"X\":\"1\",\"Y\":null} labels={\"l\":\"v\"} "
            "cachefrom=[\"c\"] extrahosts=h:1 extrahosts=i:2 target=t networkmode=none platform=p shmsize=5 memory=6 "
            "memswap=6 nocache=1 pull=1 ");
  EXPECT_EQ(query({.remote = "http://h/x.tar", .memory = 6}, true),
            "version=2 dockerfile=D rm=1 forcerm=1 remote=http://h/x.tar ");
}

class Answers : public testing::Test {
 protected:
  BuildProgress progress_{[this](const Json& message) { told_ += message["stream"].text(); }};
  Dockerfile file_ = scan_dockerfile("FROM a\n\nRUN x\n");
  std::string told_;
};

TEST_F(Answers, OfTheClassicBuilder) {
  progress_.add(Json::object({{"stream", "Step 2/2 : RUN x"}}));
  progress_.add(Json::object({{"stream", "\nwhy\n"}}));
  EXPECT_FALSE(progress_.failed());
  progress_.add(Json::object({{"error", "returned 1"}, {"errorDetail", Json::object({{"message", "returned 1"}})}}));
  EXPECT_TRUE(progress_.failed());
  const Error error = progress_.explain({Code::internal, "returned 1"}, file_, "/x/Dockerfile");
  EXPECT_EQ(error.message, "build failed: /x/Dockerfile:3: returned 1");
  EXPECT_EQ(error.detail, "Step 2/2 : RUN x\nwhy");
  EXPECT_EQ(error.code, Code::invalid);
}

TEST_F(Answers, OfBuildkitsFrontend) {
  const Error words{Code::internal,
                    "failed to solve with frontend dockerfile.v0: failed to create LLB definition: dockerfile parse "
                    "error line 3: unknown instruction: FOO"};
  EXPECT_EQ(progress_.explain(words, file_, "D").message,
            "build failed: D:3: dockerfile parse error line 3: unknown instruction: FOO");
}

TEST_F(Answers, CarryTheImage) {
  progress_.add(Json::object({{"id", "moby.image.id"}, {"aux", Json::object({{"ID", "sha256:1"}})}}));
  EXPECT_EQ(progress_.image(), "sha256:1");
  progress_.add(Json::object({{"id", "moby.buildkit.trace"}, {"aux", "no base64!"}}));
  progress_.add(Json::object({{"id", "moby.buildkit.trace"}, {"aux", "CgMKAWE="}}));
  EXPECT_EQ(told_, "") << "what cannot be read, or says nothing yet, is passed over";
}

TEST_F(Answers, OfEnginesBefore1704) {
  progress_.add(Json::object({{"stream", "Successfully built 0123\n"}}));
  EXPECT_EQ(progress_.image(), "0123");
}

}  // namespace
}  // namespace berth::engine
