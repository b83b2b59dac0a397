#include "broker/scope.h"

#include <algorithm>

#include "base/text.h"
#include "broker/bind.h"

namespace berth::broker {
namespace {

constexpr std::string_view kScoped[] = {"containers", "exec", "networks", "volumes", "services", "secrets", "configs"};

bool is_scoped(std::string_view resource) {
  return std::find(std::begin(kScoped), std::end(kScoped), resource) != std::end(kScoped);
}

void add_label_filter(const Policy& policy, Query& query) {
  auto found = std::find_if(query.begin(), query.end(), [](const auto& pair) { return pair.first == "filters"; });
  if (found == query.end()) found = query.insert(query.end(), {"filters", "{}"});
  const auto parsed = parse_json(found->second.empty() ? "{}" : found->second);
  Json filters = parsed ? *parsed : Json::object();
  Json labels = filters["label"].is_array() ? filters["label"] : Json::array();
  for (const auto& [name, value] : policy.labels) labels.push(name + "=" + value);
  filters.set("label", std::move(labels));
  found->second = filters.dump();
}

class Named {
 public:
  explicit Named(std::vector<Reference>& out) : out_(out) {}
  void add(std::string_view kind, std::string_view name) {
    if (!name.empty()) out_.push_back({std::string(kind), std::string(name)});
  }
  /// "container:NAME" of a namespace.
  void mode(const Json& value) {
    const Cut parts = cut(value.text(), ':');
    if (parts.found) add("containers", parts.after);
  }
  void network(std::string_view name) {
    constexpr std::string_view kBuiltIn[] = {"default", "bridge", "none", "nat", ""};
    if (std::find(std::begin(kBuiltIn), std::end(kBuiltIn), name) == std::end(kBuiltIn)) add("networks", name);
  }
  void mounts(const Json& list) {
    for (const Json& mount : list.items())
      if (mount["Type"].text() == "volume") add("volumes", mount["Source"].text());
  }

 private:
  std::vector<Reference>& out_;
};

void of_container(const Json& body, Named& named) {
  const Json& host = body["HostConfig"];
  for (const char* mode : {"PidMode", "IpcMode", "Cgroup"}) named.mode(host[mode]);
  if (host["NetworkMode"].text().contains(':'))
    named.mode(host["NetworkMode"]);
  else
    named.network(host["NetworkMode"].text());
  for (const auto& [name, endpoint] : body.at("NetworkingConfig.EndpointsConfig").members()) named.network(name);
  for (const Json& each : host["VolumesFrom"].items()) named.add("containers", cut(each.text(), ':').before);
  for (const Json& each : host["Links"].items()) named.add("containers", cut(each.text(), ':').before);
  for (const Json& each : host["Binds"].items()) {
    const auto bind = parse_bind(each.text());
    if (bind && !bind->is_path) named.add("volumes", bind->source);
  }
  named.mounts(host["Mounts"]);
}

void of_service(const Json& body, Named& named) {
  const Json& task = body["TaskTemplate"];
  for (const Json* networks : {&body["Networks"], &task["Networks"]})
    for (const Json& each : networks->items()) named.network(each["Target"].text());
  const Json& container = task["ContainerSpec"];
  named.mounts(container["Mounts"]);
  for (const Json& each : container["Secrets"].items()) named.add("secrets", each["SecretID"].text());
  for (const Json& each : container["Configs"].items()) named.add("configs", each["ConfigID"].text());
}

}  // namespace

bool leaks_others(const Policy& policy, const Operation& operation) {
  return !policy.labels.empty() && (operation.resource() == "tasks" || operation.name == "system.df");
}

void scope_head(const Policy& policy, Verdict& verdict) {
  if (policy.labels.empty()) return;
  const Operation& operation = *verdict.match.operation;
  if (operation.name == "system.events") return add_label_filter(policy, verdict.query);
  if (operation.name == "build.build")
    for (const auto& [name, value] : verdict.query)
      if (name == "networkmode") Named(verdict.references).network(value);
  if (!is_scoped(operation.name == "images.commit" ? "containers" : operation.resource())) return;
  Named named(verdict.references);
  if (operation.name.ends_with(".list") || operation.name.ends_with(".prune")) add_label_filter(policy, verdict.query);
  // An exec is made in a container; later ones name the exec.
  const bool inside = operation.path.starts_with("/containers/");
  if (!verdict.match.name.empty()) named.add(inside ? "containers" : operation.resource(), verdict.match.name);
  for (const auto& [name, value] : verdict.query)
    if (name == "container") named.add("containers", value);
}

void scope_body(const Policy& policy, Json& body, Verdict& verdict) {
  if (policy.labels.empty()) return;
  const Operation& operation = *verdict.match.operation;
  const bool makes = is_scoped(operation.resource()) && has_labels(operation.body);
  if (makes)
    for (const auto& [name, value] : policy.labels) set_label(body, name, value);
  Named named(verdict.references);
  if (operation.body == "container") of_container(body, named);
  if (operation.body == "service") of_service(body, named);
  if (operation.body == "network-connect" || operation.body == "network-disconnect")
    named.add("containers", body["Container"].text());
}

bool in_scope(const Policy& policy, const Json& labels) {
  return std::all_of(policy.labels.begin(), policy.labels.end(),
                     [&](const auto& pair) { return labels[pair.first].text() == pair.second; });
}

}  // namespace berth::broker
