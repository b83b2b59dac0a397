#include "job/runner.h"

#include <gtest/gtest.h>

#include "job/journal.h"
#include "testing/stores.h"

namespace berth::job {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Ended = io::Task<Result<void>>;

// Works of jobs: what they do is said by their parameters.
Ended talk(Log& log, int lines) {
  for (int line = 1; line <= lines; ++line) log.say("line " + std::to_string(line));
  co_return Result<void>{};
}
Ended wait_for(io::Event& event, int& running, int& most) {
  most = std::max(most, ++running);
  auto waited = co_await event.wait();
  --running;
  co_return waited;
}
Ended refuse() {
  co_return fail(Code::conflict, "the port is taken");
}

Order order(std::string project, Work work) {
  return {.kind = "test.deed",
          .subject = "project:" + project,
          .project = project,
          .actor = "user_A",
          .name = "Ada",
          .input = Json::object({{"generation", 7}}),
          .work = std::move(work)};
}
Work saying(int lines) {
  return [lines](Log& log) { return talk(log, lines); };
}

struct Runners : berth::testing::StoreTest {
  std::unique_ptr<store::Database> database = std::move(*open(migrations()));

  /// Runs `story` beside a runner, which is stopped at its end.
  template <class Story>
  void tell(Runner& runner, Story story) {
    loop.run(beside(runner, story(runner)));
  }
  static io::Task<void> beside(Runner& runner, io::Task<void> story) {
    io::Scope scope(co_await io::here());
    scope.spawn(runner.run());
    co_await io::within(seconds(60), std::move(story));
    scope.cancel();
    co_await scope.join();
  }
  std::optional<Job> stored(const std::string& id) {
    auto job = read<std::optional<Job>>(*database, [&](store::Transaction& t) { return find_job(t, id); });
    return job ? *job : std::nullopt;
  }
};
INSTANTIATE_TEST_SUITE_P(Each, Runners, berth::testing::stores(), berth::testing::store_name);

struct Heard {
  std::string text{};
  std::uint64_t lost = 0, last = 0;
};
io::Task<Heard> hear(Runner& runner, std::string id, std::uint64_t after) {
  Heard heard;
  auto follower = co_await runner.follow(std::move(id), after);
  if (!follower) co_return heard;
  while (true) {
    auto batch = co_await follower->next(3);
    if (!batch) break;
    heard.lost += batch->lost;
    if (batch->events.empty()) break;
    for (const auto& event : batch->events) {
      const auto json = parse_json(event->text);
      heard.text += std::string((*json)["text"].text()) + ";";
      heard.last = event->number;
    }
  }
  co_return heard;
}

TEST_P(Runners, DoesWhatIsOrderedAndKeepsWhatItSaid) {
  Runner runner(*database, {});
  static std::string id;
  static Heard live, later, rest;
  tell(runner, [](Runner& each) -> io::Task<void> {
    id = *co_await each.submit(order("shop", saying(7)));
    live = co_await hear(each, id, 0);
    later = co_await hear(each, id, 0);
    rest = co_await hear(each, id, 5);
  });
  const std::string all = "line 1;line 2;line 3;line 4;line 5;line 6;line 7;";
  EXPECT_EQ(live.text, all);
  EXPECT_EQ(later.text, all);
  EXPECT_EQ(rest.text, "line 6;line 7;");
  EXPECT_EQ(rest.last, 7u);
  const auto job = stored(id);
  ASSERT_TRUE(job);
  EXPECT_EQ(job->state, State::succeeded);
  EXPECT_EQ(job->name, "Ada");
  EXPECT_EQ(job->input["generation"].integer(), 7);
  EXPECT_LE(job->created, job->started);
  EXPECT_LE(job->started, job->ended);
}

io::Task<void> wait_until_ended(Runner& runner, std::string id) {
  (void)co_await hear(runner, id, 0);
  const auto job = co_await runner.outcome(id);
  EXPECT_TRUE(job && has_ended(job->state)) << "told at the end of its lines";
}

TEST_P(Runners, TellsHowItEnded) {
  Runner runner(*database, {});
  static io::Event never;
  static int running = 0, most = 0;
  static std::vector<std::string> ids;
  ids.clear();
  tell(runner, [](Runner& each) -> io::Task<void> {
    Order late = order("late", [](Log&) { return wait_for(never, running, most); });
    late.deadline = milliseconds(20);
    ids.push_back(*co_await each.submit(order("bad", [](Log&) { return refuse(); })));
    ids.push_back(*co_await each.submit(std::move(late)));
    ids.push_back(*co_await each.submit(order("long", [](Log&) { return wait_for(never, running, most); })));
    ids.push_back(*co_await each.submit(order("long", saying(1))));  // behind the one before: the same project
    EXPECT_TRUE(co_await each.cancel(ids[3]));
    EXPECT_TRUE(co_await each.cancel(ids[2]));
    for (const auto& id : ids) co_await wait_until_ended(each, id);
    EXPECT_EQ((co_await each.cancel(ids[0])).error().code, Code::conflict);
    EXPECT_EQ((co_await each.cancel("job_none")).error().code, Code::not_found);
  });
  EXPECT_EQ(stored(ids[0])->state, State::failed);
  EXPECT_EQ(stored(ids[0])->error, "the port is taken");
  EXPECT_EQ(stored(ids[1])->state, State::failed);
  EXPECT_EQ(stored(ids[2])->state, State::cancelled);
  EXPECT_EQ(stored(ids[3])->state, State::cancelled);
  EXPECT_EQ(stored(ids[3])->started, 0);
}

TEST_P(Runners, RunsAFewAtATimeAndOneOfAProject) {
  Runner runner(*database, {.at_once = 3, .queue = 6});
  static io::Event go;
  static int running = 0, most = 0, shop = 0, most_shop = 0;
  go.reset();
  running = most = shop = most_shop = 0;
  tell(runner, [](Runner& each) -> io::Task<void> {
    std::vector<std::string> ids;
    for (int i = 0; i < 3; ++i)
      ids.push_back(*co_await each.submit(order("shop", [](Log&) { return wait_for(go, shop, most_shop); })));
    for (int i = 0; i < 3; ++i)
      ids.push_back(*co_await each.submit(order("", [](Log&) { return wait_for(go, running, most); })));
    while (running < 2) (void)co_await io::sleep_for(milliseconds(1));
    EXPECT_EQ(shop, 1);  // with two of no project: three
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(co_await each.submit(order("x", saying(1))));
    EXPECT_EQ((co_await each.submit(order("x", saying(1)))).error().code, Code::busy);
    go.set();
    for (const auto& id : ids) co_await wait_until_ended(each, id);
  });
  EXPECT_EQ(most, 2);
  EXPECT_EQ(most_shop, 1);
}

TEST_P(Runners, KeepsTheNewestLinesAndCountsTheOthers) {
  Runner runner(*database, {.lines = 10});
  static Heard heard;
  tell(runner, [](Runner& each) -> io::Task<void> {
    const auto id = *co_await each.submit(order("shop", saying(25)));
    co_await wait_until_ended(each, id);
    heard = co_await hear(each, id, 2);
  });
  EXPECT_EQ(heard.lost, 13u);
  EXPECT_TRUE(heard.text.starts_with("line 16;")) << heard.text;
  EXPECT_TRUE(heard.text.ends_with("line 25;"));
}

TEST_P(Runners, ResumesWhatADeadCoreLeftOrSaysThatItWasInterrupted) {
  std::vector<std::string> ids;
  ASSERT_TRUE(write<void>(*database, [&](store::Transaction& t) -> Result<void> {
    for (const char* kind : {"project.apply", "image.pull"}) {
      Job job{.id = "job_" + std::string(kind), .kind = kind, .state = State::running, .created = 1, .started = 2};
      ids.push_back(job.id);
      TRY(insert_job(t, job, {.core = "core_dead", .until = 5}));
    }
    return add_lines(t, ids[0], {{.number = 1, .level = "info", .text = R"({"text":"before"})"}});
  }));
  Runner runner(*database, {.alone = GetParam() == "sqlite"});
  runner.resume_with("project.apply", [](const Job& job) { return job.id.empty() ? Work() : saying(1); });
  static Heard heard;
  static std::vector<std::string> names;
  names = ids;
  tell(runner, [](Runner& each) -> io::Task<void> {
    while (!has_ended((co_await each.find(names[0]))->state) || !has_ended((co_await each.find(names[1]))->state))
      (void)co_await io::sleep_for(milliseconds(1));
    heard = co_await hear(each, names[0], 0);
  });
  EXPECT_EQ(heard.text, "before;berth was started anew: the job goes on;line 1;");
  EXPECT_EQ(stored(ids[0])->state, State::succeeded);
  EXPECT_EQ(stored(ids[1])->state, State::interrupted);
}

TEST_P(Runners, HasItsOwnJobsAtOnceAfterARestart) {
  ASSERT_TRUE(write<void>(*database, [&](store::Transaction& t) -> Result<void> {
    TRY(insert_job(t, {.id = "job_mine", .kind = "x", .state = State::running},
                   {.core = "core_a", .until = INT64_MAX}));
    return insert_job(t, {.id = "job_theirs", .kind = "x", .state = State::running},
                      {.core = "core_b", .until = INT64_MAX});
  }));
  Runner runner(*database, {.alone = false, .core = "core_a"});
  tell(runner, [](Runner& each) -> io::Task<void> {
    while (!has_ended((co_await each.find("job_mine"))->state)) (void)co_await io::sleep_for(milliseconds(1));
  });
  EXPECT_EQ(stored("job_mine")->state, State::interrupted);
  EXPECT_EQ(stored("job_theirs")->state, State::running);
}

TEST_P(Runners, LeavesTheJobsOfALivingCoreAlone) {
  ASSERT_TRUE(write<void>(*database, [&](store::Transaction& t) {
    return insert_job(t, {.id = "job_theirs", .kind = "x", .state = State::running},
                      {.core = "core_b", .until = INT64_MAX});
  }));
  Runner runner(*database, {.alone = false});
  tell(runner, [](Runner& each) -> io::Task<void> {
    const auto id = *co_await each.submit(order("shop", saying(1)));
    co_await wait_until_ended(each, id);
    EXPECT_EQ((co_await each.cancel("job_theirs")).error().code, Code::conflict);
  });
  EXPECT_EQ(stored("job_theirs")->state, State::running);
}

TEST_P(Runners, MarksWhatAStopInterrupts) {
  static io::Event never;
  static int running = 0, most = 0;
  static std::vector<std::string> ids;
  ids.clear();
  Runner runner(*database, {});
  runner.resume_with("again", [](const Job&) { return saying(1); });
  tell(runner, [](Runner& each) -> io::Task<void> {
    Order again = order("a", [](Log&) { return wait_for(never, running, most); });
    again.kind = "again";
    ids.push_back(*co_await each.submit(order("b", [](Log&) { return wait_for(never, running, most); })));
    ids.push_back(*co_await each.submit(std::move(again)));
    while (running < 2) (void)co_await io::sleep_for(milliseconds(1));
  });
  EXPECT_EQ(stored(ids[0])->state, State::interrupted);
  EXPECT_EQ(stored(ids[1])->state, State::running);  // the next start goes on with it
}

TEST_P(Runners, ListsAndForgets) {
  Runner runner(*database, {.keep = 5});
  static std::vector<std::string> ids;
  static std::vector<Job> all, shop, seen, older;
  ids.clear();
  tell(runner, [](Runner& each) -> io::Task<void> {
    for (int i = 0; i < 8; ++i) {
      ids.push_back(*co_await each.submit(order(i % 2 == 0 ? "shop" : "blog", saying(1))));
      co_await wait_until_ended(each, ids.back());
      (void)co_await io::sleep_for(milliseconds(2));  // ids sort by milliseconds
    }
    all = *co_await each.list({});
    shop = *co_await each.list({.project = "shop"});
    seen = *co_await each.list({.visible = std::vector<std::string>{"blog", "other"}});
    older = *co_await each.list({.before = ids[7], .limit = 2});
  });
  ASSERT_EQ(all.size(), 5u);
  EXPECT_EQ(all[0].id, ids[7]);
  EXPECT_EQ(shop.size(), 2u);
  EXPECT_EQ(seen.size(), 3u);
  ASSERT_EQ(older.size(), 2u);
  EXPECT_EQ(older[0].id, ids[6]);
  EXPECT_EQ(ask(*database, "SELECT count(*) FROM job_lines")->front().integer(0), 5);
}

}  // namespace
}  // namespace berth::job
