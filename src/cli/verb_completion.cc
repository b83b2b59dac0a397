// completion, what its scripts ask, and man: all from the table of verbs and flags.
#include <set>

#include "base/text.h"
#include "cli/complete.h"
#include "cli/flags.h"
#include "cli/man.h"
#include "cli/verbs.h"

namespace berth::cli {
namespace {

// Of the project that the flags point at; nothing when it cannot be read.
std::optional<compose::Project> project_of(const Session& session, const Options& so_far) {
  compose::LoadOptions options{.working_dir = session.world.working_dir,
                               .files = so_far.global.files,
                               .project_name = so_far.global.project_name,
                               .project_directory = so_far.global.project_directory,
                               .env_files = so_far.global.env_files,
                               .profiles = {"*"},
                               .targets = {},
                               .environment = session.world.environment,
                               .scale = {},
                               .resolve_environment = false,
                               .check_consistency = false};
  auto project = compose::load(options, session.world.files);
  if (!project) return std::nullopt;
  return std::move(*project);
}

Texts services_of(const compose::Project& project) {
  Texts out;
  for (const auto& service : project.services) out.push_back(service.name);
  return out;
}

Texts profiles_of(const compose::Project& project) {
  std::set<std::string> out;
  for (const auto& service : project.services)
    for (const auto& profile : service.config["profiles"].items()) out.emplace(profile.text());
  return {out.begin(), out.end()};
}

}  // namespace

io::Task<Result<int>> verb_complete(Session& session) {
  const auto names = [&session](const Options& so_far, Texts (*of)(const compose::Project&)) {
    const auto project = project_of(session, so_far);
    return project ? of(*project) : Texts{};
  };
  const CompletionFacts facts{.others = session.world.others,
                              .services = [&](const Options& so_far) { return names(so_far, services_of); },
                              .profiles = [&](const Options& so_far) { return names(so_far, profiles_of); }};
  session.console.print(completion_text(complete(session.options.arguments, facts)));
  co_return kDone;
}

io::Task<Result<int>> verb_completion(Session& session) {
  const auto& shell = session.options.arguments.front();
  const auto script = completion_script(shell);
  if (script.empty()) co_return session.usage("there is no completion for \"" + shell + "\": bash, zsh or fish");
  session.console.print(script);
  co_return kDone;
}

io::Task<Result<int>> verb_man(Session& session) {
  const auto& arguments = session.options.arguments;
  if (arguments.empty()) {
    session.console.print(man_page(session.world.others));
    co_return kDone;
  }
  const auto* grammar = find_grammar(arguments.front());
  if (!grammar || grammar->group.empty()) {
    std::vector<std::string_view> names;
    for (const auto& one : grammars())
      if (!one.group.empty()) names.push_back(one.name);
    co_return session.usage("there is no page of \"" + arguments.front() + "\"" + suggestion(arguments.front(), names));
  }
  session.console.print(man_page_of(grammar->name));
  co_return kDone;
}

}  // namespace berth::cli
