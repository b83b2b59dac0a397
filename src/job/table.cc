#include "job/table.h"

#include <algorithm>
#include <array>

namespace berth::job {
namespace {

using store::Row;
using store::Transaction;
using store::Values;

constexpr std::size_t kMostListed = 1000;
constexpr std::string_view kColumns =
    "id, kind, subject, project, state, actor, name, created, started, ended, error, input";
constexpr std::string_view kUnended = "state IN ('queued', 'running')";

constexpr std::array<std::pair<State, std::string_view>, 6> kStates{{{State::queued, "queued"},
                                                                     {State::running, "running"},
                                                                     {State::succeeded, "succeeded"},
                                                                     {State::failed, "failed"},
                                                                     {State::cancelled, "cancelled"},
                                                                     {State::interrupted, "interrupted"}}};

std::string select(std::string_view conditions) {
  return "SELECT " + std::string(kColumns) + " FROM jobs WHERE " + std::string(conditions);
}

Job read_job(const Row& row) {
  auto input = parse_json(row.text(11));
  return {.id = row.text(0),
          .kind = row.text(1),
          .subject = row.text(2),
          .project = row.text(3),
          .state = parse_state(row.text(4)).value_or(State::interrupted),
          .actor = row.text(5),
          .name = row.text(6),
          .created = row.integer(7),
          .started = row.integer(8),
          .ended = row.integer(9),
          .error = row.text(10),
          .input = input ? std::move(*input) : Json()};
}

std::vector<Job> read_jobs(const store::Rows& rows) {
  std::vector<Job> out;
  out.reserve(rows.size());
  for (const Row& row : rows) out.push_back(read_job(row));
  return out;
}

Json milliseconds(std::int64_t time) {
  return time == 0 ? Json() : Json(time / 1000);
}

std::string marks(std::size_t count) {
  std::string out;
  for (std::size_t at = 0; at < count; ++at) out += at == 0 ? "?" : ", ?";
  return out;
}

}  // namespace

std::string_view to_text(State state) {
  return std::ranges::find(kStates, state, [](const auto& each) { return each.first; })->second;
}

std::optional<State> parse_state(std::string_view text) {
  const auto found = std::ranges::find(kStates, text, [](const auto& each) { return each.second; });
  return found == kStates.end() ? std::nullopt : std::optional(found->first);
}

Json to_json(const Job& job) {
  return Json::object({{"id", job.id},
                       {"kind", job.kind},
                       {"subject", job.subject},
                       {"project", job.project},
                       {"state", to_text(job.state)},
                       {"createdAt", milliseconds(job.created)},
                       {"startedAt", milliseconds(job.started)},
                       {"endedAt", milliseconds(job.ended)},
                       {"by", job.name.empty() ? job.actor : job.name},
                       {"error", job.error.empty() ? Json() : Json(job.error)}});
}

Result<void> insert_job(Transaction& transaction, const Job& job, const Lease& lease) {
  (void)TRY(
      transaction.run("INSERT INTO jobs (" + std::string(kColumns) + ", core, lease) VALUES (" + marks(14) + ")",
                      {job.id, job.kind, job.subject, job.project, std::string(to_text(job.state)), job.actor, job.name,
                       job.created, job.started, job.ended, job.error, job.input.dump(), lease.core, lease.until}));
  return {};
}

Result<void> update_job(Transaction& transaction, const Job& job, const std::string& core) {
  const auto changed =
      TRY(transaction.run("UPDATE jobs SET state = ?, started = ?, ended = ?, error = ? WHERE id = ? AND core = ?",
                          {std::string(to_text(job.state)), job.started, job.ended, job.error, job.id, core}));
  if (changed == 0) return fail(Code::conflict, job.id + ": another core has taken it over");
  return {};
}

Result<std::optional<Job>> find_job(Transaction& transaction, const std::string& id) {
  const auto row = TRY(transaction.first(select("id = ?"), {id}));
  return row ? std::optional(read_job(*row)) : std::nullopt;
}

Result<std::vector<Job>> list_jobs(Transaction& transaction, const JobFilter& filter) {
  std::string conditions = "1 = 1";
  Values values;
  const auto add = [&](std::string_view condition, std::string value) {
    conditions += " AND " + std::string(condition);
    values.emplace_back(std::move(value));
  };
  if (!filter.before.empty()) add("id < ?", filter.before);
  if (filter.state) add("state = ?", std::string(to_text(*filter.state)));
  if (filter.project) add("project = ?", *filter.project);
  if (filter.visible && filter.visible->empty()) return std::vector<Job>{};
  if (filter.visible) {
    conditions += " AND project IN (" + marks(filter.visible->size()) + ")";
    values.insert(values.end(), filter.visible->begin(), filter.visible->end());
  }
  values.emplace_back(static_cast<std::int64_t>(std::min(filter.limit, kMostListed)));
  return read_jobs(TRY(transaction.query(select(conditions) + " ORDER BY id DESC LIMIT ?", values)));
}

Result<std::vector<Job>> take_over(Transaction& transaction, const Lease& mine, std::int64_t now, bool own) {
  const std::string dead =
      std::string(kUnended) + (own ? " AND (core = ? OR lease < ?)" : " AND core <> ? AND lease < ?");
  auto jobs = read_jobs(TRY(transaction.query(select(dead) + " ORDER BY id", {mine.core, now})));
  (void)TRY(
      transaction.run("UPDATE jobs SET core = ?, lease = ? WHERE " + dead, {mine.core, mine.until, mine.core, now}));
  return jobs;
}

Result<void> renew(Transaction& transaction, const Lease& mine) {
  (void)TRY(transaction.run("UPDATE jobs SET lease = ? WHERE core = ? AND " + std::string(kUnended),
                            {mine.until, mine.core}));
  return {};
}

Result<void> forget_jobs(Transaction& transaction, std::size_t most) {
  (void)TRY(transaction.run("DELETE FROM jobs WHERE NOT " + std::string(kUnended) +
                                " AND id <= (SELECT id FROM jobs ORDER BY id DESC LIMIT 1 OFFSET ?)",
                            {static_cast<std::int64_t>(most)}));
  return {};
}

Result<void> add_lines(Transaction& transaction, const std::string& job, const std::vector<Line>& lines) {
  for (const Line& line : lines)
    (void)TRY(transaction.run("INSERT INTO job_lines (job, number, level, text) VALUES (?, ?, ?, ?)",
                              {job, line.number, line.level, line.text}));
  return {};
}

Result<std::vector<Line>> read_lines(Transaction& transaction, const std::string& job, std::int64_t after,
                                     std::size_t limit) {
  const auto rows = TRY(transaction.query(
      "SELECT number, level, text FROM job_lines WHERE job = ? AND number > ? ORDER BY number LIMIT ?",
      {job, after, static_cast<std::int64_t>(std::min(limit, kMostListed))}));
  std::vector<Line> out;
  out.reserve(rows.size());
  for (const Row& row : rows) out.push_back({.number = row.integer(0), .level = row.text(1), .text = row.text(2)});
  return out;
}

Result<std::int64_t> newest_line(Transaction& transaction, const std::string& job) {
  const auto row =
      TRY(transaction.first("SELECT number FROM job_lines WHERE job = ? ORDER BY number DESC LIMIT 1", {job}));
  return row ? row->integer(0) : 0;
}

Result<void> drop_lines(Transaction& transaction, const std::string& job, std::int64_t up_to) {
  (void)TRY(transaction.run("DELETE FROM job_lines WHERE job = ? AND number <= ?", {job, up_to}));
  return {};
}

}  // namespace berth::job
