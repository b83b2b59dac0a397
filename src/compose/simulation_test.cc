// Histories from seeds: a small random project is brought up, changed, scaled and taken down on an engine that lives in
// memory, while calls fail, replies get lost, containers die and berth itself is killed at any call. After each history
// what must hold is looked up. A seed gives the same history on every machine:
//
//   SEEDS=1-500 compose_simulation_test     which seeds (1-20); make simulate runs 100,000 on every core
//   SEEDS=47 compose_simulation_test        replays one and prints what happened
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>

#include "base/text.h"
#include "compose/plan.h"
#include "compose/simulated_traffic_test.h"
#include "compose/simulated_world_test.h"
#include "plan/apply.h"
#include "plan/observe.h"
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
using testing::Shown;
using testing::SimulatedTraffic;
using testing::Verdict;

constexpr int kMostFurtherRuns = 2;

// Of the locks; removed at the end of the program.
class RuntimeFolder {
 public:
  RuntimeFolder() : path_((std::filesystem::temp_directory_path() / "berth-simulation-XXXXXX").string()) {
    if (!::mkdtemp(path_.data())) path_.clear();
  }
  ~RuntimeFolder() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};
const std::string& runtime_folder() {
  static const RuntimeFolder folder;
  return folder.path();
}

enum class Verb { up, down, down_volumes, stop, start, restart };
std::string_view to_text(Verb verb) {
  constexpr std::array<std::string_view, 6> kTexts = {"up", "down", "down -v", "stop", "start", "restart"};
  return kTexts[static_cast<std::size_t>(verb)];
}

/// When kill -9 comes.
enum class Kill { before_call, after_call, during_call };

/// One run of a verb.
struct Step {
  Verb verb = Verb::up;
  UpOptions up{};
  std::size_t parallel = 16;
  bool faults = false;      ///< calls fail, replies get lost, containers die
  bool hooks_fail = false;  ///< commands in containers, and probes, end with 1
  int killed_at = 0;        ///< the call at which berth is killed, 0: none
  Kill kill = Kill::before_call;
  int interrupted_at = 0;  ///< the call at which Ctrl-C comes, 0: none

  std::string text() const {
    return "berth " + std::string(to_text(verb)) + (up.remove_orphans ? " --remove-orphans" : "") +
           (up.force_recreate ? " --force-recreate" : "") + (up.renew_anon_volumes ? " -V" : "") +
           (up.no_start ? " --no-start" : "") + (up.rolling ? "" : " --no-rolling") + (faults ? ", with faults" : "") +
           (hooks_fail ? ", hooks fail" : "") + (killed_at ? ", killed at call " + std::to_string(killed_at) : "");
  }
};

// Engines of Debian 12 and 13, and the newest that core may read: beside the seed's chance, so that its histories stay.
berth::testing::FakeEngineOptions engine_of(std::uint64_t seed) {
  constexpr std::array kApis = {"1.41", "1.45", "1.52"};
  return {.api = kApis[seed % kApis.size()], .pinned = true};
}

class History {
 public:
  explicit History(std::uint64_t seed, bool traced = false)
      : traced_(traced), engine_(*loop_, engine_of(seed)), chance_(seed), project_(chance_) {
    engine_.add_image("app:1", {.config = *parse_json(R"({"Cmd":["serve"],"Env":["PATH=/bin"]})")});
    if (chance_.percent(50))
      engine_.add_image("app:2", {.config = *parse_json(R"({"Cmd":["serve"],"Env":["PATH=/usr/bin"]})")});
    engine_.add_remote("app:2", {.image = {.config = *parse_json(R"({"Cmd":["serve"],"Env":["PATH=/usr/bin"]})")}});
    engine_.behave("*job*", {.exits_after = 1s});
    engine_.behave("*-pre_start-*", {.exits_after = 500ms});
    engine_.on_call([this](const FakeCall& call) { return decide(call); });
    traffic_.edge = chance_.percent(85);
    add_others();
  }

