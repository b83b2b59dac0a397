// Planning a project: f(project, observed, options) -> Plan. Pure: no clock, no engine, no question asked.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "compose/project.h"
#include "plan/observed.h"
#include "plan/plan.h"
#include "plan/traffic_view.h"

namespace berth::compose {

/// What to ask the engine for before planning.
plan::Wanted wanted(const Project& project);

enum class Build {
  missing,  ///< services with `build` whose image is absent
  always,   ///< --build
  never,    ///< --no-build: an absent image is an error
};
enum class Pull {
  policy,  ///< what each service's pull_policy says, else missing
  always,
  missing,
  never,
};

struct UpOptions {
  std::vector<std::string> services{};  ///< these and what they depend on; empty: all
  bool force_recreate = false;
  bool no_recreate = false;
  bool always_recreate_deps = false;
  bool no_deps = false;
  bool no_start = false;
  Build build = Build::missing;
  Pull pull = Pull::policy;
  /// Images were pulled and built by the plan before: plan none (see Plan::again).
  bool images_settled = false;
  bool remove_orphans = false;
  bool renew_anon_volumes = false;
  std::map<std::string, int> scale{};     ///< --scale web=3, over Service::scale
  std::optional<std::int64_t> timeout{};  ///< -t: seconds until a stopped container is killed
  bool wait = false;                      ///< wait until everything is ready
  std::int64_t wait_timeout = 0;          ///< seconds for each wait of --wait, 0 for none
  bool adopt = false;                     ///< take over containers made from another working directory
  bool ignore_orphans = false;            ///< COMPOSE_IGNORE_ORPHANS: no warning
  bool back = false;                      ///< a rollback: deploy.rollback_config in place of update_config
  bool rolling = true;                    ///< false, --no-rolling: everything stop-first, as Compose does
  plan::TrafficView traffic{};            ///< what edges send requests to: that is replaced start-first where it can be
};
/// The ops that make the world as the project says. Fails, with the place in the file, for what no plan can do: an
/// unknown service (not_found), a missing external network or volume (not_found), a cycle (invalid, naming the path), a
/// name that is another's (conflict), containers of another working directory without `adopt` (conflict), an image
/// that is absent and may be neither pulled nor built (not_found).
/// To bring a project up: plan, apply; when Plan::again, observe and plan once more with images_settled and the options
/// force_recreate and always_recreate_deps off, and apply.
Result<plan::Plan> plan_up(const Project& project, const plan::Observed& observed, const UpOptions& options = {});

/// `berth pull` and `berth build`: image ops alone, for the named services (empty: all). With `build` those that have a
/// build section, else those that have an image and, unless `include_buildable`, no build section.
struct ImageOptions {
  std::vector<std::string> services{};
  bool build = false;
  bool include_buildable = true;
  bool with_dependencies = false;
  bool pull = false;        ///< build: base images too
  bool no_cache = false;    ///< build
  bool classic = false;     ///< build: without BuildKit
  std::int64_t memory = 0;  ///< build: bytes that a step may use, 0 for no bound
  bool missing_only = false;
};
Result<plan::Plan> plan_images(const Project& project, const plan::Observed& observed, const ImageOptions& options);

enum class RemoveImages { none, local, all };
struct DownOptions {
  std::vector<std::string> services{};  ///< empty: all, with the networks
  bool remove_orphans = false;
  bool volumes = false;
  RemoveImages images = RemoveImages::none;
  std::optional<std::int64_t> timeout{};
  bool adopt = false;
  /// There is no Compose file: everything with the project's label goes, in the order of the depends_on labels.
  bool by_label = false;
};
/// Stops and removes containers (dependents first), then networks and, when asked, volumes and images. Never an
/// external or foreign network or volume.
Result<plan::Plan> plan_down(const Project& project, const plan::Observed& observed, const DownOptions& options = {});

/// Verbs on existing containers. `services` empty: all of the project.
struct VerbOptions {
  std::vector<std::string> services{};
  std::optional<std::int64_t> timeout{};  ///< stop, restart
  std::string signal{};                   ///< kill; "" is SIGKILL
  bool no_deps = false;                   ///< restart
  bool wait = false;                      ///< start
  std::int64_t wait_timeout = 0;          ///< start
  bool remove_orphans = false;            ///< kill
  bool adopt = false;
  /// As DownOptions::by_label.
  bool by_label = false;
};
Result<plan::Plan> plan_start(const Project& project, const plan::Observed& observed, const VerbOptions& options = {});
Result<plan::Plan> plan_stop(const Project& project, const plan::Observed& observed, const VerbOptions& options = {});
Result<plan::Plan> plan_restart(const Project& project, const plan::Observed& observed,
                                const VerbOptions& options = {});
Result<plan::Plan> plan_kill(const Project& project, const plan::Observed& observed, const VerbOptions& options = {});

struct RmOptions {
  std::vector<std::string> services{};
  bool stop = false;     ///< -s: stop them first; else running ones are left alone
  bool volumes = false;  ///< -v: anonymous volumes
  bool adopt = false;
  bool by_label = false;  ///< as DownOptions::by_label
};
Result<plan::Plan> plan_rm(const Project& project, const plan::Observed& observed, const RmOptions& options = {});

}  // namespace berth::compose
