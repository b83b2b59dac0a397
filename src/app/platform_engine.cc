#include "app/platform_engine.h"

#include "app/serve.h"
#include "io/heap.h"
#include "io/wall.h"

namespace berth::app {
namespace {

// Starting, and each page that somebody looked at, leaves much of the heap free and little of that at its end.
io::Task<void> stay_small() {
  for (io::Duration pause = std::chrono::seconds(10); co_await io::sleep_for(pause); pause = std::chrono::minutes(5))
    io::trim_heap();
}

}  // namespace

PlatformEngine::PlatformEngine(PlatformEngineOptions options, store::Database& database, job::Runner& runner,
                               std::shared_ptr<job::Feed> feed)
    : feed_(std::move(feed)),
      log_(database),
      desk_({.address = options.engine,
             .dialer = [broker = options.broker] { return engine_dialer(broker); },
             .now = [] { return io::wall_time() / 1000; },
             .happened = [this](const engine::EngineEvent& event) { happened(event); },
             .state_changed = [this] { tell_state(); }}),
      sampler_({.desk = desk_, .database = database, .now = [] { return io::wall_time() / 1000; }}),
      volumes_({.desk = desk_,
                .folder = options.data + "/backups",
                .runtime = options.runtime_folder,
                .owner = "core " + options.data,
                .now = [] { return io::wall_time() / 1000; },
                .say = options.say}),
      world_{.desk = desk_,
             .jobs = runner,
             .events = feed_,
             .log = log_,
             .sampler = sampler_,
             .database = database,
             .terminals = terminals_,
             .volumes = volumes_,
             .logs = logs_,
             .spool = options.data + "/spool"} {}

io::Task<void> PlatformEngine::run() {
  io::Scope scope(co_await io::here());
  scope.spawn(desk_.run());
  scope.spawn(log_.run());
  scope.spawn(sampler_.run());
  scope.spawn(terminals_.run());
  scope.spawn(stay_small());
  scope.spawn(volumes_.run());
  scope.spawn(logs_.run());
  co_await scope.join();
}

void PlatformEngine::happened(const engine::EngineEvent& event) {
  api::KeptEvent kept = api::kept_event(event);
  feed_->publish(kept.kind, api::to_json(kept).dump());
  log_.add(std::move(kept));
}

void PlatformEngine::tell_state() {
  const Json stale = desk_.stale();
  const api::KeptEvent event{
      .at = io::wall_time() / 1000, .kind = "engine", .action = stale.is_null() ? "up" : "down", .id = "local"};
  feed_->publish(event.kind, api::to_json(event).dump());
  log_.add(event);
}

std::shared_ptr<job::Feed> make_page_feed(io::Loop& loop) {
  return std::make_shared<job::Feed>(loop, job::Feed::Limits{}, static_cast<std::uint64_t>(io::wall_time()));
}

void tell_job(job::Feed& feed, const job::Job& job) {
  const Json text = Json::object({{"action", job::to_text(job.state)},
                                  {"id", job.id},
                                  {"name", job.kind},
                                  {"project", job.project.empty() ? Json() : Json(job.project)},
                                  {"at", io::wall_time() / 1000}});
  feed.publish("job", text.dump());
}

void tell_drift(job::Feed& feed, std::string_view project) {
  const Json text =
      Json::object({{"action", "drift"}, {"name", project}, {"project", project}, {"at", io::wall_time() / 1000}});
  feed.publish("project", text.dump());
}

}  // namespace berth::app