  /// "" when all held, else what did not.
  std::string run() {
    for (int steps = 1 + chance_.below(4); steps > 0 && problem_.empty(); --steps) {
      step(random_step());
      if (problem_.empty() && (steps == 1 || chance_.percent(60))) converge();
      change();
    }
    return problem_;
  }
  /// The project is brought up and changes; then `verb` is killed at its call number `at`. As run(); nothing when that
  /// run had ended before.
  std::optional<std::string> run_killed(Verb verb, int at, Kill kill) {
    traffic_.edge = true;
    step({});
    for (int i = 0; i < 3; ++i) change();
    step({.verb = verb, .up = {.remove_orphans = true}, .killed_at = at, .kill = kill});
    if (!killed_) return std::nullopt;
    converge();
    return problem_;
  }
  struct Counted {
    std::uint64_t runs = 0, calls = 0, killed = 0, rolled = 0;
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
    others_ = Shown(engine_).others();
  }
  void post(const std::string& target, const std::string& body = {}) {
    engine_.handle({.method = "POST", .target = target, .body = body});
  }
  void change() {
    project_.mutate();
    note("the project changes:" + project_.said);
    if (!chance_.percent(10)) return;
    note("core of berth serve begins anew");
    traffic_.restart();
  }

  Step random_step() {
    Step out;
    if (chance_.percent(30)) {
      constexpr std::array kOthers = {Verb::down, Verb::down,  Verb::down,   Verb::down_volumes,
                                      Verb::stop, Verb::start, Verb::restart};
      out.verb = kOthers[static_cast<std::size_t>(chance_.below(kOthers.size()))];
    }
    out.up.remove_orphans = chance_.percent(50);
    out.up.force_recreate = chance_.percent(15);
    out.up.renew_anon_volumes = chance_.percent(5);
    out.up.no_start = chance_.percent(4);
    out.up.rolling = !chance_.percent(8);
    out.up.wait = chance_.percent(20);
    out.parallel = static_cast<std::size_t>(1 + chance_.below(16));
    out.faults = chance_.percent(45);
    out.hooks_fail = out.faults && chance_.percent(20);
    if (chance_.percent(50)) out.killed_at = 1 + chance_.below(15 + chance_.below(60));
    out.kill = static_cast<Kill>(chance_.below(3));
    if (chance_.percent(10)) out.interrupted_at = 1 + chance_.below(60);
    return out;
  }

  void step(const Step& step) {
    const auto before = std::move(volumes_);
    now_ = step;
    calls_ = 0;
    old_.clear();
    for (const Json& one : engine_.containers()) old_.emplace(one["Id"].text());
    killed_ = disturbed_ = false;
    traffic_.slow = step.faults && chance_.percent(20);
    traffic_.begins_after = 1s * (step.faults ? chance_.below(90) : 1);
    engine_.on_exec({.exit_code = step.hooks_fail ? 1 : 0});
    note(step.text());
    under_way_ = true;
    const Result<void> done = loop_->run(carried_out(*this));
    under_way_ = false;
    note(done ? "  -> well" : "  -> " + done.error().text());
    last_ = done ? "" : done.error().text();
    rolling_.clear();
    ++counted.runs;
    counted.calls += static_cast<std::uint64_t>(calls_);
    counted.killed += killed_ ? 1 : 0;
    static_cast<void>(loop_->run(io::sleep_for(70s)));  // what was slow is done by now
    engine_.forget_calls();
    // The others make nothing: containers of which an interrupted `up` never made the network cannot start.
    const bool whole = step.verb == Verb::up || step.verb == Verb::down || step.verb == Verb::down_volumes;
    const bool calm = whole && !step.faults && !step.killed_at && !step.interrupted_at && !disturbed_;
    expect(!calm || done || !late_.empty(), "a run that nothing disturbed failed: " + last_);
    if (!killed_) come_late();
    const Shown shown(engine_);
    expect(shown.others() == others_, "something of others changed");
    volumes_ = shown.volumes_of_services();
    renewed_ = renewed_ || step.up.renew_anon_volumes;  // also what the next run makes of it
    if (step.verb != Verb::down_volumes && !renewed_) check_volumes(shown, before);
  }

