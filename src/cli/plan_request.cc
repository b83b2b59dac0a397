#include "cli/plan_request.h"

#include "base/hash.h"
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
  const auto secret = key.derive("plan " + salt);
  const auto hashed = [&](const std::map<std::string, std::string>& texts) {
    std::map<std::string, std::string> out;
    for (const auto& [name, text] : texts) out[name] = hmac_sha256_hex(secret, text).substr(0, 32);
    return out;
  };
  return {.project = project.name,
          .working_dir = session.world.working_dir,
          .arguments = session.options.words,
          .made = time_text(session.world.now()),
          .salt = salt,
          .files = hashed(session.texts()),
          .variables = hashed(compose::named_variables(project.environment, session.texts())),
          .plan = plan.to_json(secret)};
}

}  // namespace berth::cli
