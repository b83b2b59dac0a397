#include "api/dispatch.h"

#include "api/check.h"
#include "api/desk_world_test.h"
#include "api/guard.h"
#include "api/openapi.h"

namespace berth::api {
namespace {

template <class T>
concept MayLackPermission = requires { T{.method = "GET", .path = "/api/v1/x"}; };
static_assert(!MayLackPermission<Route>, "a route without a permission must not compile");
static_assert(!std::is_default_constructible_v<Needs>);

io::Task<Result<Reply>> echo(Call& call) {
  Json path = Json::object();
  for (const auto& [name, value] : call.path) path.set(name, value);
  co_return Reply{.body = Json::object({{"path", path}, {"body", call.body}, {"who", call.who.id}})};
}
io::Task<Result<Reply>> sleepy(Call&) {
  CO_TRY(co_await io::sleep_for(std::chrono::hours(1)));
  co_return Reply{};
}
io::Task<Result<Reply>> broken(Call&) {
  co_return fail(Code::conflict, "container web: is running");
}
io::Task<Result<Reply>> hidden(Call& call) {
  call.denied = true;
  co_return fail(Code::not_found, "there is no container \"web\"");
}
io::Task<Result<Reply>> too_early(Call&) {
  co_return Reply{.status = 429};
}
io::Task<Result<void>> streamed(Call& call) {
  CO_TRY(co_await call.response->begin(200, {{"Content-Type", "text/plain"}}));
  CO_TRY(co_await call.response->write("one\n"));
  co_return co_await call.response->finish();
}

Routes table() {
  const Parameter name{.name = "name", .required = true}, count{.name = "count", .type = "integer"};
  return {
      {"GET",
       "/api/v1/things",
       Permission::engine,
       Where::whole,
       "list",
       echo,
       {{.name = "follow", .type = "boolean"}}},
      {"GET", "/api/v1/things/{id}", Permission::view, Where::loaded, "one", echo},
      {"GET", "/api/v1/things/topology", Permission::engine, Where::whole, "all", echo},
      {"POST", "/api/v1/things", Permission::engine, Where::whole, "new", echo, {}, {name, count}},
      {"POST",
       "/api/v1/things/{id}/start",
       Permission::act,
       Where::loaded,
       "start",
       broken,
       {},
       {},
       true,
       "thing.start"},
      {"POST", "/api/v1/things/{id}/hide", Permission::act, Where::loaded, "hide", hidden},
      {"POST", "/api/v1/things/{id}/wait", Permission::act, Where::loaded, "wait", too_early},
      {"GET", "/api/v1/projects/{project}/files/{path*}", Permission::view, Where::project, "file", echo},
      {"PUT", "/api/v1/projects/{project}/state", Permission::deploy, Where::project, "set", echo},
      {"GET", "/api/v1/slow", Permission::self, Where::whole, "slow", sleepy},
      {"GET", "/api/v1/stream", Permission::self, Where::whole, "stream", streamed},
      {"GET", "/api/v1/health", Permission::everyone, Where::whole, "health", echo},
      {"POST", "/api/v1/session", Permission::everyone, Where::whole, "sign in", echo, {}, {name}, false},
  };
}

std::string_view word(job::Decision decision) {
  return job::to_text(decision);
}

struct DispatchTest : ::testing::Test, DeskWorld {
  DispatchTest() : DeskWorld(table()) {
    people["admin"] = {.id = "user_a", .name = "anna", .role = auth::Role::admin, .session = "a"};
    people["dev"] = {.id = "user_d", .name = "dora", .projects = {{"shop", auth::Role::developer}}, .session = "d"};
    people["viewer"] = {.id = "user_v", .name = "vic", .projects = {{"shop", auth::Role::viewer}}, .session = "v"};
  }
};

TEST_F(DispatchTest, FindsRoutesByTheirWholePath) {
  EXPECT_EQ(get("/api/v1/things", "admin").status, 200);
  EXPECT_EQ(get("/api/v1/things/a%20b", "admin").body.at("path.id").text(), "a b");
  EXPECT_EQ(get("/api/v1/things/sha256:ab", "admin").body.at("path.id").text(), "sha256:ab");
  EXPECT_EQ(get("/api/v1/things/topology", "admin").body["path"].size(), 0u);
  EXPECT_EQ(get("/api/v1/projects/shop/files/a/b.yaml", "admin").body.at("path.path").text(), "a/b.yaml");
  EXPECT_EQ(get("/api/v1/nothing", "admin").status, 404);
  const Got wrong = send("DELETE", "/api/v1/things", {}, "admin");
  EXPECT_EQ(wrong.status, 405);
  EXPECT_EQ(wrong.header("Allow"), "GET");
}

TEST_F(DispatchTest, RefusesPathsWithSeveralSpellings) {
  for (const char* path :
       {"/api/v1/things/", "/api/v1//things", "/api/v1/things/a%2Fb", "/api/v1/things/%2e%2e", "/api/v1/things/%61",
        "/api/v1/things/a%0Ab", "/api/v1/things/.", "/api/v1/things/%5c", "/api/v1/things/a%3ab"})
    EXPECT_EQ(get(path, "admin").status, 400) << path;
}

TEST_F(DispatchTest, AsksForASignInAndThePermission) {
  const Got nobody = get("/api/v1/things");
  EXPECT_EQ(nobody.status, 401);
  EXPECT_EQ(nobody.body["code"].text(), "unauthorized");
  EXPECT_EQ(nobody.header("X-Error-Code"), "unauthorized");
  EXPECT_EQ(get("/api/v1/things", "unknown").status, 401);
  EXPECT_EQ(get("/api/v1/things", "dev").status, 403);
  EXPECT_EQ(get("/api/v1/health").status, 200);
  EXPECT_EQ(get("/api/v1/projects/shop/files/x", "dev").status, 200);
  EXPECT_EQ(get("/api/v1/projects/other/files/x", "dev").status, 404);
  EXPECT_EQ(send("PUT", "/api/v1/projects/shop/state", {}, "viewer").status, 403);
}

TEST_F(DispatchTest, TheLocalDoorNeedsNoOriginAndNoToken) {
  door = {.local = true, .who = {.id = "local", .name = "local", .role = auth::Role::admin, .from = "unix:uid=0"}};
  EXPECT_EQ(send("POST", "/api/v1/things", Json::object({{"name", "x"}})).status, 200);
  ASSERT_EQ(kept.size(), 2u);
  EXPECT_EQ(kept[1].from, "unix:uid=0");
}

TEST_F(DispatchTest, ChangesNeedAnOriginOfThisHost) {
  const auto post = [&](Headers headers) {
    auto asked = request("POST", "/api/v1/session");
    asked.body = R"({"name":"x"})";
    asked.headers = std::move(headers);
    asked.headers.emplace_back("Content-Type", "application/json");
    return ask(std::move(asked)).status;
  };
  EXPECT_EQ(post({}), 403);
  EXPECT_EQ(post({{"Origin", "https://berth.localhost"}}), 200);
  EXPECT_EQ(post({{"Origin", "https://berth.localhost:443"}}), 200);
  EXPECT_EQ(post({{"Sec-Fetch-Site", "same-origin"}}), 200);
  EXPECT_EQ(post({{"Origin", "http://berth.localhost"}}), 403);
  EXPECT_EQ(post({{"Origin", "null"}}), 403);
  EXPECT_EQ(post({{"Origin", "https://app.berth.localhost"}, {"Sec-Fetch-Site", "same-site"}}), 403);
  EXPECT_EQ(post({{"Origin", "https://berth.localhost"}, {"Sec-Fetch-Site", "cross-site"}}), 403);
  EXPECT_EQ(post({{"Origin", "https://berth.localhost"}, {"Origin", "https://evil.example"}}), 403);
  EXPECT_EQ(post({{"Sec-Fetch-Site", "none"}}), 403);
}

TEST_F(DispatchTest, ReadsOfOtherSitesAreRefused) {
  const auto read = [&](Headers headers) {
    auto asked = request("GET", "/api/v1/health");
    asked.headers = std::move(headers);
    return ask(std::move(asked)).status;
  };
  EXPECT_EQ(read({{"Origin", "https://evil.example"}}), 403);
  EXPECT_EQ(read({{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Mode", "no-cors"}}), 403);
  EXPECT_EQ(read({{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Mode", "navigate"}}), 200);
}

TEST_F(DispatchTest, ChecksQueryAndBodyAgainstTheTable) {
  EXPECT_EQ(get("/api/v1/things?follow=1", "admin").status, 200);
  EXPECT_EQ(get("/api/v1/things?folow=1", "admin").body["message"].text(),
            "query: unknown parameter \"folow\" (did you mean \"follow\"?)");
  EXPECT_EQ(get("/api/v1/things?follow=1&follow=1", "admin").status, 400);
  EXPECT_EQ(get("/api/v1/things?follow=perhaps", "admin").status, 400);
  EXPECT_EQ(get("/api/v1/things?follow=%zz", "admin").status, 400);
  const auto post = [&](Json body) { return send("POST", "/api/v1/things", std::move(body), "admin").body; };
  EXPECT_EQ(post(Json::object({{"name", "x"}, {"count", 2}})).at("body.count").integer(), 2);
  EXPECT_EQ(post(Json::object())["message"].text(), "body: \"name\" is missing");
  EXPECT_EQ(post(Json::object({{"name", 1}}))["message"].text(), "body: \"name\" is not a string");
  EXPECT_EQ(post(Json::object({{"name", Json()}}))["message"].text(), "body: \"name\" is not a string");
  EXPECT_EQ(post(Json::object({{"name", "x"}, {"cuont", 1}}))["message"].text(),
            "body: unknown field \"cuont\" (did you mean \"count\"?)");
  EXPECT_EQ(post(Json::array({1}))["message"].text(), "body: not an object");
  auto plain = request("POST", "/api/v1/things", "admin");
  plain.body = R"({"name":"x"})";
  plain.headers.emplace_back("Content-Type", "text/plain");
  EXPECT_EQ(ask(plain).status, 400);
  EXPECT_EQ(send("POST", "/api/v1/things", Json::object({{"name", std::string(2u << 20, 'x')}}), "admin").status, 400);
}

TEST_F(DispatchTest, RecordsChangesAndWhatWasDenied) {
  send("POST", "/api/v1/things", Json::object({{"name", "x"}}), "admin");
  send("POST", "/api/v1/things/web/start", {}, "dev");
  send("POST", "/api/v1/things/web/hide", {}, "dev");
  send("POST", "/api/v1/things", Json::object({{"name", "x"}}), "dev");
  get("/api/v1/things", "dev");
  get("/api/v1/things", "admin");
  std::string lines;
  for (const auto& entry : kept)
    lines += entry.actor + " " + entry.verb + " " + entry.subject + " " + std::string(word(entry.decision)) +
             (entry.begun > 0 ? " of " + std::to_string(entry.begun) : "") + "\n";
  EXPECT_EQ(lines,
            "user_a things.post  begun\n"
            "user_a things.post  allowed of 1\n"
            "user_d thing.start thing:web begun\n"
            "user_d thing.start thing:web failed of 3\n"
            "user_d things.id.hide.post thing:web begun\n"
            "user_d things.id.hide.post thing:web denied of 5\n"
            "user_d things.post  denied\n"
            "user_d things.get  denied\n");
}

TEST_F(DispatchTest, WhatWasBegunHasAnOutcome) {
  EXPECT_EQ(send("POST", "/api/v1/things/web/wait", {}, "dev").status, 429);
  ASSERT_EQ(kept.size(), 2u);
  EXPECT_EQ(kept[0].decision, job::Decision::begun);
  EXPECT_EQ(kept[1].begun, 1);
}

TEST_F(DispatchTest, AChangeThatCannotBeRecordedIsAnError) {
  keeps = fail(Code::unavailable, "the disk is full");
  const Got got = send("POST", "/api/v1/things", Json::object({{"name", "x"}}), "admin");
  EXPECT_EQ(got.status, 503);
  EXPECT_EQ(got.body["message"].text(), "not done, since the audit log does not take it: the disk is full");
  EXPECT_EQ(kept.size(), 2u) << "neither its begin nor that it failed";
}

TEST_F(DispatchTest, AnswersUnchangedListsShortly) {
  const Got first = get("/api/v1/things", "admin");
  auto again = request("GET", "/api/v1/things", "admin");
  again.headers.emplace_back("If-None-Match", "\"other\", W/" + std::string(first.header("ETag")));
  const Got second = ask(again);
  EXPECT_EQ(second.status, 304);
  EXPECT_TRUE(second.text.empty());
  again.headers.back().second = "\"other\"";
  EXPECT_EQ(ask(again).status, 200);
}

TEST_F(DispatchTest, EndsWhatTakesTooLong) {
  const Got got = get("/api/v1/slow", "admin");
  EXPECT_EQ(got.status, 504);
  EXPECT_EQ(got.body["code"].text(), "timeout");
}

TEST_F(DispatchTest, StreamsAndHeads) {
  EXPECT_EQ(get("/api/v1/stream", "admin").text, "one\n");
  const Got head = ask(request("HEAD", "/api/v1/things", "admin"));
  EXPECT_EQ(head.status, 200);
  EXPECT_TRUE(head.text.empty());
}

TEST_F(DispatchTest, ErrorsSayWhatTheyAre) {
  const Got got = send("POST", "/api/v1/things/web/start", {}, "admin");
  EXPECT_EQ(got.status, 409);
  EXPECT_EQ(got.text, "{\"error\":\"Conflict\",\"code\":\"conflict\",\"message\":\"container web: is running\"}\n");
  EXPECT_TRUE(got.header("X-Request-Id").starts_with("req_"));
}

TEST(Dispatch, LimitsEachClientAndEachToken) {
  DeskWorld world(table(), {.client = {.per_second = 0.1, .burst = 3}});
  for (int i = 0; i < 3; ++i) EXPECT_EQ(world.get("/api/v1/health").status, 200);
  const Got refused = world.get("/api/v1/health");
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(refused.body["code"].text(), "rate_limited");
  EXPECT_EQ(refused.header("Retry-After"), "10");
  world.door.client = "2001:db8::1";
  for (int i = 0; i < 3; ++i) EXPECT_EQ(world.get("/api/v1/health").status, 200);
  world.door.client = "2001:db8::2";  // of the same /64
  EXPECT_EQ(world.get("/api/v1/health").status, 429);

  DeskWorld tokens(table(), {.token = {.per_second = 0.1, .burst = 2}});
  tokens.people["t"] = {.id = "user_a", .role = auth::Role::admin, .session = "token_1"};
  for (int i = 0; i < 2; ++i) EXPECT_EQ(tokens.get("/api/v1/things", "t").status, 200);
  EXPECT_EQ(tokens.get("/api/v1/things", "t").status, 429);
}

TEST(Dispatch, RefusesTablesWithTwoMeanings) {
  Routes routes = table();
  routes.push_back({"GET", "/api/v1/things/{other}", Permission::view, Where::loaded, "again", echo});
  EXPECT_FALSE(RouteTable::make(std::move(routes)));
}

TEST(Pace, ForgetsWhoWasQuiet) {
  Pace pace({.per_second = 1, .burst = 2});
  Instant now{};
  for (int i = 0; i < 20'000; ++i) EXPECT_EQ(pace.take(std::to_string(i), now).count() > 0, i >= 10'002) << i;
  EXPECT_LE(pace.size(), 10'001u);
  now += std::chrono::seconds(5);
  EXPECT_EQ(pace.take("new", now).count(), 0);
  EXPECT_LE(pace.size(), 2u);
}

TEST(Page, CutsListsAndTellsTheNext) {
  std::vector<Json> items;
  for (int i = 0; i < 5; ++i) items.emplace_back(i);
  Call call;
  call.query = {{"limit", "2"}, {"cursor", "2"}};
  const Reply reply = page(call, items);
  EXPECT_EQ(reply.body.dump(), R"({"items":[2,3],"next":"4","stale":null})");
  call.query = {{"limit", "100000"}, {"cursor", "-9"}};
  EXPECT_EQ(page(call, items).body["items"].size(), 5u);
}

TEST(OpenApi, DescribesEveryRoute) {
  const Json document = openapi(table(), "1");
  EXPECT_EQ(document["openapi"].text(), "3.1.0");
  std::size_t operations = 0;
  for (const auto& [path, methods] : document["paths"].members()) {
    EXPECT_EQ(path.find('*'), std::string::npos) << path;
    for (const auto& [method, operation] : methods.members()) {
      ++operations;
      EXPECT_TRUE(operation.contains("operationId") && operation.contains("responses")) << path;
      for (const Json& parameter : operation["parameters"].items())
        if (parameter["in"].text() == "path") {
          EXPECT_NE(path.find("{" + std::string(parameter["name"].text()) + "}"), std::string::npos) << path;
        }
    }
  }
  EXPECT_EQ(operations, table().size());
  const Json& post = document["paths"]["/api/v1/things"]["post"];
  EXPECT_EQ(post.at("requestBody.content")["application/json"].at("schema.required").dump(), R"(["name"])");
}

}  // namespace
}  // namespace berth::api
