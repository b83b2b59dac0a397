// What a container uses: now, as it goes on, and over time; and the same of the host over time.
#include "api/engine_world.h"
#include "api/event_stream.h"
#include "api/sampler.h"
#include "engine/container.h"

namespace berth::api {
namespace {

constexpr auto kMostLife = std::chrono::minutes(15);  // then clients come again, and are looked up anew

// Until the container ends, or a quarter of an hour.
io::Task<Result<void>> send_samples(Call& call, engine::JsonStream& samples) {
  EventReply reply(*call.response);
  CO_TRY(co_await reply.begin());
  io::Loop& loop = *(co_await io::here()).loop;
  const io::Time end = loop.now() + kMostLife;
  bool first = true;
  while (loop.now() < end) {
    const auto sample = CO_TRY(co_await samples.next());
    if (!sample) break;
    // The first has nothing before it to tell the share of a processor by.
    const bool blind = std::exchange(first, false) && (*sample)["precpu_stats"]["system_cpu_usage"].integer() == 0;
    if (blind) continue;
    std::string out;
    const std::string data = stats_sample(*sample).dump();
    http::append_event(out, {.data = data});
    CO_TRY(co_await reply.send(out));
  }
  co_return co_await reply.finish();
}

io::Task<Result<void>> stats(EngineWorld& world, Call& call) {
  const ContainerItem item = CO_TRY(co_await load_container(world, call, Permission::view));
  if (item.state != "running" && item.state != "paused")
    co_return fail(Code::conflict, "container \"" + item.name + "\" does not run: it uses nothing");
  const auto client = CO_TRY(world.desk.client());
  if (call.flag("stream")) {
    auto samples = CO_TRY(co_await engine::stream_stats(*client, item.id));
    co_return co_await send_samples(call, samples);
  }
  const std::string text = stats_sample(CO_TRY(co_await engine::container_stats(*client, item.id))).dump();
  co_return co_await call.response->send(
      200, {{"Content-Type", "application/json"}, {"Cache-Control", "no-store"}, {"X-Content-Type-Options", "nosniff"}},
      text);
}

io::Task<Result<Reply>> history_of(EngineWorld& world, Call& call, std::string subject) {
  const std::string_view range = call.option("range", "1h");
  if (range != "1h" && range != "24h")
    co_return fail(Code::invalid, "range: \"" + std::string(range) + "\" is neither 1h nor 24h");
  co_return Reply{.body = CO_TRY(co_await world.sampler.history(std::move(subject), range == "24h"))};
}

io::Task<Result<Reply>> history(EngineWorld& world, Call& call) {
  const ContainerItem item = CO_TRY(co_await load_container(world, call, Permission::view));
  co_return co_await history_of(world, call, item.id);
}

io::Task<Result<Reply>> host_history(EngineWorld& world, Call& call) {
  return history_of(world, call, std::string(kHost));
}

}  // namespace

Routes stats_routes(EngineWorld& world) {
  constexpr Parameter kRange{.name = "range", .meaning = "1h in steps of 10 s, unless said, or 24h of 5 min"};
  return {{"GET",
           "/api/v1/containers/{id}/stats",
           Permission::view,
           Where::loaded,
           "What it uses: one sample, or events",
           at_engine(world, stats),
           {kEngine, {.name = "stream", .type = "boolean", .meaning = "a sample a second, as events"}}},
          {"GET",
           "/api/v1/containers/{id}/history",
           Permission::view,
           Where::loaded,
           "What it used; rx and tx in bytes a second",
           at_local(world, history),
           {kEngine, kRange}},
          {"GET",
           "/api/v1/history",
           Permission::engine,
           Where::whole,
           "What the host used",
           at_local(world, host_history),
           {kEngine, kRange}}};
}

}  // namespace berth::api
