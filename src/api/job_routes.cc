#include "api/job_routes.h"

#include <algorithm>

#include "api/event_stream.h"
#include "io/scope.h"

namespace berth::api {
namespace {

constexpr auto kSilence = std::chrono::seconds(15);

// A job that one may not view is none.
io::Task<Result<job::Job>> load(job::Runner& runner, Call& call, Permission needs) {
  const std::string id(call.parameter("id"));
  auto found = CO_TRY(co_await runner.find(id));
  call.record.project = found.project;
  if (!auth::may(call.who, Permission::view, found.project)) {
    call.denied = true;
    co_return fail(Code::not_found, "there is no job " + id);
  }
  if (!auth::may(call.who, needs, found.project)) {
    call.denied = true;
    co_return fail(Code::denied, "this needs the permission \"" + std::string(auth::to_text(needs)) + "\"");
  }
  co_return found;
}

io::Task<Result<Reply>> list_jobs(job::Runner& runner, Call& call) {
  job::JobFilter filter{
      .before = std::string(call.option("cursor")),
      .limit = static_cast<std::size_t>(std::clamp<std::int64_t>(call.number("limit", 100), 1, 1000))};
  if (const auto project = call.option("project"); !project.empty()) filter.project = std::string(project);
  if (const auto state = call.option("state"); !state.empty()) {
    filter.state = job::parse_state(state);
    if (!filter.state) co_return fail(Code::invalid, "state: there is no state \"" + std::string(state) + "\"");
  }
  if (!auth::may(call.who, Permission::view)) {
    filter.visible.emplace();
    for (const auto& [project, role] : call.who.projects)
      if (auth::may(call.who, Permission::view, project)) filter.visible->push_back(project);
  }
  const auto jobs = CO_TRY(co_await runner.list(filter));
  Json items = Json::array();
  for (const auto& each : jobs) items.push(job::to_json(each));
  const bool more = jobs.size() == filter.limit;
  co_return Reply{
      .body = Json::object(
          {{"items", std::move(items)}, {"next", more ? Json(jobs.back().id) : Json()}, {"stale", nullptr}})};
}

io::Task<Result<Reply>> show_job(job::Runner& runner, Call& call) {
  co_return Reply{.body = job::to_json(CO_TRY(co_await load(runner, call, Permission::view)))};
}

io::Task<Result<Reply>> cancel_job(job::Runner& runner, Call& call) {
  const auto found = CO_TRY(co_await load(runner, call, Permission::act));
  CO_TRY(co_await runner.cancel(found.id));
  co_return Reply{.status = 204};
}

void append_lines(std::string& out, const job::Follower::Batch& batch) {
  if (batch.lost > 0) {
    const std::string data = Json::object({{"lost", static_cast<std::int64_t>(batch.lost)}}).dump();
    http::append_event(out, {.name = "gap", .data = data});
  }
  for (const auto& event : batch.events) {
    const std::string id = std::to_string(event->number);
    http::append_event(out, {.id = id, .data = event->text});
  }
}

// Its lines, and at its end what became of it as event "end".
io::Task<Result<void>> follow_job(job::Runner& runner, Call& call) {
  const auto found = CO_TRY(co_await load(runner, call, Permission::logs));
  const auto after = http::last_event_number(call.head->fields.get("Last-Event-ID"));
  auto lines = CO_TRY(co_await runner.follow(found.id, after.value_or(0)));
  EventReply reply(*call.response);
  CO_TRY(co_await reply.begin());
  const io::Context context = co_await io::here();
  while (true) {
    auto batch = co_await io::within(kSilence, lines.next());
    if (!batch && (batch.error().code != Code::timeout || context.cancel->requested()))
      co_return fail(std::move(batch).error());
    std::string out(batch ? "" : http::kHeartbeat);
    if (batch) append_lines(out, *batch);
    if (batch && batch->events.empty() && batch->lost == 0) break;
    CO_TRY(co_await reply.send(out));
  }
  std::string out;
  const std::string end = job::to_json(CO_TRY(co_await runner.outcome(found.id))).dump();
  http::append_event(out, {.name = "end", .data = end});
  CO_TRY(co_await reply.send(out));
  co_return co_await reply.finish();
}

using JobAnswer = io::Task<Result<Reply>> (*)(job::Runner& runner, Call& call);

Route about(Permission needs, std::string_view method, std::string_view path, std::string_view summary,
            std::variant<Answer, Stream> handler) {
  return {.method = method,
          .path = path,
          .needs = needs,
          .where = Where::loaded,
          .summary = summary,
          .handler = std::move(handler)};
}

}  // namespace

Routes job_routes(job::Runner& runner) {
  const auto at = [&runner](JobAnswer answer) -> Answer {
    return [&runner, answer](Call& call) { return answer(runner, call); };
  };
  Routes out = {
      about(Permission::view, "GET", "/api/v1/jobs", "What was ordered, the newest first", at(list_jobs)),
      about(Permission::view, "GET", "/api/v1/jobs/{id}", "One job", at(show_job)),
      about(Permission::act, "DELETE", "/api/v1/jobs/{id}", "Cancel a job", at(cancel_job)),
      about(Permission::logs, "GET", "/api/v1/jobs/{id}/events", "Its lines as server-sent events, and its end",
            Stream([&runner](Call& call) { return follow_job(runner, call); })),
  };
  out[0].query = {{.name = "project"}, {.name = "state"}, {.name = "limit", .type = "integer"}, {.name = "cursor"}};
  out[2].verb = "job.cancel";
  return out;
}

}  // namespace berth::api
