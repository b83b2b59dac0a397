// Whole conversations with an engine, each run with fake ones of several API versions in virtual time, and with a real
// one where BERTH_TEST_SOCKET names its socket (tests/engine_client_test.py does; it must be an engine of the tests'
// own). So the fake one is held to what engines do.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>

#include "engine/build.h"
#include "engine/container.h"
#include "engine/event.h"
#include "engine/exec.h"
#include "engine/image.h"
#include "engine/network.h"
#include "engine/system.h"
#include "engine/tar.h"
#include "io/file.h"
#include "io/scope.h"
#include "testing/fake_engine.h"
#include "testing/simulation.h"

namespace berth::engine {
namespace {

using io::Task;
using Flow = Task<Result<void>> (*)(Client&);
constexpr const char* kImage = "berth.local/debian:12";
constexpr const char* kLabel = "berth.test=flow";
constexpr Result<void> kDone{};

// --- running a flow ---------------------------------------------------------------------------------------------

void teach(berth::testing::FakeEngine& fake) {
  using berth::testing::FakeProcess;
  fake.add_image(kImage, {.config = Json::object({{"Cmd", Json::array({"bash"})}})});
  fake.behave("flow-talker", FakeProcess{.exits_after = std::chrono::seconds(0),
                                         .exit_code = 3,
                                         .output = {{.text = "to out\n"}, {.text = "to err\n", .err = true}}});
  fake.behave("flow-cat", FakeProcess{.echoes = true});
  fake.behave("flow-tty", FakeProcess{.exits_after = std::chrono::seconds(0), .output = {{.text = "on a tty\r\n"}}});
  fake.on_exec({.command = "sh -c cat; echo end >&2; exit 5", .err = "end\n", .exit_code = 5, .echoes = true});
  fake.on_build({.tag = "flow-broken*", .output = {"Step 2/2 : RUN false"}, .error = "returned a non-zero code: 1"});
}

Task<Result<void>> converse(Address address, std::unique_ptr<io::Dialer> dialer, Flow flow) {
  auto client = CO_TRY(co_await Client::connect(std::move(address), std::move(dialer)));
  co_return co_await flow(*client);
}
Task<Result<void>> converse_with(berth::testing::FakeEngine& fake, Flow flow) {
  auto outcome = co_await converse(Address{.path = "/fake"}, fake.dialer(), flow);
  co_await fake.close();
  co_return outcome;
}

// "1.52", or "1.52 pinned": as a broker in front of it answers.
Result<void> run_fake(const std::string& api, Flow flow) {
  const auto loop = berth::testing::simulated_loop();
  berth::testing::FakeEngine fake(*loop, {.api = api.substr(0, 4), .pinned = api.ends_with("pinned")});
  teach(fake);
  return loop->run(io::within(std::chrono::minutes(5), converse_with(fake, flow)));
}
Result<void> run_real(const std::string& socket, Flow flow) {
  io::Loop loop;
  return loop.run(io::within(std::chrono::minutes(2), converse(Address{.path = socket}, nullptr, flow)));
}

// "real", or the API version of a fake engine.
class EngineFlow : public ::testing::TestWithParam<std::string> {
 protected:
  void run(Flow flow) {
    const char* socket = ::getenv("BERTH_TEST_SOCKET");
    if (GetParam() == "real" && socket == nullptr) GTEST_SKIP() << "BERTH_TEST_SOCKET names no engine";
    const auto outcome = GetParam() == "real" ? run_real(socket, flow) : run_fake(GetParam(), flow);
    EXPECT_TRUE(outcome) << outcome.error().text();
  }
};
INSTANTIATE_TEST_SUITE_P(Client, EngineFlow,
                         ::testing::Values("1.41", "1.44", "1.45", "1.47", "1.50", "1.52", "1.52 pinned", "real"),
                         [](const auto& info) {
                           std::string name = info.param == "real" ? "real" : "fake_" + info.param.substr(2);
                           std::ranges::replace(name, ' ', '_');
                           return name;
                         });

// --- vocabulary -------------------------------------------------------------------------------------------------

Json body_of(std::vector<std::string> command) {
  Json words = Json::array();
  for (std::string& word : command) words.push(std::move(word));
  return Json::object({{"Image", kImage},
                       {"Cmd", words},
                       {"StopSignal", "SIGKILL"},
                       {"Labels", Json::object({{"berth.test", "flow"}})}});
}
// Removes what an earlier run left, so that a failed one does not fail the next.
Task<Result<std::string>> fresh_container(Client& client, std::string name, Json body) {
  const auto removed = co_await remove_container(client, name, {.force = true, .volumes = true});
  if (!removed && removed.error().code != Code::not_found) co_return fail(removed.error());
  co_return CO_TRY(co_await create_container(client, {.name = name, .body = std::move(body)})).id;
}
Task<Result<void>> destroy(Client& client, std::string id) {
  co_return co_await remove_container(client, id, {.force = true, .volumes = true});
}

struct Printed {
  std::string out, err;
};
template <class Output>
Task<Result<Printed>> read_all(Output& output) {
  Printed printed;
  while (true) {
    const auto piece = CO_TRY(co_await output.next());
    if (!piece) co_return printed;
    (piece->channel == Channel::out ? printed.out : printed.err) += piece->bytes;
  }
}

// --- the flows --------------------------------------------------------------------------------------------------

Task<Result<void>> says_what_it_is(Client& client) {
  EXPECT_FALSE(CO_TRY(co_await engine_version(client))["Version"].text().empty());
  EXPECT_FALSE(CO_TRY(co_await engine_info(client))["ID"].text().empty());
  EXPECT_TRUE(CO_TRY(co_await disk_usage(client)).contains("LayersSize"));
  co_return co_await ping(client);
}
TEST_P(EngineFlow, SaysWhatItIs) {
  run(says_what_it_is);
}

Task<Result<void>> lives(Client& client) {
  const std::string id = CO_TRY(co_await fresh_container(client, "flow-life", body_of({"sleep", "1000"})));
  EXPECT_EQ((co_await create_container(client, {.name = "flow-life", .body = body_of({"true"})})).error().code,
            Code::conflict);
  CO_TRY(co_await start_container(client, id));
  CO_TRY(co_await start_container(client, id));  // runs already
  EXPECT_TRUE(CO_TRY(co_await inspect_container(client, "flow-life")).at("State.Running").boolean());
  const Json listed = CO_TRY(co_await list_containers(client, {.filters = {{"label", kLabel}, {"name", "flow-life"}}}));
  EXPECT_EQ(listed.items().size(), 1u);
  EXPECT_EQ(listed.items().at(0)["Id"].text(), id);
  EXPECT_FALSE(CO_TRY(co_await container_top(client, id))["Processes"].items().empty());
  CO_TRY(co_await pause_container(client, id));
  CO_TRY(co_await unpause_container(client, id));
  CO_TRY(co_await rename_container(client, id, "flow-renamed"));
  EXPECT_EQ(CO_TRY(co_await inspect_container(client, id))["Name"].text(), "/flow-renamed");
  CO_TRY(co_await restart_container(client, id, std::chrono::seconds(1)));
  CO_TRY(co_await stop_container(client, id, std::chrono::seconds(1)));
  CO_TRY(co_await stop_container(client, id, std::chrono::seconds(1)));  // stopped already
  EXPECT_EQ(CO_TRY(co_await wait_container(client, id)), 137);
  EXPECT_EQ((co_await kill_container(client, id)).error().code, Code::conflict);
  CO_TRY(co_await destroy(client, id));
  EXPECT_EQ((co_await inspect_container(client, id)).error().code, Code::not_found);
  EXPECT_EQ((co_await start_container(client, id)).error().code, Code::not_found);
  co_return kDone;
}
TEST_P(EngineFlow, ContainersLiveAndEnd) {
  run(lives);
}

Task<Result<void>> misses_an_image(Client& client) {
  Json body = body_of({"true"});
  body.set("Image", "berth.local/no-such-image:1");
  EXPECT_EQ((co_await create_container(client, {.body = body})).error().code, Code::not_found);
  EXPECT_EQ((co_await inspect_image(client, "berth.local/no-such-image:1")).error().code, Code::not_found);
  co_return kDone;
}
TEST_P(EngineFlow, AMissingImageIsNotFound) {
  run(misses_an_image);
}

Task<Result<void>> logs(Client& client) {
  const std::string id = CO_TRY(
      co_await fresh_container(client, "flow-talker", body_of({"sh", "-c", "echo to out; echo to err >&2; exit 3"})));
  CO_TRY(co_await start_container(client, id));
  EXPECT_EQ(CO_TRY(co_await wait_container(client, id)), 3);
  auto stream = CO_TRY(co_await container_logs(client, id, false, {.follow = true}));
  const Printed printed = CO_TRY(co_await read_all(stream));
  EXPECT_EQ(printed.out, "to out\n");
  EXPECT_EQ(printed.err, "to err\n");
  // `tail` counts the lines of both channels, in the order in which the engine happened to read them.
  auto only_errors =
      CO_TRY(co_await container_logs(client, id, false, {.out = false, .timestamps = true, .tail = "2"}));
  const Printed stamped = CO_TRY(co_await read_all(only_errors));
  EXPECT_EQ(stamped.out, "");
  EXPECT_EQ(stamped.err.substr(stamped.err.find(' ') + 1), "to err\n");
  EXPECT_EQ(stamped.err.substr(0, 2), "20");
  co_return co_await destroy(client, id);
}
TEST_P(EngineFlow, LogsAreSplitByChannel) {
  run(logs);
}

Task<Result<void>> tty_logs(Client& client) {
  Json body = body_of({"echo", "on a tty"});
  body.set("Tty", true);
  const std::string id = CO_TRY(co_await fresh_container(client, "flow-tty", body));
  CO_TRY(co_await start_container(client, id));
  EXPECT_EQ(CO_TRY(co_await wait_container(client, id)), 0);
  auto stream = CO_TRY(co_await container_logs(client, id, true));
  EXPECT_EQ(CO_TRY(co_await read_all(stream)).out, "on a tty\r\n");
  co_return co_await destroy(client, id);
}
TEST_P(EngineFlow, LogsOfATerminalAreRaw) {
  run(tty_logs);
}

Task<Result<void>> executes(Client& client) {
  const std::string id = CO_TRY(co_await fresh_container(client, "flow-exec", body_of({"sleep", "1000"})));
  EXPECT_EQ((co_await create_exec(client, id, {.command = {"true"}})).error().code, Code::conflict);
  CO_TRY(co_await start_container(client, id));
  const std::string exec =
      CO_TRY(co_await create_exec(client, id, {.command = {"sh", "-c", "cat; echo end >&2; exit 5"}, .in = true}));
  auto attached = CO_TRY(co_await start_exec(client, exec, false));
  CO_TRY(co_await attached.write("through the exec\n"));
  CO_TRY(co_await attached.close_input());
  const Printed printed = CO_TRY(co_await read_all(attached));
  EXPECT_EQ(printed.out, "through the exec\n");
  EXPECT_EQ(printed.err, "end\n");
  EXPECT_EQ(CO_TRY(co_await exec_status(client, exec)), 5);
  EXPECT_EQ((co_await start_exec(client, "0123456789abcdef", false)).error().code, Code::not_found);
  co_return co_await destroy(client, id);
}
TEST_P(EngineFlow, ExecsCarryInputAndStatus) {
  run(executes);
}

Task<Result<void>> attaches(Client& client) {
  Json body = body_of({"cat"});
  body.set("OpenStdin", true);
  body.set("StdinOnce", true);
  const std::string id = CO_TRY(co_await fresh_container(client, "flow-cat", body));
  auto attached = CO_TRY(co_await attach_container(client, id, {.in = true}));
  CO_TRY(co_await start_container(client, id));
  CO_TRY(co_await attached.write("through cat\n"));
  CO_TRY(co_await attached.close_input());
  EXPECT_EQ(CO_TRY(co_await read_all(attached)).out, "through cat\n");
  EXPECT_EQ(CO_TRY(co_await wait_container(client, id)), 0);
  co_return co_await destroy(client, id);
}
TEST_P(EngineFlow, AttachmentsCarryInput) {
  run(attaches);
}

Task<Result<void>> networks(Client& client) {
  const auto removed = co_await remove_network(client, "flow-net");
  EXPECT_TRUE(removed || removed.error().code == Code::not_found) << removed.error().text();
  const Json body = Json::object({{"Name", "flow-net"}, {"Labels", Json::object({{"berth.test", "flow"}})}});
  const std::string id = CO_TRY(co_await create_network(client, body));
  EXPECT_EQ((co_await create_network(client, body)).error().code, Code::conflict);
  EXPECT_EQ(CO_TRY(co_await inspect_network(client, "flow-net"))["Id"].text(), id);
  EXPECT_EQ(CO_TRY(co_await list_networks(client, {{"label", kLabel}})).items().size(), 1u);
  const std::string container = CO_TRY(co_await fresh_container(client, "flow-member", body_of({"sleep", "1000"})));
  CO_TRY(co_await start_container(client, container));
  CO_TRY(co_await connect_network(client, id, container, Json::object({{"Aliases", Json::array({"alias"})}})));
  const Json joined = CO_TRY(co_await inspect_container(client, container));
  EXPECT_EQ(joined["NetworkSettings"]["Networks"]["flow-net"]["NetworkID"].text(), id);
  EXPECT_EQ((co_await remove_network(client, id)).error().code, Code::denied);
  CO_TRY(co_await disconnect_network(client, id, container));
  CO_TRY(co_await destroy(client, container));
  CO_TRY(co_await remove_network(client, id));
  EXPECT_EQ((co_await inspect_network(client, id)).error().code, Code::not_found);
  co_return kDone;
}
TEST_P(EngineFlow, NetworksJoinAndGo) {
  run(networks);
}

Task<Result<void>> volumes(Client& client) {
  const auto removed = co_await remove_volume(client, "flow-volume");
  EXPECT_TRUE(removed || removed.error().code == Code::not_found) << removed.error().text();
  const auto labelled = [](const char* value) {
    return Json::object({{"Name", "flow-volume"}, {"Labels", Json::object({{"berth.test", value}})}});
  };
  CO_TRY(co_await create_volume(client, labelled("flow")));
  const Json second = CO_TRY(co_await create_volume(client, labelled("other")));
  EXPECT_EQ(second["Labels"]["berth.test"].text(), "flow");
  EXPECT_EQ(CO_TRY(co_await list_volumes(client, {{"label", kLabel}})).items().size(), 1u);
  Json body = body_of({"true"});
  body.set("HostConfig", Json::object({{"Binds", Json::array({"flow-volume:/data"})}}));
  const std::string id = CO_TRY(co_await fresh_container(client, "flow-holder", body));
  EXPECT_EQ((co_await remove_volume(client, "flow-volume")).error().code, Code::conflict);
  CO_TRY(co_await destroy(client, id));
  CO_TRY(co_await remove_volume(client, "flow-volume"));
  EXPECT_EQ((co_await inspect_volume(client, "flow-volume")).error().code, Code::not_found);
  co_return kDone;
}
Task<Result<void>> first_labels(Client& client) {
  const Json volume =
      CO_TRY(co_await create_volume(client, Json::object({{"Name", "lock"}, {"Labels", Json::object({{"o", "b"}})}})));
  EXPECT_EQ(volume["Labels"]["o"].text(), "a");
  co_return kDone;
}
TEST(EngineRestart, VolumesStillNameTheirFirstLabels) {
  const auto loop = berth::testing::simulated_loop();
  berth::testing::FakeEngine fake(*loop);
  fake.handle({.method = "POST", .target = "/v1.41/volumes/create", .body = R"({"Name":"lock","Labels":{"o":"a"}})"});
  fake.restart();
  const auto outcome = loop->run(converse_with(fake, first_labels));
  EXPECT_TRUE(outcome) << outcome.error().text();
}

TEST_P(EngineFlow, VolumesKeepTheirFirstLabels) {
  run(volumes);
}

Task<Result<void>> archives(Client& client) {
  const std::string id = CO_TRY(co_await fresh_container(client, "flow-files", body_of({"true"})));
  std::string tar;
  append_tar_file(tar, {.path = "flow.txt", .mode = 0640, .mtime = 1'700'000'000}, "carried\n");
  append_tar_end(tar);
  bool sent = false;
  const http::Source source = [&tar, &sent] {
    return [](std::string_view text, bool& done) -> Task<Result<std::string_view>> {
      co_return std::exchange(done, true) ? std::string_view() : text;
    }(tar, sent);
  };
  CO_TRY(co_await put_archive(client, id, "/tmp", source));
  const Json stat = CO_TRY(co_await stat_in_container(client, id, "/tmp/flow.txt"));
  EXPECT_EQ(stat["name"].text(), "flow.txt");
  EXPECT_EQ(stat["size"].integer(), 8);
  auto exchange = CO_TRY(co_await get_archive(client, id, "/tmp/flow.txt"));
  const std::string back = CO_TRY(co_await exchange.body.all(1 << 20));
  EXPECT_NE(back.find("carried\n"), std::string::npos);
  EXPECT_EQ((co_await stat_in_container(client, id, "/tmp/none")).error().code, Code::not_found);
  co_return co_await destroy(client, id);
}
TEST_P(EngineFlow, FilesGoInAndOut) {
  run(archives);
}

Task<Result<void>> watch(Client& client, io::Event& standing, std::vector<std::string>& seen) {
  EventStream events(client, {.filters = {{"type", "container"}, {"container", "flow-watched"}}});
  while (true) {
    const auto item = CO_TRY(co_await events.next());
    if (item.gap) standing.set();
    if (!item.gap) seen.push_back(item.event.action);
    if (!item.gap && item.event.action == "destroy") co_return kDone;
  }
}
Task<void> watch_to_end(Client& client, io::Event& standing, std::vector<std::string>& seen) {
  const auto outcome = co_await io::within(std::chrono::seconds(30), watch(client, standing, seen));
  EXPECT_TRUE(outcome) << outcome.error().text();
  standing.set();
}
Task<Result<void>> short_life(Client& client, io::Event& standing) {
  CO_TRY(co_await standing.wait());
  const std::string id = CO_TRY(co_await fresh_container(client, "flow-watched", body_of({"sleep", "1000"})));
  CO_TRY(co_await start_container(client, id));
  co_return co_await destroy(client, id);
}
Task<Result<void>> events(Client& client) {
  io::Scope scope(co_await io::here());
  io::Event standing;
  std::vector<std::string> seen;
  scope.spawn(watch_to_end(client, standing, seen));
  auto outcome = co_await short_life(client, standing);
  co_await scope.join();
  EXPECT_EQ(seen, (std::vector<std::string>{"create", "start", "kill", "die", "destroy"}));
  co_return outcome;
}
TEST_P(EngineFlow, EventsTellALife) {
  run(events);
}

// A folder with a Dockerfile that proves what reached the engine.
class Folder {
 public:
  Folder() {
    path_ = ::testing::TempDir() + "flowXXXXXX";
    EXPECT_NE(::mkdtemp(path_.data()), nullptr);
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  const std::string& path() const { return path_; }
  void write(const std::string& name, std::string_view text) const {
    std::filesystem::create_directories(std::filesystem::path(path_ + "/" + name).parent_path());
    EXPECT_TRUE(io::write_file(path_ + "/" + name, text));
  }

 private:
  std::string path_;
};

Task<Result<void>> builds(Client& client) {
  const Folder folder;
  folder.write(".dockerignore", "secret\nDockerfile\n*.log\n");
  folder.write("Dockerfile",
               std::string("FROM ") + kImage +
                   "\nARG WORD\nCOPY . /ctx\nRUN test ! -e /ctx/secret && test ! -e /ctx/Dockerfile && test "
                   "\"$(cat /ctx/a/b.txt)\" = \"$WORD\"\n");
  folder.write("secret", "x");
  folder.write("big.log", std::string(1 << 20, 'x'));
  folder.write("a/b.txt", "word");
  std::string log;
  const ProgressSink progress = [&log](const Json& message) { log += message["stream"].text(); };
  const BuiltImage built = CO_TRY(co_await build_image(client,
                                                       {.context = folder.path(),
                                                        .tags = {"flow-built:1"},
                                                        .arguments = {{"WORD", "word"}},
                                                        .labels = {{"berth.test", "flow"}}},
                                                       progress));
  const std::string& id = built.id;
  EXPECT_TRUE(id.starts_with("sha256:")) << id;
  EXPECT_NE(log.find("Step 1/"), std::string::npos) << log;
  const Json image = CO_TRY(co_await inspect_image(client, "flow-built:1"));
  EXPECT_EQ(image["Id"].text(), id);
  EXPECT_EQ(image["Config"]["Labels"]["berth.test"].text(), "flow");
  CO_TRY(co_await tag_image(client, id, "flow-tagged:2"));
  EXPECT_EQ(CO_TRY(co_await list_images(client, {{"reference", "flow-tagged"}})).items().size(), 1u);
  CO_TRY(co_await remove_image(client, "flow-tagged:2"));
  CO_TRY(co_await remove_image(client, "flow-built:1"));
  co_return kDone;
}
TEST_P(EngineFlow, BuildsAContext) {
  run(builds);
}

Task<Result<void>> builds_from_elsewhere(Client& client) {
  const Folder folder;
  folder.write("file", "x");
  const std::string text = std::string("FROM ") + kImage + "\nCOPY . /ctx\nRUN test \"$(ls -A /ctx)\" = file\n";
  CO_TRY(co_await build_image(client, {.context = folder.path(), .inline_dockerfile = text, .tags = {"flow-inline"}}));
  const Folder other;
  other.write("Other.dockerfile", text);
  CO_TRY(co_await build_image(
      client, {.context = folder.path(), .dockerfile = other.path() + "/Other.dockerfile", .tags = {"flow-inline"}}));
  CO_TRY(co_await remove_image(client, "flow-inline"));
  co_return kDone;
}
TEST_P(EngineFlow, BuildsWithADockerfileFromElsewhere) {
  run(builds_from_elsewhere);
}

Task<Result<void>> fails_to_build(Client& client) {
  const Folder folder;
  const auto none = co_await build_image(client, {.context = folder.path()});
  EXPECT_EQ(none.error().code, Code::not_found);
  EXPECT_EQ((co_await build_image(client, {.context = folder.path() + "/none"})).error().code, Code::not_found);
  folder.write("Dockerfile", std::string("FROM ") + kImage + "\nRUN false\n");
  const auto broken = co_await build_image(client, {.context = folder.path(), .tags = {"flow-broken"}});
  EXPECT_EQ(broken.error().code, Code::invalid) << broken.error().text();
  // The place, and the status in the words of either builder.
  EXPECT_NE(broken.error().message.find("/Dockerfile:2: "), std::string::npos) << broken.error().text();
  EXPECT_NE(broken.error().message.find("code: 1"), std::string::npos) << broken.error().text();
  co_return kDone;
}
TEST_P(EngineFlow, AFailingBuildSaysWhere) {
  run(fails_to_build);
}

Task<Result<void>> saves_and_loads(Client& client) {
  auto saved = CO_TRY(co_await save_images(client, {kImage}));
  std::size_t size = 0;
  int messages = 0;
  const http::Source source = [&saved, &size] {
    return [](http::BodyReader& body, std::size_t& total) -> Task<Result<std::string_view>> {
      const auto piece = CO_TRY(co_await body.next());
      total += piece.size();
      co_return piece;
    }(saved.body, size);
  };
  CO_TRY(co_await load_images(client, source, [&messages](const Json&) { ++messages; }));
  EXPECT_GT(size, 1u << 20);
  EXPECT_GT(messages, 0);
  co_return kDone;
}
// The fake engine keeps no layers.
class RealEngineFlow : public EngineFlow {};
TEST_P(RealEngineFlow, ImagesAreSavedAndLoadedAsStreams) {
  run(saves_and_loads);
}
INSTANTIATE_TEST_SUITE_P(Client, RealEngineFlow, ::testing::Values("real"), [](const auto&) { return "real"; });

}  // namespace
}  // namespace berth::engine
