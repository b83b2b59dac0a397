#include "api/project_routes.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "api/desk_world_test.h"
#include "engine/container.h"
#include "testing/fake_engine.h"

namespace berth::api {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kShop = R"(services:
  web:
    image: web:1
    environment:
      MODE: slow
      DB_PASSWORD: s3cret-value
    volumes: [data:/data]
volumes:
  data: {}
)";

const std::string kProject = "/api/v1/projects/shop";

std::string with_mode(std::string_view mode) {
  std::string out(kShop);
  return out.replace(out.find("slow"), 4, mode);
}

struct ProjectRoutesTest : ::testing::Test {
  ProjectRoutesTest()
      : root(fs::path(::testing::TempDir()) / ("berth-projects-" + std::to_string(::getpid()))),
        desk(world_of()),
        world(project_routes(desk)),
        engine(*world.loop) {
    world.people = {{"op", {.id = "user_op", .name = "olga", .role = auth::Role::operate, .session = "s1"}},
                    {"dev",
                     {.id = "user_dev",
                      .name = "dora",
                      .role = auth::Role::viewer,
                      .projects = {{"shop", auth::Role::developer}},
                      .session = "s2"}},
                    {"see",
                     {.id = "user_see",
                      .name = "vera",
                      .role = auth::Role::viewer,
                      .projects = {{"shop", auth::Role::viewer}},
                      .session = "s3"}},
                    {"no", {.id = "user_no", .name = "nora", .role = auth::Role::viewer, .session = "s4"}}};
    engine.add_image("web:1", {.config = Json::object({{"Cmd", Json::array({"serve"})}})});
    engine.add_image("web:2", {.config = Json::object({{"Cmd", Json::array({"serve"})}})});
  }
  ~ProjectRoutesTest() override { fs::remove_all(root); }

  ProjectWorld world_of() {
    fs::remove_all(root);
    return {.folders = *ProjectFolders::open(root / "projects"),
            .data = root / "data",
            .runtime_folder = root / "run",
            .engine = [this] { return connect(engine); },
            .start = [this](JobWish wish, auto work) { return start(*this, std::move(wish), std::move(work)); },
            .now = [this] { return std::chrono::system_clock::time_point(std::chrono::milliseconds(now_ms)); },
            .policy = [this]() -> Result<broker::Policy> {
              auto policy = TRY(broker::named_policy("core"));
              policy.exceptions = {{"shop", granted}};
              return policy;
            },
            .edge_status = [this] { return edge; },
            .drifted = [this](std::string_view name) { drifted.emplace_back(name); }};
  }
  static io::Task<Result<std::shared_ptr<engine::Client>>> connect(testing::FakeEngine& engine) {
    auto client = CO_TRY(co_await engine::Client::connect(*engine::parse_address("unix:///fake"), engine.dialer()));
    co_return std::shared_ptr<engine::Client>(std::move(client));
  }
  // Ends before it answers, unless a test keeps the work.
  static io::Task<Result<std::string>> start(ProjectRoutesTest& test, JobWish wish,
                                             std::function<io::Task<Result<void>>(Tell)> work) {
    test.jobs.push_back(std::move(wish));
    if (test.holds) {
      test.held = std::move(work);
      co_return "job_held";
    }
    test.log.clear();
    const auto done = co_await work([&test](std::string_view level, std::string_view text) {
      test.log += std::string(level) + " " + std::string(text) + "\n";
    });
    test.outcome = done ? "" : done.error().text();
    co_return "job_" + std::to_string(test.jobs.size());
  }

