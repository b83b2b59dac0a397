// apply: carrying out a saved plan, and nothing else than that.
#include "base/text.h"
#include "cli/arguments.h"
#include "cli/carry_out.h"
#include "cli/consent.h"
#include "cli/plan_request.h"
#include "cli/port_holder.h"
#include "cli/verbs.h"
#include "io/file.h"

namespace berth::cli {
namespace {

Result<plan::SavedPlan> read_plan(const Session& session, const std::string& name) {
  const auto path = name.starts_with('/') ? name : session.world.working_dir + "/" + name;
  auto saved = plan::parse_saved_plan(TRY(io::read_file(path)));
  if (!saved) return fail(std::move(saved).error().within(name));
  return saved;
}

// The command line of the plan, on the engine and with the answers of this one.
Result<Options> options_of(const Session& session, const plan::SavedPlan& saved) {
  auto out = TRY(parse_arguments(saved.arguments));
  if (out.verb != "plan") return fail(Code::invalid, "the saved plan was not made by berth plan");
  const auto& here = session.options.global;
  if (!here.host.empty()) out.global.host = here.host;
  if (!here.context.empty()) out.global.context = here.context;
  out.global.parallel = here.parallel;
  out.global.progress = here.progress;
  out.global.ansi = here.ansi;
  out.global.dry_run = here.dry_run;
  out.up.yes = session.options.history.yes;
  return out;
}

io::Task<Result<void>> check_apply(Session& session, const compose::Project& project, const plan::Plan& plan,
                                   const plan::Observed& observed) {
  if (session.options.plan.verb == "up") CO_TRY(co_await check_ports(session, project, plan, observed));
  co_return ask_for_risks(session, plan, session.options.up.yes);
}

}  // namespace

io::Task<Result<int>> verb_apply(Session& session) {
  const auto& name = session.options.arguments.front();
  const auto saved = CO_TRY(read_plan(session, name));
  const auto state = CO_TRY(compose::open_state(session.world.state_folders));
  const auto options = CO_TRY(options_of(session, saved));
  auto world = session.world;
  world.working_dir = saved.working_dir;
  Session inner(options, world, session.loop);
  const auto request = CO_TRY(co_await plan_request(inner, options.arguments));
  const auto source = request.kept ? CO_TRY(source_of(inner, *request.kept)) : Source{};
  const CarryOut what{.project = request.project,
                      .planner = [&](const plan::Observed& observed,
                                     bool settled) { return request.planner(request.project, observed, settled); },
                      .owner = "apply",
                      .expect = [&](const plan::Plan& plan) -> Result<void> {
                        const auto now = saved_plan(inner, request.project, plan, saved.salt, state.key);
                        const auto differences = plan::moved(saved, now);
                        if (differences.empty()) return {};
                        return fail(Code::moved,
                                    name + " is of " + saved.made + ", and something moved since; plan again",
                                    join(differences, "\n"));
                      },
                      .traffic = request.traffic.get(),
                      .check = check_apply,
                      .keep = request.kept ? &source : nullptr,
                      .note = "plan of " + saved.made};
  const auto done = CO_TRY(co_await carry_out(inner, what));
  if (!done.changed && !options.global.dry_run)
    session.console.note("nothing to do: " + request.project.name + " is as the plan says");
  co_return kDone;
}

}  // namespace berth::cli
