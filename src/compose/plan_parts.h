// What the planners share. Internal to plan*.cc. Pure.
#pragma once

#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "compose/create.h"
#include "compose/plan.h"

namespace berth::compose::detail {

using Names = std::set<std::string, std::less<>>;

/// "compose.yaml:3:5: ", or "" where nothing is known of `path`.
std::string place(const Project& project, const std::string& path);
/// The services to work on, dependencies first, else by name: `names` (empty: all) and, with `with_dependencies`, what
/// they depend on. Code::not_found for an unknown name, invalid for a cycle (its path is named).
Result<std::vector<const Service*>> start_order(const Project& project, const std::vector<std::string>& names,
                                                bool with_dependencies);
/// Code::conflict when containers of this project's name were made from another working directory.
Result<void> check_ownership(const Project& project, const plan::Observed& observed, bool adopt);
/// Containers by name that a service shares namespaces with: `network_mode: container:NAME`, and pid and ipc.
Names named_namespaces(const Service& service);
/// Services for whose completion some service waits: a container of theirs that ended with 0 is done, not down.
Names one_shots_of(const Project& project);
/// Id and name -> container, foreign ones too: Observed::container() for many questions. Lives as long as `observed`.
using Containers = std::map<std::string_view, const plan::Container*>;
Containers index_of(const plan::Observed& observed);
/// Null for what is not there.
const plan::Container* find(const Containers& containers, std::string_view id_or_name);
/// The containers of a service, one-offs included, by number and name.
std::span<const plan::Container> containers_of(const plan::Observed& observed, std::string_view service);
/// "<12 hex digits>_NAME": the name of a container in the middle of a recreation.
bool is_temporary_name(std::string_view name);
std::string temporary_name(const plan::Container& old, std::string_view name);
plan::ContainerRef ref_of(const plan::Container& container);
/// "service:web:1"
std::string subject_of(const plan::Container& container);
std::string subject_of(std::string_view service, int number);
/// "running", "exited with status 3", "running (unhealthy)"
std::string state_text(const plan::Container& container);
/// Containers of services that the project does not have; one-offs that ended count as well.
std::vector<const plan::Container*> orphans_of(const Project& project, const plan::Observed& observed);
/// What a service depends on: as the project says, else (it does not know it) as its containers' labels say.
Names dependency_names(const Project& project, const plan::Observed& observed, const std::string& service);
/// All services of project and containers in start order, by dependency_names; a cycle is cut somewhere.
std::vector<std::string> label_order(const Project& project, const plan::Observed& observed);
/// Service -> those of project and containers that depend on it, by dependency_names.
std::map<std::string, Names, std::less<>> dependents_of_all(const Project& project, const plan::Observed& observed);
/// The x-berth.ready of a service; nothing when it has none. load() has checked it.
std::optional<plan::Probe> probe_of(const Project& project, const Service& service);
/// Seconds until a stopped container is killed: -t, else what the service says.
std::optional<std::int64_t> grace_of(const Service* service, std::optional<std::int64_t> timeout);
/// Names of the volumes that the project declares, in services that are switched off too.
Names claimed_volumes(const Project& project);
/// The stop of a container, after its service's pre_stop hooks; returns the stop's node.
int add_stop(plan::PlanBuilder& builder, const Service* service, const plan::Container& container, plan::Node stop);
/// A start with its service's post_start hooks; returns what must have succeeded before it counts as started.
int add_start(plan::PlanBuilder& builder, const Service* service, plan::Node start);
/// A restart between both kinds of hooks; returns as add_start.
int add_restart(plan::PlanBuilder& builder, const Service* service, const plan::Container& container,
                plan::Node restart);
/// The removal of a container, and of the volumes with copied files that it alone has; `stays` may still mount some.
int add_removal(plan::PlanBuilder& builder, const plan::Container& container, plan::Node removal,
                const Json& stays = {});
/// Removes the volumes with copied files that no container has any more, but for those that are `wanted` again: a run
/// was killed between the removal of a container and theirs.
void add_leftover_files(plan::PlanBuilder& builder, const std::string& project, const plan::Observed& observed,
                        const Names& wanted);
/// A difference list in one line.
std::string cause_of(const std::vector<plan::Difference>& differences);

/// What becomes of one container.
enum class Fate {
  keep,
  start,     ///< it is there and down
  restart,   ///< something that it depends on is recreated
  create,    ///< there is none
  recreate,  ///< create beside the old one, then swap
  replace,   ///< the same, but the old one stops and leaves a network that goes before the new one can be created
  rejoin,    ///< stop, leave a network that goes, join the one that stands in its place, start
  remove,
};
struct Decision {
  const Service* service = nullptr;  ///< null for what the project does not have
  int number = 1;
  std::string name{};                    ///< that it shall have
  const plan::Container* old = nullptr;  ///< absent with Fate::create
  Fate fate = Fate::keep;
  std::string cause{};
  std::vector<plan::Difference> differences{};
  /// What would create it. Of a container that stays as it was created and never started, `files` and `connections`
  /// are what that creation may not have come to.
  CreateRequest request{};
  bool rolls = false;  ///< a recreation that is start-first
  /// With recreate: made by an interrupted start-first replacement of `old`, runs, and is as the project says.
  const plan::Container* successor = nullptr;

