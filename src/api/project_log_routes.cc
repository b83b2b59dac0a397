#include <algorithm>

#include "api/log_lines.h"
#include "api/project_log.h"
#include "base/text.h"
#include "http/sse.h"

namespace berth::api {
namespace {

constexpr std::int64_t kUsualTail = 1000, kMostTail = 100'000;
// A client that takes nothing at all is cut off a moment after all others were sent away.
constexpr auto kMostLife = std::chrono::minutes(16);

Result<ProjectLogWish> wish_of(const Call& call) {
  ProjectLogWish out{.project = std::string(call.parameter("project")),
                     .follow = call.flag("follow") && call.option("until").empty()};
  for (const auto name : split(call.option("services"), ','))
    if (!name.empty()) out.services.emplace(name);
  const auto seen = http::last_event_number(call.head->fields.get("Last-Event-ID"));
  const std::string tail = seen ? "all" : std::string(call.option("tail", std::to_string(kUsualTail)));
  if (tail != "all") {
    const auto most = call.option("tail").empty() ? kUsualTail : call.number("tail", -1);
    if (most < 0 || most > kMostTail)
      return fail(Code::invalid, "tail is all, or a number up to " + std::to_string(kMostTail));
    out.most = static_cast<std::size_t>(most);
  }
  out.past = {.timestamps = true,
              .since = seen ? seconds_of(*seen + 1) : std::string(call.option("since")),
              .until = std::string(call.option("until")),
              .tail = tail == "all" ? "" : tail};
  return out;
}

LogForm form_of(const Call& call) {
  if (!call.head->fields.has_token("Accept", "text/plain")) return LogForm::events;
  return call.flag("timestamps") ? LogForm::stamped_text : LogForm::text;
}

// A project that never ran has an empty log; what is no project at all has none.
io::Task<Result<void>> check_known(EngineWorld& world, const std::string& project) {
  const auto containers = CO_TRY(co_await world.desk.containers());
  if (std::ranges::find(*containers, project, &ContainerItem::project) != containers->end()) co_return Result<void>{};
  if (world.is_managed && world.is_managed(project)) co_return Result<void>{};
  co_return fail(Code::not_found, "there is no project " + project + ", neither here nor on the engine");
}

io::Task<Result<void>> logs(EngineWorld& world, Call& call) {
  const ProjectLogWish wish = CO_TRY(wish_of(call));
  CO_TRY(co_await check_known(world, wish.project));
  LogOutlet outlet(call, form_of(call));
  CO_TRY(co_await outlet.begin());
  auto sending = send_project_log(world, wish, outlet);
  CO_TRY(wish.follow ? co_await io::within(kMostLife, std::move(sending)) : co_await std::move(sending));
  co_return co_await outlet.finish(wish.follow ? LogOutlet::End::again : LogOutlet::End::ended);
}

}  // namespace

Routes project_log_routes(EngineWorld& world) {
  return {{"GET",
           "/api/v1/projects/{project}/logs",
           Permission::logs,
           Where::project,
           "What its containers write, by time: events, or text with Accept: text/plain",
           at_engine(world, logs),
           {{.name = "follow", .type = "boolean", .meaning = "go on with what comes, of new containers too"},
            {.name = "tail", .meaning = "lines from the end of all together, or all; 1000 unless said"},
            {.name = "since", .meaning = "seconds since 1970"},
            {.name = "until", .meaning = "seconds since 1970; what ends there is not followed"},
            {.name = "services", .meaning = "names with commas; all of them without"},
            {.name = "timestamps", .type = "boolean", .meaning = "of text/plain"}}}};
}

}  // namespace berth::api
