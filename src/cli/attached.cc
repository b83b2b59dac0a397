#include "cli/attached.h"

#include "base/text.h"
#include "cli/carry_out.h"
#include "cli/log_follow.h"
#include "cli/watch_loop.h"
#include "compose/plan.h"

namespace berth::cli {
namespace {

constexpr auto kStopDeadline = std::chrono::minutes(10);
constexpr auto kWatching = std::chrono::hours(24 * 365);  // a rebuild may leave nothing running for a while

Texts service_names(const compose::Project& project) {
  Texts out;
  for (const auto& service : project.services) out.push_back(service.name);
  return out;
}

// The services whose logs are shown.
Texts attached_services(const Session& session, const compose::Project& project) {
  const auto& up = session.options.up;
  if (!up.attach.empty()) return up.attach;
  if (!session.options.arguments.empty() && !up.attach_dependencies) return session.options.arguments;
  Texts out;
  for (const auto& service : project.services)
    if (service.config["attach"].boolean(true)) out.push_back(service.name);
  return out;
}

// What the end of a container means, and what it leaves.
struct Watch {
  bool on_exit = false;
  bool on_failure = false;
  std::string status_from{};
  std::optional<Ended> first{};
  int status = 0;
};

bool take_end(Watch& watch, const Console& console, const Ended& ended) {
  console.note(ended.name + " exited with status " + std::to_string(ended.status));
  const bool counts = watch.status_from.empty() ? !watch.first : ended.service == watch.status_from;
  if (counts) watch.status = ended.status;
  if (!watch.first) watch.first = ended;
  if (!watch.status_from.empty()) return ended.service == watch.status_from;
  return watch.on_exit || (watch.on_failure && ended.status != 0);
}

io::Task<Result<void>> stop_all(Session& session, const compose::Project& project) {
  const compose::VerbOptions options{.services = service_names(project), .timeout = session.options.up.timeout};
  const CarryOut what{
      .project = project,
      .planner = [&](const plan::Observed& observed, bool) { return compose::plan_stop(project, observed, options); },
      .owner = "up"};
  CO_TRY(co_await carry_out(session, what));
  co_return Result<void>{};
}

}  // namespace

Result<void> check_attached(Session& session, const compose::Project& project) {
  const auto& up = session.options.up;
  auto named = up.attach;
  named.insert(named.end(), up.no_attach.begin(), up.no_attach.end());
  if (!up.exit_code_from.empty()) named.push_back(up.exit_code_from);
  const auto known = service_names(project);
  for (const auto& name : named) {
    if (contains(known, name)) continue;
    const std::vector<std::string_view> names(known.begin(), known.end());
    return fail(Code::not_found, "no such service: " + name + suggestion(name, names));
  }
  return {};
}

namespace {

io::Task<Result<int>> follow(Session& session, const compose::Project& project, std::string since) {
  const auto& up = session.options.up;
  Watch watch{.on_exit = up.abort_on_exit, .on_failure = up.abort_on_failure, .status_from = up.exit_code_from};
  const auto& console = session.console;
  session.interrupt_note = "stopping (Ctrl-C again leaves at once)";
  FollowWish wish{.logs = {.project = project.name,
                           .services = attached_services(session, project),
                           .without = up.no_attach,
                           .since = std::move(since),
                           .style = {.prefix = !up.no_log_prefix,
                                     .color = !up.no_color,
                                     .times = up.timestamps,
                                     .split_errors = true}},
                  .past = false,
                  .linger = up.watch ? kWatching : std::chrono::seconds(1),
                  .on_end = [&](const Ended& ended) { return take_end(watch, console, ended); }};
  auto followed = co_await follow_logs(session, std::move(wish));
  const bool interrupted = !followed && followed.error().code == Code::cancelled;
  if (!followed && !interrupted) co_return fail(std::move(followed).error());
  CO_TRY(co_await io::shielded(stop_all(session, project), kStopDeadline));
  if (interrupted) co_return kInterrupted;
  co_return watch.on_exit || watch.on_failure || !watch.status_from.empty() ? watch.status : kDone;
}

io::Task<void> watch_beside(Session& session, const compose::Project& project, std::vector<WatchRule> rules) {
  const auto done = co_await follow_sources(session, {.project = project, .rules = std::move(rules)});
  if (!done && done.error().code != Code::cancelled) session.console.warning(done.error().text());
}

}  // namespace

io::Task<Result<int>> follow_up(Session& session, const compose::Project& project, std::string since) {
  if (!session.options.up.watch) co_return co_await follow(session, project, since);
  auto rules = CO_TRY(rules_of(session, project, session.options.arguments));
  io::Scope scope(co_await io::here());
  scope.spawn(watch_beside(session, project, std::move(rules)));
  auto status = co_await follow(session, project, since);
  scope.cancel();
  co_await scope.join();
  co_return status;
}

}  // namespace berth::cli
