#include "app/platform_projects.h"

#include <algorithm>
#include <iterator>

#include "api/job_routes.h"
#include "app/broker_files.h"
#include "app/serve.h"
#include "plan/traffic_socket.h"

namespace berth::app {
namespace {

io::Task<Result<std::shared_ptr<engine::Client>>> connect(std::string address, std::string broker) {
  co_return std::shared_ptr<engine::Client>(
      CO_TRY(co_await engine::Client::connect(CO_TRY(engine::parse_address(address)), engine_dialer(broker))));
}

// A file that cannot be read grants nothing, here as in the broker.
Result<broker::Policy> policy_in(const std::string& folder) {
  auto policy = policy_from({.policy = "core", .folder = folder});
  return policy ? std::move(policy) : broker::named_policy("core");
}

job::Level level_of(std::string_view text) {
  if (text == "error") return job::Level::error;
  return text == "warning" ? job::Level::warning : job::Level::info;
}

job::Order order_of(api::JobWish wish, std::function<io::Task<Result<void>>(api::Tell)> work) {
  return {.kind = std::move(wish.kind),
          .subject = "project:" + wish.project,
          .project = wish.project,
          .actor = std::move(wish.by),
          .name = std::move(wish.name),
          .work = [work = std::move(work)](job::Log& log) {
            return work([&log](std::string_view level, std::string_view text) { log.say(text, level_of(level)); });
          }};
}

}  // namespace

Result<std::unique_ptr<PlatformProjects>> PlatformProjects::open(Place place, job::Runner& runner) {
  auto out = std::unique_ptr<PlatformProjects>(new PlatformProjects());
  out->runner_ = &runner;
  out->traffic_ = plan::traffic_by_sockets({place.runtime_folder}, place.engine);
  api::ProjectWorld world{
      .folders = TRY(api::ProjectFolders::open(place.data + "/projects")),
      .data = place.data,
      .runtime_folder = place.runtime_folder,
      .engine = [engine = place.engine, broker = place.broker] { return connect(engine, broker); },
      .traffic = out->traffic_.get(),
      .start = [&runner](api::JobWish wish,
                         auto work) { return runner.submit(order_of(std::move(wish), std::move(work))); },
      .policy = [folder = place.broker_folder] { return policy_in(folder); },
      .registry_auth = std::move(place.registry_auth),
      .edge_status = [it = out.get()] { return it->edge_status_ ? it->edge_status_() : Json(); },
      .drifted = std::move(place.drifted)};
  out->desk_ = std::make_unique<api::ProjectDesk>(std::move(world));
  return out;
}

io::Task<void> PlatformProjects::tidy() {
  if (const auto done = co_await desk_->clear_locks(); !done) co_return;  // the engine is away
}

api::Routes PlatformProjects::routes() {
  api::Routes out = api::project_routes(*desk_);
  std::ranges::move(api::job_routes(*runner_), std::back_inserter(out));
  return out;
}

}  // namespace berth::app
