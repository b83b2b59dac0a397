// start, stop, restart, kill, rm: one op a container, in the order of the dependencies.
#include <algorithm>

#include "base/text.h"
#include "compose/plan_parts.h"
#include "plan/risk.h"

namespace berth::compose {
namespace detail {
namespace {

// "db:service_healthy:true,cache:service_started:false" as Docker Compose writes it.
Names names_in_label(std::string_view text) {
  Names names;
  for (const std::string_view item : split(text, ','))
    if (!item.empty()) names.insert(std::string(cut(item, ':').before));
  return names;
}

// Depth first, without recursion: a chain may be as long as a file allows.
struct Visit {
  const Project& project;
  const plan::Observed& observed;
  Names entered{};
  std::vector<std::pair<std::string, Names>> path{};  // with the dependencies that are still to be entered
  std::vector<std::string> order{};

  void enter(std::string service) {
    if (!entered.insert(service).second) return;
    Names next = dependency_names(project, observed, service);
    path.emplace_back(std::move(service), std::move(next));
  }
  void from(const std::string& service) {
    enter(service);
    while (!path.empty()) {
      auto& [name, next] = path.back();
      if (next.empty()) {
        order.push_back(std::move(name));
        path.pop_back();
      } else {
        enter(std::move(next.extract(next.begin()).value()));
      }
    }
  }
};

}  // namespace

Names dependency_names(const Project& project, const plan::Observed& observed, const std::string& service) {
  Names names;
  if (const Service* known = project.find(service)) {
    for (const Dependency& dependency : known->dependencies) names.insert(dependency.service);
    return names;
  }
  for (const plan::Container& container : containers_of(observed, service))
    names.merge(names_in_label(container.label(plan::label::kDependsOn)));
  return names;
}

std::vector<std::string> label_order(const Project& project, const plan::Observed& observed) {
  Names all;
  for (const Service& service : project.services) all.insert(service.name);
  for (const plan::Container& container : observed.containers) all.insert(container.service);
  Visit visit{.project = project, .observed = observed};
  for (const std::string& service : all) visit.from(service);
  return std::move(visit.order);
}

std::map<std::string, Names, std::less<>> dependents_of_all(const Project& project, const plan::Observed& observed) {
  std::map<std::string, Names, std::less<>> dependents;
  for (const std::string& service : label_order(project, observed))
    for (const std::string& other : dependency_names(project, observed, service))
      if (other != service) dependents[other].insert(service);
  return dependents;
}

}  // namespace detail

namespace {

using detail::Names;
using plan::Container;
using plan::State;

// The containers that a verb is about, in start order; Code::not_found for an unknown service.
Result<std::vector<const Container*>> chosen(const Project& project, const plan::Observed& observed,
                                             const std::vector<std::string>& services, bool by_label) {
  Names wanted(services.begin(), services.end());
  if (!by_label)
    for (const Service* service : TRY(detail::start_order(project, services, false))) wanted.insert(service->name);
  std::vector<const Container*> containers;
  for (const std::string& service : detail::label_order(project, observed))
    for (const Container& container : detail::containers_of(observed, service))
      if (!container.oneoff && (wanted.empty() || wanted.contains(service))) containers.push_back(&container);
  return containers;
}

plan::Node node_of(const Container& container, plan::Op op, std::vector<int> after, std::string cause) {
  return {.op = std::move(op),
          .after = std::move(after),
          .subject = detail::subject_of(container),
          .cause = std::move(cause),
          .group = container.service};
}

void keep(plan::PlanBuilder& builder, const Container& container, std::string reason) {
  builder.plan().keeps.push_back({detail::subject_of(container), container.id, std::move(reason)});
}

using NodesOfService = std::map<std::string, std::vector<int>>;

std::vector<int> nodes_of(const NodesOfService& nodes, const Names& services) {
  std::vector<int> out;
  for (const std::string& service : services) {
    const auto found = nodes.find(service);
    if (found != nodes.end()) out.insert(out.end(), found->second.begin(), found->second.end());
  }
  return out;
}

bool ready(const Container& container) {
  return container.state == State::running &&
         (container.health == plan::Health::none || container.health == plan::Health::healthy);
}

// Services for which others wait, and for what.
struct Awaited {
  const Project& project;
  Names healthy{}, completed{};
};
Awaited awaited_in(const Project& project) {
  Awaited out{.project = project, .completed = detail::one_shots_of(project)};
  for (const Service& service : project.services)
    for (const Dependency& dependency : service.dependencies)
      if (dependency.condition == Condition::healthy) out.healthy.insert(dependency.service);
  return out;
}

// What must be reached before the dependents of `container` may start.
int wait_for_dependents(plan::PlanBuilder& builder, const Awaited& awaited, const Container& container, int started) {
  const bool healthy = awaited.healthy.contains(container.service);
  const bool completed = awaited.completed.contains(container.service);
  if (!healthy && !completed) return started;
  const Service* own = awaited.project.find(container.service);
  const auto probe = own ? detail::probe_of(awaited.project, *own) : std::nullopt;
  if (started == 0 && ((ready(container) && !probe) || (completed && container.exit_code == 0))) return 0;
  const plan::Until until = healthy ? plan::Until::healthy : plan::Until::completed;
  return builder.add(
      node_of(container, plan::WaitContainer{.container = detail::ref_of(container), .until = until, .probe = probe},
              {started}, "others depend on it"));
}

// The rest of a creation that was cut off, where the container is otherwise what the project says; then `gate` and it.
Result<std::vector<int>> complete(detail::Up& up, const Container& container, std::vector<int> gate) {
  const Service* service = up.project.find(container.service);
  if (!service || container.state != State::created) return gate;
  detail::Decision decision = TRY(detail::decide_container(up, *service, container.number, &container));
  if (decision.fate != detail::Fate::start) return gate;
  const auto rest = detail::emit_completion(up, decision, {});
  gate.insert(gate.end(), rest.begin(), rest.end());
  return gate;
}

// Planning for containers as they are: nothing of what `up` could be told.
detail::Up world_of(const Project& project, const plan::Observed& observed) {
  static const UpOptions none;
  detail::Up up{.project = project, .observed = observed, .options = none, .builder = plan::PlanBuilder(project.name)};
  up.containers = detail::index_of(observed);
  return up;
}

Result<void> emit_start(detail::Up& up, const Awaited& awaited, const Container& container,
                        NodesOfService& ready_nodes) {
  plan::PlanBuilder& builder = up.builder;
  std::vector<int> gate = nodes_of(ready_nodes, detail::dependency_names(up.project, up.observed, container.service));
  int started = 0;
  if (container.state == State::paused)
    started = builder.add(node_of(container, plan::UnpauseContainer{detail::ref_of(container)}, gate, "paused"));
  else if (!plan::is_up(container.state))
    started = detail::add_start(builder, up.project.find(container.service),
                                node_of(container, plan::StartContainer{detail::ref_of(container)},
                                        TRY(complete(up, container, std::move(gate))), detail::state_text(container)));
  else
    keep(builder, container, detail::state_text(container));
  ready_nodes[container.service].push_back(wait_for_dependents(builder, awaited, container, started));
  return {};
}

}  // namespace

Result<plan::Plan> plan_start(const Project& project, const plan::Observed& observed, const VerbOptions& options) {
  TRY(detail::check_ownership(project, observed, options.adopt || options.by_label));
  detail::Up up = world_of(project, observed);
  plan::PlanBuilder& builder = up.builder;
  NodesOfService ready_nodes;
  const auto containers = TRY(chosen(project, observed, options.services, options.by_label));
  for (const std::string& service : options.services)
    if (std::none_of(containers.begin(), containers.end(),
                     [&](const Container* one) { return one->service == service; }))
      return fail(Code::not_found, "service \"" + service + "\" has no container to start; create it with up");
  const Awaited awaited = awaited_in(project);
  for (const Container* container : containers) TRY(emit_start(up, awaited, *container, ready_nodes));
  if (!options.wait) return builder.take();
  for (const Container* container : containers) {
    const Service* service = project.find(container->service);
    const auto probe = service ? detail::probe_of(project, *service) : std::nullopt;
    if ((ready(*container) && !probe) || awaited.completed.contains(container->service)) continue;
    const plan::WaitContainer wait{
        .container = detail::ref_of(*container), .seconds = options.wait_timeout, .probe = probe};
    builder.add(node_of(*container, wait, ready_nodes[container->service], "--wait"));
  }
  return builder.take();
}

Result<plan::Plan> plan_stop(const Project& project, const plan::Observed& observed, const VerbOptions& options) {
  TRY(detail::check_ownership(project, observed, options.adopt || options.by_label));
  plan::PlanBuilder builder(project.name);
  NodesOfService stopped;
  auto containers = TRY(chosen(project, observed, options.services, options.by_label));
  std::reverse(containers.begin(), containers.end());
  auto dependents = detail::dependents_of_all(project, observed);
  for (const Container* container : containers) {
    if (!plan::is_up(container->state)) {
      keep(builder, *container, detail::state_text(*container));
      continue;
    }
    const plan::StopContainer stop{.container = detail::ref_of(*container),
                                   .grace = detail::grace_of(project.find(container->service), options.timeout)};
    stopped[container->service].push_back(
        detail::add_stop(builder, project.find(container->service), *container,
                         node_of(*container, stop, nodes_of(stopped, dependents[container->service]), "stop")));
  }
  return builder.take();
}

namespace {

// Who wants to be restarted with what it depends on, and who wants so with these.
void add_dependents(const Project& project, const Names& asked, std::vector<std::string>& services) {
  if (asked.empty()) return;
  Names all = asked;
  for (bool more = true; more;) {
    more = false;
    for (const Service& service : project.services)
      for (const Dependency& dependency : service.dependencies) {
        if (!dependency.restart || !all.contains(dependency.service) || !all.insert(service.name).second) continue;
        services.push_back(service.name);
        more = true;
      }
  }
}

}  // namespace

Result<plan::Plan> plan_restart(const Project& project, const plan::Observed& observed, const VerbOptions& options) {
  TRY(detail::check_ownership(project, observed, options.adopt || options.by_label));
  detail::Up up = world_of(project, observed);
  NodesOfService nodes;
  Names asked(options.services.begin(), options.services.end());
  std::vector<std::string> services = options.services;
  if (!options.no_deps) add_dependents(project, asked, services);
  for (const Container* container : TRY(chosen(project, observed, services, options.by_label))) {
    const bool dependent = !asked.empty() && !asked.contains(container->service);
    if (dependent && !plan::is_up(container->state)) continue;
    const plan::RestartContainer restart{.container = detail::ref_of(*container),
                                         .grace = detail::grace_of(project.find(container->service), options.timeout)};
    const auto before =
        TRY(complete(up, *container, nodes_of(nodes, detail::dependency_names(project, observed, container->service))));
    const std::string cause = dependent ? "depends on what is restarted" : "restart";
    const Service* service = project.find(container->service);
    nodes[container->service].push_back(
        detail::add_restart(up.builder, service, *container, node_of(*container, restart, before, cause)));
  }
  return up.builder.take();
}

Result<plan::Plan> plan_kill(const Project& project, const plan::Observed& observed, const VerbOptions& options) {
  TRY(detail::check_ownership(project, observed, options.adopt || options.by_label));
  plan::PlanBuilder builder(project.name);
  auto containers = TRY(chosen(project, observed, options.services, options.by_label));
  if (options.remove_orphans)
    for (const Container* orphan : detail::orphans_of(project, observed))
      if (std::find(containers.begin(), containers.end(), orphan) == containers.end()) containers.push_back(orphan);
  for (const Container* container : containers) {
    if (plan::is_up(container->state))
      builder.add(node_of(*container, plan::KillContainer{detail::ref_of(*container), options.signal}, {}, "kill"));
    else
      keep(builder, *container, detail::state_text(*container));
  }
  return builder.take();
}

Result<plan::Plan> plan_rm(const Project& project, const plan::Observed& observed, const RmOptions& options) {
  TRY(detail::check_ownership(project, observed, options.adopt || options.by_label));
  plan::PlanBuilder builder(project.name);
  auto containers = TRY(chosen(project, observed, options.services, options.by_label));
  std::reverse(containers.begin(), containers.end());
  for (const Container* container : containers) {
    int stopped = 0;
    if (plan::is_up(container->state) && !options.stop) {
      keep(builder, *container, detail::state_text(*container) + "; stop it first, or say --stop");
      continue;
    }
    if (plan::is_up(container->state)) {
      const plan::StopContainer stop{.container = detail::ref_of(*container),
                                     .grace = detail::grace_of(project.find(container->service), {})};
      stopped = detail::add_stop(builder, project.find(container->service), *container,
                                 node_of(*container, stop, {}, "rm --stop"));
    }
    const plan::RemoveContainer remove{.container = detail::ref_of(*container), .volumes = options.volumes};
    detail::add_removal(builder, *container, node_of(*container, remove, {stopped}, "rm"));
  }
  plan::Plan plan = TRY(builder.take());
  plan::mark_risks(plan, observed, {});
  return plan;
}

}  // namespace berth::compose