  Got post(const std::string& path, Json body = Json::object(), std::string as = "op") {
    return world.send("POST", path, std::move(body), std::move(as));
  }
  Got create(std::string_view text = kShop) {
    return post("/api/v1/projects",
                Json::object({{"name", "shop"}, {"files", Json::object({{"compose.yaml", text}})}}));
  }
  Got put(const std::string& path, std::string text, std::string etag, std::string as = "op") {
    auto request = DeskWorld::request("PUT", kProject + "/files/" + path, std::move(as));
    request.body = std::move(text);
    if (!etag.empty()) request.headers.emplace_back("If-Match", etag == "*" ? etag : '"' + etag + '"');
    return world.ask(std::move(request));
  }
  Got get(const std::string& path, std::string as = "op") { return world.get(path, std::move(as)); }
  // Plans and applies what was planned.
  void bring_up() {
    const auto plan = post(kProject + "/plan").body["plan"];
    ASSERT_EQ(post(kProject + "/apply", Json::object({{"plan", plan}})).status, 202);
    ASSERT_EQ(outcome, "");
  }
  Json drift(const std::string& as = "see") { return get(kProject, as).body["drift"]; }
  Json listed_drift() { return get("/api/v1/projects", "see").body["items"].items().front()["drift"]; }
  // What runs in core beside the routes, until it has nothing to do.
  void look_around() {
    world.loop->run([](ProjectDesk& desk, testing::FakeEngine&) -> io::Task<int> {
      io::Scope scope(co_await io::here());
      scope.spawn(desk.run());
      static_cast<void>(co_await io::sleep_for(std::chrono::seconds(2)));
      scope.cancel();
      co_await scope.join();
      co_return 0;
    }(desk, engine));
  }
  std::string mode_of_web() {
    for (const Json& container : engine.containers())
      if (container["Name"].text() == "/shop-web-1")
        for (const Json& pair : container["Config"]["Env"].items())
          if (pair.text().starts_with("MODE=")) return std::string(pair.text().substr(5));
    return "none";
  }

  fs::path root;
  std::vector<JobWish> jobs;
  bool holds = false;
  std::int64_t now_ms = 1'767'225'600'000;
  std::function<io::Task<Result<void>>(Tell)> held;
  std::string log, outcome, granted;
  std::vector<std::string> drifted;
  Json edge;
  ProjectDesk desk;
  DeskWorld world;
  testing::FakeEngine engine;
};

TEST_F(ProjectRoutesTest, DriftIsWhatApplyingWouldChange) {
  create();
  EXPECT_TRUE(drift().is_null()) << "nothing runs yet";
  bring_up();
  const Json none = drift();
  EXPECT_EQ(none["count"].integer(-1), 0) << none.dump();
  EXPECT_EQ(none["at"].integer(), now_ms);
  put("compose.yaml", with_mode("fast"), "*");
  const Json changed = drift();
  EXPECT_EQ(changed["count"].integer(), 0) << "the finding of before is shown until somebody looked";
  look_around();
  const Json found = drift();
  ASSERT_EQ(found["changed"].size(), 1u) << found.dump();
  EXPECT_EQ(found["changed"].items()[0]["service"].text(), "web");
  EXPECT_EQ(found["changed"].items()[0]["object"].text(), "container shop-web-1");
  EXPECT_EQ(found["changed"].items()[0]["cause"].text(), R"(Env.MODE: "slow" -> "fast")");
  EXPECT_EQ(drifted, std::vector<std::string>{"shop"});
  EXPECT_EQ(listed_drift().dump(), found.dump());
  bring_up();
  EXPECT_EQ(drift()["count"].integer(), 1) << "shown until somebody looked";
  look_around();
  EXPECT_EQ(drift()["count"].integer(-1), 0);
}

TEST_F(ProjectRoutesTest, DriftNamesWhatIsMissingAndWhatIsTooMuch) {
  create();
  bring_up();
  EXPECT_EQ(drift()["count"].integer(-1), 0);
  put("compose.yaml", "services:\n  api: {image: 'web:1'}\n", "*");
  drift();
  look_around();
  const Json found = drift();
  ASSERT_EQ(found["missing"].size(), 1u) << found.dump();
  EXPECT_EQ(found["missing"].items()[0]["object"].text(), "container shop-api-1");
  ASSERT_EQ(found["extra"].size(), 1u) << found.dump();
  EXPECT_EQ(found["extra"].items()[0]["object"].text(), "container shop-web-1");
  EXPECT_EQ(found["count"].integer(), 2);
}

