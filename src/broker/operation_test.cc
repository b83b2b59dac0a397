#include "broker/operation.h"

#include <gtest/gtest.h>

#include <set>

namespace berth::broker {
namespace {

TEST(Operation, NamesAndRequestsAreUnique) {
  std::set<std::string> names, requests;
  for (const Operation& each : operations()) {
    EXPECT_TRUE(names.emplace(each.name).second) << each.name;
    EXPECT_TRUE(requests.insert(std::string(each.method) + std::string(each.path)).second) << each.path;
    EXPECT_EQ(find_operation(each.name), &each);
  }
  EXPECT_GE(names.size(), 108u);
  EXPECT_EQ(find_operation("containers.fly"), nullptr);
}

TEST(Operation, ReadsNamesOfPaths) {
  const auto match = match_operation("GET", "/containers/web-1/json");
  ASSERT_TRUE(match);
  EXPECT_EQ(match->operation->name, "containers.inspect");
  EXPECT_EQ(match->name, "web-1");
  EXPECT_EQ(path_of(*match), "/containers/web-1/json");
}

TEST(Operation, ImagesMayHaveSlashesAndTheirEscapes) {
  for (const char* path : {"/images/host:5000/team/app:1/json", "/images/host%3A5000%2Fteam%2fapp%3a1/json"}) {
    const auto match = match_operation("GET", path);
    ASSERT_TRUE(match) << path;
    EXPECT_EQ(path_of(*match), "/images/host:5000/team/app:1/json");
  }
  EXPECT_EQ(match_operation("GET", "/images/a@sha256:00/history")->operation->name, "images.history");
  EXPECT_EQ(match_operation("GET", "/images/a/history/get")->operation->name, "images.save");
}

TEST(Operation, RefusesOtherSpellings) {
  for (const char* path :
       {"/containers/a/b/json",  "/containers//json",    "/containers/%61/json", "/containers/../json",
        "/containers/./json",    "/containers/json/",    "/Containers/json",     "/containers%2Fjson",
        "//containers/json",     "/images/../x/json",    "/images/a//b/json",    "/images/a/../b/json",
        "/images/%2e%2e/json",   "/images/a%00/json",    "/images/a%252F/json",  "/images//json",
        "/images/a/./json",      "/containers/-x/json",  "/containers/a b/json", "/networks/",
        "/containers/{id}/json", "/images/{image}/json", "/networks/{id}",       ""})
    EXPECT_FALSE(match_operation("GET", path)) << path;
  EXPECT_FALSE(match_operation("get", "/containers/json"));
  EXPECT_FALSE(match_operation("OPTIONS", "/containers/json"));
  EXPECT_FALSE(match_operation("POST", "/containers/trz-a/kill/exec"));
}

}  // namespace
}  // namespace berth::broker
