// Jobs as the store keeps them: deeds that take time, with who ordered them and what came of them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "store/database.h"

namespace berth::job {

enum class State {
  queued,       ///< waits for its turn
  running,      ///< has begun
  succeeded,    ///< did all
  failed,       ///< `error` says why
  cancelled,    ///< someone asked to end it
  interrupted,  ///< core ended while it ran, and nobody knows how to go on
};
std::string_view to_text(State state);
std::optional<State> parse_state(std::string_view text);
inline bool has_ended(State state) {
  return state != State::queued && state != State::running;
}

struct Job {
  std::string id{};       ///< "job_<ULID>"
  std::string kind{};     ///< "project.apply", "image.pull"
  std::string subject{};  ///< "project:shop"
  std::string project{};  ///< or ""
  State state = State::queued;
  std::string actor{}, name{};                       ///< who ordered it: id, and name for people
  std::int64_t created = 0, started = 0, ended = 0;  ///< microseconds since 1970; 0: not yet
  std::string error{};                               ///< of one that failed
  Json input{};                                      ///< what its kind needs to go on after a restart; no secret
};
/// As the API shows it: times in milliseconds, null for not yet; without `input`.
Json to_json(const Job& job);

struct JobFilter {
  std::optional<State> state{};
  std::optional<std::string> project{};
  std::optional<std::vector<std::string>> visible{};  ///< projects that the asker may see; none: all and what has none
  std::string before{};                               ///< older than this id (a cursor); "": from the newest
  std::size_t limit = 100;                            ///< at most 1000
};

/// Who runs a job: a core, until its lease (microseconds since 1970) ends.
struct Lease {
  std::string core{};
  std::int64_t until = 0;
};

Result<void> insert_job(store::Transaction& transaction, const Job& job, const Lease& lease);
/// State, times and error. Code::conflict when `core` does not have it any more.
Result<void> update_job(store::Transaction& transaction, const Job& job, const std::string& core);
Result<std::optional<Job>> find_job(store::Transaction& transaction, const std::string& id);
/// The newest first.
Result<std::vector<Job>> list_jobs(store::Transaction& transaction, const JobFilter& filter);
/// Makes the jobs that have not ended of cores whose leases ended before `now` those of `mine`, and returns them,
/// oldest first. With `own`, at the start of a core, also those that it had before.
Result<std::vector<Job>> take_over(store::Transaction& transaction, const Lease& mine, std::int64_t now, bool own);
Result<void> renew(store::Transaction& transaction, const Lease& mine);
/// Removes those that ended, with their lines, beyond the newest `most` jobs.
Result<void> forget_jobs(store::Transaction& transaction, std::size_t most);

/// One line of a job's log. Numbers of one job grow by one from 1: where some are missing, they were dropped.
struct Line {
  std::int64_t number = 0;
  std::string level{}, text{};  ///< text: JSON, as the API sends it
};
Result<void> add_lines(store::Transaction& transaction, const std::string& job, const std::vector<Line>& lines);
Result<std::vector<Line>> read_lines(store::Transaction& transaction, const std::string& job, std::int64_t after,
                                     std::size_t limit);
/// Of those kept; 0 without any.
Result<std::int64_t> newest_line(store::Transaction& transaction, const std::string& job);
Result<void> drop_lines(store::Transaction& transaction, const std::string& job, std::int64_t up_to);

}  // namespace berth::job
