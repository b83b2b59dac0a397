// build, pull, images.
#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "base/units.h"
#include "cli/carry_out.h"
#include "cli/containers.h"
#include "cli/push.h"
#include "cli/verbs.h"
#include "compose/plan.h"
#include "engine/image.h"

namespace berth::cli {
namespace {

// --build-arg over what the files say; a bare name takes its value from the environment, or has none.
void add_argument(const Session& session, const std::string& argument, Json& build) {
  const auto [name, value, found] = cut(argument, '=');
  const auto known = session.world.environment.find(std::string(name));
  Json text;
  if (found) text = std::string(value);
  if (!found && known != session.world.environment.end()) text = known->second;
  build.slot("args").set(name, std::move(text));
}

// The command line of `build`, checked.
Result<compose::ImageOptions> build_options(Session& session) {
  const auto& build = session.options.build;
  if (!build.ssh.empty())
    return session.usage("--ssh " + build.ssh.front() +
                         ": a build by the engine's API alone cannot reach an SSH agent; build this image with `docker "
                         "buildx build --ssh` and name it in `image`");
  const auto memory = build.memory.empty() ? Result<std::int64_t>(0) : parse_size(build.memory);
  if (!memory || *memory < 0) return session.usage("--memory " + build.memory + ": write a size, like 512m or 1g");
  if (!build.builder.empty() && build.builder != "default" && build.builder != "classic")
    session.console.warning("--builder " + build.builder +
                            ": berth builds with the engine's own builders, default and classic; ignored");
  return compose::ImageOptions{.services = session.options.arguments,
                               .build = true,
                               .with_dependencies = build.with_dependencies,
                               .pull = build.pull,
                               .no_cache = build.no_cache,
                               .classic = build.builder == "classic",
                               .memory = *memory};
}

// What was built, to its registries.
io::Task<Result<void>> push_built(Session& session, const compose::Project& project) {
  const auto& flags = session.options.build;
  const auto services = flags.with_dependencies ? Texts{} : session.options.arguments;
  for (const auto& reference : pushed_references(session, project, services)) {
    if (session.options.global.dry_run)
      session.console.print("push " + reference + "\n");
    else
      CO_TRY(co_await push(session, reference, flags.quiet));
  }
  co_return Result<void>{};
}

io::Task<Result<int>> carry_out_images(Session& session, const compose::ImageOptions& options, bool quiet) {
  auto project =
      CO_TRY(co_await session.load({.targets = options.services, .with_dependencies = options.with_dependencies}));
  for (auto& service : project.services)
    for (const auto& argument : options.build ? session.options.build.arguments : Texts{})
      if (service.config["build"].is_object()) add_argument(session, argument, service.config.slot("build"));
  const CarryOut what{.project = project,
                      .planner = [&](const plan::Observed& observed, bool settled) -> Result<plan::Plan> {
                        if (settled) return plan::Plan{.project = project.name};
                        return compose::plan_images(project, observed, options);
                      },
                      .owner = session.options.verb,
                      .quiet = quiet};
  const auto done = CO_TRY(co_await carry_out(session, what));
  if (!done.changed && !quiet && !session.options.global.dry_run)
    session.console.note(options.build ? "nothing to build" : "nothing to pull");
  if (options.build && session.options.build.push) CO_TRY(co_await push_built(session, project));
  co_return kDone;
}

std::string size_text(std::int64_t bytes) {
  constexpr std::string_view kUnits[] = {"B", "kB", "MB", "GB", "TB"};
  double value = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; value >= 1000 && unit + 1 < std::size(kUnits); ++unit) value /= 1000;
  return fmt::format("{:.3g}{}", value, kUnits[unit]);
}

struct Shown {
  Listed container{};
  std::string repository{}, tag{}, id{};
  std::int64_t size = 0;
};

io::Task<Result<Shown>> shown_image(Session& session, Listed container) {
  auto& client = *CO_TRY(co_await session.engine());
  Shown out{.container = std::move(container)};
  const std::string id(out.container.summary["ImageID"].text());
  const auto image = CO_TRY(co_await engine::inspect_image(client, id));
  // A tag that only holds the image for a rollback is no name of it.
  const auto& tags = image["RepoTags"].items();
  const auto own = std::ranges::find_if(
      tags, [](const Json& tag) { return !tag.text().starts_with(std::string(compose::kKeepRepository) + ":"); });
  const std::string_view name = own == tags.end() ? out.container.summary["Image"].text() : own->text();
  const auto [repository, tag, found] = cut_last(name, ':');
  const bool has_tag = found && !tag.contains('/');
  out.repository = has_tag ? repository : name;
  out.tag = has_tag ? tag : "<none>";
  out.id = cut(id, ':').found ? std::string(cut(id, ':').after) : id;
  out.size = image["Size"].integer();
  co_return out;
}

void print_json(const Session& session, const std::vector<Shown>& list) {
  auto out = Json::array();
  for (const auto& one : list)
    out.push(Json::object({{"ID", "sha256:" + one.id},
                           {"ContainerName", one.container.name},
                           {"Repository", one.repository},
                           {"Tag", one.tag},
                           {"Size", one.size}}));
  session.console.print(out.dump() + "\n");
}

void print_ids(const Session& session, const std::vector<Shown>& list) {
  Texts seen;
  for (const auto& one : list) {
    if (contains(seen, one.id)) continue;
    seen.push_back(one.id);
    session.console.print(one.id + "\n");
  }
}

}  // namespace

io::Task<Result<int>> verb_build(Session& session) {
  const auto options = CO_TRY(build_options(session));
  co_return co_await carry_out_images(session, options, session.options.build.quiet);
}

io::Task<Result<int>> verb_pull(Session& session) {
  const auto& pull = session.options.pull;
  const compose::ImageOptions options{.services = session.options.arguments,
                                      .include_buildable = !pull.ignore_buildable,
                                      .with_dependencies = pull.include_deps,
                                      .missing_only = pull.policy == "missing"};
  auto result = co_await carry_out_images(session, options, pull.quiet);
  if (!result && pull.ignore_failures && result.error().code != Code::cancelled) {
    session.console.warning(result.error().text());
    co_return kDone;
  }
  co_return result;
}

io::Task<Result<int>> verb_images(Session& session) {
  const auto& flags = session.options.show;
  const auto target =
      CO_TRY(co_await session.load_or_name({.targets = session.options.arguments, .every_profile = true}));
  const auto list =
      CO_TRY(co_await list_project(session, target.project.name, {.services = session.options.arguments}));
  std::vector<Shown> shown;
  for (const auto& one : list) shown.push_back(CO_TRY(co_await shown_image(session, one)));
  if (flags.quiet) {
    print_ids(session, shown);
  } else if (flags.format == "json") {
    print_json(session, shown);
  } else {
    std::vector<std::vector<std::string>> rows = {{"CONTAINER", "REPOSITORY", "TAG", "IMAGE ID", "SIZE"}};
    for (const auto& one : shown)
      rows.push_back({one.container.name, one.repository, one.tag, one.id.substr(0, 12), size_text(one.size)});
    session.console.print(table(rows));
  }
  co_return kDone;
}

}  // namespace berth::cli
