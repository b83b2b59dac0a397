// Histories from seeds: a small random project is brought up, changed, scaled and taken down on an engine that lives in
// memory, while calls fail, replies get lost, containers die and berth itself is killed at any call. After each history
// what must hold is looked up. A seed gives the same history on every machine:
//
//   SEEDS=1-500 compose_simulation_test     which seeds (1-60); make simulate runs 100,000 on every core
//   SEEDS=47 compose_simulation_test        replays one and prints what happened
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>

#include "base/text.h"
#include "compose/plan.h"
#include "compose/random_project_test.h"
#include "plan/apply.h"
#include "plan/lock.h"
#include "plan/observe.h"
#include "testing/fake_engine.h"
#include "testing/simulation.h"

namespace berth::compose {
namespace {

using namespace std::chrono_literals;
using berth::testing::FakeCall;
using berth::testing::FakeEngine;
using berth::testing::FakeFault;
using io::Task;
using testing::Chance;
using testing::RandomProject;
using testing::RandomService;

constexpr int kMostFurtherRuns = 2;

std::string runtime_folder() {
  static const std::string folder = [] {
    std::string made = (std::filesystem::temp_directory_path() / "berth-simulation-XXXXXX").string();
    return ::mkdtemp(made.data()) ? made : std::string();
  }();
  return folder;
}

enum class Verb { up, down, down_volumes };
std::string_view to_text(Verb verb) {
  return verb == Verb::up ? "up" : verb == Verb::down ? "down" : "down -v";
}

/// One run of a verb.
struct Step {
  Verb verb = Verb::up;
  UpOptions up{};
  std::size_t parallel = 16;
  bool faults = false;     ///< calls fail, replies get lost, containers die
  int killed_at = 0;       ///< the call at which berth is killed, 0: none
  int interrupted_at = 0;  ///< the call at which Ctrl-C comes, 0: none
};

/// What the engine shows, without times.
class Shown {
 public:
  explicit Shown(FakeEngine& engine) {
    for (const Json& one : engine.handle({.target = "/containers/json?all=1"}).json().items())
      containers.push_back(engine.handle({.target = "/containers/" + std::string(one["Id"].text()) + "/json"}).json());
    networks = engine.handle({.target = "/networks"}).json().items();
    for (Json& network : networks)
      network = engine.handle({.target = "/networks/" + std::string(network["Id"].text())}).json();
    volumes = engine.handle({.target = "/volumes"}).json()["Volumes"].items();
  }
  static std::string_view name_of(const Json& container) { return container["Name"].text().substr(1); }
  static std::string_view label(const Json& labels, std::string_view name) { return labels[name].text(); }
  static std::string_view project_of(const Json& container) {
    return label(container["Config"]["Labels"], plan::label::kProject);
  }
  const Json* container(std::string_view name) const {
    for (const Json& one : containers)
      if (name_of(one) == name) return &one;
    return nullptr;
  }
  bool has_volume(std::string_view name) const {
    return std::ranges::any_of(volumes, [&](const Json& one) { return one["Name"].text() == name; });
  }
  std::string text() const {
    std::string out;
    for (const Json& one : containers)
      out += "    " + std::string(name_of(one)) + ' ' + std::string(one["Id"].text().substr(0, 12)) + ' ' +
             std::string(one.at("State.Status").text()) + ' ' + std::string(one.at("State.Health.Status").text()) +
             '\n';
    for (const Json& one : networks)
      if (one["Name"].text().starts_with("shop"))
        out += "    network " + std::string(one["Name"].text()) + ' ' + std::string(one["Id"].text().substr(0, 12)) +
               ", " + std::to_string(one["Containers"].size()) + " in it\n";
    for (const Json& one : volumes) out += "    volume " + std::string(one["Name"].text().substr(0, 24)) + '\n';
    return out;
  }