  // Runs again without faults until nothing is left to do.
  void converge() {
    Step again{.verb = now_.verb, .up = now_.up, .parallel = now_.parallel};
    if (again.verb != Verb::down && again.verb != Verb::down_volumes) again.verb = Verb::up;
    again.up.force_recreate = again.up.renew_anon_volumes = again.up.no_start = false;
    again.up.remove_orphans = std::ranges::any_of(project_.services, [](const auto& one) { return !one.present; });
    int runs = 0;
    const int most = kMostFurtherRuns + (late_.empty() ? 0 : 1);  // what comes late is an event of its own
    do {
      if (++runs > most) return fail_with("not converged after " + std::to_string(most) + " further runs");
      step(again);
      come_late();
    } while (problem_.empty() && (disturbed_ || !last_.empty() || !plan_text().empty()));
    renewed_ = false;
    if (!problem_.empty()) return;
    Verdict verdict(engine_, project_);
    const std::string wrong = again.verb == Verb::up ? verdict.up() : verdict.down(again.verb == Verb::down_volumes);
    expect(wrong.empty(), wrong);
  }

  // What is left to do.
  std::string plan_text() {
    const auto planned = loop_->run(planned_now(*this));
    if (!planned) return planned.error().text();
    std::string text;
    for (const plan::Node& node : planned->nodes)
      if (!plan::is_wait(node.op)) text += describe(node.op) + ": " + node.cause + '\n';
    if (!text.empty()) note("  left to do:\n" + text);
    return text;
  }
  static Task<Result<std::unique_ptr<engine::Client>>> connected(History& self) {
    co_return co_await engine::Client::connect(*engine::parse_address("unix:///fake"), self.engine_.dialer());
  }
  static Task<Result<plan::Plan>> planned_now(History& self) {
    const auto client = CO_TRY(co_await connected(self));
    co_return co_await plan_step(self, *client, self.project_.project(), false);
  }

  // The verb, as cli/carry_out.cc does it.
  static Task<Result<void>> carried_out(History& self) {
    io::Cancel cancel((co_await io::here()).cancel);
    self.cancel_ = &cancel;
    auto done = co_await planned_and_done(self).under(cancel);
    self.cancel_ = nullptr;
    co_return done;
  }
  static Task<Result<void>> planned_and_done(History& self) {
    const auto client = CO_TRY(co_await connected(self));
    const Project project = self.project_.project();
    const plan::Plan first = CO_TRY(co_await plan_step(self, *client, project, false));
    if (!first.changes()) {
      static_cast<void>(co_await plan::clear_dead_lock(*client, lock_options()));
      if (!first.empty()) CO_TRY(co_await apply_step(self, *client, first));
      co_return Result<void>{};
    }
    auto lock = CO_TRY(co_await plan::lock_project(*client, lock_options()));
    auto done = co_await rounds(self, *client, project);
    static_cast<void>(co_await io::shielded(lock.release(*client)));
    co_return done;
  }
  static plan::LockOptions lock_options() { return {.project = "shop", .folder = runtime_folder()}; }
  static Task<Result<void>> rounds(History& self, engine::Client& client, const Project& project) {
    bool again = false;
    do {
      const plan::Plan plan = CO_TRY(co_await plan_step(self, client, project, again));
      again = plan.again;
      CO_TRY(co_await apply_step(self, client, plan));
    } while (again);
    co_return Result<void>{};
  }
  static Task<Result<plan::Plan>> plan_step(History& self, engine::Client& client, const Project& project,
                                            bool settled) {
    const plan::Observed world = CO_TRY(co_await plan::observe(client, wanted(project)));
    UpOptions options = self.now_.up;
    options.images_settled = settled;
    options.force_recreate = options.force_recreate && !settled;
    auto plan = self.planned(project, world, options);
    if (self.now_.verb == Verb::up && plan && plan->changes()) {
      options.traffic = co_await self.traffic_.view();
      plan = self.planned(project, world, options);
    }
    if (self.traced_ && plan && !plan->nodes.empty()) self.note(plan->to_text());
    co_return plan;
  }
  Result<plan::Plan> planned(const Project& project, const plan::Observed& world, const UpOptions& up) const {
    switch (now_.verb) {
      case Verb::up:
        return plan_up(project, world, up);
      case Verb::stop:
        return plan_stop(project, world);
      case Verb::start:
        return plan_start(project, world);
      case Verb::restart:
        return plan_restart(project, world);
      default:
        return plan_down(project, world, {.remove_orphans = true, .volumes = now_.verb == Verb::down_volumes});
    }
  }
  static Task<Result<void>> apply_step(History& self, engine::Client& client, const plan::Plan& plan) {
    self.expect_no_gap(plan);
    const auto outcome =
        CO_TRY(co_await plan::apply(client, plan, {.parallel = self.now_.parallel, .traffic = &self.traffic_}));
    for (const auto& failure : outcome.failures)
      self.note("  #" + std::to_string(failure.node) + " failed: " + failure.error.text());
    if (!outcome.ok()) co_return fail(outcome.error());
    co_return Result<void>{};
  }

