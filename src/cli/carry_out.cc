#include "cli/carry_out.h"

#include <fmt/format.h>

#include "base/text.h"
#include "cli/port_holder.h"
#include "compose/plan.h"
#include "engine/credentials.h"
#include "plan/apply.h"
#include "plan/lock.h"
#include "plan/observe.h"

namespace berth::cli {
namespace {

struct Round {
  plan::Plan plan;
  plan::Observed observed;
};

io::Task<Result<Round>> plan_round(Session& session, const CarryOut& what, bool settled) {
  Round round;
  round.observed = CO_TRY(co_await observe_project(session, what.project));
  round.plan = CO_TRY(what.planner(round.observed, settled));
  co_return round;
}

void print_warnings(const Session& session, const plan::Plan& plan) {
  for (const auto& warning : plan.warnings) session.console.warning(warning);
  for (const auto& foreign : plan.foreign)
    session.console.note("left alone: " + foreign.subject + ", " + foreign.reason);
}

io::Task<Result<std::string>> auth_for(engine::DockerConfig config, std::string reference) {
  co_return engine::registry_auth(CO_TRY(co_await engine::find_credentials(std::move(config), std::move(reference))));
}

plan::ProgressFn progress_of(Reporter& reporter, bool quiet_images) {
  return [sink = reporter.sink(), quiet_images](const plan::Progress& event) {
    if (!quiet_images || event.message.is_null()) sink(event);
  };
}

Result<plan::ApplyOptions> apply_options(const Session& session, const CarryOut& what, Reporter& reporter) {
  const auto config = TRY(engine::parse_docker_config(TRY(session.docker_config())));
  return plan::ApplyOptions{
      .parallel = session.parallel(),
      .progress = progress_of(reporter, what.quiet_images),
      .registry_auth = [config](std::string reference) { return auth_for(config, std::move(reference)); },
      .registry_config = engine::registry_config(config.stored)};
}

io::Task<Result<void>> check_round(Session& session, const CarryOut& what, const Round& round) {
  if (!what.check) co_return Result<void>{};
  co_return co_await what.check(session, what.project, round.plan, round.observed);
}

io::Task<Result<void>> apply_round(Session& session, const CarryOut& what, const Round& round) {
  auto& client = *CO_TRY(co_await session.engine());
  const auto kind = what.quiet ? ProgressKind::quiet : session.progress_kind();
  Reporter reporter(session.console, kind, session.loop, round.plan);
  session.interrupt_note = "interrupted: finishing what was begun (Ctrl-C again leaves at once)";
  auto outcome = co_await plan::apply(client, round.plan, CO_TRY(apply_options(session, what, reporter)));
  session.interrupt_note.clear();
  reporter.finish();
  if (!outcome) {
    session.console.note(fmt::format("{} of {} objects are done; `berth {}` does the rest", reporter.board().finished(),
                                     reporter.board().total(), what.owner));
    co_return fail(std::move(outcome).error());
  }
  for (const auto& warning : outcome->warnings) session.console.warning(warning);
  if (outcome->ok()) co_return Result<void>{};
  const auto* node = round.plan.find(outcome->failures.front().node);
  if (!node) co_return fail(outcome->error());
  if (std::holds_alternative<plan::PullImage>(node->op)) session.failed_in(Stage::pull);
  co_return fail(co_await explain_port(session, what.project, *node, outcome->error()));
}

io::Task<Result<CarriedOut>> apply_rounds(Session& session, const CarryOut& what) {
  CarriedOut out{.changed = true};
  Round round = CO_TRY(co_await plan_round(session, what, false));
  print_warnings(session, round.plan);
  CO_TRY(co_await apply_round(session, what, round));
  if (round.plan.again) {
    round = CO_TRY(co_await plan_round(session, what, true));
    CO_TRY(co_await check_round(session, what, round));
    CO_TRY(co_await apply_round(session, what, round));
  }
  out.plan = std::move(round.plan);
  co_return out;
}

io::Task<Result<CarriedOut>> apply_locked(Session& session, const CarryOut& what) {
  auto& client = *CO_TRY(co_await session.engine());
  auto lock = CO_TRY(co_await plan::lock_project(
      client, {.project = what.project.name, .owner = what.owner, .folder = session.world.runtime_folder}));
  if (!lock.message().empty()) session.console.note(lock.message());
  auto result = co_await apply_rounds(session, what);
  const auto released = co_await io::shielded(lock.release(client));
  if (!released && result) session.console.warning(released.error().text());
  co_return result;
}

Color color_of_op(const plan::Node& node) {
  const auto name = plan::name_of(node.op);
  if (name.starts_with("Remove") || name.starts_with("Kill")) return Color::red;
  if (name.starts_with("Create") || name.starts_with("Pull") || name.starts_with("Build"))
    return node.replacing ? Color::yellow : Color::green;
  return Color::plain;
}

}  // namespace

io::Task<Result<plan::Observed>> observe_project(Session& session, const compose::Project& project) {
  auto& client = *CO_TRY(co_await session.engine());
  co_return co_await plan::observe(client, compose::wanted(project));
}

std::string plan_text(const plan::Plan& plan, const Sink& sink) {
  std::string out;
  std::string_view subject, cause;  // of the line above
  for (const auto& node : plan.nodes) {
    const bool told = node.subject == subject && node.cause == cause;
    subject = node.subject;
    cause = node.cause;
    out += fmt::format("  {:<24} {}{}\n", told ? "" : node.subject,
                       colored(sink, color_of_op(node), plan::describe(node.op)),
                       told ? "" : "  " + colored(sink, Color::dim, node.cause));
    for (const auto& difference : node.differences)
      if (const auto text = plan::to_text(difference); !told && text != node.cause) out += "      " + text + "\n";
    if (node.risk == plan::Risk::data) out += "      " + colored(sink, Color::red, "data may be lost") + "\n";
  }
  for (const auto& foreign : plan.foreign) out += "  ~ " + foreign.subject + ": " + foreign.reason + "\n";
  return out + summary(plan) + "\n";
}

io::Task<Result<CarriedOut>> carry_out(Session& session, const CarryOut& what) {
  auto first = CO_TRY(co_await plan_round(session, what, false));
  if (session.options.global.dry_run) {
    print_warnings(session, first.plan);
    session.console.print(plan_text(first.plan, session.console.out));
    co_return CarriedOut{.plan = std::move(first.plan)};
  }
  if (first.plan.changes()) {
    // Before the lock: a question may stay open for long.
    CO_TRY(co_await check_round(session, what, first));
    co_return co_await apply_locked(session, what);
  }
  print_warnings(session, first.plan);
  if (!first.plan.empty()) CO_TRY(co_await apply_round(session, what, first));
  co_return CarriedOut{.plan = std::move(first.plan)};
}

}  // namespace berth::cli