  std::vector<Json> containers, networks, volumes;
};

class History {
 public:
  explicit History(std::uint64_t seed) : chance_(seed), project_(chance_) {
    engine_.add_image("app:1", {.config = *parse_json(R"({"Cmd":["serve"],"Env":["PATH=/bin"]})")});
    if (chance_.percent(50))
      engine_.add_image("app:2", {.config = *parse_json(R"({"Cmd":["serve"],"Env":["PATH=/usr/bin"]})")});
    engine_.add_remote("app:2", {.image = {.config = *parse_json(R"({"Cmd":["serve"],"Env":["PATH=/usr/bin"]})")}});
    engine_.behave("*job*", {.exits_after = 1s});
    add_others();
  }

  /// "" when all held, else what did not.
  std::string run() {
    for (int steps = 1 + chance_.below(4); steps > 0 && problem_.empty(); --steps) {
      step(random_step());
      if (problem_.empty() && (steps == 1 || chance_.percent(60))) converge();
      project_.mutate();
      note("the project changes:" + project_.said);
    }
    return problem_;
  }
  struct Counted {
    std::uint64_t runs = 0, calls = 0, killed = 0;
  };
  Counted counted{};
  std::string trace() const { return join(trace_, "\n") + "\n  the engine then:\n" + after_; }

 private:
  // What others have on the engine, under names much like ours.
  void add_others() {
    post("/networks/create", R"({"Name":"outside"})");
    post("/networks/create", R"({"Name":"shop_front2","Labels":{"com.docker.compose.project":"shop2"}})");
    post("/volumes/create", R"({"Name":"shop_data2"})");
    post("/containers/create?name=shop-web-10x", R"({"Image":"app:1"})");
    post("/containers/create?name=0123456789ab_shop-web-1",
         R"({"Image":"app:1","Labels":{"com.docker.compose.project":"shop2","com.docker.compose.service":"web"}})");
    post("/containers/shop-web-10x/start");
    if (chance_.percent(20)) post("/volumes/create", R"({"Name":"shop_data"})");
    if (chance_.percent(10)) post("/networks/create", R"({"Name":"shop_back"})");
    others_ = others(Shown(engine_));
  }
  void post(const std::string& target, const std::string& body = {}) {
    engine_.handle({.method = "POST", .target = target, .body = body});
  }
  // All of what is not the project's, as text.
  static std::string others(const Shown& shown) {
    std::string out;
    for (const Json& one : shown.containers)
      if (Shown::project_of(one) != "shop") out += one.dump() + '\n';
    for (Json one : shown.networks) {
      one.erase("Containers");
      if (Shown::label(one["Labels"], plan::label::kProject) != "shop") out += one.dump() + '\n';
    }
    for (const Json& one : shown.volumes)
      if (one["Name"].text() == "shop_data2") out += one.dump() + '\n';
    return out;
  }

  Step random_step() {
    Step out;
    if (chance_.percent(25)) out.verb = chance_.percent(30) ? Verb::down_volumes : Verb::down;
    out.up.remove_orphans = chance_.percent(50);
    out.up.force_recreate = chance_.percent(15);
    out.up.renew_anon_volumes = chance_.percent(5);
    out.up.wait = chance_.percent(20);
    out.parallel = static_cast<std::size_t>(1 + chance_.below(16));
    out.faults = chance_.percent(45);
    if (chance_.percent(50)) out.killed_at = 1 + chance_.below(60);
    if (chance_.percent(10)) out.interrupted_at = 1 + chance_.below(60);
    return out;
  }