  // A service that is replaced start-first and that gets requests goes on getting them.
  void expect_no_gap(const plan::Plan& plan) {
    rolling_.clear();
    const auto serving = traffic_.serving();
    for (const plan::Rollout& one : plan.rollouts) {
      const auto service = std::ranges::find(project_.services, one.service, &testing::RandomService::name);
      const bool serves = std::ranges::any_of(serving, [&](const auto& each) { return each.second == one.service; });
      if (one.start_first && serves && service->routed) rolling_.insert(one.service);
    }
    counted.rolled += rolling_.size();
  }
  void check_gap(const std::string& when) {
    if (rolling_.empty() || disturbed_) return;
    std::set<std::string> left = rolling_;
    for (const auto& one : traffic_.serving()) left.erase(one.second);
    expect(left.empty(), "nobody answers the requests to " + (left.empty() ? "" : *left.begin()) + " before " + when);
  }

  // What becomes of one call.
  std::optional<FakeFault> decide(const FakeCall& call) {
    if (!under_way_) return std::nullopt;
    if (killed_) return FakeFault{.drop = true};
    check_call(call);
    const bool changes = call.method != "GET";
    if (changes) check_gap(call.text());
    if (!late_.empty() && chance_.percent(10)) come_late();
    if (is_killed(call.text())) {
      if (now_.kill == Kill::during_call && changes) late_.push_back(call);
      late_parting_ = late_parting_ || now_.verb == Verb::down || now_.verb == Verb::down_volumes;
      return FakeFault{.drop = true, .done = now_.kill == Kill::after_call};
    }
    auto fault = now_.faults ? random_fault(call) : std::nullopt;
    if (traced_ && (fault || changes)) note("  " + call.text() + (fault ? " <- " + told(*fault) : ""));
    return fault;
  }
  SimulatedTraffic::Fate decide_question(const std::string& question) {
    if (!under_way_) return {};
    if (killed_) return {.lost = true, .done = false};
    check_gap(question);
    if (is_killed(question)) return {.lost = true, .done = now_.kill != Kill::before_call};
    const bool lost = now_.faults && chance_.percent(8);
    note("  edge: " + question + (lost ? " <- no answer" : ""));
    return {.lost = lost, .done = !lost || chance_.percent(50)};
  }
  // Counts it; Ctrl-C and kill -9 come when it is their turn.
  bool is_killed(const std::string& call) {
    ++calls_;
    if (calls_ == now_.interrupted_at && cancel_) {
      note("  " + call + " <- Ctrl-C");
      cancel_->request();
    }
    if (calls_ != now_.killed_at) return false;
    killed_ = true;
    constexpr std::array<std::string_view, 3> kMoments = {"before", "after", "during"};
    note("  " + call + " <- berth is killed " + std::string(kMoments[static_cast<std::size_t>(now_.kill)]) + " it");
    return true;
  }
  static std::string told(const FakeFault& fault) {
    std::string out = fault.drop     ? "connection lost"
                      : fault.status ? "answered " + std::to_string(fault.status)
                                     : "slow";
    if (fault.done) out += ", and done";
    if (fault.delay > 0s) out += " after " + std::to_string(fault.delay / 1s) + " s";
    return out;
  }
  // The engine goes on with what a client that was killed had asked for; it looked for duplicates before.
  void come_late() {
    disturbed_ = disturbed_ || !late_.empty();
    // What `down` had asked for takes anonymous volumes, or leaves them to nobody.
    renewed_ = renewed_ || (late_parting_ && !late_.empty());
    late_parting_ = false;
    for (const FakeCall& call : std::exchange(late_, {})) {
      Json body = call.body;
      if (call.path == "/networks/create") body.erase("CheckDuplicate");
      const bool was = std::exchange(under_way_, false);
      const auto reply = engine_.handle({.method = call.method,
                                         .target = call.path + (call.query.empty() ? "" : "?" + call.query),
                                         .body = body.dump()});
      under_way_ = was;
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
    for (const Json& one : engine_.containers())
      if (Shown::project_of(one) == "shop" && one.at("State.Running").boolean())
        running.emplace_back(Shown::name_of(one));
    if (running.empty()) return;
    const std::string& name = running[static_cast<std::size_t>(chance_.below(static_cast<int>(running.size())))];
    note("  " + name + " dies");
    disturbed_ = true;
    engine_.exit(name, chance_.percent(50) ? 1 : 137);
  }

  // What no call may ever ask for.
  void check_call(const FakeCall& call) {
    if (call.method != "DELETE" || now_.verb == Verb::down_volumes) return;
    const std::string_view volume = std::string_view(call.path).substr(std::min<std::size_t>(9, call.path.size()));
    const bool own = volume == "berth-lock_shop" || volume.starts_with(plan::kFilesPrefix);
    expect(!call.path.starts_with("/volumes/") || own, "a volume is removed unasked: " + call.text());
    // Those of one that this run made hold nothing yet.
    const bool old = std::ranges::any_of(old_, [&](const std::string& id) { return call.path.ends_with(id); });
    expect(!old || call.query.find("v=1") == std::string::npos,
           "anonymous volumes are removed unasked: " + call.text());
  }

  void check_volumes(const Shown& shown, const std::map<std::string, std::string>& before) {
    for (const auto& [place, volume] : before) {
      expect(shown.has_volume(volume), "the volume of " + place + " is gone");
      const auto found = volumes_.find(place);
      if (now_.verb == Verb::up && found != volumes_.end())
        expect(found->second == volume, "the volume of " + place + " is another one");
    }
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
  void note(const std::string& line) {
    if (traced_) trace_.push_back(line);
  }

  bool traced_ = false;
  std::unique_ptr<io::Loop> loop_ = berth::testing::simulated_loop();
  FakeEngine engine_;
  SimulatedTraffic traffic_{engine_, [this](const std::string& question) { return decide_question(question); }};
  Chance chance_;
  RandomProject project_;
  Step now_{};
  io::Cancel* cancel_ = nullptr;  // of the run that goes on
  int calls_ = 0;
  bool under_way_ = false;
  bool killed_ = false;
  bool renewed_ = false;             // since the last convergence anonymous volumes were asked to be new ones
  bool disturbed_ = false;           // something that berth cannot help happened in this run
  std::set<std::string> rolling_{};  // services that must go on answering
  std::vector<FakeCall> late_{};
  bool late_parting_ = false;  // they are of a `down`
  std::string others_{}, last_{};
  std::map<std::string, std::string> volumes_{};  // volumes_of_services() after the last step
  std::set<std::string> old_{};                   // ids of the containers that were there before this step
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
  std::uint64_t first = 1, last = 20;
};
Seeds asked_seeds() {
  const char* text = std::getenv("SEEDS");
  if (!text) return {};
  const Cut range = cut(text, '-');
  const auto first = std::strtoull(std::string(range.before).c_str(), nullptr, 10);
  return {first, range.found ? std::strtoull(std::string(range.after).c_str(), nullptr, 10) : first};
}

// Telling what happens takes longer than the history itself.
std::string trace_of(std::uint64_t seed) {
  History history(seed, true);
  static_cast<void>(history.run());
  return history.trace();
}

TEST(Simulation, EveryHistoryEndsWell) {
  const Seeds seeds = asked_seeds();
  std::signal(SIGABRT, name_seed);
  int failures = 0;
  History::Counted all;
  for (std::uint64_t seed = seeds.first; seed <= seeds.last && failures < 5; ++seed) {
    current_seed = seed;
    History history(seed);
    const std::string problem = history.run();
    all.runs += history.counted.runs;
    all.calls += history.counted.calls;
    all.killed += history.counted.killed;
    all.rolled += history.counted.rolled;
    if (seeds.first == seeds.last) std::fputs(trace_of(seed).c_str(), stderr);
    if (problem.empty()) continue;
    ++failures;
    ADD_FAILURE() << "seed " << seed << ": " << problem << " (SEEDS=" << seed << " replays it)\n" << trace_of(seed);
  }
  std::fprintf(stderr,
               "histories %llu-%llu: %llu runs of berth, %llu of them killed, %llu services rolled, %llu calls\n",
               static_cast<unsigned long long>(seeds.first), static_cast<unsigned long long>(seeds.last),
               static_cast<unsigned long long>(all.runs), static_cast<unsigned long long>(all.killed),
               static_cast<unsigned long long>(all.rolled), static_cast<unsigned long long>(all.calls));
}

// Sanitizers make it twenty times as slow: they see some of it, a build without them all.
#if defined(__has_feature)
constexpr bool kSanitized = __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#else
constexpr bool kSanitized = false;
#endif

/// As many of each kind: seeds whose change is applied start-first in parts, and others.
std::vector<std::uint64_t> seeds_for_every_moment(int of_each) {
  std::vector<std::uint64_t> seeds;
  int rolling = of_each, plain = of_each;
  for (std::uint64_t seed = 1; rolling + plain > 0; ++seed) {
    History history(seed);
    EXPECT_FALSE(history.run_killed(Verb::up, 1 << 30, Kill::before_call));
    int& left = history.counted.rolled > 0 ? rolling : plain;
    if (left > 0) seeds.push_back(seed);
    left = std::max(0, left - 1);
  }
  return seeds;
}

// Not at random but at every call of a run, before it, after it and while the engine is at it.
TEST(Simulation, EveryMomentToDieAtIsSurvived) {
  if (const Seeds asked = asked_seeds(); asked.first == asked.last) GTEST_SKIP() << "one history was asked for";
  int moments = 0;
  const auto all_at = [&moments](Verb verb, std::uint64_t seed, Kill kill) {
    for (int at = 1;; at += kSanitized ? 29 : 1, ++moments) {
      const auto problem = History(seed).run_killed(verb, at, kill);
      if (!problem) return;
      if (problem->empty()) continue;
      History told(seed, true);
      static_cast<void>(told.run_killed(verb, at, kill));
      FAIL() << *problem << ": " << to_text(verb) << " of seed " << seed << " killed at call " << at << '\n'
             << told.trace();
    }
  };
  for (const std::uint64_t seed : seeds_for_every_moment(kSanitized ? 1 : 2))
    for (const Verb verb : {Verb::up, Verb::down})
      for (const Kill kill : {Kill::before_call, Kill::after_call, Kill::during_call}) all_at(verb, seed, kill);
  std::fprintf(stderr, "%d moments to die at\n", moments);
}

}  // namespace
}  // namespace berth::compose
