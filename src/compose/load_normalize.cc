#include <fmt/format.h>

#include <unordered_set>

#include "base/text.h"
#include "compose/load_stages.h"
#include "compose/short.h"

namespace berth::compose {
namespace {

// A name without value takes it from the environment; `keep` says what becomes of it when there is none.
void fill(Node& variables, const Environment& environment, bool keep) {
  std::erase_if(variables.items, [&](Node& variable) {
    const bool bare = variables.is_map() ? variable.is_null() : variable.text.find('=') == std::string::npos;
    if (!bare) return false;
    const auto value = environment.find(variables.is_map() ? variable.key : variable.text);
    if (value == environment.end()) return !keep;
    if (variables.is_map())
      variable.become(Node::text_at(value->second, variable.mark));
    else
      variable.text += "=" + value->second;
    return false;
  });
}

bool is_set(const Node& map, std::string_view key) {
  const Node* member = map.find(key);
  return member != nullptr && !member->is_null();
}

void normalize_build(Node& build, const Environment& environment) {
  if (!is_set(build, "context")) build.set("context", Node::text_at(".", build.mark));
  if (!is_set(build, "dockerfile") && !is_set(build, "dockerfile_inline"))
    build.set("dockerfile", Node::text_at("Dockerfile", build.mark));
  if (Node* args = build.find("args")) fill(*args, environment, false);
}

// What a service borrows from another must exist before it.
class Dependencies {
 public:
  explicit Dependencies(const Node& service) : map_(Node::map_at(service.mark)) {
    if (const Node* declared = service.find("depends_on")) map_ = *declared;
    for (const Node& entry : map_.items) have_.insert(entry.key);
  }

  void add(std::string_view service, bool restart, Mark mark) {
    if (!have_.emplace(service).second) return;
    Node entry = Node::map_at(mark);
    entry.set("condition", Node::text_at("service_started", mark));
    entry.set("restart", Node::boolean_at(restart, mark));
    entry.set("required", Node::boolean_at(true, mark));
    entry.key = service;
    entry.key_mark = mark;
    map_.items.push_back(std::move(entry));
  }

  Node take() && { return std::move(map_); }

 private:
  Node map_;
  std::unordered_set<std::string> have_;
};

void add_dependencies(Node& service) {
  Dependencies dependencies(service);
  if (const Node* links = service.find("links"))
    for (const Node& link : links->items) {
      const auto parts = split(link.text, ':');
      dependencies.add(parts.size() == 2 ? parts[0] : std::string_view(link.text), true, link.mark);
    }
  for (const std::string_view space : {"network_mode", "ipc", "pid", "uts", "cgroup"}) {
    const std::string_view shared = service.text_of(space);
    constexpr std::string_view kService = "service:";
    if (shared.starts_with(kService)) dependencies.add(shared.substr(kService.size()), true, service.find(space)->mark);
  }
  if (const Node* from = service.find("volumes_from"))
    for (const Node& source : from->items)
      if (!source.text.starts_with("container:")) dependencies.add(cut(source.text, ':').before, false, source.mark);
  Node all = std::move(dependencies).take();
  if (!all.items.empty()) service.set("depends_on", std::move(all));
}

void normalize_service(Node& service, const Environment& environment) {
  if (Node* policy = service.find("pull_policy"); policy != nullptr && policy->text == "if_not_present")
    policy->text = "missing";
  if (Node* build = service.find("build"); build != nullptr && build->is_map()) normalize_build(*build, environment);
  if (Node* variables = service.find("environment")) fill(*variables, environment, true);
  if (Node* volumes = service.find("volumes"))
    for (Node& volume : volumes->items)
      if (Node* target = volume.is_map() ? volume.find("target") : nullptr) target->text = clean_path(target->text);
  add_dependencies(service);
  const std::string image(service.text_of("image"));
  Node* hooks = service.find("pre_start");
  if (hooks == nullptr || image.empty()) return;
  for (Node& hook : hooks->items)
    if (hook.find("image") == nullptr) hook.set("image", Node::text_at(image, hook.mark));
}

// A service that says nothing of networks joins the network "default"; true when this one does.
bool join_default(Node& service) {
  if (service.find("provider") != nullptr || service.find("network_mode") != nullptr) return false;
  Node* networks = service.find("networks");
  if (networks != nullptr && !networks->items.empty()) return networks->find("default") != nullptr;
  Node joined = Node::map_at(service.mark);
  joined.set("default", Node::null_at(service.mark));
  service.set("networks", std::move(joined));
  return true;
}

void add_default_network(Node& model) {
  bool used = false;
  if (Node* services = model.find("services"))
    for (Node& service : services->items) used = join_default(service) || used;
  Node* networks = model.find("networks");
  if (used && networks == nullptr) networks = &model.set("networks", Node::map_at({}));
  if (used && networks->find("default") == nullptr) networks->set("default", Node::null_at({}));
}

void name_resources(Node& model, const std::string& project) {
  for (const std::string_view section : {"networks", "volumes", "configs", "secrets"}) {
    Node* entries = model.find(section);
    if (entries == nullptr) continue;
    for (Node& entry : entries->items) {
      if (entry.is_null()) entry.become(Node::map_at(entry.mark));
      if (!entry.is_map() || is_set(entry, "name")) continue;
      const Node* external = entry.find("external");
      const bool foreign = external != nullptr && external->scalar_text() == "true";
      entry.set("name", Node::text_at(foreign ? entry.key : fmt::format("{}_{}", project, entry.key), entry.mark));
    }
  }
}

}  // namespace

void normalize(Node& model, const std::string& project, const Environment& environment) {
  for (Node& section : model.items)
    if (section.is_null() && !section.key.starts_with("x-")) section.become(Node::map_at(section.mark));
  add_default_network(model);
  if (Node* services = model.find("services"))
    for (Node& service : services->items) normalize_service(service, environment);
  name_resources(model, project);
  model.set("name", Node::text_at(project, {}));
}

}  // namespace berth::compose
