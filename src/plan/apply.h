// Running a plan: no decisions, only effects, in the order of the DAG.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "engine/client.h"
#include "plan/plan.h"
#include "plan/traffic.h"

namespace berth::plan {

/// Where a node stands.
enum class Phase {
  started,   ///< its effect begins
  progress,  ///< detail says how far: a line of a build, a layer of a pull, "health: starting"
  done,
  failed,   ///< detail says why
  skipped,  ///< something it depends on failed
  cancelled,
  passed,  ///< a rescue that nothing asked for
};
std::string_view to_text(Phase phase);

/// What happened to one node, as it happens.
struct Progress {
  const Node* node = nullptr;  ///< of the plan that is applied
  Phase phase = Phase::started;
  std::string detail{};
  Json message{};  ///< of pulls and builds: the engine's own progress message, null otherwise
};
/// Called on the loop, in order of the events; must not block.
using ProgressFn = std::function<void(const Progress&)>;

/// How a plan is applied.
struct ApplyOptions {
  std::size_t parallel = 16;  ///< effects at a time; waits do not count
  ProgressFn progress{};
  std::chrono::milliseconds poll{250};  ///< between two looks at a container that is waited for
  /// X-Registry-Auth for a reference, "" for none; called once a pull.
  std::function<io::Task<Result<std::string>>(std::string reference)> registry_auth{};
  std::string registry_config{};       ///< X-Registry-Config for builds
  std::string login = "docker login";  ///< what logs in to a registry, for messages
  Traffic* traffic = nullptr;          ///< for plans that route and drain; else such ops are done at once
};

/// What became of a plan.
struct Outcome {
  std::size_t done = 0;
  std::size_t skipped = 0;
  struct Failure {
    int node = 0;
    Error error{};
  };
  std::vector<Failure> failures{};       ///< in order of occurrence
  std::vector<std::string> warnings{};   ///< of best-effort nodes and of the engine at create
  std::map<int, std::string> results{};  ///< node -> id of the container, network or image it made

  bool ok() const { return failures.empty(); }
  /// The first failure, with the number of the others in its message. REQUIRES: !ok().
  Error error() const;
};

/// Applies `plan` (which must live until the task ends). A failure stops the nodes that depend on it and lets the
/// others finish; it is in the outcome. The Result itself fails only when cancelled: effects in flight are finished or
/// given up within 5 s, and what is left is a state that the next plan completes.
/// Takes no lock: see lock.h.
io::Task<Result<Outcome>> apply(engine::Client& client, const Plan& plan, ApplyOptions options = {});

}  // namespace berth::plan
