#include "job/runner.h"

#include <algorithm>

#include "io/ident.h"
#include "io/wall.h"

namespace berth::job {
namespace {

constexpr std::size_t kMostText = 4000;
constexpr std::int64_t kLease = 60'000'000;  // microseconds
constexpr auto kRenew = std::chrono::seconds(10);
constexpr auto kFlush = std::chrono::milliseconds(100);  // between two times that lines are stored
constexpr std::size_t kFlushed = 500;                    // lines at once

std::vector<Line> lines_of(const FeedEvents& events) {
  std::vector<Line> out;
  out.reserve(events.size());
  for (const auto& event : events)
    out.push_back({.number = static_cast<std::int64_t>(event->number), .level = event->kind, .text = event->text});
  return out;
}

io::Task<Result<void>> until(io::Event& event) {
  co_return co_await event.wait();
}

}  // namespace

std::string_view to_text(Level level) {
  switch (level) {
    case Level::info:
      return "info";
    case Level::warning:
      return "warning";
    case Level::error:
      break;
  }
  return "error";
}

void Log::say(std::string_view text, Level level, const Json& progress) {
  Json line =
      Json::object({{"at", io::wall_time() / 1000}, {"level", to_text(level)}, {"text", text.substr(0, kMostText)}});
  if (!progress.is_null()) line.set("progress", progress);
  feed_->publish(std::string(to_text(level)), line.dump());
}

struct Runner::Live {
  Job job;
  Work work;
  io::Duration deadline = std::chrono::hours(1);
  std::shared_ptr<Feed> feed;
  bool stored = false;                                       // its row is in the store
  bool taken = false;                                        // its turn came
  bool asked = false;                                        // someone wants it to end
  io::Cancel* cancel = nullptr;                              // while it works
  io::Event worked;                                          // its work returned
  io::Event over;                                            // what became of it is stored
  std::deque<std::pair<std::uint64_t, std::size_t>> kept{};  // lines in the store: number and size
  std::size_t bytes = 0;
};

Runner::Runner(store::Database& database, Options options)
    : database_(database),
      options_(std::move(options)),
      core_(options_.core.empty() ? io::new_id("core") : options_.core) {}

Runner::~Runner() = default;

Lease Runner::lease() const {
  return {.core = core_, .until = io::wall_time() + kLease};
}

std::shared_ptr<Runner::Live> Runner::live(const std::string& id) const {
  const auto found = std::ranges::find(lives_, id, [](const auto& each) { return each->job.id; });
  return found == lives_.end() ? nullptr : *found;
}

// --- taking orders ----------------------------------------------------------------------------------------------

io::Task<Result<std::string>> Runner::submit(Order order) {
  const auto waiting = std::ranges::count_if(lives_, [](const auto& each) { return !each->taken; });
  if (static_cast<std::size_t>(waiting) >= options_.queue)
    co_return fail(Code::busy, order.kind + " of " + order.subject + ": " + std::to_string(waiting) +
                                   " jobs wait already: try again when some have ended");
  Job job{.id = io::new_id("job"),
          .kind = std::move(order.kind),
          .subject = std::move(order.subject),
          .project = std::move(order.project),
          .actor = std::move(order.actor),
          .name = std::move(order.name),
          .created = io::wall_time(),
          .input = std::move(order.input)};
  const io::Context context = co_await io::here();
  auto made = make_live(*context.loop, std::move(job), std::move(order.work), 1);
  made->deadline = order.deadline;
  if (!recovered_) early_.push_back(made->job.id);
  lives_.push_back(made);  // before it is stored: its place in the queue is that of its order
  auto stored = co_await database_.write<void>(
      [job = made->job, mine = lease()](store::Transaction& t) { return insert_job(t, job, mine); });
  if (!stored) {
    std::erase(lives_, made);
    co_return fail(std::move(stored.error()));
  }
  made->stored = true;
  if (options_.changed) options_.changed(made->job);
  changed_.set();
  co_return made->job.id;
}

std::shared_ptr<Runner::Live> Runner::make_live(io::Loop& loop, Job job, Work work, std::uint64_t first_line) {
  auto made = std::make_shared<Live>();
  made->job = std::move(job);
  made->work = std::move(work);
  made->feed =
      std::make_shared<Feed>(loop, Feed::Limits{.events = options_.lines, .bytes = options_.bytes}, first_line);
  return made;
}

io::Task<Result<void>> Runner::cancel(std::string id) {
  const auto found = live(id);
  if (!found) {
    const auto job = CO_TRY(co_await find(id));
    if (has_ended(job.state))
      co_return fail(Code::conflict, id + ": the job has ended (" + std::string(to_text(job.state)) + ")");
    co_return fail(Code::conflict, id + ": the job runs in another core: ask that one");
  }
  found->asked = true;
  if (found->cancel) found->cancel->request();
  if (!found->taken) {
    found->taken = true;
    co_await end(*found, State::cancelled, "");
  }
  co_return Result<void>{};
}

io::Task<Result<Job>> Runner::find(std::string id) {
  if (const auto found = live(id)) co_return found->job;
  auto job =
      CO_TRY(co_await database_.read<std::optional<Job>>([&id](store::Transaction& t) { return find_job(t, id); }));
  if (!job) co_return fail(Code::not_found, id + ": no such job");
  co_return std::move(*job);
}

io::Task<Result<Job>> Runner::outcome(std::string id) {
  if (const auto found = live(id)) CO_TRY(co_await found->over.wait());
  co_return co_await find(std::move(id));
}

io::Task<Result<std::vector<Job>>> Runner::list(JobFilter filter) {
  co_return co_await database_.read<std::vector<Job>>(
      [&filter](store::Transaction& t) { return list_jobs(t, filter); });
}

// --- running them -----------------------------------------------------------------------------------------------

io::Task<void> Runner::run() {
  if (auto done = co_await recover(); !done && options_.say) options_.say("jobs: " + done.error().message);
  io::Scope scope(co_await io::here());
  scope.spawn(start_jobs(scope));
  if (!options_.alone) scope.spawn(keep_lease());
  co_await scope.join();
}

io::Task<void> Runner::start_jobs(io::Scope& scope) {
  while (true) {
    changed_.reset();
    while (auto ready = next_ready()) {
      ready->taken = true;
      scope.spawn(carry_out(std::move(ready)));
    }
    if (!co_await changed_.wait()) break;
  }
}

// In the order of submission, but past those whose project is busy.
std::shared_ptr<Runner::Live> Runner::next_ready() const {
  std::size_t running = 0;
  std::vector<std::string_view> busy;
  for (const auto& each : lives_) {
    if (!each->taken) continue;
    ++running;
    if (!each->job.project.empty()) busy.push_back(each->job.project);
  }
  if (running >= options_.at_once) return nullptr;
  const auto found = std::ranges::find_if(lives_, [&](const auto& each) {
    return !each->taken && each->stored && std::ranges::find(busy, each->job.project) == busy.end();
  });
  return found == lives_.end() ? nullptr : *found;
}

io::Task<void> Runner::carry_out(std::shared_ptr<Live> live) {
  const io::Context context = co_await io::here();
  live->job.state = State::running;
  live->job.started = io::wall_time();
  co_await io::shielded(save(live->job));
  io::Scope lines(context);
  lines.spawn(keep_lines(live));
  io::Cancel cancel(context.cancel);
  live->cancel = &cancel;
  if (live->asked) cancel.request();
  Log log(live->feed);
  Result<void> done = co_await io::within(live->deadline, live->work(log)).under(cancel);
  live->cancel = nullptr;
  if (!done && !live->asked) log.say(done.error().text(), Level::error);
  live->feed->close();
  live->worked.set();
  co_await lines.join();
  const bool stopped = context.cancel->requested() && !live->asked && !done;
  if (done)
    co_await end(*live, State::succeeded, "");
  else if (live->asked)
    co_await end(*live, State::cancelled, "");
  else if (!stopped)
    co_await end(*live, State::failed, done.error().message);
  else if (!resumers_.contains(live->job.kind))
    co_await end(*live, State::interrupted, "berth was stopped while it ran");
  else
    forget(live->job.id);  // the next start goes on
}

void Runner::forget(const std::string& id) {
  if (const auto gone = live(id)) gone->over.set();
  std::erase_if(lives_, [&](const auto& each) { return each->job.id == id; });
  changed_.set();
}

io::Task<void> Runner::end(Live& live, State state, std::string error) {
  Job ended = live.job;  // find() tells of the end once it is stored
  ended.state = state;
  ended.error = std::move(error);
  ended.ended = io::wall_time();
  live.feed->close();
  co_await io::shielded(save(std::move(ended)));
  forget(live.job.id);
}

// A state that cannot be stored is told nowhere else: the next start finds the job as one of a dead core.
io::Task<void> Runner::save(Job job) {
  auto stored = co_await database_.write<void>([this, &job](store::Transaction& t) -> Result<void> {
    TRY(update_job(t, job, core_));
    return has_ended(job.state) ? forget_jobs(t, options_.keep) : Result<void>{};
  });
  if (!stored && options_.say) options_.say(job.id + ": its state is not stored: " + stored.error().message);
  if (options_.changed) options_.changed(job);
}

// --- lines ------------------------------------------------------------------------------------------------------

io::Task<void> Runner::keep_lines(std::shared_ptr<Live> live) {
  io::Cancel own;  // what was said before the end is kept also when all stops
  co_await follow_lines(*live).under(own);
}

io::Task<void> Runner::follow_lines(Live& live) {
  Follower follower(live.feed, live.feed->oldest() - 1);
  while (true) {
    auto batch = co_await follower.next(kFlushed);
    if (!batch || batch->events.empty()) break;
    if (auto stored = co_await store_lines(live, *batch); !stored && options_.say)
      options_.say(live.job.id + ": lines are not stored: " + stored.error().message);
    if (batch->events.size() < kFlushed) (void)co_await io::within(kFlush, until(live.worked));
  }
}

io::Task<Result<void>> Runner::store_lines(Live& live, const Follower::Batch& batch) {
  for (const auto& event : batch.events) {
    live.kept.emplace_back(event->number, event->text.size());
    live.bytes += event->text.size();
  }
  std::uint64_t drop = 0;
  while (live.kept.size() > options_.lines || live.bytes > options_.bytes) {
    drop = live.kept.front().first;
    live.bytes -= live.kept.front().second;
    live.kept.pop_front();
  }
  co_return co_await database_.write<void>([&](store::Transaction& t) -> Result<void> {
    TRY(add_lines(t, live.job.id, lines_of(batch.events)));
    return drop == 0 ? Result<void>{} : drop_lines(t, live.job.id, static_cast<std::int64_t>(drop));
  });
}

io::Task<Result<LogFollower>> Runner::follow(std::string id, std::uint64_t after) {
  (void)CO_TRY(co_await find(id));
  co_return LogFollower(*this, std::move(id), after);
}

io::Task<Result<Follower::Batch>> LogFollower::next(std::size_t most) {
  const auto running = live_ ? nullptr : runner_.live(job_);
  if (!live_ && !(running && seen_ + 1 >= running->feed->oldest())) {
    auto batch = CO_TRY(co_await from_store(most));
    if (!batch.events.empty() || !running) co_return batch;
  }
  if (!live_) live_ = std::make_unique<Follower>(running->feed, seen_);
  auto batch = CO_TRY(co_await live_->next(most));
  seen_ = live_->seen();
  co_return batch;
}

io::Task<Result<Follower::Batch>> LogFollower::from_store(std::size_t most) {
  const auto lines = CO_TRY(co_await runner_.database_.read<std::vector<Line>>(
      [&](store::Transaction& t) { return read_lines(t, job_, static_cast<std::int64_t>(seen_), most); }));
  Follower::Batch batch;
  if (lines.empty()) co_return batch;
  batch.lost = static_cast<std::uint64_t>(lines.front().number) - seen_ - 1;
  for (const Line& line : lines)
    batch.events.push_back(
        std::make_shared<const FeedEvent>(static_cast<std::uint64_t>(line.number), line.level, line.text));
  seen_ = static_cast<std::uint64_t>(lines.back().number);
  co_return batch;
}

// --- after a crash ----------------------------------------------------------------------------------------------

io::Task<Result<void>> Runner::recover() {
  const io::Context context = co_await io::here();
  const std::int64_t now = options_.alone ? INT64_MAX : io::wall_time();
  auto left = CO_TRY(co_await database_.write<std::vector<Job>>(
      [now, own = !recovered_, mine = lease()](store::Transaction& t) { return take_over(t, mine, now, own); }));
  std::erase_if(left, [&](const Job& job) { return std::ranges::find(early_, job.id) != early_.end(); });
  recovered_ = true;
  early_.clear();
  for (Job job : left) {
    const auto resumer = resumers_.find(job.kind);
    Work work = resumer == resumers_.end() ? Work() : resumer->second(job);
    const auto line =
        CO_TRY(co_await database_.read<std::int64_t>([&job](store::Transaction& t) { return newest_line(t, job.id); }));
    const auto made = make_live(*context.loop, std::move(job), std::move(work), static_cast<std::uint64_t>(line) + 1);
    made->stored = true;
    lives_.push_back(made);
    if (made->work) {
      made->job.state = State::queued;
      Log(made->feed).say("berth was started anew: the job goes on", Level::warning);
    } else {
      made->taken = true;
      co_await end(*made, State::interrupted, "berth ended while it ran");
    }
  }
  changed_.set();
  co_return Result<void>{};
}

io::Task<void> Runner::keep_lease() {
  while (co_await io::sleep_for(kRenew)) {
    auto done = co_await database_.write<void>([mine = lease()](store::Transaction& t) { return renew(t, mine); });
    if (done) done = co_await recover();
    if (!done && options_.say) options_.say("jobs: " + done.error().message);
  }
}

}  // namespace berth::job
