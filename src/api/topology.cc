#include "api/topology.h"

#include <map>
#include <set>
#include <utility>

#include "api/container_view.h"

namespace berth::api {
namespace {

std::string id_of(std::string_view kind, std::string_view name) {
  return std::string(kind) + ":" + std::string(name);
}

class Drawing {
 public:
  std::string node(std::string_view kind, std::string_view key, std::string_view name, std::string_view state = {}) {
    std::string id = id_of(kind, key);
    const auto [at, fresh] = places_.emplace(id, nodes_.size());
    if (fresh)
      nodes_.push_back(Json::object({{"id", id}, {"kind", kind}, {"name", name}, {"state", state_of(state)}}));
    else if (kind == "service" && nodes_[at->second]["state"].text() != state)
      nodes_[at->second].set("state", "partial");
    return id;
  }
  void edge(const std::string& from, const std::string& to) {
    if (edges_.emplace(from, to).second) drawn_.push_back(Json::object({{"from", from}, {"to", to}}));
  }
  bool has(const std::string& id) const { return places_.contains(id); }
  Json take() { return Json::object({{"nodes", std::move(nodes_)}, {"edges", std::move(drawn_)}}); }

 private:
  static Json state_of(std::string_view state) { return state.empty() ? Json() : Json(state); }
  std::map<std::string, std::size_t> places_;
  std::set<std::pair<std::string, std::string>> edges_;
  Json::Array nodes_, drawn_;
};

void draw_container(Drawing& drawing, const Json& summary, const ContainerItem& item) {
  const std::string container =
      drawing.node("container", item.name, item.name, item.health == "unhealthy" ? item.health : item.state);
  if (!item.project.empty() && !item.service.empty()) {
    const std::string name = item.project + "/" + item.service;
    drawing.edge(drawing.node("service", name, name, item.state), container);
  }
  for (const Json& network : item.shown["networks"].items())
    drawing.edge(container, drawing.node("network", network["name"].text(), network["name"].text()));
  for (const Json& mount : summary["Mounts"].items())
    if (mount["Type"].text() == "volume")
      drawing.edge(container, drawing.node("volume", mount["Name"].text(), mount["Name"].text()));
}

// A route leads to the service of the container that answers it, else to the container itself.
void draw_route(Drawing& drawing, const Json& route, const Json& service,
                const std::map<std::string, std::string, std::less<>>& entrances) {
  const std::string_view down = service["down"].text();
  const std::string from =
      drawing.node("route", route["name"].text(), route["name"].text(), down.empty() ? "up" : "down");
  for (const Json& upstream : service["upstreams"].items())
    if (const auto to = entrances.find(upstream["target"].text()); to != entrances.end())
      drawing.edge(from, to->second);
}

}  // namespace

Json topology(const TopologySource& source) {
  Drawing drawing;
  std::map<std::string, std::string, std::less<>> entrances;
  for (const Json& summary : source.containers.items()) {
    const ContainerItem item = container_item(summary);
    if (!source.may_view(item.project)) continue;
    draw_container(drawing, summary, item);
    const std::string service = id_of("service", item.project + "/" + item.service);
    const std::string entrance = drawing.has(service) ? service : id_of("container", item.name);
    entrances.emplace(item.name, entrance);
    entrances.emplace(item.id, entrance);
  }
  for (const Json& network : source.networks.items()) {
    const std::string_view name = network["Name"].text();
    const bool own = name == "bridge" || name == "host" || name == "none";
    if (!own && source.may_view(std::string(network.at("Labels")["com.docker.compose.project"].text())))
      drawing.node("network", name, name);
  }
  std::map<std::string_view, const Json*> services;
  for (const Json& service : source.edge["services"].items()) services.emplace(service["name"].text(), &service);
  for (const Json& route : source.edge["routes"].items())
    if (const auto service = services.find(route["service"].text()); service != services.end())
      draw_route(drawing, route, *service->second, entrances);
  return drawing.take();
}

}  // namespace berth::api
