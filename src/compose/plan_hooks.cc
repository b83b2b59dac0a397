// Hooks of a service: commands in its containers after the start and before the stop, and containers before the start.
#include <algorithm>

#include "base/text.h"
#include "compose/plan_parts.h"

namespace berth::compose::detail {
namespace {

using plan::Node;

constexpr std::string_view kHookLabel = "com.docker.compose.hook";

std::vector<std::string> words_of(const Json& command) {
  std::vector<std::string> out;
  if (command.is_text()) out.emplace_back(command.text());
  for (const Json& word : command.items()) out.emplace_back(word.text());
  return out;
}

// A variable without a value is one that nobody has set.
std::vector<std::string> variables_of(const Json& environment) {
  std::vector<std::string> out;
  for (const auto& [name, value] : environment.members())
    if (!value.is_null()) out.push_back(name + '=' + std::string(value.text()));
  return out;
}

plan::ExecHook hook_of(std::string_view when, const Json& hook, const plan::ContainerRef& container) {
  return {.container = container,
          .hook = std::string(when),
          .command = words_of(hook["command"]),
          .environment = variables_of(hook["environment"]),
          .user = std::string(hook["user"].text()),
          .working_dir = std::string(hook["working_dir"].text()),
          .privileged = hook["privileged"].boolean()};
}

// The hooks one after the other, in the place of `pattern`; the last of them, or `after`.
int add_hooks(plan::PlanBuilder& builder, const Service* service, std::string_view when, const Node& pattern,
              const std::vector<int>& after) {
  int last = 0;
  if (!service) return last;
  for (const Json& hook : service->config[when].items()) {
    Node node = pattern;
    node.op = hook_of(when, hook, *plan::container_of(pattern.op));
    node.after = last == 0 ? after : std::vector<int>{last};
    node.cause = std::string(when) + " of service " + service->name;
    node.differences.clear();
    last = builder.add(std::move(node));
  }
  return last;
}

// Containers before the start.

// The service's variables with those of the hook over them.
Json merged_variables(const Json& list, const Json& more) {
  Json out = Json::array();
  for (const Json& one : list.items())
    if (!more.contains(cut(one.text(), '=').before)) out.push(one);
  for (std::string& one : variables_of(more)) out.push(std::move(one));
  return out;
}

// A network of the service, without the names and addresses that are the service's.
Json plain_endpoint(const Json& endpoint) {
  Json out = endpoint.is_object() ? endpoint : Json::object();
  for (const std::string_view own : {"Aliases", "IPAMConfig", "MacAddress", "Links"}) out.erase(own);
  return out;
}

Json labels_of(const Json& all, const std::string& when) {
  Json out = Json::object();
  for (const auto& [name, value] : all.members())
    if (name.starts_with("com.docker.compose.project") || name == plan::label::kService ||
        name == plan::label::kNumber || name == plan::label::kVersion)
      out.set(name, value);
  out.set(plan::label::kOneoff, "True");
  out.set(kHookLabel, when);
  return out;
}

struct HookContainer {
  std::string name{};
  std::string network{};  ///< the one that it is created with
  Json body{};
};

HookContainer container_of(const Up& up, const Decision& decision, const Json& hook, std::size_t number) {
  const Json& desired = decision.request.desired;
  HookContainer out{.name = decision.name + "-pre_start-" + std::to_string(number)};
  out.network = desired["HostConfig"]["NetworkMode"].text();
  const std::string_view image = hook["image"].text();
  Json body = Json::object();
  body.set("Image", image.empty() ? image_name(up.project, *decision.service) : std::string(image));
  body.set("Cmd", words_of(hook["command"]).empty() ? Json() : hook["command"]);
  body.set("Env", merged_variables(desired["Env"], hook["environment"]));
  for (const auto& [key, attribute] : {std::pair("User", "user"), std::pair("WorkingDir", "working_dir")})
    body.set(key, hook[attribute].is_empty() ? desired[key] : hook[attribute]);
  body.set("Labels", labels_of(desired["Labels"], "pre_start"));
  Json host = Json::object({{"NetworkMode", out.network}, {"Privileged", hook["privileged"].boolean()}});
  host.set("VolumesFrom", Json::array({decision.old ? decision.old->id : std::string()}));
  body.set("HostConfig", std::move(host));
  const Json& endpoints = desired["NetworkingConfig"]["EndpointsConfig"];
  if (endpoints.contains(out.network)) {
    Json first = Json::object();
    first.set(out.network, plain_endpoint(endpoints[out.network]));
    body.slot("NetworkingConfig").set("EndpointsConfig", std::move(first));
  }
  out.body = std::move(body);
  return out;
}

// network_mode: service:X, where X is made anew by this plan.
void add_shared_network(const Up& up, const Decision& decision, std::vector<plan::Fill>& fills,
                        std::vector<int>& after) {
  for (const Reference& reference : decision.request.references) {
    if (reference.path != std::vector<std::string>{"HostConfig", "NetworkMode"}) continue;
    const auto decisions = up.of(reference.service);
    const auto target = std::ranges::find_if(decisions, [](const Decision& one) { return one.created != 0; });
    if (target == decisions.end()) continue;
    fills.push_back({.path = reference.path, .prefix = reference.prefix, .from = target->created});
    after.push_back(target->created);
  }
}

// One container: made, run to its end, removed. Returns the node that says that it ended well.
int add_container(Up& up, const Decision& decision, HookContainer hook, std::vector<int> after) {
  const auto node = [&](plan::Op op, std::vector<int> needs) {
    Node out = node_of(decision, std::move(op), std::move(needs));
    out.subject = "hook:" + hook.name;
    out.cause = "pre_start of service " + decision.service->name;
    out.differences.clear();
    out.replacing = false;
    return out;
  };
  if (const plan::Container* left = up.observed.container(hook.name))
    after.push_back(
        up.builder.add(node(plan::RemoveContainer{.container = ref_of(*left), .force = true}, up.image_nodes())));
  std::vector<plan::Fill> fills;
  if (decision.created != 0) {
    fills.push_back({.path = {"HostConfig", "VolumesFrom", "0"}, .from = decision.created});
    after.push_back(decision.created);
  }
  add_shared_network(up, decision, fills, after);
  const Json endpoints = decision.request.desired["NetworkingConfig"]["EndpointsConfig"];
  const int created = up.builder.add(
      node(plan::CreateContainer{.name = hook.name, .body = std::move(hook.body), .fills = std::move(fills)},
           std::move(after)));
  const plan::ContainerRef made{.name = hook.name, .created_by = created};
  std::vector<int> tried{created};
  for (const auto& [network, endpoint] : endpoints.members())
    if (network != hook.network)
      tried.push_back(up.builder.add(
          node(plan::ConnectNetwork{.container = made, .network = network, .endpoint = plain_endpoint(endpoint)},
               {created})));
  tried.push_back(up.builder.add(node(plan::StartContainer{.container = made}, tried)));
  const int ended =
      up.builder.add(node(plan::WaitContainer{.container = made, .until = plan::Until::completed}, {tried.back()}));
  up.builder.add(node(plan::RemoveContainer{.container = made}, {ended}));
  tried.push_back(ended);
  Node rescue = node(plan::RemoveContainer{.container = made, .force = true}, tried);
  rescue.rescue = true;
  up.builder.add(std::move(rescue));
  return ended;
}

// Hooks for the service as a whole are for its first start, not for more of the same.
bool some_run_on(const Up& up, const Service& service) {
  return std::ranges::any_of(up.of(service.name), [&](const Decision& one) {
    return one.service == &service && one.fate == Fate::keep && plan::is_up(one.old->state);
  });
}

}  // namespace

int add_stop(plan::PlanBuilder& builder, const Service* service, const plan::Container& container, Node stop) {
  if (container.state == plan::State::running)
    if (const int last = add_hooks(builder, service, "pre_stop", stop, stop.after); last != 0) stop.after = {last};
  return builder.add(std::move(stop));
}

int add_start(plan::PlanBuilder& builder, const Service* service, Node start) {
  const Node pattern = start;
  const int started = builder.add(std::move(start));
  const int last = add_hooks(builder, service, "post_start", pattern, {started});
  return last == 0 ? started : last;
}

int add_restart(plan::PlanBuilder& builder, const Service* service, const plan::Container& container, Node restart) {
  const Node pattern = restart;
  const int restarted = add_stop(builder, service, container, std::move(restart));
  const int last = add_hooks(builder, service, "post_start", pattern, {restarted});
  return last == 0 ? restarted : last;
}

int add_removal(plan::PlanBuilder& builder, const plan::Container& container, Node removal, const Json& stays) {
  Node pattern = removal;
  const int removed = builder.add(std::move(removal));
  for (const plan::Mount& mount : container.mounts) {
    const bool still = std::ranges::any_of(stays["HostConfig"]["Mounts"].items(),
                                           [&](const Json& one) { return one["Source"].text() == mount.name; });
    if (!mount.name.starts_with(plan::kFilesPrefix) || still) continue;
    Node node = pattern;
    node.op = plan::RemoveVolume{.name = mount.name};
    node.after = {removed};
    node.subject = "volume:" + mount.name;
    node.cause = "held files that were copied into " + container.name;
    node.differences.clear();
    node.best_effort = true;
    node.replacing = true;  // it counts with its container
    builder.add(std::move(node));
  }
  return removed;
}

void add_leftover_files(plan::PlanBuilder& builder, const std::string& project, const plan::Observed& observed,
                        const Names& wanted) {
  Names used = wanted;
  for (const plan::Container& container : observed.containers)
    for (const plan::Mount& mount : container.mounts) used.insert(mount.name);
  for (const plan::Volume& volume : observed.volumes) {
    const auto label = volume.labels.find(plan::kFilesLabel);
    if (label == volume.labels.end() || label->second != project || used.contains(volume.name)) continue;
    builder.add({.op = plan::RemoveVolume{.name = volume.name},
                 .subject = "volume:" + volume.name,
                 .cause = "held files that were copied into a container that is gone",
                 .best_effort = true});
  }
}

std::vector<int> emit_pre_start(Up& up, const Decision& decision, std::vector<int> gate) {
  const Service& service = *decision.service;
  const Json& hooks = service.config["pre_start"];
  if (hooks.size() == 0) return gate;
  auto [shared, is_first] = up.pre_started.try_emplace(service.name);
  const bool whole = is_first && !some_run_on(up, service);
  std::vector<int> own;
  std::vector<int> before = gate;
  const std::vector<int> networks = networks_of(up, service);
  before.insert(before.end(), networks.begin(), networks.end());
  for (std::size_t i = 0; i < hooks.items().size(); ++i) {
    const Json& hook = hooks.items()[i];
    const bool each = hook["per_replica"].boolean();
    if (!each && !whole) continue;
    const int ended = add_container(up, decision, container_of(up, decision, hook, i + 1), std::move(before));
    before = {ended};
    (each ? own : shared->second).push_back(ended);
  }
  gate.insert(gate.end(), own.begin(), own.end());
  gate.insert(gate.end(), shared->second.begin(), shared->second.end());
  return gate;
}

void remove_leftover_hooks(Up& up) {
  Names removed;
  for (const Node& node : up.builder.plan().nodes)
    if (const auto* op = std::get_if<plan::RemoveContainer>(&node.op)) removed.insert(op->container.id);
  for (const plan::Container& container : up.observed.containers) {
    const auto of_service = [&](const Service* one) { return one->name == container.service; };
    const bool ours = container.project == up.project.name && std::ranges::any_of(up.services, of_service);
    if (!ours || container.label(kHookLabel).empty() || removed.contains(container.id)) continue;
    up.builder.add({.op = plan::RemoveContainer{.container = ref_of(container), .force = true},
                    .subject = "hook:" + container.name,
                    .cause = "left behind by an interrupted run",
                    .group = container.service});
  }
}

}  // namespace berth::compose::detail
