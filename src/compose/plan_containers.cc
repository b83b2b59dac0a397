// From the fates of containers to nodes and their order.
#include <algorithm>

#include "compose/plan_parts.h"

namespace berth::compose::detail {

using plan::Node;
using plan::Until;

plan::ContainerRef target_of(const Decision& decision) {
  const std::string name = decision.rolls ? temporary_name(*decision.old, decision.name) : decision.name;
  if (decision.created != 0) return {.name = name, .created_by = decision.created};
  return ref_of(decision.successor ? *decision.successor : *decision.old);
}

Node node_of(const Decision& decision, plan::Op op, std::vector<int> after) {
  const std::string subject = decision.old && (!decision.service || decision.fate == Fate::remove)
                                  ? subject_of(*decision.old)
                                  : subject_of(decision.service->name, decision.number);
  return {.op = std::move(op),
          .after = std::move(after),
          .subject = subject,
          .cause = decision.cause,
          .differences = decision.differences,
          .group = decision.service ? decision.service->name : decision.old->service,
          .replacing = decision.old && decision.makes_new()};
}

namespace {

// Whether what was observed is enough; what a probe would say is not known.
bool satisfies(const plan::Container& container, Until until, bool probed) {
  const bool runs = container.state == plan::State::running;
  if (runs && probed && container.health == plan::Health::none) return false;
  switch (until) {
    case Until::ready:
      return runs && (container.health == plan::Health::none || container.health == plan::Health::healthy);
    case Until::healthy:
      return runs && container.health == plan::Health::healthy;
    case Until::completed:
      return container.state == plan::State::exited && container.exit_code == 0;
  }
  return false;
}

// Waits for the containers of a service: one node each, shared by all who wait for the same.
const std::vector<int>& waits_for(Up& up, const std::string& service, Until until, const std::string& cause) {
  const auto stronger = up.waits.find({service, Until::healthy});
  if (until == Until::ready && stronger != up.waits.end()) return stronger->second;
  const auto [found, is_new] = up.waits.try_emplace({service, until});
  if (!is_new) return found->second;
  const Service* target = up.project.find(service);
  auto probe = target && until != Until::completed ? probe_of(up.project, *target) : std::nullopt;
  for (const Decision& one : up.of(service)) {
    if (one.fate == Fate::remove) continue;
    if (one.fate == Fate::keep && satisfies(*one.old, until, probe.has_value())) continue;
    Node node =
        node_of(one, plan::WaitContainer{.container = target_of(one), .until = until, .probe = probe}, {one.started});
    node.cause = cause;
    node.differences.clear();
    node.replacing = false;
    found->second.push_back(up.builder.add(std::move(node)));
  }
  return found->second;
}

}  // namespace

std::vector<int> gate_of(Up& up, const Service& service) {
  std::vector<int> gate;
  if (up.options.no_deps) return gate;
  for (const Dependency& dependency : service.dependencies) {
    if (dependency.condition != Condition::started && !up.options.no_start) {
      const bool healthy = dependency.condition == Condition::healthy;
      const auto& waits = waits_for(
          up, dependency.service, healthy ? Until::healthy : Until::completed,
          service.name + " depends on it (" + (healthy ? "service_healthy" : "service_completed_successfully") + ')');
      gate.insert(gate.end(), waits.begin(), waits.end());
    }
    for (const Decision& one : up.of(dependency.service))
      if (one.started) gate.push_back(one.started);
  }
  return gate;
}

namespace {

// Something that this service wants to be restarted with goes down: it stops first, and so cannot wait for it.
bool must_stop_first(const Up& up, const Decision& decision) {
  if (decision.fate == Fate::replace || decision.fate == Fate::restart || decision.fate == Fate::rejoin) return true;
  for (const Dependency& dependency : decision.service->dependencies)
    for (const Decision& one : up.of(dependency.service))
      if (dependency.restart && one.interrupts()) return true;
  return false;
}

// What of a body is known only while the plan runs.
struct Late {
  std::vector<plan::Fill> fills{};
  std::vector<plan::Digest> digests{};
};

Result<Late> late_parts_of(const Up& up, const Decision& decision) {
  Late late;
  auto& fills = late.fills;
  plan::Digest hash{.path = {"Labels", std::string(plan::label::kConfigHash)}, .text = decision.request.hash_text};
  const auto image = up.images.find(image_name(up.project, *decision.service));
  if (image != up.images.end())
    fills.push_back({.path = {"Labels", std::string(plan::label::kImage)}, .from = image->second});
  for (const Reference& reference : decision.request.references) {
    const auto decisions = up.of(reference.service);
    const auto target =
        std::find_if(decisions.begin(), decisions.end(), [](const Decision& one) { return one.created != 0; });
    if (target == decisions.end())
      return fail(Code::not_found, place(up.project, "services." + decision.service->name) + "service \"" +
                                       decision.service->name + "\" shares a namespace or volumes of \"" +
                                       reference.service + "\", which has no container; bring it up too");
    fills.push_back(
        {.path = reference.path, .prefix = reference.prefix, .from = target->created, .suffix = reference.suffix});
    hash.marks[reference.mark] = target->created;
  }
  if (!hash.marks.empty()) late.digests.push_back(std::move(hash));
  return late;
}

bool is_remade(const Up& up, const std::string& network) {
  return std::ranges::any_of(up.doomed, [&](const Doomed& one) { return one.key == network; });
}

// A creation only names its networks: one that is new may be made at the same time.
std::vector<int> needs_of(const Up& up, const Decision& decision, const std::vector<plan::Fill>& fills) {
  std::vector<int> after = up.image_nodes();
  const Json& config = decision.service->config;
  for (const auto& member : config["networks"].members())
    if (is_remade(up, member.first)) after.push_back(up.networks.at(member.first));
  for (const Json& volume : config["volumes"].items()) {
    const auto found = up.volumes.find(std::string(volume["source"].text()));
    if (found != up.volumes.end()) after.push_back(found->second);
  }
  for (const plan::Fill& fill : fills) after.push_back(fill.from);
  return after;
}

}  // namespace

// What follows a creation before the start: the secrets and networks that the engine does not take with it.
std::vector<int> emit_completion(Up& up, Decision& decision, std::vector<int> after) {
  CreateRequest& request = decision.request;
  if (decision.created == 0)
    for (const auto& network : up.networks) after.push_back(network.second);
  std::vector<int> last;
  if (!request.files.empty())
    last.push_back(
        up.builder.add(node_of(decision,
                               plan::CopyIn{.container = target_of(decision),
                                            .files = std::move(request.files),
                                            .into_volumes = request.desired["HostConfig"]["ReadonlyRootfs"].boolean()},
                               after)));
  for (Connection& connection : request.connections)
    last.push_back(up.builder.add(node_of(decision,
                                          plan::ConnectNetwork{.container = target_of(decision),
                                                               .network = std::move(connection.network),
                                                               .endpoint = std::move(connection.endpoint)},
                                          after)));
  request.files.clear();
  request.connections.clear();
  return last;
}

std::vector<int> networks_of(const Up& up, const Service& service) {
  std::vector<int> nodes;
  for (const auto& member : service.config["networks"].members())
    if (const auto found = up.networks.find(member.first); found != up.networks.end() && found->second != 0)
      nodes.push_back(found->second);
  return nodes;
}

Result<std::vector<int>> emit_creation(Up& up, Decision& decision) {
  CreateRequest& request = decision.request;
  if (decision.old) {
    request.body.slot("Labels").set(plan::label::kReplace, decision.old->id);
    if (!up.options.renew_anon_volumes) inherit_volumes(request.body, *decision.old);
  }
  auto late = TRY(late_parts_of(up, decision));
  auto needs = needs_of(up, decision, late.fills);
  const std::string name = decision.old ? temporary_name(*decision.old, decision.name) : decision.name;
  decision.created = up.builder.add(node_of(decision,
                                            plan::CreateContainer{.name = name,
                                                                  .body = std::move(request.body),
                                                                  .platform = request.platform,
                                                                  .fills = std::move(late.fills),
                                                                  .digests = std::move(late.digests)},
                                            std::move(needs)));
  std::vector<int> made = networks_of(up, *decision.service);
  made.push_back(decision.created);
  const std::vector<int> last = emit_completion(up, decision, made);
  made.insert(made.end(), last.begin(), last.end());
  return made;
}

void emit_stop(Up& up, Decision& decision, std::vector<int> after) {
  if (!plan::is_up(decision.old->state)) return;
  const auto grace = grace_of(decision.service, up.options.timeout);
  decision.stopped = add_stop(
      up.builder, decision.service, *decision.old,
      node_of(decision, plan::StopContainer{.container = ref_of(*decision.old), .grace = grace}, std::move(after)));
}

void emit_removal(Up& up, Decision& decision, std::vector<int> after) {
  after.push_back(decision.stopped);
  decision.removed = add_removal(
      up.builder, *decision.old,
      node_of(decision, plan::RemoveContainer{.container = ref_of(*decision.old), .volumes = false}, std::move(after)),
      decision.makes_new() ? decision.request.desired : Json());
}

void emit_start(Up& up, Decision& decision, std::vector<int> after) {
  if (up.options.no_start && decision.fate != Fate::rejoin) return;
  if (decision.created == 0 && decision.stopped == 0 && decision.old->state == plan::State::paused) {
    decision.started =
        up.builder.add(node_of(decision, plan::UnpauseContainer{.container = target_of(decision)}, std::move(after)));
    return;
  }
  decision.started =
      add_start(up.builder, decision.service,
                node_of(decision, plan::StartContainer{.container = target_of(decision)}, std::move(after)));
}

namespace {

// Off the networks that go, of which the removal waits for it.
void emit_leaving(Up& up, Decision& decision) {
  for (const Doomed& one : up.doomed) {
    if (!is_attached(*decision.old, *one.network)) continue;
    std::vector<int> after = up.image_nodes();
    after.push_back(decision.stopped);
    decision.left.push_back(
        up.builder.add(node_of(decision,
                               plan::DisconnectNetwork{.container = ref_of(*decision.old),
                                                       .network = one.remade ? one.network->name : one.network->id},
                               std::move(after))));
    up.builder.order(decision.left.back(), one.node);
  }
}

// The same container on the networks that stand in the place of those that it left.
void emit_rejoining(Up& up, Decision& decision) {
  const bool was_up = plan::is_up(decision.old->state);
  emit_stop(up, decision, up.image_nodes());
  emit_leaving(up, decision);
  std::vector<int> after = decision.left;
  for (const Doomed& one : up.doomed) {
    if (!is_attached(*decision.old, *one.network)) continue;
    const Json& endpoints = decision.request.desired["NetworkingConfig"]["EndpointsConfig"];
    std::vector<int> needs = decision.left;
    needs.push_back(up.networks[one.key]);
    after.push_back(up.builder.add(node_of(
        decision,
        plan::ConnectNetwork{
            .container = ref_of(*decision.old), .network = one.network->name, .endpoint = endpoints[one.network->name]},
        std::move(needs))));
  }
  const bool ended = decision.old->state == plan::State::exited && decision.old->exit_code == 0 &&
                     up.one_shots.contains(decision.service->name);
  if (!was_up && (ended || up.options.no_start)) return;
  const auto completion = emit_completion(up, decision, up.image_nodes());
  after.insert(after.end(), completion.begin(), completion.end());
  const std::vector<int> gate = gate_of(up, *decision.service);
  after.insert(after.end(), gate.begin(), gate.end());
  if (!was_up) after = emit_pre_start(up, decision, std::move(after));
  emit_start(up, decision, std::move(after));
}

// Create beside the old one, and only when all is ready stop, remove and take its name. The label
// com.docker.compose.replace and the name tell the next plan how far an interrupted one came.
Result<void> emit_recreation(Up& up, Decision& decision) {
  if (decision.fate == Fate::replace) {
    emit_stop(up, decision, up.image_nodes());
    emit_leaving(up, decision);
  }
  const std::vector<int> ready = TRY(emit_creation(up, decision));
  std::vector<int> gate;
  if (!up.options.no_start) gate = emit_pre_start(up, decision, gate_of(up, *decision.service));
  std::vector<int> swap = ready;
  if (!must_stop_first(up, decision)) swap.insert(swap.end(), gate.begin(), gate.end());
  if (decision.fate != Fate::replace) emit_stop(up, decision, swap);
  emit_removal(up, decision, swap);
  plan::ContainerRef beside = target_of(decision);
  beside.name = temporary_name(*decision.old, decision.name);
  const int renamed = up.builder.add(node_of(
      decision, plan::RenameContainer{.container = std::move(beside), .name = decision.name}, {decision.removed}));
  std::vector<int> after = gate;
  after.push_back(renamed);
  emit_start(up, decision, std::move(after));
  return {};
}

Result<void> emit_new(Up& up, Decision& decision) {
  std::vector<int> after = TRY(emit_creation(up, decision));
  if (up.options.no_start) return {};
  const std::vector<int> gate = emit_pre_start(up, decision, gate_of(up, *decision.service));
  after.insert(after.end(), gate.begin(), gate.end());
  emit_start(up, decision, std::move(after));
  return {};
}

int emit_rename(Up& up, const Decision& decision) {
  if (!decision.old || decision.old->name == decision.name || decision.makes_new() || decision.fate == Fate::remove)
    return 0;
  Node node = node_of(decision, plan::RenameContainer{.container = ref_of(*decision.old), .name = decision.name},
                      up.image_nodes());
  node.cause = is_temporary_name(decision.old->name) ? "an interrupted recreation is finished" : "its container_name";
  return up.builder.add(std::move(node));
}

Result<void> emit(Up& up, Decision& decision) {
  const int renamed = emit_rename(up, decision);
  switch (decision.fate) {
    case Fate::keep:
      break;
    case Fate::remove:
      emit_parting(up, decision);
      break;
    case Fate::restart:
      emit_stop(up, decision, up.image_nodes());
      [[fallthrough]];
    case Fate::start: {
      std::vector<int> after = gate_of(up, *decision.service);
      if (decision.fate == Fate::start) after = emit_pre_start(up, decision, std::move(after));
      const std::vector<int> images = up.image_nodes();
      const std::vector<int> completion = emit_completion(up, decision, images);
      after.insert(after.end(), completion.begin(), completion.end());
      const std::vector<int> networks = networks_of(up, *decision.service);
      after.insert(after.end(), networks.begin(), networks.end());
      if (decision.stopped == 0 && renamed == 0) after.insert(after.end(), images.begin(), images.end());
      after.push_back(decision.stopped);
      after.push_back(renamed);
      emit_start(up, decision, std::move(after));
      break;
    }
    case Fate::rejoin:
      emit_rejoining(up, decision);
      break;
    case Fate::create:
      return emit_new(up, decision);
    case Fate::replace:
    case Fate::recreate:
      return decision.rolls ? emit_rolling(up, decision) : emit_recreation(up, decision);
  }
  return {};
}

// Those that stay leave, see emit_leaving; those that go for good are gone.
void order_network_removals(Up& up) {
  for (const Doomed& network : up.doomed)
    for (const Decision& one : up.decisions)
      if (one.fate == Fate::remove && is_attached(*one.old, *network.network))
        up.builder.order(one.removed, network.node);
}

// Dependents with `restart: true` are down while what they depend on is replaced; but for those that serve until a new
// one does, which begins with what it depends on.
void order_stops(Up& up) {
  for (const Decision& dependent : up.decisions) {
    if (!dependent.service || dependent.stopped == 0 || dependent.fate == Fate::remove || dependent.rolls) continue;
    for (const Dependency& dependency : dependent.service->dependencies)
      for (const Decision& one : up.of(dependency.service))
        if (dependency.restart && one.stopped != 0 && one.interrupts())
          up.builder.order(dependent.stopped, one.stopped);
  }
}

// A name is free once its holder is removed.
void order_names(Up& up) {
  std::map<std::string_view, int> freed;
  for (const Decision& one : up.decisions)
    if (one.removed && one.fate == Fate::remove) freed[one.old->name] = one.removed;
  for (Node& node : up.builder.plan().nodes) {
    const auto* create = std::get_if<plan::CreateContainer>(&node.op);
    const auto* rename = std::get_if<plan::RenameContainer>(&node.op);
    const auto found = freed.find(create ? create->name : rename ? rename->name : std::string_view());
    if (found != freed.end()) up.builder.order(found->second, node.id);
  }
}

// Whether the service may have a health check or a probe; an image that is not here yet may bring one.
bool may_be_healthy(const Up& up, const Service& service) {
  if (probe_of(up.project, service)) return true;
  const Json& own = service.config["healthcheck"];
  if (own["disable"].boolean()) return false;
  const Json& test = own["test"];
  if (!test.is_empty()) return !test.is_array() || test.items()[0].text() != "NONE";
  const plan::Image* image = up.observed.image(image_name(up.project, service));
  return !image || !image->config["Healthcheck"]["Test"].is_empty();
}

// A service that can never be healthy is found before anything is changed.
Result<void> check_health(const Up& up) {
  for (const Service* service : up.services)
    for (const Dependency& dependency : service->dependencies) {
      const Service* target = up.project.find(dependency.service);
      if (dependency.condition != Condition::healthy || !target || up.options.no_deps) continue;
      if (may_be_healthy(up, *target)) continue;
      return fail(Code::invalid, place(up.project, "services." + service->name + ".depends_on." + target->name) +
                                     "service \"" + service->name + "\" waits for \"" + target->name +
                                     "\" to be healthy, but that one has no healthcheck");
    }
  return {};
}

void emit_final_waits(Up& up) {
  if (!up.options.wait || up.options.no_start) return;
  for (const Service* service : up.services) {
    const Until until = up.one_shots.contains(service->name) ? Until::completed : Until::ready;
    for (const int id : waits_for(up, service->name, until, "--wait"))
      std::get<plan::WaitContainer>(up.builder.node(id).op).seconds = up.options.wait_timeout;
  }
}

}  // namespace

Result<void> emit_containers(Up& up) {
  TRY(check_health(up));
  for (Decision& decision : up.decisions) TRY(emit(up, decision));
  order_network_removals(up);
  order_stops(up);
  order_names(up);
  order_rollouts(up);
  emit_final_waits(up);
  return {};
}

Names wanted_mounts(const Up& up) {
  Names names;
  for (const Decision& one : up.decisions)
    for (const Json& mount : one.request.desired["HostConfig"]["Mounts"].items())
      names.insert(std::string(mount["Source"].text()));
  return names;
}

void note_keeps(Up& up) {
  plan::Plan& plan = up.builder.plan();
  for (const auto& [key, node] : up.networks)
    if (node == 0) plan.keeps.push_back({"network:" + key, network_name(up.project, key), "exists"});
  for (const auto& [key, node] : up.volumes)
    if (node == 0) plan.keeps.push_back({"volume:" + key, volume_name(up.project, key), "exists"});
  for (const Decision& one : up.decisions)
    if (one.fate == Fate::keep)
      plan.keeps.push_back({subject_of(one.service->name, one.number), one.old->id, one.cause});
}

}  // namespace berth::compose::detail