  void step(const Step& step) {
    const auto before = std::move(anonymous_);
    now_ = step;
    calls_ = 0;
    killed_ = false;
    note("berth " + std::string(to_text(step.verb)) + (step.up.remove_orphans ? " --remove-orphans" : "") +
         (step.up.force_recreate ? " --force-recreate" : "") + (step.up.renew_anon_volumes ? " -V" : "") +
         (step.faults ? ", with faults" : "") +
         (step.killed_at ? ", killed at call " + std::to_string(step.killed_at) : ""));
    engine_.on_call([this](const FakeCall& call) { return decide(call); });
    const Result<void> done = loop_->run(carried_out(*this));
    note(done ? "  -> well" : "  -> " + done.error().text());
    last_ = done ? "" : done.error().text();
    engine_.on_call({});
    ++counted.runs;
    counted.calls += static_cast<std::uint64_t>(calls_);
    counted.killed += killed_ ? 1 : 0;
    static_cast<void>(loop_->run(io::sleep_for(70s)));  // what was slow is done by now
    engine_.forget_calls();
    if (!killed_) come_late();
    const Shown shown(engine_);
    expect(others(shown) == others_, "something of others changed");
    anonymous_ = volumes_of_services(shown);
    if (step.verb != Verb::down_volumes && !step.up.renew_anon_volumes) check_volumes(shown, before);
  }

  // Runs again without faults until nothing is left to do.
  void converge() {
    Step again = now_;
    again.faults = again.up.force_recreate = false;
    again.up.renew_anon_volumes = false;
    again.up.remove_orphans = true;
    again.killed_at = again.interrupted_at = 0;
    int runs = 0;
    const int most = kMostFurtherRuns + (late_.empty() ? 0 : 1);  // what comes late is an event of its own
    do {
      if (++runs > most) return fail_with("not converged after " + std::to_string(most) + " further runs");
      step(again);
      come_late();
    } while (problem_.empty() && (!last_.empty() || !plan_text().empty()));
    if (!problem_.empty()) return;
    const Shown shown(engine_);
    if (again.verb == Verb::up) {
      check_up(shown);
    } else {
      check_down(shown);
    }
    expect(!shown.has_volume("berth-lock_shop"), "the lock was left behind");
  }

  // What is left to do.
  std::string plan_text() {
    const auto planned = loop_->run(planned_now(*this));
    if (!planned) return planned.error().text();
    std::string text;
    for (const plan::Node& node : planned->nodes) text += describe(node.op) + ": " + node.cause + '\n';
    if (!text.empty()) note("  left to do:\n" + text);
    return text;
  }
  static Task<Result<plan::Plan>> planned_now(History& self) {
    const auto client =
        CO_TRY(co_await engine::Client::connect(*engine::parse_address("unix:///fake"), self.engine_.dialer()));
    co_return co_await plan_step(self, *client, self.project_.project(), false);
  }

  // The verb, as cli/carry_out.cc does it.
  static Task<Result<void>> carried_out(History& self) {
    io::Cancel cancel((co_await io::here()).cancel);
    self.cancel_ = &cancel;
    auto done = co_await locked(self).under(cancel);
    self.cancel_ = nullptr;
    co_return done;
  }
  static Task<Result<void>> locked(History& self) {
    const auto client =
        CO_TRY(co_await engine::Client::connect(*engine::parse_address("unix:///fake"), self.engine_.dialer()));
    auto lock = CO_TRY(co_await plan::lock_project(*client, {.project = "shop", .folder = runtime_folder()}));
    auto done = co_await rounds(self, *client);
    static_cast<void>(co_await io::shielded(lock.release(*client)));
    co_return done;
  }
  static Task<Result<void>> rounds(History& self, engine::Client& client) {
    const Project project = self.project_.project();
    bool again = false;
    do {
      const plan::Plan plan = CO_TRY(co_await plan_step(self, client, project, again));
      again = plan.again;
      auto outcome = CO_TRY(co_await apply_step(self, client, plan));
      for (const auto& failure : outcome.failures)
        self.note("  #" + std::to_string(failure.node) + " failed: " + failure.error.text());
      if (!outcome.ok()) co_return fail(outcome.error());
    } while (again);
    co_return Result<void>{};
  }
  static Task<Result<plan::Plan>> plan_step(History& self, engine::Client& client, const Project& project,
                                            bool settled) {
    const plan::Observed world = CO_TRY(co_await plan::observe(client, wanted(project)));
    UpOptions options = self.now_.up;
    options.images_settled = settled;
    options.force_recreate = options.force_recreate && !settled;
    const DownOptions down{.remove_orphans = true, .volumes = self.now_.verb == Verb::down_volumes};
    auto plan = self.now_.verb == Verb::up ? plan_up(project, world, options) : plan_down(project, world, down);
    if (plan && !plan->nodes.empty()) self.note(plan->to_text());
    co_return plan;
  }
  static Task<Result<plan::Outcome>> apply_step(History& self, engine::Client& client, const plan::Plan& plan) {
    plan::ApplyOptions options;
    options.parallel = self.now_.parallel;
    co_return co_await plan::apply(client, plan, std::move(options));
  }

