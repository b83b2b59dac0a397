// Runs jobs: one mechanism for all that takes longer than an answer may.
#pragma once

#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string>

#include "job/feed.h"
#include "job/table.h"

namespace berth::job {

enum class Level { info, warning, error };
std::string_view to_text(Level level);

/// What a running job says; never a secret. Lives until its work returns. Thread: the loop's.
class Log {
 public:
  explicit Log(std::shared_ptr<Feed> feed) : feed_(std::move(feed)) {}
  /// One line, cut at 4,000 bytes. `progress` is for a program to show: {"done", "of", "what"}.
  void say(std::string_view text, Level level = Level::info, const Json& progress = {});

 private:
  std::shared_ptr<Feed> feed_;
};

/// The deed itself. It ends by itself, at its deadline or when it is cancelled.
using Work = std::function<io::Task<Result<void>>(Log&)>;

/// What shall be done, by whom.
struct Order {
  std::string kind{}, subject{}, project{};  ///< as in Job
  std::string actor{}, name{};               ///< of who ordered it
  Json input{};                              ///< kept, for a resumer; no secret
  io::Duration deadline = std::chrono::hours(1);
  Work work{};
};

class Runner;

/// One reader of one job's log, from a line on; a slow one never holds up the job. Thread: the loop's.
class LogFollower {
 public:
  /// The next lines: from the store what is older, then as they come. FeedEvent: number, kind = level, text = JSON
  /// {"at" (ms), "level", "text", "progress"?}. No events: the job has ended and all was given. `lost` counts lines
  /// that were dropped before this reader got them.
  io::Task<Result<Follower::Batch>> next(std::size_t most = 256);

 private:
  friend class Runner;
  LogFollower(Runner& runner, std::string job, std::uint64_t after)
      : runner_(runner), job_(std::move(job)), seen_(after) {}
  io::Task<Result<Follower::Batch>> from_store(std::size_t most);

  Runner& runner_;
  std::string job_;
  std::uint64_t seen_;
  std::unique_ptr<Follower> live_;
};

/// At most `at_once` jobs run, and one of a project. Jobs that a dead core left are resumed by what their kind has
/// registered, or marked as interrupted. Thread: its loop's.
class Runner {
 public:
  struct Options {
    std::size_t at_once = 4;
    std::size_t queue = 100;       ///< jobs that wait; more are refused
    std::size_t keep = 1000;       ///< jobs in the store; older ones that ended are forgotten
    std::size_t lines = 5000;      ///< of one job, the newest; the same number of live ones
    std::size_t bytes = 1u << 20;  ///< of them
    bool alone = true;             ///< no other core has this store: what is not ours is a dead one's at once
    std::string core{};            ///< the same at each start, so that what it had is its own at once; "": a new one
    std::function<void(const Job&)> changed{};      ///< after each change of a state
    std::function<void(const std::string&)> say{};  ///< what the store refused, for berth's own log
  };
  /// How to go on with a job of a dead core; no work: it cannot.
  using Resumer = std::function<Work(const Job&)>;

  /// `database` has this room's tables and outlives the runner.
  Runner(store::Database& database, Options options);
  ~Runner();
  /// For jobs of `kind`; before run().
  void resume_with(std::string kind, Resumer resumer) { resumers_[std::move(kind)] = std::move(resumer); }

  /// Takes over what dead cores left, then starts jobs until cancelled. Jobs that run then are cancelled and marked
  /// interrupted, unless their kind has a resumer: those go on with the next start.
  io::Task<void> run();

  /// The job's id, once it is in the store. Code::busy when too many wait.
  io::Task<Result<std::string>> submit(Order order);
  /// Ends it, or takes it from the queue. Code::not_found, conflict when it has ended (or is another core's).
  io::Task<Result<void>> cancel(std::string id);
  io::Task<Result<Job>> find(std::string id);
  /// The same of a job whose lines came to their end: waits until what became of it is stored.
  io::Task<Result<Job>> outcome(std::string id);
  io::Task<Result<std::vector<Job>>> list(JobFilter filter);
  /// From the lines after number `after` on. Code::not_found.
  io::Task<Result<LogFollower>> follow(std::string id, std::uint64_t after = 0);

 private:
  friend class LogFollower;
  struct Live;

  io::Task<Result<void>> recover();
  io::Task<void> keep_lease();
  io::Task<void> start_jobs(io::Scope& scope);
  io::Task<void> carry_out(std::shared_ptr<Live> live);
  io::Task<void> keep_lines(std::shared_ptr<Live> live);
  io::Task<void> follow_lines(Live& live);
  io::Task<Result<void>> store_lines(Live& live, const Follower::Batch& batch);
  io::Task<void> end(Live& live, State state, std::string error);
  io::Task<void> save(Job job);
  void forget(const std::string& id);
  std::shared_ptr<Live> make_live(io::Loop& loop, Job job, Work work, std::uint64_t first_line);
  std::shared_ptr<Live> next_ready() const;
  std::shared_ptr<Live> live(const std::string& id) const;
  Lease lease() const;

  store::Database& database_;
  Options options_;
  std::string core_;
  bool recovered_ = false;            ///< what was its own before this start has been taken over
  std::vector<std::string> early_{};  ///< jobs that were ordered before that
  std::map<std::string, Resumer> resumers_;
  std::list<std::shared_ptr<Live>> lives_;  // queued and running, in the order of submission
  io::Event changed_;
};

}  // namespace berth::job
