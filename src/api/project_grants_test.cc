#include "api/project_grants.h"

#include <gtest/gtest.h>

#include "api/project_load.h"

namespace berth::api {
namespace {

constexpr std::string_view kFolder = "/data/projects/shop";

Result<LoadedProject> loaded(std::string_view text) {
  return load_project({.name = "shop", .folder = std::string(kFolder), .texts = {{"compose.yaml", std::string(text)}}},
                      1);
}
broker::Policy granting(std::vector<broker::Exception> exceptions) {
  auto policy = broker::named_policy("core");
  EXPECT_TRUE(policy);
  policy->exceptions = std::move(exceptions);
  return *policy;
}
std::vector<std::string> needed(std::string_view text, const broker::Policy& policy = granting({}), bool own = true) {
  const auto shop = loaded(text);
  EXPECT_TRUE(shop) << shop.error().text();
  std::vector<std::string> out;
  if (!shop) return out;
  const auto grants = grants_needed(shop->project, {std::string(kFolder), own}, policy);
  EXPECT_TRUE(grants) << grants.error().text();
  for (const auto& grant : grants ? *grants : std::vector<GrantNeeded>())
    out.push_back(grant.service + " " + grant.field + " " + grant.at + (grant.granted ? " granted" : ""));
  return out;
}

TEST(ProjectGrants, APlainProjectNeedsNone) {
  EXPECT_EQ(needed(R"(services:
  web: {image: a, ports: ["80:80"], volumes: ["./html:/html", "data:/d", /anon], init: true,
        cap_drop: [ALL], read_only: true, mem_limit: 64m, networks: [front], labels: {traefik.enable: "true"}}
  db: {image: b, network_mode: "service:web"}
networks: {front: {internal: true}}
volumes: {data: {}}
)"),
            std::vector<std::string>{});
}

TEST(ProjectGrants, WhatThePolicyRefusesIsNamedWithItsPlace) {
  EXPECT_EQ(needed(R"(services:
  web:
    image: a
    privileged: true
    network_mode: host
    cap_add: [NET_ADMIN]
    devices: ["/dev/fuse:/dev/fuse"]
    pid: host
    volumes:
      - /srv/media:/x
      - ../blog:/w
      - data:/d
volumes:
  data: {driver: local, driver_opts: {type: none, o: bind, device: /etc}}
)"),
            (std::vector<std::string>{
                "web capabilities=NET_ADMIN compose.yaml:6:5", "web privileged compose.yaml:4:5",
                "web host-pid=host compose.yaml:8:5", "web devices=/dev/fuse compose.yaml:7:5",
                "web binds=/srv/media compose.yaml:9:5", "web binds=/data/projects/blog compose.yaml:9:5",
                "web host-network=host compose.yaml:5:5", " hidden-paths=/etc compose.yaml:14:3"}));
}

TEST(ProjectGrants, AnAdoptedProjectNeedsItsFolderOnce) {
  constexpr std::string_view text = R"(services:
  web: {image: a, volumes: ["./html:/html", "./conf:/conf", "data:/d", "/data/projects/shop2:/x"]}
  db: {image: b, volumes: [".:/all"]}
volumes: {data: {}}
)";
  EXPECT_EQ(needed(text), (std::vector<std::string>{"web binds=/data/projects/shop2 compose.yaml:2:19"}));
  EXPECT_EQ(needed(text, granting({}), false),
            (std::vector<std::string>{"db binds=/data/projects/shop compose.yaml:3:18",
                                      "web binds=/data/projects/shop compose.yaml:2:19",
                                      "web binds=/data/projects/shop2 compose.yaml:2:19"}));
  EXPECT_EQ(
      needed(text, granting({{"shop", "binds=/data/projects/shop"}, {"shop", "binds=/data/projects/shop2"}}), false),
      (std::vector<std::string>{"db binds=/data/projects/shop compose.yaml:3:18 granted",
                                "web binds=/data/projects/shop compose.yaml:2:19 granted",
                                "web binds=/data/projects/shop2 compose.yaml:2:19 granted"}));
  // One grant that is narrower leaves the folder needed for the rest.
  EXPECT_EQ(needed(text, granting({{"shop", "binds=/data/projects/shop/html"}, {"blog", "binds=/data"}}), false).size(),
            4u);
  auto rooted = granting({});
  rooted.roots = {"/data/projects"};  // root's own core.yaml
  EXPECT_EQ(needed(text, rooted, false), std::vector<std::string>{});
}

TEST(ProjectGrants, AGrantIsForOneProjectAndOneField) {
  constexpr std::string_view text = "services: {web: {image: a, privileged: true, cap_add: [NET_ADMIN]}}\n";
  EXPECT_EQ(needed(text, granting({{"shop", "privileged"}, {"blog", "capabilities"}})),
            (std::vector<std::string>{"web capabilities=NET_ADMIN compose.yaml:1:46",
                                      "web privileged compose.yaml:1:28 granted"}));
  const auto shop = loaded(text);
  const auto grants = grants_needed(shop->project, {std::string(kFolder)}, granting({{"shop", "privileged"}}));
  const auto checked = check_granted(shop->project, *grants);
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().code, Code::denied);
  EXPECT_TRUE(checked.error().message.ends_with("berth broker grant shop capabilities=NET_ADMIN"))
      << checked.error().message;
  EXPECT_TRUE(
      check_granted(shop->project, *grants_needed(shop->project, {std::string(kFolder)},
                                                  granting({{"shop", "privileged"}, {"shop", "capabilities"}}))));
}

}  // namespace
}  // namespace berth::api
