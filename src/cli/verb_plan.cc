// plan: what would be done, and saving it.
#include "base/hash.h"
#include "cli/carry_out.h"
#include "cli/plan_request.h"
#include "cli/plan_text.h"
#include "cli/verbs.h"
#include "io/file.h"
#include "plan/gap.h"

namespace berth::cli {
namespace {

Json json_of(const Planned& planned) {
  // Hashes of secret values are comparable within a run only: the key is forgotten.
  Json out = planned.plan.to_json(io::random_bytes(32));
  Json gaps = Json::array();
  for (const auto& gap : plan::gaps_of(planned.plan, planned.observed))
    gaps.push(Json::object({{"service", gap.service}, {"seconds", gap.seconds}, {"why", gap.why}}));
  out.set("downtime", std::move(gaps));
  return out;
}

void print_plan(const Session& session, const Planned& planned) {
  for (const auto& warning : planned.plan.warnings) session.console.warning(warning);
  session.console.print(plan_text(planned.plan, planned.observed, session.console.out));
  if (planned.plan.again)
    session.console.note("images may change; what depends on them is planned once they are there");
}

Result<void> save(const Session& session, const compose::Project& project, const plan::Plan& plan) {
  const auto& path = session.options.plan.out;
  const auto state = TRY(compose::open_state(session.world.state_folders));
  const auto saved = saved_plan(session, project, plan, to_hex(io::random_bytes(16)), state.key);
  const auto absolute = path.starts_with('/') ? path : session.world.working_dir + "/" + path;
  TRY(io::write_file(absolute, plan::to_text(saved), 0600));
  session.console.note("saved: berth apply " + path + " carries it out");
  return {};
}

}  // namespace

io::Task<Result<int>> verb_plan(Session& session) {
  const auto& flags = session.options.plan;
  const auto request = CO_TRY(co_await plan_request(session, session.options.arguments));
  const CarryOut what{.project = request.project,
                      .planner = [&](const plan::Observed& observed,
                                     bool settled) { return request.planner(request.project, observed, settled); },
                      .owner = "plan",
                      .traffic = request.traffic.get()};
  const auto planned = CO_TRY(co_await make_plan(session, what, false));
  if (flags.format == "json")
    session.console.print(json_of(planned).dump(2) + "\n");
  else
    print_plan(session, planned);
  if (!flags.out.empty()) CO_TRY(save(session, request.project, planned.plan));
  co_return flags.detailed_exitcode&& planned.plan.changes() ? kChanges : kDone;
}

}  // namespace berth::cli