  // What becomes of one call.
  std::optional<FakeFault> decide(const FakeCall& call) {
    if (killed_) return FakeFault{.drop = true};
    check_call(call);
    ++calls_;
    if (!late_.empty() && chance_.percent(10)) come_late();
    if (calls_ == now_.interrupted_at && cancel_) {
      note("  " + call.text() + " <- Ctrl-C");
      cancel_->request();
    }
    if (calls_ == now_.killed_at) return killed(call);
    auto fault = now_.faults ? random_fault(call) : std::nullopt;
    if (fault || call.method != "GET") note("  " + call.text() + (fault ? " <- " + told(*fault) : ""));
    return fault;
  }
  static std::string told(const FakeFault& fault) {
    std::string out = fault.drop     ? "connection lost"
                      : fault.status ? "answered " + std::to_string(fault.status)
                                     : "slow";
    if (fault.done) out += ", and done";
    if (fault.delay > 0s) out += " after " + std::to_string(fault.delay / 1s) + " s";
    return out;
  }
  // kill -9 before, after or in the middle of what the call asks for.
  std::optional<FakeFault> killed(const FakeCall& call) {
    killed_ = true;
    const int how = chance_.below(3);
    note("  " + call.text() + " <- berth is killed " + (how == 0 ? "before it" : how == 1 ? "after it" : "during it"));
    if (how == 2 && call.method != "GET") late_.push_back(call);
    return FakeFault{.drop = true, .done = how == 1};
  }
  // The engine goes on with what a client that was killed had asked for; it looked for duplicates before.
  void come_late() {
    for (const FakeCall& call : std::exchange(late_, {})) {
      Json body = call.body;
      if (call.path == "/networks/create") body.erase("CheckDuplicate");
      const auto reply = engine_.handle({.method = call.method,
                                         .target = call.path + (call.query.empty() ? "" : "?" + call.query),
                                         .body = body.dump()});
      note("  " + call.text() + " of the killed one comes late: " + std::to_string(reply.status));
    }
  }
  std::optional<FakeFault> random_fault(const FakeCall& call) {
    if (chance_.percent(2)) some_container_dies();
    if (!chance_.percent(call.method == "GET" ? 2 : 8)) return std::nullopt;
    const bool done = chance_.percent(50);
    switch (chance_.below(6)) {
      case 0:
        return FakeFault{.status = 500, .done = done};
      case 1:
        return FakeFault{.status = call.method == "GET" ? 500 : 409, .done = false};
      case 2:
        return FakeFault{.delay = 1s * (1 + chance_.below(5))};
      case 3:
        return FakeFault{.delay = 61s};  // done, but after the client gave up
      case 4:
        if (call.path.starts_with("/networks/") && call.method == "DELETE")
          return FakeFault{.status = 403, .message = "network has active endpoints"};
        return FakeFault{.drop = true, .done = done};
      default:
        return FakeFault{.drop = true, .done = done};
    }
  }
  void some_container_dies() {
    std::vector<std::string> running;
    const Shown shown(engine_);
    for (const Json& one : shown.containers)
      if (Shown::project_of(one) == "shop" && one.at("State.Running").boolean())
        running.emplace_back(Shown::name_of(one));
    if (running.empty()) return;
    const std::string& name = running[static_cast<std::size_t>(chance_.below(static_cast<int>(running.size())))];
    note("  " + name + " dies");
    engine_.exit(name, chance_.percent(50) ? 1 : 137);
  }