TEST_F(ProjectRoutesTest, DriftHoldsNoSecretAndIsAskedOnlyOnceInAWhile) {
  create();
  bring_up();
  drift();
  std::string text(kShop);
  text.replace(text.find("s3cret-value"), 12, "another-secret");
  put("compose.yaml", text, "*");
  drift();
  look_around();
  const auto shown = drift().dump();
  EXPECT_TRUE(shown.contains("DB_PASSWORD")) << shown;
  EXPECT_FALSE(shown.contains("another-secret") || shown.contains("s3cret-value")) << shown;
  engine.forget_calls();
  for (int i = 0; i < 5; ++i) drift();
  look_around();
  EXPECT_EQ(engine.count("GET", "*/containers/*/json"), 0u) << "nothing moved and it is fresh";
  now_ms += 61'000;
  drift();
  look_around();
  EXPECT_GT(engine.count("GET", "*/containers/*/json"), 0u) << "a minute later it is looked at anew";
}

TEST_F(ProjectRoutesTest, WhatCannotBePlannedSaysWhy) {
  create();
  bring_up();
  put("compose.yaml", "services:\n  web: {image: 'web:1', networks: [out]}\nnetworks: {out: {external: true}}\n", "*");
  const Json found = drift();
  EXPECT_TRUE(found["count"].is_null()) << found.dump();
  EXPECT_TRUE(found["why"].text().contains("out")) << found.dump();
}

TEST_F(ProjectRoutesTest, UrlsAreForThoseWhoMaySeeTheProject) {
  create();
  bring_up();
  edge = *parse_json(R"JSON({"ports": {"websecure": 8443}, "routes": [
      {"name": "shop", "rule": "Host(`shop.test`)", "listeners": ["websecure"], "service": "shop"},
      {"name": "wiki", "rule": "Host(`wiki.test`)", "listeners": ["websecure"], "service": "wiki"}],
      "services": [{"name": "shop", "upstreams": [{"target": "shop-web-1"}]},
                   {"name": "wiki", "upstreams": [{"target": "wiki-web-1"}]}]})JSON");
  for (const auto* as : {"op", "dev", "see"}) {
    const auto urls = get(kProject, as).body["urls"];
    ASSERT_EQ(urls.dump(), R"(["https://shop.test:8443/"])") << as;
    EXPECT_EQ(get("/api/v1/projects", as).body["items"].items().front()["urls"].dump(), urls.dump());
  }
  EXPECT_EQ(get(kProject, "no").status, 404);
}

TEST_F(ProjectRoutesTest, FromPasteToRunning) {
  const auto made = create();
  ASSERT_EQ(made.status, 201) << made.text;
  EXPECT_EQ(get(kProject).body["state"].text(), "draft");
  const auto plan = post(kProject + "/plan");
  ASSERT_EQ(plan.status, 200) << plan.text;
  EXPECT_EQ(plan.body["summary"]["create"].integer(), 3) << plan.text;
  EXPECT_EQ(plan.body["grantsNeeded"].size(), 0u);
  EXPECT_FALSE(plan.text.contains("s3cret-value")) << "a plan shows no secret";
  const auto applied = post(kProject + "/apply", Json::object({{"plan", plan.body["plan"]}}));
  ASSERT_EQ(applied.status, 202) << applied.text;
  EXPECT_EQ(applied.body["job"].text(), "job_1");
  EXPECT_EQ(jobs.back().kind, "project.apply");
  EXPECT_EQ(outcome, "");
  EXPECT_TRUE(log.contains("service:web:1: ")) << log;
  EXPECT_TRUE(log.contains("kept as generation 1")) << log;
  EXPECT_FALSE(log.contains("s3cret-value"));
  const auto shown = get(kProject).body;
  EXPECT_EQ(shown["state"].text(), "running") << shown.dump();
  EXPECT_EQ(shown["services"].items().front()["running"].integer(), 1);
  EXPECT_EQ(get("/api/v1/projects").body["items"].items().front()["source"].text(), "managed");
}

