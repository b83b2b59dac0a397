#include "base/hash.h"
#include "cli/carry_out.h"
#include "cli/port_holder.h"
#include "cli/up_options.h"
#include "cli/verbs.h"
#include "io/file.h"

namespace berth::cli {
namespace {

struct Planned {
  compose::Project project;
  plan::Plan plan;
  plan::Observed observed;
};

io::Task<Result<Planned>> plan_verb_down(Session& session) {
  auto options = CO_TRY(down_options(session));
  options.remove_orphans = options.remove_orphans || session.options.up.remove_orphans;
  options.timeout = session.options.up.timeout;
  auto target =
      CO_TRY(session.load_or_name({.targets = options.services, .with_dependencies = false, .every_profile = true}));
  options.by_label = target.by_label;
  Planned out{.project = std::move(target.project), .plan = {}, .observed = {}};
  out.observed = CO_TRY(co_await observe_project(session, out.project));
  out.plan = CO_TRY(compose::plan_down(out.project, out.observed, options));
  co_return out;
}

io::Task<Result<Planned>> plan_verb_up(Session& session, Texts services) {
  auto options = CO_TRY(up_options(session));
  options.services = std::move(services);
  Planned out{.project = CO_TRY(session.load(up_wish(options))), .plan = {}, .observed = {}};
  out.observed = CO_TRY(co_await observe_project(session, out.project));
  out.plan = CO_TRY(compose::plan_up(out.project, out.observed, options));
  co_return out;
}

// Hashes of secret values are comparable within a run only: the key is forgotten.
std::string fresh_key() {
  const auto random = io::read_file("/proc/sys/kernel/random/uuid");
  return random ? sha256_hex(*random) : std::string("berth");
}

void print_plan(const Session& session, const plan::Plan& plan) {
  for (const auto& warning : plan.warnings) session.console.warning(warning);
  session.console.print(plan_text(plan, session.console.out));
  if (plan.again) session.console.note("images may change; what depends on them is planned once they are there");
}

}  // namespace

io::Task<Result<int>> verb_plan(Session& session) {
  const auto& flags = session.options.plan;
  const auto planned = flags.verb == "down" ? CO_TRY(co_await plan_verb_down(session))
                                            : CO_TRY(co_await plan_verb_up(session, session.options.arguments));
  if (flags.format == "json")
    session.console.print(planned.plan.to_json(fresh_key()).dump(2) + "\n");
  else
    print_plan(session, planned.plan);
  co_return flags.detailed_exitcode&& planned.plan.changes() ? kChanges : kDone;
}

io::Task<Result<int>> verb_explain(Session& session) {
  const auto& subject = session.options.arguments.front();
  const auto planned = CO_TRY(co_await plan_verb_up(session, {}));
  const auto text = planned.plan.explain(subject);
  if (text.empty())
    co_return fail(Code::not_found, "nothing of project " + planned.project.name + " is called \"" + subject +
                                        "\"; name a service, a container, network:NAME or volume:NAME");
  session.console.print(text.ends_with('\n') ? text : text + "\n");
  const auto origin = planned.project.origin("services." + subject);
  if (planned.project.find(subject)) session.console.print("written at " + origin.text() + "\n");
  co_return kDone;
}

}  // namespace berth::cli