  // What no call may ever ask for.
  void check_call(const FakeCall& call) {
    if (call.method != "DELETE" || now_.verb == Verb::down_volumes) return;
    expect(!call.path.starts_with("/volumes/") || call.path == "/volumes/berth-lock_shop",
           "a volume is removed unasked: " + call.text());
    expect(call.query.find("v=1") == std::string::npos, "anonymous volumes are removed unasked: " + call.text());
  }

  /// Volume name by container name and target, of the project's containers; "" for the named ones.
  static std::map<std::string, std::string> volumes_of_services(const Shown& shown) {
    std::map<std::string, std::string> out;
    for (const Json& one : shown.containers) {
      if (Shown::project_of(one) != "shop" || Shown::name_of(one).find('_') != std::string_view::npos) continue;
      for (const Json& mount : one["Mounts"].items())
        out[std::string(Shown::name_of(one)) + ' ' + std::string(mount["Destination"].text())] = mount["Name"].text();
    }
    return out;
  }
  void check_volumes(const Shown& shown, const std::map<std::string, std::string>& before) {
    for (const auto& [place, volume] : before) {
      expect(shown.has_volume(volume), "the volume of " + place + " is gone");
      const auto found = anonymous_.find(place);
      if (now_.verb == Verb::up && found != anonymous_.end())
        expect(found->second == volume, "the volume of " + place + " is another one");
    }
  }

  void check_up(const Shown& shown) {
    std::size_t wanted = 0;
    for (const RandomService& service : project_.services)
      for (int number = 1; service.present && number <= service.scale; ++number, ++wanted)
        check_service(shown, service, number);
    std::size_t there = 0;
    for (const Json& one : shown.containers) there += Shown::project_of(one) == "shop";
    expect(there == wanted, std::to_string(there) + " containers instead of " + std::to_string(wanted));
    for (const std::string_view name : {"shop_front", "shop_back"})
      expect(std::ranges::count_if(shown.networks, [&](const Json& one) { return one["Name"].text() == name; }) < 2,
             "there is more than one network " + std::string(name));
  }
  // The container of that number, whatever number berth gave it: scaled services may have gaps.
  void check_service(const Shown& shown, const RandomService& service, int number) {
    int seen = 0;
    for (const Json& one : shown.containers) {
      const Json& labels = one["Config"]["Labels"];
      const bool ours = Shown::project_of(one) == "shop" && Shown::label(labels, plan::label::kService) == service.name;
      if (!ours || ++seen != number) continue;
      const std::string who(Shown::name_of(one));
      const std::string label(Shown::label(labels, plan::label::kNumber));
      // A name that somebody had chosen stays when the choice is taken back.
      const bool proper = who == "shop-" + service.name + "-" + label && !service.named;
      expect(proper || who == "shop-my-" + service.name, who + " is a strange name for " + service.name + " " + label);
      const std::string_view status = one.at("State.Status").text();
      expect(
          service.name == "job" ? status == "exited" && one.at("State.ExitCode").integer() == 0 : status == "running",
          who + " is " + std::string(status));
      expect(one["Config"]["Env"].dump().find("DEBUG=" + std::to_string(service.version) + "\"") != std::string::npos,
             who + " is of another version");
      if (service.secret) expect(engine_.file(who, "/run/secrets/key") == "value", who + " runs without its secret");
      check_networks(one, service);
    }
    expect(seen >= number, "there are only " + std::to_string(seen) + " of " + service.name);
  }
  void check_networks(const Json& container, const RandomService& service) {
    if (service.name == "side") return;
    const Json& networks = container.at("NetworkSettings.Networks");
    const std::string who(Shown::name_of(container));
    for (const auto& [name, member] : {std::pair("shop_front", service.front), std::pair("shop_back", service.back),
                                       std::pair("outside", service.outside)}) {
      // Of a network of others (a proxy's, say) nobody knows who had joined it: the container stays there.
      const bool may_stay = name == std::string_view("outside");
      expect(networks.contains(name) || !member, who + " is not on " + name);
      expect(member || may_stay || !networks.contains(name), who + " is on " + name);
      const bool ran = !networks[name]["NetworkID"].text().empty();
      if (member && ran)
        expect(engine_.handle({.target = "/networks/" + std::string(networks[name]["NetworkID"].text())}).status == 200,
               who + " is on a network that is gone");
    }
  }
  void check_down(const Shown& shown) {
    for (const Json& one : shown.containers)
      expect(Shown::project_of(one) != "shop", std::string(Shown::name_of(one)) + " is left");
    for (const Json& one : shown.networks)
      expect(Shown::label(one["Labels"], plan::label::kProject) != "shop",
             "network " + std::string(one["Name"].text()) + " is left");
    if (now_.verb != Verb::down_volumes) return;
    for (const Json& one : shown.volumes)
      expect(Shown::label(one["Labels"], plan::label::kProject) != "shop",
             "volume " + std::string(one["Name"].text()) + " is left");
  }

