// Networks: each belongs to a project by its labels, or to none.
#include <algorithm>

#include "api/engine_world.h"
#include "api/topology.h"
#include "engine/network.h"

namespace berth::api {
namespace {

Json text_or_null(std::string_view text) {
  return text.empty() ? Json() : Json(text);
}

Json network_item(const Json& network, const std::vector<ContainerItem>& containers) {
  const std::string_view name = network["Name"].text();
  Json subnets = Json::array(), attached = Json::array();
  for (const Json& config : network.at("IPAM.Config").items()) subnets.push(config["Subnet"].text());
  for (const ContainerItem& item : containers)
    for (const Json& each : item.shown["networks"].items())
      if (each["name"].text() == name)
        attached.push(Json::object({{"id", item.id}, {"name", item.name}, {"ip", each["ip"].text()}}));
  const bool own = name == "bridge" || name == "host" || name == "none";
  return Json::object({{"id", network["Id"].text()},
                       {"name", name},
                       {"driver", network["Driver"].text()},
                       {"project", text_or_null(project_of(network["Labels"]))},
                       {"internal", network["Internal"].boolean()},
                       {"attachable", network["Attachable"].boolean()},
                       {"subnets", std::move(subnets)},
                       {"unused", attached.size() == 0 && !own},
                       {"containers", std::move(attached)}});
}

io::Task<Result<Reply>> list_all_networks(EngineWorld& world, Call& call) {
  const auto networks = CO_TRY(co_await world.desk.list(Kind::network));
  const auto containers = CO_TRY(co_await world.desk.containers());
  std::vector<Json> items;
  for (const Json& network : networks->items())
    if (may_view(call, project_of(network["Labels"]))) items.push_back(network_item(network, *containers));
  std::ranges::sort(items, {}, [](const Json& item) { return std::string(item["name"].text()); });
  co_return page(call, std::move(items), world.desk.stale());
}

io::Task<Result<Json>> load_network(EngineWorld& world, Call& call, Permission needs) {
  const std::string name(call.parameter("id"));
  const auto networks = CO_TRY(co_await world.desk.list(Kind::network));
  const auto found = std::ranges::find_if(
      networks->items(), [&](const Json& each) { return each["Id"].text() == name || each["Name"].text() == name; });
  if (found == networks->items().end()) co_return fail(Code::not_found, "there is no network \"" + name + "\"");
  const std::string project = project_of((*found)["Labels"]);
  call.record.project = project;
  if (!may_view(call, project)) co_return hide(call, "network \"" + name + "\"");
  if (!auth::may(call.who, needs, project)) co_return lacks(call, needs);
  co_return *found;
}

io::Task<Result<Reply>> show_network(EngineWorld& world, Call& call) {
  const Json network = CO_TRY(co_await load_network(world, call, Permission::view));
  const auto containers = CO_TRY(co_await world.desk.containers());
  co_return Reply{.body = network_item(network, *containers)};
}

// Routes are for those who may see the whole.
io::Task<Result<Reply>> draw(EngineWorld& world, Call& call) {
  const auto networks = CO_TRY(co_await world.desk.list(Kind::network));
  const auto containers = CO_TRY(co_await world.desk.list(Kind::container));
  const Json edge = world.edge_status && auth::may(call.who, Permission::engine) ? world.edge_status() : Json();
  co_return Reply{.body = topology({*containers, *networks, edge,
                                    [&call](const std::string& project) { return may_view(call, project); }})};
}

io::Task<Result<Reply>> make_network(EngineWorld& world, Call& call) {
  const auto client = CO_TRY(world.desk.client());
  call.record.subject = "network:" + std::string(call.body["name"].text());
  const Json body = Json::object({{"Name", call.body["name"]},
                                  {"Driver", call.body["driver"].text("bridge")},
                                  {"Internal", call.body["internal"].boolean()},
                                  {"Attachable", call.body["attachable"].boolean()}});
  std::string id = CO_TRY(co_await engine::create_network(*client, body));
  world.desk.changed(Kind::network);
  co_return Reply{.status = 201, .body = Json::object({{"id", std::move(id)}})};
}

io::Task<Result<Reply>> drop_network(EngineWorld& world, Call& call) {
  const Json network = CO_TRY(co_await load_network(world, call, Permission::remove));
  const auto client = CO_TRY(world.desk.client());
  CO_TRY(co_await engine::remove_network(*client, std::string(network["Id"].text())));
  world.desk.changed(Kind::network);
  co_return Reply{.status = 204};
}

}  // namespace

Routes network_routes(EngineWorld& world) {
  return {{"GET",
           "/api/v1/networks",
           Permission::view,
           Where::loaded,
           "Networks",
           at_engine(world, list_all_networks),
           {kEngine, kLimit, kCursor}},
          {"GET",
           "/api/v1/networks/topology",
           Permission::view,
           Where::loaded,
           "Routes, services, containers, networks and volumes, and what is connected to what",
           at_engine(world, draw),
           {kEngine}},
          {"GET",
           "/api/v1/networks/{id}",
           Permission::view,
           Where::loaded,
           "One network",
           at_engine(world, show_network),
           {kEngine}},
          {.method = "POST",
           .path = "/api/v1/networks",
           .needs = Permission::engine,
           .where = Where::whole,
           .summary = "Make a network",
           .handler = at_engine(world, make_network),
           .fields = {{.name = "name", .required = true},
                      {.name = "driver", .meaning = "bridge unless said"},
                      {.name = "internal", .type = "boolean"},
                      {.name = "attachable", .type = "boolean"}},
           .verb = "network.create"},
          {.method = "DELETE",
           .path = "/api/v1/networks/{id}",
           .needs = Permission::remove,
           .where = Where::loaded,
           .summary = "Remove a network",
           .handler = at_engine(world, drop_network),
           .verb = "network.remove"}};
}

}  // namespace berth::api
