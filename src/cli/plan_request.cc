#include "cli/plan_request.h"

#include "cli/generations.h"
#include "cli/up_options.h"

namespace berth::cli {
namespace {

io::Task<Result<PlanRequest>> down_request(Session& session, Texts services) {
  auto options = CO_TRY(down_options(session));
  options.services = services;
  options.remove_orphans = options.remove_orphans || session.options.up.remove_orphans;
  options.timeout = session.options.up.timeout;
  auto target =
      CO_TRY(co_await session.load_or_name({.targets = services, .with_dependencies = false, .every_profile = true}));
  options.by_label = target.by_label;
  co_return PlanRequest{.project = std::move(target.project),
                        .planner = [options](const compose::Project& project, const plan::Observed& observed, bool) {
                          return compose::plan_down(project, observed, options);
                        }};
}

io::Task<Result<PlanRequest>> up_request(Session& session, Texts services) {
  auto options = CO_TRY(up_options(session));
  options.services = services;
  auto traffic = options.rolling ? std::make_shared<plan::TrafficView>() : nullptr;
  auto project = CO_TRY(co_await session.load(up_wish(options)));
  co_return PlanRequest{
      .project = std::move(project),
      .planner =
          [options, traffic](const compose::Project& project, const plan::Observed& observed, bool settled) {
            auto now = options;
            if (traffic) now.traffic = *traffic;
            return plan_of_round(project, observed, now, settled);
          },
      .traffic = traffic,
      .kept = up_wish(options)};
}

}  // namespace

io::Task<Result<PlanRequest>> plan_request(Session& session, Texts services) {
  const auto& verb = session.options.plan.verb;
  if (verb == "down") co_return co_await down_request(session, std::move(services));
  if (verb == "up") co_return co_await up_request(session, std::move(services));
  co_return session.usage("--verb " + verb + ": up or down");
}

plan::SavedPlan saved_plan(const Session& session, const compose::Project& project, const plan::Plan& plan,
                           const std::string& salt, const io::SealKey& key) {
  auto out = compose::saved_plan(project, session.texts(), plan, salt, key);
  out.working_dir = session.world.working_dir;
  out.arguments = session.options.words;
  out.made = compose::time_text(session.world.now());
  return out;
}

}  // namespace berth::cli
