#include "api/project_show.h"

#include <algorithm>
#include <map>

#include "api/container_view.h"
#include "base/text.h"
#include "compose/create.h"
#include "plan/gap.h"
#include "plan/tree.h"

namespace berth::api {
namespace {

std::string_view label_of(const Json& container, std::string_view name) {
  return container["Labels"][name].text();
}

Json texts(const std::vector<std::string>& items) {
  Json out = Json::array();
  for (const auto& item : items) out.push(item);
  return out;
}

// What is known of one service's containers.
struct Counted {
  int replicas = 0, running = 0;
  std::string health{}, image{};
};

// "Up 5 minutes (healthy)"; of several containers the worst.
std::string_view worse_health(std::string_view one, std::string_view other) {
  for (const std::string_view text : {"unhealthy", "starting", "healthy"})
    if (one == text || other == text) return text;
  return "";
}

std::string_view health_of(const Json& container) {
  const auto status = container["Status"].text();
  if (status.contains("(unhealthy)")) return "unhealthy";
  if (status.contains("(health: starting)")) return "starting";
  return status.contains("(healthy)") ? "healthy" : "";
}

std::map<std::string, Counted> count_services(const Running& running) {
  std::map<std::string, Counted> out;
  for (const Json& container : running.containers) {
    auto& counted = out[std::string(label_of(container, plan::label::kService))];
    ++counted.replicas;
    const auto state = container["State"].text();
    if (state == "running" || state == "restarting" || state == "paused") ++counted.running;
    counted.health = worse_health(counted.health, health_of(container));
    if (const auto image = container["Image"].text(); !image.empty()) counted.image = image;
  }
  return out;
}

Json service_json(const std::string& name, const Counted& counted) {
  return Json::object({{"name", name},
                       {"replicas", counted.replicas},
                       {"running", counted.running},
                       {"health", counted.health.empty() ? Json() : Json(counted.health)},
                       {"image", counted.image}});
}

std::string_view state_of(const std::map<std::string, Counted>& services, bool managed) {
  std::size_t whole = 0, some = 0, replicas = 0;
  for (const auto& [name, counted] : services) {
    replicas += static_cast<std::size_t>(counted.replicas);
    if (counted.running > 0) ++some;
    if (counted.running > 0 && counted.running >= counted.replicas) ++whole;
  }
  if (replicas == 0) return managed ? "draft" : "stopped";
  if (some == 0) return "stopped";
  return whole == services.size() ? "running" : "partial";
}

std::vector<std::string> labelled_files(const Running& running) {
  if (running.containers.empty()) return {};
  std::vector<std::string> out;
  for (const auto path : split(label_of(running.containers.front(), plan::label::kConfigFiles), ','))
    if (!path.empty()) out.emplace_back(path);
  return out;
}

Json item_of(const Running& running, const std::map<std::string, Counted>& counted, bool managed,
             const std::vector<std::string>& paths) {
  Json services = Json::array();
  std::int64_t updated = 0;
  for (const auto& [name, service] : counted) services.push(service_json(name, service));
  for (const Json& container : running.containers) updated = std::max(updated, container["Created"].integer() * 1000);
  Json out = Json::object({{"name", running.name},
                           {"state", state_of(counted, managed)},
                           {"services", std::move(services)},
                           {"drift", nullptr}});
  out.set("source", managed ? "managed" : "foreign");
  out.set("files", texts(managed ? paths : labelled_files(running)));
  if (!running.containers.empty()) out.set("folder", label_of(running.containers.front(), plan::label::kWorkingDir));
  out.set("updatedAt", updated);
  return out;
}

std::string_view risk_text(plan::Risk risk) {
  if (risk == plan::Risk::data) return "data";
  return risk == plan::Risk::notice ? "notice" : "none";
}

Json show_difference(const plan::Difference& difference) {
  Json out = Json::object({{"field", difference.path},
                           {"old", difference.secret ? Json() : difference.before},
                           {"new", difference.secret ? Json() : difference.after}});
  out.set("text", plan::to_text(difference));
  if (difference.secret) out.set("secret", true);
  return out;
}

Json show_differences(const std::vector<plan::Difference>& differences) {
  Json out = Json::array();
  for (const auto& difference : differences) out.push(show_difference(difference));
  return out;
}

Json show_node(const plan::Node& node) {
  return Json::object({{"id", node.id},
                       {"subject", node.subject},
                       {"verb", plan::name_of(node.op)},
                       {"object", plan::object_of(node.op)},
                       {"service", node.group},
                       {"cause", node.cause},
                       {"risk", risk_text(node.risk)},
                       {"riskNote", node.risk_note},
                       {"details", show_differences(node.differences)}});
}

Json show_leaf(const plan::Leaf& leaf) {
  return Json::object({{"deed", plan::to_text(leaf.deed)},
                       {"object", leaf.object},
                       {"cause", leaf.cause},
                       {"risk", risk_text(leaf.risk)},
                       {"risks", texts(leaf.risks)},
                       {"details", show_differences(leaf.differences)}});
}

Json show_tree(const compose::Planned& planned) {
  Json out = Json::array();
  for (const auto& branch : plan::tree_of(planned.plan, planned.observed)) {
    Json leaves = Json::array();
    for (const auto& leaf : branch.leaves) leaves.push(show_leaf(leaf));
    out.push(Json::object({{"service", branch.service}, {"leaves", std::move(leaves)}}));
  }
  return out;
}

const Json& usage_of(const Json& usage, std::string_view volume) {
  static const Json nothing;
  for (const Json& item : usage.items())
    if (item["Name"].text() == volume) return item;
  return nothing;
}

// -1 is how an engine says that it does not know.
Json size_of(const Json& item) {
  const auto size = item["UsageData"]["Size"].integer(-1);
  return size < 0 ? Json() : Json(size);
}

// Those that have no name of their own go with their container.
std::vector<std::string> anonymous_volumes(const plan::Container* container) {
  std::vector<std::string> out;
  if (!container) return out;
  const auto is_hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  for (const auto& mount : container->mounts)
    if (mount.type == "volume" && mount.name.size() == 64 && std::ranges::all_of(mount.name, is_hex))
      out.push_back(mount.name);
  return out;
}

}  // namespace

std::vector<Running> running_projects(const Json& containers) {
  std::map<std::string, Running> out;
  for (const Json& container : containers.items()) {
    const std::string name(label_of(container, plan::label::kProject));
    if (name.empty() || equal_fold(label_of(container, plan::label::kOneoff), "true")) continue;
    auto& project = out[name];
    project.name = name;
    project.containers.push_back(container);
  }
  std::vector<Running> list;
  for (auto& [name, project] : out) list.push_back(std::move(project));
  return list;
}

Json project_item(const Running& running, bool managed, const std::vector<std::string>& paths) {
  return item_of(running, count_services(running), managed, paths);
}

Json project_detail(const Running& running, const compose::Project& project, const std::vector<std::string>& paths) {
  auto counted = count_services(running);
  for (const auto& service : project.services) {
    auto& known = counted[service.name];
    known.replicas = std::max(known.replicas, service.scale);
    if (known.image.empty()) known.image = compose::image_name(project, service);
  }
  Json out = item_of(running, counted, true, paths);
  if (running.containers.empty()) out.set("state", "draft");
  return out;
}

Json show_plan(const compose::Planned& planned) {
  const auto& plan = planned.plan;
  Json ops = Json::array(), foreign = Json::array(), downtime = Json::array();
  for (const auto& node : plan.nodes) ops.push(show_node(node));
  for (const auto& other : plan.foreign)
    foreign.push(Json::object({{"subject", other.subject}, {"id", other.id}, {"reason", other.reason}}));
  for (const auto& gap : plan::gaps_of(plan, planned.observed))
    downtime.push(Json::object({{"service", gap.service}, {"seconds", gap.seconds}, {"why", gap.why}}));
  const auto counts = plan.counts();
  Json out = Json::object({{"text", plan.to_text()}, {"ops", std::move(ops)}, {"tree", show_tree(planned)}});
  out.set("summary", Json::object({{"create", counts.create},
                                   {"recreate", counts.recreate},
                                   {"change", counts.change},
                                   {"remove", counts.remove},
                                   {"images", counts.images},
                                   {"keep", plan.keeps.size()},
                                   {"text", plan::summary(plan)}}));
  out.set("changes", plan.changes());
  out.set("dataAtRisk", texts(data_at_risk(plan)));
  out.set("downtime", std::move(downtime));
  out.set("foreign", std::move(foreign));
  out.set("warnings", texts(plan.warnings));
  return out;
}

std::vector<std::string> data_at_risk(const plan::Plan& plan) {
  std::vector<std::string> out;
  for (const auto& node : plan.nodes)
    if (node.risk == plan::Risk::data)
      out.push_back(node.subject + ": " + (node.risk_note.empty() ? node.cause : node.risk_note));
  return out;
}

std::vector<Json> show_history(const std::vector<compose::GenerationHead>& heads) {
  std::vector<Json> out;
  for (const auto& head : heads) {
    Json images = Json::array();
    for (const auto& [service, image] : head.images)
      images.push(Json::object(
          {{"service", service}, {"reference", image.reference}, {"id", image.id}, {"replicas", image.scale}}));
    out.push_back(Json::object({{"generation", head.number},
                                {"at", milliseconds_of(head.time)},
                                {"who", head.who},
                                {"command", head.command},
                                {"note", head.note},
                                {"summary", head.summary},
                                {"images", std::move(images)}}));
  }
  return out;
}

std::vector<Json> show_environment(const compose::Project& project, std::string_view folder, bool reveal) {
  std::vector<Json> out;
  for (const auto& service : project.services)
    for (const auto& [name, value] : service.config["environment"].members()) {
      auto origin = project.origin("services." + service.name + ".environment." + name).text();
      if (lies_beneath(folder, origin)) origin.erase(0, folder.size() + 1);
      out.push_back(Json::object({{"service", service.name},
                                  {"name", name},
                                  {"value", reveal ? value : Json()},
                                  {"origin", std::move(origin)}}));
    }
  return out;
}

std::vector<Json> show_volumes(const compose::Project& project, const Json& usage) {
  std::vector<Json> out;
  for (const auto& [key, declared] : project.volumes.members()) {
    Json used_by = Json::array();
    for (const auto& service : project.services)
      for (const Json& mount : service.config["volumes"].items())
        if (mount["type"].text() == "volume" && mount["source"].text() == key) used_by.push(service.name);
    const auto name = compose::volume_name(project, key);
    const auto& known = usage_of(usage, name);
    out.push_back(Json::object({{"key", key},
                                {"name", name},
                                {"external", compose::is_external(declared)},
                                {"exists", usage.is_null() ? Json() : Json(!known.is_null())},
                                {"usedBy", std::move(used_by)},
                                {"size", size_of(known)}}));
  }
  return out;
}

Json show_removal(const compose::Planned& down, const Json& usage) {
  Json containers = Json::array(), networks = Json::array(), volumes = Json::array();
  const auto lose = [&](std::string_view name, Json of) {
    volumes.push(Json::object({{"name", name}, {"size", size_of(usage_of(usage, name))}, {"of", std::move(of)}}));
  };
  for (const auto& node : down.plan.nodes) {
    const auto object = plan::object_of(node.op);
    if (std::holds_alternative<plan::RemoveNetwork>(node.op)) networks.push(object);
    if (std::holds_alternative<plan::RemoveVolume>(node.op)) lose(object, {});
    const auto* removed = std::get_if<plan::RemoveContainer>(&node.op);
    if (!removed) continue;
    containers.push(object);
    for (const auto& name : anonymous_volumes(down.observed.container(removed->container.id))) lose(name, object);
  }
  return Json::object(
      {{"containers", std::move(containers)}, {"networks", std::move(networks)}, {"volumes", std::move(volumes)}});
}

}  // namespace berth::api