TEST_F(ProjectRoutesTest, AnEditIsPlannedAppliedAndRolledBack) {
  create();
  bring_up();
  const auto etag = std::string(get(kProject + "/files").body["items"].items().front()["etag"].text());
  ASSERT_EQ(put("compose.yaml", with_mode("fast"), etag).status, 200);
  EXPECT_EQ(put("compose.yaml", with_mode("lost"), etag).status, 409) << "somebody was faster";
  const auto plan = post(kProject + "/plan").body;
  EXPECT_EQ(plan["summary"]["recreate"].integer(), 1);
  EXPECT_TRUE(plan["text"].text().contains("Env.MODE: \"slow\" -> \"fast\"")) << plan["text"].text();
  ASSERT_EQ(post(kProject + "/apply", Json::object({{"plan", plan["plan"]}})).status, 202);
  EXPECT_EQ(mode_of_web(), "fast");
  const auto history = get(kProject + "/history").body["items"];
  ASSERT_EQ(history.size(), 2u);
  EXPECT_EQ(history.items().front()["generation"].integer(), 2);
  EXPECT_EQ(history.items().front()["who"].text(), "olga");
  EXPECT_EQ(history.items().front()["at"].integer(), 1'767'225'600'000);
  ASSERT_EQ(post(kProject + "/rollback").status, 202);
  EXPECT_EQ(outcome, "");
  EXPECT_EQ(mode_of_web(), "slow");
  EXPECT_EQ(get(kProject + "/history").body["items"].size(), 3u);
  EXPECT_EQ(post(kProject + "/rollback", Json::object({{"generation", 9}})).status, 404);
}

TEST_F(ProjectRoutesTest, AStalePlanIsRefusedAndChangesNothing) {
  create();
  const auto plan = post(kProject + "/plan").body["plan"];
  ASSERT_EQ(put("compose.yaml", with_mode("fast"), "*").status, 200);
  engine.forget_calls();
  const auto refused = post(kProject + "/apply", Json::object({{"plan", plan}}));
  EXPECT_EQ(refused.status, 409);
  EXPECT_EQ(refused.body["code"].text(), "moved");
  EXPECT_TRUE(engine.changes().empty());
  EXPECT_EQ(post(kProject + "/apply", Json::object({{"plan", "plan_unknown"}})).body["code"].text(), "moved");
}

TEST_F(ProjectRoutesTest, ABrokenFileIsToldWithItsPlace) {
  const auto refused = create("services:\n  web:\n    image: a\n    prots: [\"80\"]\n");
  EXPECT_EQ(refused.status, 400);
  const Json problem = refused.body["problems"].items().front();
  EXPECT_EQ(problem["file"].text(), "compose.yaml");
  EXPECT_EQ(problem["line"].integer(), 4);
  EXPECT_EQ(problem["column"].integer(), 5);
  EXPECT_EQ(get("/api/v1/projects").body["items"].size(), 0u) << "it was not kept";
  const auto verdict = post("/api/v1/projects/validate",
                            Json::object({{"files", Json::object({{"compose.yaml", "services: {web: {}}"}})}}));
  EXPECT_EQ(verdict.status, 200);
  EXPECT_FALSE(verdict.body["ok"].boolean());
  create();
  const auto edited =
      post(kProject + "/validate", Json::object({{"files", Json::object({{"compose.yaml", "services: [\n"}})}}));
  EXPECT_FALSE(edited.body["ok"].boolean());
  EXPECT_TRUE(post(kProject + "/validate").body["ok"].boolean()) << "what is kept is still valid";
  put("compose.yaml", "services: [\n", "*");
  EXPECT_GT(get(kProject).body["problem"]["line"].integer(), 0);
  EXPECT_EQ(post(kProject + "/plan").status, 400);
}

TEST_F(ProjectRoutesTest, WhatIsNotGrantedIsNotApplied) {
  create("services: {web: {image: \"web:1\", privileged: true}}\n");
  const auto plan = post(kProject + "/plan").body;
  ASSERT_EQ(plan["grantsNeeded"].size(), 1u);
  EXPECT_EQ(plan["grantsNeeded"].items().front()["field"].text(), "privileged");
  EXPECT_FALSE(plan["grantsNeeded"].items().front()["granted"].boolean());
  const Json wish = Json::object({{"plan", plan["plan"]}});
  EXPECT_EQ(post(kProject + "/apply", wish).status, 403);
  EXPECT_EQ(world.kept.back().decision, job::Decision::denied);
  EXPECT_TRUE(engine.containers().empty());
  granted = "privileged";
  EXPECT_EQ(post(kProject + "/apply", wish).status, 202);
  EXPECT_EQ(engine.containers().size(), 1u);
}

