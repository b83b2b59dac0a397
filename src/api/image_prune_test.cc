#include "api/image_prune.h"

#include <gtest/gtest.h>

namespace berth::api {
namespace {

const char* const kImages = R"([
  {"Id": "sha256:used", "RepoTags": ["shop-web:latest"], "Labels": {"com.docker.compose.project": "shop"}, "Size": 1},
  {"Id": "sha256:built", "RepoTags": ["shop-job:latest"], "Labels": {"com.docker.compose.project": "shop"}, "Size": 2},
  {"Id": "sha256:old", "RepoTags": ["<none>:<none>"], "RepoDigests": ["<none>@<none>"], "Labels": null, "Size": 3},
  {"Id": "sha256:held", "RepoTags": ["berth/keep:shop.0123"], "Labels": {"com.docker.compose.project": "shop"}},
  {"Id": "sha256:pinned", "RepoTags": [], "RepoDigests": ["nginx@sha256:aa"], "Labels": {"maintainer": "x"}},
  {"Id": "sha256:other", "RepoTags": ["nginx:latest"], "Labels": null},
  {"Id": "sha256:stopped", "RepoTags": null, "Labels": {"berth.owner": "backup"}},
  {"Id": "sha256:own", "RepoTags": null, "Labels": {"berth.owner": "backup"}, "Size": 4}
])";
const char* const kContainers = R"([{"ImageID": "sha256:used", "State": "running"},
                                    {"ImageID": "sha256:stopped", "State": "exited"}])";

TEST(PrunableImages, AreThoseOfProjectsAndThoseWithoutAName) {
  const auto images = prunable_images(*parse_json(kImages), *parse_json(kContainers));
  std::string shown;
  for (const auto& each : images) shown += each.id + " " + each.owner + "\n";
  EXPECT_EQ(shown, "sha256:built shop\nsha256:old \nsha256:own berth\n");
}

TEST(PrunableImages, SayWhatIsLost) {
  const auto images = prunable_images(*parse_json(kImages), *parse_json(kContainers));
  EXPECT_EQ(to_json(images[0]).dump(), R"({"id":"sha256:built","tags":["shop-job:latest"],"owner":"shop","size":2})");
  EXPECT_EQ(to_json(images[1]).dump(), R"({"id":"sha256:old","tags":[],"owner":null,"size":3})");
}

TEST(PrunableImages, AreNoneOfNothing) {
  EXPECT_TRUE(prunable_images(Json(), Json()).empty());
  EXPECT_TRUE(prunable_images(Json::array(), *parse_json(kContainers)).empty());
}

}  // namespace
}  // namespace berth::api