  // Nodes, once emitted; 0 for none.
  int created = 0;
  int stopped = 0;
  int removed = 0;
  int started = 0;
  std::vector<int> left{};  ///< disconnections from networks that go
  int first = 0;            ///< of a start-first replacement
  int last = 0;

  bool makes_new() const { return fate == Fate::create || fate == Fate::recreate || fate == Fate::replace; }
  /// What runs now will be down for a while.
  bool interrupts() const { return old && (makes_new() || fate == Fate::restart || fate == Fate::rejoin); }
};

/// A network of the project that goes: it differs and is made anew, or it is a second one of its name.
struct Doomed {
  std::string key{};
  const plan::Network* network = nullptr;
  std::string cause{};
  bool remade = false;
  int node = 0;  ///< that removes it, once emitted
};
/// Whether a container is attached to that very network; one that never ran has only its name.
bool is_attached(const plan::Container& container, const plan::Network& network);

/// plan_up on its way. The steps below run in this order.
struct Up {
  const Project& project;
  const plan::Observed& observed;
  const UpOptions& options;
  plan::PlanBuilder builder;
  std::vector<const Service*> services{};  ///< dependencies first
  Names named{};                           ///< those asked for
  std::vector<Decision> decisions{};       ///< in the order of `services`, then leftovers and orphans
  /// Service -> first and behind the last of its decisions; what of() looks in.
  std::map<std::string_view, std::pair<std::size_t, std::size_t>> places{};
  Names one_shots{};
  Containers containers{};
  std::map<std::string, int> networks{};  ///< key -> node after which it can be used, 0 when it is there
  std::vector<Doomed> doomed{};           ///< networks that go
  std::map<std::string, int> volumes{};
  std::map<std::string, int> images{};  ///< reference -> node
  int images_there = 0;                 ///< stands for all of them, where they are many
  std::map<std::pair<std::string, plan::Until>, std::vector<int>> waits{};
  std::set<std::string_view> handed_over{};                  ///< containers of which others have the requests
  std::map<std::string, std::string, std::less<>> shared{};  ///< service -> how another one lives in it
  std::map<std::string, std::vector<int>> pre_started{};     ///< service -> the ends of its pre_start containers

  /// The decisions on a service's containers, leftovers included; empty before it was decided on.
  std::span<Decision> of(std::string_view service);
  std::span<const Decision> of(std::string_view service) const;
  /// What stands for all images: nothing that runs is touched before every one is there.
  std::vector<int> image_nodes() const;
};
/// What becomes of the container `old`, or of a new one (null), by itself.
Result<Decision> decide_container(const Up& up, const Service& service, int number, const plan::Container* old);
Result<void> decide_networks(Up& up);
Result<void> decide_volumes(Up& up);
Result<void> decide_services(Up& up);
/// Leftovers of interrupted recreations, orphans, containers beyond the scale.
void decide_orphans(Up& up);
Result<void> emit_images(Up& up);
Result<void> emit_networks(Up& up);
void emit_volumes(Up& up);
Result<void> emit_containers(Up& up);
/// Names of the volumes that the containers of the project, as it says, mount.
Names wanted_mounts(const Up& up);
void note_keeps(Up& up);

// What emit_containers and emit_rolling share.
plan::ContainerRef target_of(const Decision& decision);
plan::Node node_of(const Decision& decision, plan::Op op, std::vector<int> after);
/// The nodes after which the service may start, as its depends_on says.
std::vector<int> gate_of(Up& up, const Service& service);
/// The nodes that make networks of the service.
std::vector<int> networks_of(const Up& up, const Service& service);
/// CreateContainer and what must follow it before a start, new networks too; returns all of them.
Result<std::vector<int>> emit_creation(Up& up, Decision& decision);
/// What a creation that was cut off did not come to; returns all of it.
std::vector<int> emit_completion(Up& up, Decision& decision, std::vector<int> after);
void emit_start(Up& up, Decision& decision, std::vector<int> after);
void emit_stop(Up& up, Decision& decision, std::vector<int> after);
void emit_removal(Up& up, Decision& decision, std::vector<int> after);

/// The service's pre_start containers, which share the volumes of the decision's container; returns after what it may
/// start: `gate` and their ends.
std::vector<int> emit_pre_start(Up& up, const Decision& decision, std::vector<int> gate);

/// Removes the pre_start containers that a killed run left and this plan does not make again.
void remove_leftover_hooks(Up& up);

/// For each service whose running containers are replaced: start-first, or why not. Code::invalid for a label that
/// says neither.
Result<void> decide_rollouts(Up& up);
/// New container beside the old one, ready, requests to it, none to the old one any more, old one gone.
Result<void> emit_rolling(Up& up, Decision& decision);
/// A container that gets requests and goes for good, while others of its service stay: its requests end first.
void emit_parting(Up& up, Decision& decision);
/// Start-first replacements of one service follow each other.
void order_rollouts(Up& up);

}  // namespace berth::compose::detail