TEST_F(ProjectRoutesTest, RollingBackShowsWhatItWouldDoAndDoesThat) {
  create();
  bring_up();
  put("compose.yaml", with_mode("fast"), "*");
  bring_up();
  const auto shown = post(kProject + "/rollback/plan", Json::object({{"generation", 1}}));
  ASSERT_EQ(shown.status, 200) << shown.text;
  EXPECT_EQ(shown.body["generation"].integer(), 1);
  EXPECT_EQ(shown.body["summary"]["recreate"].integer(), 1) << shown.text;
  EXPECT_TRUE(shown.body["text"].text().contains(R"(Env.MODE: "fast" -> "slow")")) << shown.text;
  EXPECT_FALSE(shown.text.contains("s3cret-value"));
  EXPECT_EQ(mode_of_web(), "fast") << "a plan changes nothing";
  const Json by_plan = Json::object({{"plan", shown.body["plan"]}});
  EXPECT_EQ(post(kProject + "/apply", by_plan).status, 400) << "it is no plan of the files";
  EXPECT_EQ(post(kProject + "/rollback", Json::object({{"plan", shown.body["plan"]}, {"generation", 2}})).status, 400);
  EXPECT_EQ(post(kProject + "/rollback", Json::object({{"plan", "plan_0"}})).status, 409);
  ASSERT_EQ(post(kProject + "/rollback", by_plan).status, 202);
  EXPECT_EQ(outcome, "");
  EXPECT_EQ(mode_of_web(), "slow");
  const auto again = post(kProject + "/rollback", by_plan);
  EXPECT_EQ(again.body["code"].text(), "moved") << again.text << log << outcome;
  EXPECT_EQ(post(kProject + "/rollback/plan", Json::object({{"generation", 9}})).status, 404);
  EXPECT_EQ(post(kProject + "/rollback/plan", Json::object(), "see").status, 403);
}

TEST_F(ProjectRoutesTest, RemovalNamesVolumesWithoutAName) {
  std::string text(kShop);
  text.replace(text.find("data:/data"), 10, "data:/data, /cache");
  create(text);
  bring_up();
  const auto volumes = get(kProject + "/removal").body["volumes"].items();
  ASSERT_EQ(volumes.size(), 2u);
  for (const Json& volume : volumes) {
    const bool declared = volume["name"].text() == "shop_data";
    EXPECT_EQ(volume["of"].text(), declared ? "" : "shop-web-1") << volume.dump();
    EXPECT_EQ(volume["name"].text().size(), declared ? 9u : 64u);
  }
}

TEST_F(ProjectRoutesTest, RemovalSaysWhatIsLostAndWantsTheName) {
  create();
  bring_up();
  const auto lost = get(kProject + "/removal").body;
  EXPECT_EQ(lost["containers"].items().front().text(), "shop-web-1");
  EXPECT_EQ(lost["volumes"].items().front()["name"].text(), "shop_data");
  EXPECT_EQ(lost["files"].items().front().text(), "compose.yaml");
  EXPECT_EQ(lost["generations"].integer(), 1);
  const auto remove = [&](const char* confirm) {
    return world.send("DELETE", kProject, Json::object({{"confirm", confirm}, {"volumes", true}}), "op").status;
  };
  EXPECT_EQ(remove("shap"), 400);
  EXPECT_EQ(engine.containers().size(), 1u);
  EXPECT_EQ(remove("shop"), 202);
  EXPECT_EQ(outcome, "");
  EXPECT_TRUE(engine.containers().empty());
  for (const Json& volume : engine.volumes()) EXPECT_NE(volume["Name"].text(), "shop_data");
  EXPECT_EQ(get(kProject).status, 404);
  EXPECT_EQ(get(kProject + "/history").body["items"].size(), 0u);
  EXPECT_EQ(remove("shop"), 404) << "a job would take what is made meanwhile";
  EXPECT_EQ(post(kProject + "/stop").status, 404);
}

