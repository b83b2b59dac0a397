#include "api/engine_world.h"
#include "api/event_log.h"
#include "api/event_stream.h"

namespace berth::api {
namespace {

// What belongs to the whole is for those who see the whole, but everybody learns whether the engine answers.
bool may_see(const auth::Principal& who, std::string_view kind, std::string_view project) {
  if (kind == "engine") return true;
  if (kind == "audit") return auth::may(who, Permission::audit);
  return auth::may(who, Permission::view, project);
}

io::Task<Result<void>> follow(EngineWorld& world, Call& call) {
  const std::string_view last = call.head->fields.get("Last-Event-ID");
  job::Follower follower(world.events, http::last_event_number(last.empty() ? call.option("after") : last));
  const Render render = [&who = call.who](std::string& out, const job::FeedEvent& event) {
    const auto said = parse_json(event.text);
    if (!said || !may_see(who, event.kind, (*said)["project"].text())) return;
    const std::string id = std::to_string(event.number);
    http::append_event(out, {.id = id, .name = event.kind, .data = event.text});
  };
  EventReply reply(*call.response);
  CO_TRY(co_await reply.begin());
  co_return co_await send_feed(reply, follower, render);
}

io::Task<Result<Reply>> log(EngineWorld& world, Call& call) {
  const std::int64_t limit = std::clamp<std::int64_t>(call.number("limit", 100), 1, 1000);
  const EventQuery query{.kind = std::string(call.option("type")),
                         .action = std::string(call.option("action")),
                         .before = call.number("cursor", 0),
                         .limit = static_cast<std::size_t>(limit)};
  const auto events = CO_TRY(co_await world.log.list(query));
  Json items = Json::array();
  for (const KeptEvent& event : events)
    if (may_see(call.who, event.kind, event.project)) items.push(to_json(event));
  const bool more = events.size() == query.limit;
  co_return Reply{.body = Json::object({{"items", std::move(items)},
                                        {"next", more ? Json(std::to_string(events.back().number)) : Json()},
                                        {"stale", world.desk.stale()}})};
}

}  // namespace

Routes event_routes(EngineWorld& world) {
  return {{"GET",
           "/api/v1/events",
           Permission::view,
           Where::loaded,
           "What happens, as server-sent events",
           at_engine(world, follow),
           {kEngine, {.name = "after", .type = "integer", .meaning = "as Last-Event-ID"}}},
          {"GET",
           "/api/v1/events/log",
           Permission::view,
           Where::loaded,
           "What happened, the newest first",
           at_local(world, log),
           {kEngine,
            kLimit,
            kCursor,
            {.name = "type", .meaning = "container, image, volume, network, engine"},
            {.name = "action", .meaning = "start, die, ..."}}}};
}

}  // namespace berth::api
