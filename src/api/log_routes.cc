#include "api/engine_world.h"
#include "api/log_desk.h"
#include "api/log_send.h"
#include "engine/container.h"

namespace berth::api {
namespace {

constexpr std::string_view kTail = "1000";
// A client that takes nothing at all is cut off a moment after all others were sent away.
constexpr auto kMostLife = std::chrono::minutes(16);

struct LogWish {
  LogForm form = LogForm::events;
  bool follow = false;
  std::optional<std::uint64_t> seen{};   ///< nanoseconds: the Last-Event-ID
  engine::ReadLogs past{};               ///< what was written before
  std::vector<std::string> beginning{};  ///< lines before all others
};

struct LogSource {
  std::shared_ptr<engine::Client> client;
  std::optional<LogReader> live{};
  std::optional<engine::OutputStream> past{};
};

// `follow`: unless the query says otherwise. What ends at a time is not followed.
LogWish wish_of(const Call& call, LogForm form, bool follow) {
  LogWish wish{.form = form, .seen = http::last_event_number(call.head->fields.get("Last-Event-ID"))};
  wish.follow = (call.query.contains("follow") ? call.flag("follow") : follow) && call.option("until").empty();
  wish.past = {.timestamps = true,
               .since = wish.seen ? seconds_of(*wish.seen + 1) : std::string(call.option("since")),
               .until = std::string(call.option("until")),
               .tail = wish.seen ? std::string() : std::string(call.option("tail", kTail))};
  return wish;
}

// What comes live is followed before the past is read; who comes again a moment later needs no past at all.
io::Task<Result<LogSource>> open(EngineWorld& world, const ContainerItem& item, const LogWish& wish) {
  LogSource source{.client = CO_TRY(world.desk.client())};
  bool tty = false;
  if (wish.follow) {
    auto followed = CO_TRY(co_await world.logs.follow(source.client, item.id));
    tty = followed.tty;
    source.live.emplace(std::move(followed.feed));
    const auto kept = wish.seen ? source.live->feed().after(static_cast<std::int64_t>(*wish.seen)) : std::nullopt;
    if (kept) source.live->move(*kept);
    if (kept || wish.past.tail == "0") co_return source;
  } else {
    const Json inspect = CO_TRY(co_await engine::inspect_container(*source.client, item.id));
    tty = inspect.at("Config.Tty").boolean();
  }
  source.past.emplace(CO_TRY(co_await engine::container_logs(*source.client, item.id, tty, wish.past)));
  co_return source;
}

io::Task<Result<void>> send_lines(LogOutlet& outlet, const std::vector<std::string>& lines) {
  std::string out;
  for (const std::string& line : lines) append_line(out, outlet.form(), {.text = line});
  if (out.empty()) co_return Result<void>{};
  co_return co_await outlet.send(out);
}

io::Task<Result<void>> send(LogOutlet& outlet, LogSource& source, const LogWish& wish) {
  CO_TRY(co_await send_lines(outlet, wish.beginning));
  std::optional<LogJoin> join;
  if (source.live) join.emplace(*source.live);
  if (source.past) CO_TRY(co_await send_past(outlet, *source.past, join ? &*join : nullptr));
  source.past.reset();
  if (!source.live) co_return co_await outlet.finish(LogOutlet::End::ended);
  co_return co_await send_live(outlet, *source.live, *join);
}

io::Task<void> hear(LogOutlet& outlet, io::Cancel& stop) {
  co_await outlet.hear(stop);
}

io::Task<Result<void>> serve(EngineWorld& world, Call& call, const ContainerItem& item, const LogWish& wish) {
  LogSource source = CO_TRY(co_await open(world, item, wish));
  LogOutlet outlet(call, wish.form);
  CO_TRY(co_await outlet.begin());
  const io::Context context = co_await io::here();
  io::Cancel gone(context.cancel);
  io::Scope scope(context);
  if (wish.form == LogForm::frames) scope.spawn(hear(outlet, gone));
  auto sending = send(outlet, source, wish);
  auto done = wish.follow ? co_await io::within(kMostLife, std::move(sending)).under(gone)
                          : co_await std::move(sending).under(gone);
  if (done && wish.form == LogForm::frames) co_await outlet.linger();
  if (gone.requested()) done = {};
  scope.cancel();
  co_await scope.join();
  co_return done;
}

io::Task<Result<void>> logs(EngineWorld& world, Call& call) {
  const ContainerItem item = CO_TRY(co_await load_container(world, call, Permission::logs));
  const LogForm text = call.flag("timestamps") ? LogForm::stamped_text : LogForm::text;
  const LogForm form = call.head->fields.has_token("Accept", "text/plain") ? text : LogForm::events;
  co_return co_await serve(world, call, item, wish_of(call, form, false));
}

// The fifth seed's: a WebSocket or events, which go on, or else text.
io::Task<Result<void>> plain_logs(EngineWorld& world, Call& call) {
  const ContainerItem item = CO_TRY(co_await load_container(world, call, Permission::logs));
  LogForm form = LogForm::text;
  if (call.head->fields.has_token("Accept", "text/event-stream")) form = LogForm::plain_events;
  if (opens_websocket(*call.head)) form = LogForm::frames;
  if (form == LogForm::frames)
    if (const auto accept = http::websocket_handshake(*call.head); !accept)
      co_return co_await refuse_websocket(call, accept.error());
  LogWish wish = wish_of(call, form, form != LogForm::text);
  const bool whole = !wish.seen && !call.query.contains("since") && !call.query.contains("tail");
  if (whole) wish.beginning = world.logs.beginning(item.id);
  co_return co_await serve(world, call, item, wish);
}

}  // namespace

Routes log_routes(EngineWorld& world) {
  const std::vector<Parameter> query{
      kEngine,
      {.name = "follow", .type = "boolean", .meaning = "go on with what comes"},
      {.name = "tail", .meaning = "lines from the end, or all; 1000 unless said"},
      {.name = "since", .meaning = "seconds since 1970"},
      {.name = "until", .meaning = "seconds since 1970; what ends there is not followed"},
      {.name = "timestamps", .type = "boolean", .meaning = "of text/plain"}};
  return {{"GET", "/api/v1/containers/{id}/logs", Permission::logs, Where::loaded,
           "What it writes: events, or text with Accept: text/plain", at_engine(world, logs), query},
          {.method = "GET",
           .path = "/api/containers/{id}/logs",
           .needs = Permission::logs,
           .where = Where::loaded,
           .summary = "What it writes: text, events with Accept: text/event-stream, or a WebSocket",
           .handler = at_engine(world, plain_logs),
           .query = query,
           .verb = "plain.container.logs"}};
}

}  // namespace berth::api