TEST_F(ProjectRoutesTest, VerbsWorkOnForeignProjectsByTheirLabels) {
  create();
  bring_up();
  fs::remove_all(root / "projects/shop");  // now it is somebody else's
  EXPECT_EQ(get(kProject).body["source"].text(), "foreign");
  EXPECT_EQ(post(kProject + "/plan").status, 409);
  ASSERT_EQ(post(kProject + "/stop").status, 202) << outcome;
  EXPECT_EQ(outcome, "");
  EXPECT_EQ(get(kProject).body["state"].text(), "stopped");
  ASSERT_EQ(post(kProject + "/start").status, 202);
  EXPECT_EQ(get(kProject).body["state"].text(), "running");
  ASSERT_EQ(post(kProject + "/down").status, 202);
  EXPECT_TRUE(engine.containers().empty());
  EXPECT_EQ(get(kProject).status, 404);
}

TEST_F(ProjectRoutesTest, AProjectOfOthersIsAdoptedWithoutTouchingIt) {
  const auto made = ProjectFolders::open(root / "made");
  ASSERT_TRUE(made->create("shop", {{"compose.yaml", std::string(kShop)}, {"notes", "x"}}));
  ASSERT_TRUE(desk.folders().adopt(
      "shop", {.folder = made->path_of("shop"), .compose = {"compose.yaml"}, .files = {"compose.yaml", "notes"}}));
  bring_up();
  ASSERT_TRUE(desk.folders().remove("shop"));  // somebody else's from here on
  fs::remove_all(root / "data/projects");
  EXPECT_EQ(post(kProject + "/adopt", Json::object(), "dev").status, 403);
  engine.forget_calls();
  const auto told = post(kProject + "/adopt");
  ASSERT_EQ(told.status, 200) << told.text;
  EXPECT_FALSE(told.body["changes"].boolean()) << told.text;
  EXPECT_EQ(told.body["summary"]["recreate"].integer(), 0);
  EXPECT_EQ(told.body["files"].dump(), R"(["compose.yaml"])") << "what the loader read, and nothing beside it";
  EXPECT_EQ(get(kProject).body["source"].text(), "foreign");
  const auto adopted = post(kProject + "/adopt", Json::object({{"confirm", true}}));
  ASSERT_EQ(adopted.status, 200) << adopted.text;
  for (const auto& call : engine.changes()) EXPECT_FALSE(call.contains("/containers/")) << call;
  EXPECT_EQ(get(kProject).body["source"].text(), "managed");
  EXPECT_EQ(get(kProject + "/history").body["items"].items().front()["note"].text(), "adopted");
  EXPECT_FALSE(post(kProject + "/plan").body["changes"].boolean());
  put("compose.yaml", with_mode("fast"), "*");
  bring_up();
  EXPECT_EQ(mode_of_web(), "fast");
  EXPECT_EQ(get(kProject + "/removal").body["files"].size(), 0u) << "the files are not berth's";
}

TEST_F(ProjectRoutesTest, OneChangeAtATime) {
  create();
  holds = true;
  ASSERT_EQ(post(kProject + "/apply").status, 202);
  EXPECT_EQ(get(kProject).body["busy"].boolean(), true);
  EXPECT_EQ(post(kProject + "/apply").body["code"].text(), "busy");
  held = nullptr;  // cancelled before it began
  EXPECT_EQ(get(kProject).body["busy"].boolean(), false);
  holds = false;
  EXPECT_EQ(post(kProject + "/apply").status, 202);
}

TEST_F(ProjectRoutesTest, ValuesAreForThoseWhoMayRevealThem) {
  create();
  const auto hidden = get(kProject + "/environment", "see").body["items"];
  ASSERT_EQ(hidden.size(), 2u);
  for (const Json& item : hidden.items()) EXPECT_TRUE(item["value"].is_null());
  EXPECT_EQ(hidden.items().front()["origin"].text(), "compose.yaml:5:7") << hidden.dump();
  EXPECT_EQ(get(kProject + "/environment?reveal=1", "see").status, 403);
  const auto shown = get(kProject + "/environment?reveal=1", "dev");
  EXPECT_TRUE(shown.text.contains("s3cret-value")) << shown.text;
  EXPECT_EQ(get(kProject + "/config", "see").status, 403);
  EXPECT_TRUE(get(kProject + "/config?format=yaml", "dev").text.contains("DB_PASSWORD"));
  EXPECT_EQ(get(kProject + "/files/compose.yaml", "see").status, 403);
  EXPECT_EQ(get(kProject + "/volumes", "see").body["items"].items().front()["name"].text(), "shop_data");
}

