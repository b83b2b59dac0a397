#include "api/edge_routes.h"

#include <gtest/gtest.h>

#include "api/desk_world_test.h"

namespace berth::api {
namespace {

EdgeView view() {
  return {.status =
              [] {
                return *parse_json(R"x({"routes": [{"name": "shop", "rule": "Host(`shop.localhost`)", "priority": 3,
                    "listeners": ["websecure"], "service": "web", "middlewares": [], "warnings": ["w"]}],
                    "services": [{"name": "web", "upstreams": [{"target": "c1", "host": "10.0.0.2", "port": 80}],
                    "down": ""}], "notes": ["n"], "unexposed": []})x");
              },
          .explain = [](const std::string& url) -> Result<Json> {
            if (!url.starts_with("https://")) return fail(Code::invalid, url + " is no URL");
            return Json::object({{"request", url}});
          },
          .certificates = []() -> Result<Json> {
            return parse_json(R"([{"id": "", "hosts": ["shop.localhost"], "issuer": "local CA", "error": "",
                                   "not_after": "2026-01-01T00:00:00Z"}])");
          },
          .renew = [](const std::string& host) -> Result<void> {
            if (host != "shop.example.org") return fail(Code::not_found, "there is no certificate for " + host);
            return {};
          }};
}

struct EdgeRoutesTest : ::testing::Test {
  EdgeRoutesTest() : world(edge_routes(view())) {
    world.people = {{"op", {.id = "user_op", .role = auth::Role::operate, .session = "s1"}},
                    {"dev", {.id = "user_dev", .projects = {{"shop", auth::Role::developer}}, .session = "s2"}}};
  }
  DeskWorld world;
};

TEST_F(EdgeRoutesTest, RoutesComeWithWhatAnswersThem) {
  const auto got = world.get("/api/v1/routes", "op");
  ASSERT_EQ(got.status, 200) << got.text;
  const Json route = got.body["items"].items().front();
  EXPECT_EQ(route["entryPoints"].dump(), R"(["websecure"])");
  EXPECT_EQ(route["targets"].items().front()["container"].text(), "c1");
  EXPECT_TRUE(route["down"].is_null());
  EXPECT_EQ(world.get("/api/v1/routes", "dev").status, 403);
}

TEST_F(EdgeRoutesTest, ExplainsAndRenews) {
  EXPECT_EQ(world.get("/api/v1/routes/explain?url=https://shop.localhost/", "op").body["request"].text(),
            "https://shop.localhost/");
  EXPECT_EQ(world.get("/api/v1/routes/explain?url=ftp", "op").status, 400);
  EXPECT_EQ(world.get("/api/v1/routes/explain", "op").status, 400);
  const Json certificate = world.get("/api/v1/certificates", "op").body["items"].items().front();
  EXPECT_EQ(certificate["notAfterAt"].integer(), 1'767'225'600'000);
  EXPECT_TRUE(certificate["error"].is_null());
  EXPECT_EQ(world.send("POST", "/api/v1/certificates/shop.example.org/renew", {}, "op").status, 204);
  EXPECT_EQ(world.kept.back().verb, "certificate.renew");
  EXPECT_EQ(world.send("POST", "/api/v1/certificates/other/renew", {}, "op").status, 404);
}

}  // namespace
}  // namespace berth::api
