#include "api/event_log.h"

#include "base/json.h"

namespace berth::api {
namespace {

constexpr std::size_t kMostQueued = 10'000;
constexpr auto kPause = std::chrono::milliseconds(200);

Result<void> insert(store::Transaction& transaction, const std::vector<KeptEvent>& events) {
  for (const KeptEvent& event : events)
    static_cast<void>(TRY(
        transaction.run("INSERT INTO engine_event (at, kind, action, subject, name, project) VALUES (?, ?, ?, ?, ?, ?)",
                        {event.at, event.kind, event.action, event.id, event.name, event.project})));
  static_cast<void>(TRY(
      transaction.run("DELETE FROM engine_event WHERE number <= (SELECT MAX(number) FROM engine_event) - 20000", {})));
  return {};
}

Result<std::vector<KeptEvent>> select(store::Transaction& transaction, const EventQuery& query) {
  std::string sql = "SELECT number, at, kind, action, subject, name, project FROM engine_event WHERE number < ?";
  store::Values values{query.before > 0 ? query.before : INT64_MAX};
  if (!query.kind.empty()) {
    sql += " AND kind = ?";
    values.emplace_back(query.kind);
  }
  if (!query.action.empty()) {
    sql += " AND action = ?";
    values.emplace_back(query.action);
  }
  sql += " ORDER BY number DESC LIMIT ?";
  values.emplace_back(static_cast<std::int64_t>(query.limit));
  std::vector<KeptEvent> events;
  for (const store::Row& row : TRY(transaction.query(sql, values)))
    events.push_back({.number = row.integer(0),
                      .at = row.integer(1),
                      .kind = row.text(2),
                      .action = row.text(3),
                      .id = row.text(4),
                      .name = row.text(5),
                      .project = row.text(6)});
  return events;
}

}  // namespace

std::span<const store::Migration> migrations() {
  static constexpr store::Migration kSteps[] = {
      {300, "engine_event",
       "CREATE TABLE engine_event (number {serial}, at {integer} NOT NULL, kind TEXT NOT NULL, action TEXT NOT NULL, "
       "subject TEXT NOT NULL, name TEXT NOT NULL, project TEXT NOT NULL)"},
      {310, "figures",
       "CREATE TABLE figure (subject {text} NOT NULL, step {integer} NOT NULL, at {integer} NOT NULL, "
       "cpu {number} NOT NULL, memory {number} NOT NULL, rx {number} NOT NULL, tx {number} NOT NULL, "
       "PRIMARY KEY (subject, step, at))"},
      {320, "settings", "CREATE TABLE setting (name TEXT PRIMARY KEY, value {number} NOT NULL)"},
      {321, "setting texts", "CREATE TABLE setting_text (name TEXT PRIMARY KEY, value TEXT NOT NULL)"},
  };
  return kSteps;
}

Json to_json(const KeptEvent& event) {
  Json out = Json::object({{"type", event.kind},
                           {"action", event.action},
                           {"id", event.id},
                           {"name", event.name},
                           {"project", event.project.empty() ? Json() : Json(event.project)},
                           {"at", event.at}});
  if (event.number > 0) out.set("number", event.number);
  return out;
}

KeptEvent kept_event(const engine::EngineEvent& event) {
  return {.at = event.time_nano / 1'000'000,
          .kind = event.type,
          .action = event.action,
          .id = event.id,
          .name = std::string(event.attributes["name"].text(event.type == "volume" ? event.id : "")),
          .project = std::string(event.attributes["com.docker.compose.project"].text())};
}

void EventLog::add(KeptEvent event) {
  if (queue_.size() >= kMostQueued) queue_.erase(queue_.begin(), queue_.begin() + kMostQueued / 2);
  queue_.push_back(std::move(event));
  arrived_.set();
}

io::Task<void> EventLog::run() {
  while (co_await arrived_.wait()) {
    arrived_.reset();
    auto events = std::exchange(queue_, {});
    // What a store that is away refuses is lost: the log is for people to look at, not to act on.
    const auto written = co_await write(std::move(events));
    static_cast<void>(written);
    if (!co_await io::sleep_for(kPause)) co_return;
  }
}

io::Task<Result<void>> EventLog::write(std::vector<KeptEvent> events) {
  const auto done = co_await database_.write<bool>([&events](store::Transaction& transaction) -> Result<bool> {
    TRY(insert(transaction, events));
    return true;
  });
  if (!done) co_return fail(done.error());
  co_return Result<void>{};
}

io::Task<Result<std::vector<KeptEvent>>> EventLog::list(EventQuery query) {
  co_return co_await database_.read<std::vector<KeptEvent>>(
      [&query](store::Transaction& transaction) { return select(transaction, query); });
}

}  // namespace berth::api