TEST_F(ProjectRoutesTest, EveryRouteIsClosedToStrangers) {
  create();
  for (const Route& route : world.dispatch->routes()) {
    if (route.where != Where::project) continue;
    std::string path(route.path);
    path.replace(path.find("{project}"), 9, "shop");
    if (const auto rest = path.find("{path*}"); rest != std::string::npos) path.replace(rest, 7, "compose.yaml");
    const auto got = world.send(std::string(route.method), path, {}, "no");
    EXPECT_EQ(got.status, 404) << route.method << ' ' << path << ' ' << got.text;
    if (route.method != "GET") {
      const auto viewer = world.send(std::string(route.method), path, {}, "see");
      EXPECT_EQ(viewer.status, 403) << route.method << ' ' << path << ' ' << viewer.text;
    }
  }
  EXPECT_EQ(get("/api/v1/projects", "no").body["items"].size(), 0u);
  EXPECT_EQ(get("/api/v1/projects", "see").body["items"].size(), 1u);
  EXPECT_EQ(post("/api/v1/projects", Json::object({{"name", "blog"}, {"files", Json::object()}}), "dev").status, 403);
}

TEST_F(ProjectRoutesTest, WhenTheEngineIsAwayTheLastStateIsShownAsStale) {
  create();
  bring_up();
  EXPECT_TRUE(get("/api/v1/projects").body["stale"].is_null());
  engine.refuse_connections(true);
  const auto listed = get("/api/v1/projects");
  EXPECT_EQ(listed.status, 200);
  EXPECT_EQ(listed.body["stale"]["since"].integer(), 1'767'225'600'000);
  EXPECT_EQ(listed.body["items"].items().front()["state"].text(), "running");
  EXPECT_EQ(post(kProject + "/plan").status, 503);
  engine.refuse_connections(false);
  EXPECT_TRUE(get("/api/v1/projects").body["stale"].is_null());
}

TEST_F(ProjectRoutesTest, AFailedChangeSaysWhy) {
  create("services: {web: {image: \"absent:1\"}}\n");
  ASSERT_EQ(post(kProject + "/apply").status, 202);
  EXPECT_TRUE(outcome.contains("absent:1")) << outcome;
  EXPECT_TRUE(log.contains("error ")) << log;
  EXPECT_EQ(get(kProject).body["busy"].boolean(), false);
}

TEST_F(ProjectRoutesTest, DataAtRiskNeedsAPlanThatWasRead) {
  create();
  bring_up();
  put("compose.yaml", "services: {web: {image: \"web:1\", volumes: [\"fresh:/data\"]}}\nvolumes: {fresh: {}}\n", "*");
  const auto refused = post(kProject + "/apply");
  EXPECT_EQ(refused.status, 409) << refused.text;
  const auto plan = post(kProject + "/plan").body;
  EXPECT_EQ(plan["dataAtRisk"].size(), 1u) << plan.dump(1);
  EXPECT_EQ(post(kProject + "/apply", Json::object({{"plan", plan["plan"]}})).status, 202);
  EXPECT_EQ(outcome, "");
}

TEST_F(ProjectRoutesTest, FilesAreByteExactAndConditional) {
  create();
  const std::string odd = "# caf\xc3\xa9\r\nA=1\t\n";
  const auto made = put(".env", odd, "");
  EXPECT_EQ(made.status, 201) << made.text;
  EXPECT_EQ(put(".env", odd, "").status, 409) << "a new file must be new";
  const auto got = get(kProject + "/files/.env");
  EXPECT_EQ(got.text, odd);
  EXPECT_EQ(got.header("ETag"), made.header("ETag"));
  auto again = DeskWorld::request("GET", kProject + "/files/.env", "op");
  again.headers.emplace_back("If-None-Match", std::string(got.header("ETag")));
  EXPECT_EQ(world.ask(std::move(again)).status, 304);
  for (const char* path : {"..%2f..%2fetc%2fpasswd", "..%2fx", "a%00b"})
    EXPECT_GE(put(path, "x", "*").status, 400) << path;
  EXPECT_EQ(get(kProject + "/files/nothing").status, 404);
  EXPECT_EQ(world.kept.back().verb, "project.file.write");
}

}  // namespace
}  // namespace berth::api
