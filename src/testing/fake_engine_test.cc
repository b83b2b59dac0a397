// What the recorded talks (fake_talk_test.cc) cannot show: time, scripts, streams, faults, versions, the record of
// calls.
#include "testing/fake_engine.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "testing/fake_feed.h"
#include "testing/fake_route.h"
#include "testing/simulation.h"

namespace berth::testing {
namespace {

using namespace std::chrono_literals;

class FakeEngineTest : public ::testing::Test {
 protected:
  explicit FakeEngineTest(FakeEngineOptions options = {}) : engine_(*loop_, std::move(options)) {
    engine_.add_image("app:1", {.config = *parse_json(R"({"Cmd":["serve"],"ExposedPorts":{"80/tcp":{}}})")});
  }
  FakeReply call(std::string method, std::string target, std::string body = {}) {
    return engine_.handle({.method = std::move(method), .target = std::move(target), .body = std::move(body)});
  }
  FakeReply get(std::string target) { return call("GET", std::move(target)); }
  FakeReply post(std::string target, std::string body = {}) { return call("POST", std::move(target), std::move(body)); }
  FakeReply create(const std::string& name, const std::string& more = "") {
    return post("/containers/create?name=" + name, R"({"Image":"app:1")" + more + "}");
  }
  FakeReply start(const std::string& name) { return post("/containers/" + name + "/start"); }
  void run(const std::string& name, const std::string& more = "") {
    ASSERT_EQ(create(name, more).status, 201) << create(name, more).body;
    const FakeReply reply = start(name);
    ASSERT_EQ(reply.status, 204) << reply.body;
  }
  Json inspect(const std::string& name) { return get("/containers/" + name + "/json").json(); }
  std::string status(const std::string& name) { return std::string(inspect(name).at("State.Status").text()); }
  std::string health(const std::string& name) { return std::string(inspect(name).at("State.Health.Status").text()); }
  std::string message(const FakeReply& reply) { return std::string(reply.json()["message"].text()); }
  /// "start die" of the container events in a stream of JSON lines.
  static std::string actions(const std::string& lines, std::string_view type = "container") {
    std::vector<std::string> found;
    for (const std::string_view line : split(lines, '\n'))
      if (const Json event = parse_json(line).value_or(Json()); event["Type"].text() == type)
        if (!event["Action"].text().starts_with("exec_")) found.emplace_back(event["Action"].text());
    return join(found, ",");
  }

