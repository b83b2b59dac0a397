// rollback: a whole project as an earlier generation had it, by the same planner.
#include <algorithm>

#include "base/text.h"
#include "cli/carry_out.h"
#include "cli/consent.h"
#include "cli/port_holder.h"
#include "cli/up_options.h"
#include "cli/verbs.h"
#include "compose/create.h"
#include "plan/observe.h"

namespace berth::cli {
namespace {

Result<int> number_of(const Session& session, const History& history) {
  if (!session.options.arguments.empty()) return generation_number(session.options.arguments.front());
  const auto numbers = history.store.numbers();
  if (numbers.size() < 2)
    return fail(Code::not_found, "there is no earlier generation to go back to; see berth history");
  return numbers[numbers.size() - 2];
}

std::string how_to_get(const compose::KeptImage& image) {
  if (!image.digests.empty()) return "docker pull " + image.digests.front();
  return "it was built here or loaded; build it again from the sources of then";
}

void missing_objects(const compose::Project& project, const plan::Observed& observed, Texts& missing) {
  for (const auto& [key, declared] : project.networks.members())
    if (compose::is_external(declared) && !observed.network(compose::network_name(project, key)))
      missing.push_back("external network " + compose::network_name(project, key) + " is gone");
  for (const auto& [key, declared] : project.volumes.members())
    if (compose::is_external(declared) && !observed.volume(compose::volume_name(project, key)))
      missing.push_back("external volume " + compose::volume_name(project, key) + " is gone");
}

// What the generation needs and cannot be had: nothing is changed then.
Texts missing_of(const compose::Generation& generation, const compose::Project& project, const plan::Observed& observed,
                 const compose::Files& files) {
  Texts out;
  for (const auto& [service, image] : generation.head.images)
    if (project.find(service) && (image.id.empty() || !observed.image(image.id)))
      out.push_back("image " + image.reference + " (" + image.id.substr(0, 19) + ") of service " + service +
                    " is gone: " + how_to_get(image));
  missing_objects(project, observed, out);
  for (const auto& [kind, section] : {std::pair{"secret ", &project.secrets}, std::pair{"config ", &project.configs}})
    for (const auto& [name, declared] : section->members())
      if (const std::string path(declared["file"].text());
          !path.empty() && files.kind(path) == compose::Files::Kind::absent)
        out.push_back(kind + name + ": " + path + " is gone");
  return out;
}

// Files that containers see directly are the user's: they are compared and not written back.
void warn_of_files(const Session& session, const compose::Generation& generation, const compose::Project& project) {
  for (const auto& [kind, section] : {std::pair{"secrets.", &project.secrets}, std::pair{"configs.", &project.configs}})
    for (const auto& [name, declared] : section->members()) {
      const auto then = generation.secrets.find(kind + name);
      if (then == generation.secrets.end()) continue;
      const auto now = session.world.files.read(std::string(declared["file"].text()));
      if (now && *now != then->second)
        session.console.warning(std::string(declared["file"].text()) + " is not as it was in generation " +
                                std::to_string(generation.head.number) + "; it stays as it is now");
    }
}

io::Task<Result<void>> check_rollback(Session& session, const compose::Project& project, const plan::Plan& plan,
                                      const plan::Observed& observed) {
  CO_TRY(co_await check_ports(session, project, plan, observed));
  co_return ask_for_risks(session, plan, session.options.history.yes);
}

compose::UpOptions options_of(const Session& session) {
  compose::UpOptions out{
      .build = compose::Build::never, .pull = compose::Pull::never, .remove_orphans = true, .back = true};
  out.timeout = session.options.history.timeout;
  out.wait = session.options.history.wait;
  out.adopt = session.options.global.adopt;
  return out;
}

}  // namespace

io::Task<Result<int>> verb_rollback(Session& session) {
  const auto name = CO_TRY(co_await history_project(session));
  const auto history = CO_TRY(co_await open_history(session, name));
  const auto number = CO_TRY(number_of(session, history));
  const auto generation = CO_TRY(history.store.read(number, history.key));
  const auto project = CO_TRY(compose::project_of(generation));
  const auto observed = CO_TRY(co_await observe_project(session, project));
  const auto missing = missing_of(generation, project, observed, session.world.files);
  if (!missing.empty())
    co_return fail(Code::not_found,
                   "generation " + std::to_string(number) + " cannot be brought back, nothing was changed",
                   join(missing, "\n"));
  warn_of_files(session, generation, project);
  auto options = options_of(session);
  const Source source{.load = generation.load, .texts = generation.texts, .remotes = generation.remotes};
  const CarryOut what{.project = project,
                      .planner = [&](const plan::Observed& seen,
                                     bool settled) { return plan_of_round(project, seen, options, settled); },
                      .owner = "rollback",
                      .traffic = &options.traffic,
                      .check = check_rollback,
                      .keep = &source,
                      .note = "rollback to " + std::to_string(number)};
  const auto done = CO_TRY(co_await carry_out(session, what));
  if (!done.changed && !session.options.global.dry_run)
    session.console.note("nothing to do: " + name + " is as in generation " + std::to_string(number));
  co_return kDone;
}

}  // namespace berth::cli
