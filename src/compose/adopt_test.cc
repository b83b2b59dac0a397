#include "compose/adopt.h"

#include <gtest/gtest.h>

#include "compose/create.h"

namespace berth::compose {
namespace {

plan::Container container(const char* service, const char* folder, const char* version) {
  plan::Container out;
  out.service = service;
  out.labels = {{std::string(plan::label::kWorkingDir), folder},
                {std::string(plan::label::kConfigFiles), std::string(folder) + "/compose.yaml"},
                {std::string(plan::label::kVersion), version}};
  return out;
}

Project project() {
  Project out;
  out.name = "shop";
  out.working_dir = "/new";
  out.files = {"/new/compose.yaml"};
  out.services = {{.name = "web", .config = {}, .dependencies = {}}};
  return out;
}

TEST(Adopt, NamesLabelsThatSaySomethingElse) {
  plan::Observed observed;
  observed.containers = {container("web", "/old", "2.26.1"), container("web", "/old", "1.29.2"),
                         container("web", "/new", std::string(kComposeVersion).c_str()),
                         container("orphan", "/old", "2.26.1")};
  observed.containers.push_back(container("web", "/old", "2.26.1"));
  observed.containers.back().oneoff = true;
  const std::string version(plan::label::kVersion), own(kComposeVersion);
  EXPECT_EQ(
      foreign_labels(project(), observed),
      (std::vector<ForeignLabel>{{std::string(plan::label::kConfigFiles), "/old/compose.yaml", "/new/compose.yaml", 2},
                                 {std::string(plan::label::kWorkingDir), "/old", "/new", 2},
                                 {version, "1.29.2", own, 1},
                                 {version, "2.26.1", own, 1}}));
}

TEST(Adopt, FindsNothingInWhatBerthMadeHere) {
  plan::Observed observed;
  observed.containers = {container("web", "/new", std::string(kComposeVersion).c_str())};
  EXPECT_TRUE(foreign_labels(project(), observed).empty());
}

TEST(Adopt, FindsTheFilesThatMostContainersName) {
  plan::Observed observed;
  observed.containers = {container("web", "/old", "2.26.1"), container("db", "/new", "2.26.1"),
                         container("job", "/new", "2.26.1"), container("byhand", "", "")};
  const LabelledSource latest{.folder = "/new", .files = {"/new/compose.yaml"}, .env_files = {}, .containers = 2};
  const LabelledSource old{.folder = "/old", .files = {"/old/compose.yaml"}, .env_files = {}, .containers = 1};
  EXPECT_EQ(labelled_sources(observed), (std::vector{latest, old}));
}

TEST(Adopt, ReadsRelativeFilesOfCompose1) {
  plan::Observed observed;
  observed.containers = {container("web", "/shop", "1.29.2"), container("web", "/shop", "1.29.2")};
  for (auto& one : observed.containers) {
    one.labels[std::string(plan::label::kConfigFiles)] = "docker-compose.yml,../more.yml,-";
    one.labels[std::string(plan::label::kEnvironmentFile)] = "vars.env";
  }
  observed.containers[1].oneoff = true;
  EXPECT_EQ(labelled_sources(observed),
            (std::vector<LabelledSource>{{.folder = "/shop",
                                          .files = {"/shop/docker-compose.yml", "/more.yml", "-"},
                                          .env_files = {"/shop/vars.env"},
                                          .containers = 1}}));
}

}  // namespace
}  // namespace berth::compose