  std::unique_ptr<io::Loop> loop_ = simulated_loop();
  FakeEngine engine_;
};

constexpr std::string_view kChecked = R"(,"Healthcheck":{"Test":["CMD","true"],"Interval":5000000000})";

TEST_F(FakeEngineTest, TellsItsVersion) {
  const FakeReply reply = get("/_ping");
  EXPECT_EQ(reply.body, "OK");
  EXPECT_EQ(FakeArgs({.request = {.headers = reply.headers}}).header("api-version"), "1.41");
}

TEST_F(FakeEngineTest, ExitsByItselfAfterItsTime) {
  engine_.behave("job", {.exits_after = 3s, .exit_code = 7});
  run("job");
  engine_.advance(2999ms);
  EXPECT_EQ(status("job"), "running");
  engine_.advance(1ms);
  EXPECT_EQ(status("job"), "exited");
  EXPECT_EQ(inspect("job").at("State.ExitCode"), Json(7));
}

TEST_F(FakeEngineTest, WaitAnswersAtTheExit) {
  engine_.behave("job", {.exits_after = 3s, .exit_code = 7});
  run("job");
  const FakeReply reply = post("/containers/job/wait");
  EXPECT_EQ(reply.body + reply.feed->take(), "");
  engine_.advance(3s);
  EXPECT_EQ(parse_json(reply.feed->take()).value_or(Json())["StatusCode"], Json(7));
  EXPECT_TRUE(reply.feed->ended());
}

TEST_F(FakeEngineTest, WaitForTheRemovalOutlastsTheExit) {
  run("job");
  const FakeReply reply = post("/containers/job/wait?condition=removed");
  engine_.exit("job", 2);
  EXPECT_FALSE(reply.feed->ended());
  EXPECT_EQ(call("DELETE", "/containers/job").status, 204);
  EXPECT_TRUE(reply.feed->ended());
}

TEST_F(FakeEngineTest, ANextExitIsNotTheLastOne) {
  run("job");
  engine_.exit("job", 1);
  const FakeReply reply = post("/containers/job/wait?condition=next-exit");
  EXPECT_FALSE(reply.feed->ended());
  start("job");
  engine_.exit("job", 4);
  EXPECT_EQ(parse_json(reply.feed->take()).value_or(Json())["StatusCode"], Json(4));
}

TEST_F(FakeEngineTest, StopTakesTheGraceOfWhoIgnoresIt) {
  engine_.behave("stubborn", {.ignores_stop = true});
  run("stubborn", R"(,"StopTimeout":4)");
  EXPECT_EQ(post("/containers/stubborn/stop").wait, 4s);
  engine_.advance(3s);
  EXPECT_EQ(status("stubborn"), "running");
  engine_.advance(1s);
  EXPECT_EQ(inspect("stubborn").at("State.ExitCode"), Json(137));
  run("other", "");
  EXPECT_EQ(post("/containers/other/stop").wait, 0s);
  EXPECT_EQ(status("other"), "exited");
}

TEST_F(FakeEngineTest, TheGraceOfTheCallIsStrongerThanTheContainers) {
  engine_.behave("*", {.ignores_stop = true});
  run("stubborn", R"(,"StopTimeout":4)");
  EXPECT_EQ(post("/containers/stubborn/stop?t=1").wait, 1s);
}

TEST_F(FakeEngineTest, RestartWaitsForTheEndAndStartsAgain) {
  engine_.behave("stubborn", {.ignores_stop = true});
  run("stubborn");
  EXPECT_EQ(post("/containers/stubborn/restart?t=2").wait, 2s);
  engine_.advance(2s);
  EXPECT_EQ(status("stubborn"), "running");
  EXPECT_EQ(inspect("stubborn")["RestartCount"], Json(0));
}

TEST_F(FakeEngineTest, HealthFollowsItsScript) {
  engine_.behave("web", {.health = {{2s, "healthy"}, {6s, "unhealthy"}}});
  run("web", std::string(kChecked));
  EXPECT_EQ(health("web"), "starting");
  engine_.advance(2s);
  EXPECT_EQ(health("web"), "healthy");
  engine_.advance(4s);
  EXPECT_EQ(health("web"), "unhealthy");
  EXPECT_EQ(inspect("web").at("State.Health.FailingStreak"), Json(1));
  EXPECT_NE(get("/containers/json").json().items()[0]["Status"].text().find("(unhealthy)"), std::string::npos);
}

TEST_F(FakeEngineTest, HealthComesAfterTheIntervalWithoutAScript) {
  run("web", std::string(kChecked));
  engine_.advance(4999ms);
  EXPECT_EQ(health("web"), "starting");
  engine_.advance(1ms);
  EXPECT_EQ(health("web"), "healthy");
  run("plain");
  EXPECT_TRUE(inspect("plain").at("State.Health").is_null());
}

TEST_F(FakeEngineTest, AStoppedContainerGetsNoHealthOfItsLastRun) {
  engine_.behave("web", {.health = {{2s, "healthy"}}});
  run("web", std::string(kChecked));
  post("/containers/web/stop");
  engine_.advance(1s);
  start("web");
  engine_.advance(1s);
  EXPECT_EQ(health("web"), "starting");
  engine_.advance(1s);
  EXPECT_EQ(health("web"), "healthy");
}

TEST_F(FakeEngineTest, RestartPolicyStartsItAgainWithBackoff) {
  engine_.behave("crash", {.exits_after = 1s, .exit_code = 1});
  run("crash", R"(,"HostConfig":{"RestartPolicy":{"Name":"on-failure","MaximumRetryCount":2}})");
  engine_.advance(1s);
  EXPECT_EQ(status("crash"), "restarting");
  engine_.advance(100ms);
  EXPECT_EQ(status("crash"), "running");
  engine_.advance(1min);
  EXPECT_EQ(status("crash"), "exited");
  EXPECT_EQ(inspect("crash")["RestartCount"], Json(2));
}

TEST_F(FakeEngineTest, AStopByHandIsNotUndoneByThePolicy) {
  run("web", R"(,"HostConfig":{"RestartPolicy":{"Name":"always"}})");
  engine_.exit("web", 0);
  EXPECT_EQ(status("web"), "restarting");
  engine_.advance(1s);
  post("/containers/web/kill");
  engine_.advance(1min);
  EXPECT_EQ(status("web"), "exited");
}

TEST_F(FakeEngineTest, AutoRemoveTakesTheAnonymousVolumesAlong) {
  run("job", R"(,"Volumes":{"/scratch":{}},"HostConfig":{"AutoRemove":true,"Binds":["kept:/kept"]})");
  EXPECT_EQ(get("/volumes").json()["Volumes"].size(), 2u);
  engine_.exit("job", 0);
  engine_.advance(0s);
  EXPECT_EQ(get("/containers/job/json").status, 404);
  EXPECT_EQ(get("/volumes").json()["Volumes"].items()[0]["Name"], Json("kept"));
}

TEST_F(FakeEngineTest, AStartErrorLeavesTheReasonInTheState) {
  engine_.behave("broken", {.start_error = "exec: \"x\": executable file not found in $PATH"});
  create("broken");
  EXPECT_EQ(start("broken").status, 400);
  EXPECT_EQ(inspect("broken").at("State.ExitCode"), Json(127));
  EXPECT_EQ(status("broken"), "created");
}

TEST_F(FakeEngineTest, GivesEachContainerAnAddressOfItsOwn) {
  run("aa");
  run("bb");
  EXPECT_EQ(inspect("aa").at("NetworkSettings.IPAddress"), Json("172.17.0.2"));
  EXPECT_EQ(inspect("bb").at("NetworkSettings.IPAddress"), Json("172.17.0.3"));
  post("/containers/aa/stop");
  run("cc");
  EXPECT_EQ(inspect("cc").at("NetworkSettings.IPAddress"), Json("172.17.0.2"));
}

TEST_F(FakeEngineTest, AContainersNetworkIsAnothersOnlyWhileThatRuns) {
  create("aa");
  create("bb", R"(,"HostConfig":{"NetworkMode":"container:aa"})");
  const FakeReply refused = start("bb");
  EXPECT_EQ(refused.status, 409);
  EXPECT_EQ(message(refused),
            "cannot join network of a non running container: " + std::string(inspect("aa")["Id"].text()));
  start("aa");
  EXPECT_EQ(start("bb").status, 204);
}

class TakenPortTest : public FakeEngineTest {
 protected:
  TakenPortTest() : FakeEngineTest({.taken_ports = {8080}}) {}
};

TEST_F(TakenPortTest, APortOfAForeignProcessFailsTheStart) {
  create("web", R"(,"HostConfig":{"PortBindings":{"80/tcp":[{"HostPort":"8080"}]}})");
  const FakeReply reply = start("web");
  EXPECT_EQ(reply.status, 500);
  EXPECT_TRUE(message(reply).starts_with("driver failed programming external connectivity on endpoint web ("));
  EXPECT_TRUE(message(reply).ends_with(
      "Error starting userland proxy: listen tcp4 0.0.0.0:8080: bind: address already in use"));
  EXPECT_EQ(inspect("web").at("NetworkSettings.IPAddress"), Json(""));
}

TEST_F(TakenPortTest, ARangeFindsTheNextFreePort) {
  run("web", R"(,"HostConfig":{"PortBindings":{"80/tcp":[{"HostPort":"8080-8082"}]}})");
  EXPECT_EQ(inspect("web").at("NetworkSettings.Ports")["80/tcp"].items()[0]["HostPort"], Json("8081"));
}

TEST_F(FakeEngineTest, APortIsFreeOnceItsContainerStopped) {
  const std::string ports = R"(,"HostConfig":{"PortBindings":{"80/tcp":[{"HostPort":"8080"}]}})";
  run("aa", ports);
  create("bb", ports);
  EXPECT_EQ(start("bb").status, 500);
  post("/containers/aa/stop");
  EXPECT_EQ(start("bb").status, 204);
}

TEST_F(FakeEngineTest, LogsFollowUntilTheExit) {
  engine_.behave("web", {.output = {{.text = "one\ntwo\n"}, {.text = "late\n", .err = true, .after = 5s}}});
  run("web");
  const FakeReply reply = get("/containers/web/logs?stdout=1&stderr=1&follow=1&tail=1");
  EXPECT_EQ(reply.body, frame(false, "two\n"));
  engine_.advance(5s);
  EXPECT_EQ(reply.feed->take(), frame(true, "late\n"));
  engine_.log("web", "more\n");
  engine_.exit("web", 0);
  EXPECT_EQ(reply.feed->take(), frame(false, "more\n"));
  EXPECT_TRUE(reply.feed->ended());
}

TEST_F(FakeEngineTest, LogsOfATerminalAreRaw) {
  engine_.behave("web", {.output = {{.text = "one\n"}, {.text = "two\n", .err = true}}});
  run("web", R"(,"Tty":true)");
  EXPECT_EQ(get("/containers/web/logs?stdout=1").body, "one\ntwo\n");
}

TEST_F(FakeEngineTest, LogsSinceLeaveTheOlderOut) {
  run("web");
  engine_.log("web", "old\n");
  engine_.advance(10s);
  engine_.log("web", "new\n");
  EXPECT_EQ(get("/containers/web/logs?stdout=1&since=1767225605").body, frame(false, "new\n"));
  EXPECT_EQ(get("/containers/web/logs?stdout=1&since=5s").body, frame(false, "new\n"));
  EXPECT_EQ(get("/containers/web/logs?stdout=1&until=1767225605").body, frame(false, "old\n"));
}

TEST_F(FakeEngineTest, AnAttachedClientSeesWhatComesAfterTheStart) {
  engine_.behave("web", {.exits_after = 1s, .output = {{.text = "hello\n"}}});
  create("web");
  const FakeReply reply = post("/containers/web/attach?stream=1&stdout=1");
  EXPECT_TRUE(reply.hijacked);
  start("web");
  EXPECT_EQ(reply.feed->take(), frame(false, "hello\n"));
  engine_.advance(1s);
  EXPECT_TRUE(reply.feed->ended());
}

TEST_F(FakeEngineTest, AnEchoingProcessEndsWithItsInput) {
  engine_.behave("cat", {.exit_code = 5, .echoes = true});
  create("cat", R"(,"Tty":true,"OpenStdin":true)");
  const FakeReply reply = post("/containers/cat/attach?stream=1&stdout=1&stdin=1");
  start("cat");
  reply.feed->input("ping");
  EXPECT_EQ(reply.feed->take(), "ping");
  reply.feed->input("");
  EXPECT_EQ(inspect("cat").at("State.ExitCode"), Json(5));
}

TEST_F(FakeEngineTest, ExecsRunTheirScripts) {
  engine_.on_exec({.container = "web", .command = "migrate *", .out = "done\n", .exit_code = 3, .takes = 2s});
  run("web");
  const std::string id(post("/containers/web/exec", R"({"Cmd":["migrate","--all"]})").json()["Id"].text());
  const FakeReply reply = post("/exec/" + id + "/start", "{}");
  EXPECT_EQ(reply.feed->take(), frame(false, "done\n"));
  EXPECT_EQ(get("/exec/" + id + "/json").json()["Running"], Json(true));
  engine_.advance(2s);
  EXPECT_TRUE(reply.feed->ended());
  EXPECT_EQ(get("/exec/" + id + "/json").json()["ExitCode"], Json(3));
}

TEST_F(FakeEngineTest, KeepsFilesThatArePutIn) {
  create("web");
  const std::string tar = write_tar({{.name = "run/secrets/key", .content = "secret"}});
  EXPECT_EQ(call("PUT", "/containers/web/archive?path=/", tar).status, 200);
  EXPECT_EQ(engine_.file("web", "/run/secrets/key"), "secret");
  EXPECT_EQ(engine_.file("web", "/nope"), std::nullopt);
  EXPECT_EQ(engine_.calls().back().entries, std::vector<std::string>{"run/secrets/key"});
  const auto back = read_tar(get("/containers/web/archive?path=/run/secrets/key").body);
  ASSERT_TRUE(back && back->size() == 1);
  EXPECT_EQ(back->front().content, "secret");
}

TEST_F(FakeEngineTest, PullsTakeTheirTime) {
  engine_.add_remote("team/app:2", {.layer_time = 2s});
  const FakeReply reply = post("/images/create?fromImage=team/app&tag=2");
  EXPECT_EQ(reply.status, 200);
  engine_.advance(3s);
  EXPECT_NE(reply.feed->take().find("Downloading"), std::string::npos);
  EXPECT_EQ(get("/images/team/app:2/json").status, 404);
  engine_.advance(1s);
  EXPECT_NE(reply.feed->take().find("Downloaded newer image for team/app:2"), std::string::npos);
  EXPECT_TRUE(reply.feed->ended());
  EXPECT_EQ(get("/images/team/app:2/json").status, 200);
  EXPECT_NE(post("/images/create?fromImage=team/app&tag=2").body.find("up to date"), std::string::npos);
}

TEST_F(FakeEngineTest, AnErrorWithinAPullLeavesNoImage) {
  engine_.add_remote("app:2", {.error = "toomanyrequests: slow down"});
  const FakeReply reply = post("/images/create?fromImage=app&tag=2");
  EXPECT_EQ(reply.status, 200);
  EXPECT_TRUE(reply.body.ends_with("\"error\":\"toomanyrequests: slow down\"}\r\n")) << reply.body;
  EXPECT_EQ(get("/images/app:2/json").status, 404);
}

TEST_F(FakeEngineTest, APullNeedsTheRightCredentials) {
  engine_.add_remote("private:1", {.auth = "secret"});
  const FakeReply denied = post("/images/create?fromImage=private&tag=1");
  EXPECT_EQ(denied.status, 404);
  EXPECT_TRUE(message(denied).starts_with("pull access denied for private, repository does not exist or may require"));
  EXPECT_EQ(engine_
                .handle({.method = "POST",
                         .target = "/images/create?fromImage=private&tag=1",
                         .headers = {{"X-Registry-Auth", "secret"}}})
                .status,
            200);
}

TEST_F(FakeEngineTest, AnUnchangedContextBuildsTheSameImage) {
  const auto build = [&](std::string content) {
    const std::string tar = write_tar(
        {{.name = "Dockerfile", .content = "FROM app:1\nCOPY a /\n"}, {.name = "a", .content = std::move(content)}});
    EXPECT_EQ(post("/build?t=made", tar).status, 200);
    return std::string(get("/images/made/json").json()["Id"].text());
  };
  const std::string first = build("1");
  EXPECT_EQ(build("1"), first);
  EXPECT_NE(build("2"), first);
}

TEST_F(FakeEngineTest, AScriptedBuildFailsInItsStream) {
  engine_.on_build({.tag = "made:*", .output = {"compiling"}, .error = "exit status 2", .error_code = 2});
  const FakeReply reply = post("/build?t=made", write_tar({{.name = "Dockerfile", .content = "FROM app:1\n"}}));
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body,
            "{\"stream\":\"compiling\\n\"}\r\n"
            "{\"errorDetail\":{\"code\":2,\"message\":\"exit status 2\"},\"error\":\"exit status 2\"}\r\n");
  EXPECT_EQ(get("/images/made/json").status, 404);
}

TEST_F(FakeEngineTest, EventsComeAsTheyHappen) {
  const FakeReply reply = get(R"(/events?filters={"type":["container"],"event":["start","die","health_status"]})");
  engine_.behave("web", {.exits_after = 3s, .health = {{1s, "healthy"}}});
  run("web", std::string(kChecked));
  engine_.advance(3s);
  EXPECT_EQ(actions(reply.feed->take()), "start,health_status: healthy,die");
}

TEST_F(FakeEngineTest, EventsAreKeptForLaterAndEndInTime) {
  run("web");
  engine_.advance(10s);
  post("/containers/web/stop");
  const FakeReply late = get("/events?since=1767225605&until=1767225620");
  EXPECT_EQ(actions(late.body), "kill,die,stop");
  EXPECT_FALSE(late.feed->ended());
  engine_.advance(10s);
  EXPECT_TRUE(late.feed->ended());
}

TEST_F(FakeEngineTest, OnlyTheLast256EventsAreKept) {
  run("web");
  for (int i = 0; i < 300; ++i) post("/containers/web/" + std::string(i % 2 ? "unpause" : "pause"));
  engine_.advance(1s);
  const FakeReply reply = get("/events?since=1767225600&until=1767225601");
  EXPECT_EQ(split(reply.body, '\n').size(), 257u);
}

TEST_F(FakeEngineTest, AFaultHitsTheNthMatchingCall) {
  engine_.inject({.method = "POST", .path = "/containers/*/start", .skip = 1, .status = 503, .message = "no"});
  create("aa");
  create("bb");
  EXPECT_EQ(start("aa").status, 204);
  const FakeReply hit = start("bb");
  EXPECT_EQ(hit.status, 503);
  EXPECT_EQ(message(hit), "no");
  EXPECT_EQ(status("bb"), "created");
  EXPECT_EQ(start("bb").status, 204);
}

TEST_F(FakeEngineTest, AFaultCanLastAndCanOnlyDelay) {
  engine_.inject({.path = "/info", .times = -1, .status = 500});
  engine_.inject({.path = "/version", .delay = 7s});
  EXPECT_EQ(get("/info").status, 500);
  EXPECT_EQ(get("/v1.30/info").status, 500);
  const FakeReply slow = get("/version");
  EXPECT_EQ(slow.status, 200);
  EXPECT_EQ(slow.wait, 7s);
  EXPECT_EQ(get("/version").wait, 0s);
}

TEST_F(FakeEngineTest, RecordsEveryCall) {
  create("web");
  engine_.handle({.method = "POST", .target = "/v1.40/containers/web/stop?t=3"});
  get("/info");
  ASSERT_EQ(engine_.calls().size(), 3u);
  EXPECT_EQ(engine_.calls()[0].body["Image"], Json("app:1"));
  EXPECT_EQ(engine_.calls()[1].version, "1.40");
  EXPECT_EQ(engine_.calls()[1].status, 304);
  EXPECT_EQ(join(engine_.changes(), "; "), "POST /containers/create?name=web; POST /containers/web/stop?t=3");
  EXPECT_EQ(engine_.count("POST", "/containers/*"), 2u);
  engine_.forget_calls();
  EXPECT_EQ(engine_.count("*", "*"), 0u);
}

TEST_F(FakeEngineTest, FindsContainersByPrefixUnlessAmbiguous) {
  std::string id(create("web").json()["Id"].text());
  EXPECT_EQ(inspect(id.substr(0, 12))["Name"], Json("/web"));
  for (int i = 0; i < 40; ++i) create("other" + std::to_string(i));
  EXPECT_EQ(get("/containers/" + id.substr(0, 0) + "x/json").status, 404);
  int found = 0;
  for (const char digit : std::string_view("0123456789abcdef"))
    found += get("/containers/" + std::string(1, digit) + "/json").status == 200;
  EXPECT_LT(found, 16);
}

TEST_F(FakeEngineTest, ListsNewestFirstWithFilters) {
  run("aa", R"(,"Labels":{"project":"shop"})");
  run("bb", R"(,"Labels":{"project":"shop"})");
  create("cc");
  const auto names = [&](const std::string& query) {
    std::vector<std::string> found;
    for (const Json& item : get("/containers/json?" + query).json().items())
      found.emplace_back(item["Names"].items()[0].text());
    return join(found, " ");
  };
  EXPECT_EQ(names("all=1"), "/cc /bb /aa");
  EXPECT_EQ(names(""), "/bb /aa");
  EXPECT_EQ(names(R"(filters={"label":["project=shop"],"name":["^/?aa$"]})"), "");
  EXPECT_EQ(names(R"(filters={"label":["project=shop"],"name":["^aa$"]})"), "/aa");
  EXPECT_EQ(names(R"(filters={"label":{"project":true},"network":{"bridge":true}})"), "/bb /aa");
  EXPECT_EQ(names(R"(filters={"status":["created"]})"), "/cc");
}

TEST_F(FakeEngineTest, ARestartOfTheDaemonForgetsItsEvents) {
  run("kept", R"(,"HostConfig":{"RestartPolicy":{"Name":"unless-stopped"}})");
  run("lost");
  engine_.restart();
  EXPECT_EQ(status("kept"), "running");
  EXPECT_EQ(status("lost"), "exited");
  engine_.advance(1s);
  EXPECT_EQ(actions(get("/events?since=1767225600&until=1767225601").body), "start");
}

class NewEngineTest : public FakeEngineTest {
 protected:
  NewEngineTest() : FakeEngineTest({.api = "1.47", .oldest_api = "1.24"}) {
    post("/networks/create", R"({"Name":"a"})");
    post("/networks/create", R"({"Name":"b"})");
  }
  std::string two_ = R"(,"HostConfig":{"NetworkMode":"a"},"NetworkingConfig":{"EndpointsConfig":{"a":{},"b":{}}})";
};

TEST_F(NewEngineTest, TakesSeveralNetworksAtCreate) {
  run("web", two_);
  EXPECT_EQ(inspect("web").at("NetworkSettings.Networks").size(), 2u);
}

TEST_F(NewEngineTest, DoesNotTakeThemFromAnOldClient) {
  const FakeReply reply = post("/v1.43/containers/create?name=web", R"({"Image":"app:1")" + two_ + "}");
  EXPECT_EQ(message(reply), "Container cannot be connected to network endpoints: a, b");
}

TEST_F(NewEngineTest, HasNoShortIdAmongTheAliases) {
  run("web", two_);
  const Json endpoint = inspect("web").at("NetworkSettings.Networks.a");
  EXPECT_TRUE(endpoint["Aliases"].is_null());
  EXPECT_EQ(endpoint["DNSNames"].items()[0], Json("web"));
  EXPECT_FALSE(inspect("web")["HostConfig"].contains("KernelMemory"));
}

// What a version shows no more, and the one before it still does.
TEST_F(NewEngineTest, ShowsWhatTheVersionAskedForHas) {
  FakeEngine newest(*loop_, {.api = "1.53"});
  newest.add_image("app:1",
                   {.config = Json::object({{"Env", Json::array({"A=1"})}, {"Entrypoint", Json::array({"app"})}})});
  const auto create =
      newest.handle({.method = "POST", .target = "/v1.44/containers/create?name=web", .body = R"({"Image":"app:1"})"});
  ASSERT_EQ(create.status, 201) << create.body;
  newest.advance(1s);
  const auto has = [&](const std::string& minor, std::string_view path, std::string_view member) {
    Json reply = newest.handle({.target = "/v1." + minor + std::string(path)}).json();
    if (reply.is_array()) reply = reply.items()[0];
    const Cut parts = cut(member, '.');
    return parts.after.empty() ? reply.contains(member) : reply[parts.before].contains(parts.after);
  };
  EXPECT_FALSE(has("44", "/images/json", "VirtualSize"));
  EXPECT_TRUE(has("44", "/images/app:1/json", "ContainerConfig"));
  EXPECT_FALSE(has("45", "/images/app:1/json", "ContainerConfig"));
  EXPECT_TRUE(has("49", "/images/app:1/json", "Config.Hostname"));
  EXPECT_FALSE(has("50", "/images/app:1/json", "Config.Hostname"));
  EXPECT_TRUE(has("51", "/images/app:1/json", "Config.Cmd"));
  EXPECT_FALSE(has("52", "/images/app:1/json", "Config.Cmd"));
  EXPECT_TRUE(has("52", "/images/app:1/json", "Config.Env"));
  EXPECT_TRUE(has("51", "/containers/web/json", "NetworkSettings.IPAddress"));
  EXPECT_FALSE(has("52", "/containers/web/json", "NetworkSettings.IPAddress"));
  EXPECT_TRUE(has("52", "/containers/web/json", "NetworkSettings.Networks"));
  EXPECT_FALSE(has("52", "/containers/web/json", "GraphDriver"));
  EXPECT_TRUE(has("52", "/system/df", "Volumes"));
  EXPECT_FALSE(has("53", "/system/df", "Volumes"));
  EXPECT_NE(newest.handle({.target = "/v1.51/events?since=1&until=1767225601"}).body.find("\"status\""),
            std::string::npos);
  const std::string events = newest.handle({.target = "/v1.52/events?since=1&until=1767225601"}).body;
  EXPECT_EQ(events.find("\"status\""), std::string::npos);
  EXPECT_NE(events.find("\"Action\":\"create\""), std::string::npos) << events;
}

TEST_F(NewEngineTest, RefusesASecondNetworkOfTheSameName) {
  EXPECT_EQ(post("/networks/create", R"({"Name":"a"})").status, 409);
}

TEST_F(NewEngineTest, RefusesVersionsOutOfItsRange) {
  EXPECT_EQ(get("/v1.47/info").status, 200);
  EXPECT_EQ(message(get("/v1.48/info")), "client version 1.48 is too new. Maximum supported API version is 1.47");
  EXPECT_EQ(get("/v1.23/info").status, 400);
  EXPECT_EQ(message(get("/v1.23/info")),
            "client version 1.23 is too old. Minimum supported API version is 1.24, please upgrade your client to a "
            "newer version");
}

}  // namespace
}  // namespace berth::testing