  void expect(bool held, const std::string& what) {
    if (!held) fail_with(what);
  }
  void fail_with(const std::string& what) {
    if (!problem_.empty()) return;
    problem_ = what;
    note("HERE: " + what);
    after_ = Shown(engine_).text();
  }
  void note(std::string line) { trace_.push_back(std::move(line)); }

  std::unique_ptr<io::Loop> loop_ = berth::testing::simulated_loop();
  FakeEngine engine_{*loop_};
  Chance chance_;
  RandomProject project_;
  Step now_{};
  io::Cancel* cancel_ = nullptr;  // of the run that goes on
  int calls_ = 0;
  bool killed_ = false;
  std::vector<FakeCall> late_{};
  std::string others_{}, last_{};
  std::map<std::string, std::string> anonymous_{};  // volumes_of_services() after the last step
  std::string problem_{};
  std::vector<std::string> trace_{};
  std::string after_{};
};

std::uint64_t current_seed = 0;  // NOLINT: for the signal's handler

void name_seed(int) {
  std::fprintf(stderr, "seed %llu aborted: SEEDS=%llu replays it\n", static_cast<unsigned long long>(current_seed),
               static_cast<unsigned long long>(current_seed));
}

struct Seeds {
  std::uint64_t first = 1, last = 60;
};
Seeds asked_seeds() {
  const char* text = std::getenv("SEEDS");
  if (!text) return {};
  const Cut range = cut(text, '-');
  const auto first = std::strtoull(std::string(range.before).c_str(), nullptr, 10);
  return {first, range.found ? std::strtoull(std::string(range.after).c_str(), nullptr, 10) : first};
}

TEST(Simulation, EveryHistoryEndsWell) {
  const Seeds seeds = asked_seeds();
  std::signal(SIGABRT, name_seed);
  int failures = 0;
  std::uint64_t runs = 0, calls = 0, killed = 0;
  for (std::uint64_t seed = seeds.first; seed <= seeds.last && failures < 5; ++seed) {
    current_seed = seed;
    History history(seed);
    const std::string problem = history.run();
    runs += history.counted.runs;
    calls += history.counted.calls;
    killed += history.counted.killed;
    if (seeds.first == seeds.last) std::fputs(history.trace().c_str(), stderr);
    if (problem.empty()) continue;
    ++failures;
    ADD_FAILURE() << "seed " << seed << ": " << problem << " (SEEDS=" << seed << " replays it)\n" << history.trace();
  }
  std::fprintf(stderr, "histories %llu-%llu: %llu runs of berth, %llu of them killed, %llu calls to the engine\n",
               static_cast<unsigned long long>(seeds.first), static_cast<unsigned long long>(seeds.last),
               static_cast<unsigned long long>(runs), static_cast<unsigned long long>(killed),
               static_cast<unsigned long long>(calls));
  std::filesystem::remove_all(runtime_folder());
}

}  // namespace
}  // namespace berth::compose
