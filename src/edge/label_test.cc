#include "edge/label.h"

#include <gtest/gtest.h>

#include "base/json.h"
#include "base/text.h"
#include "edge/keys.h"
#include "edge/tcp_fixture.h"
#include "testing/golden.h"

namespace berth::edge {
namespace {

std::string text_of(const Json& json, std::string_view key) {
  return std::string(json[key].text());
}

TargetNetwork read_network(const Json& json) {
  TargetNetwork network;
  network.name = text_of(json, "name");
  if (json.contains("driver")) network.driver = text_of(json, "driver");
  network.address = text_of(json, "address");
  network.address6 = text_of(json, "address6");
  for (const Json& subnet : json["subnets"].items()) network.subnets.emplace_back(subnet.text());
  return network;
}

Target read_target(const Json& json) {
  Target target;
  target.name = text_of(json, "name");
  target.id = "id-" + target.name;
  target.project = text_of(json, "project");
  target.service = text_of(json, "service");
  target.running = json["running"].boolean(true);
  target.leaving = json["leaving"].boolean();
  target.created = json["created"].integer();
  target.network_mode = text_of(json, "network_mode");
  const std::string_view health = json["health"].text();
  target.health = health == "starting"    ? Target::Health::starting
                  : health == "healthy"   ? Target::Health::healthy
                  : health == "unhealthy" ? Target::Health::unhealthy
                                          : Target::Health::none;
  for (const auto& [key, value] : json["labels"].members()) target.labels.emplace_back(key, value.text());
  for (const Json& port : json["exposed"].items()) target.exposed.push_back(static_cast<std::uint16_t>(port.integer()));
  for (const Json& network : json["networks"].items()) target.networks.push_back(read_network(network));
  for (const Json& port : json["published"].items()) {
    target.published.push_back({.container = static_cast<std::uint16_t>(port["container"].integer()),
                                .host_ip = text_of(port, "host_ip"),
                                .host = static_cast<std::uint16_t>(port["host"].integer()),
                                .protocol = "tcp"});
  }
  if (target.networks.empty() && target.network_mode.empty() && json["networks"].is_null()) {
    target.networks.push_back({.name = "net",
                               .driver = "bridge",
                               .address = "172.18.0.2",
                               .address6 = {},
                               .gateway = {},
                               .subnets = {"172.18.0.0/16"}});
  }
  return target;
}

std::string print(const Middleware& middleware) {
  return "  middleware " + middleware.name + ": " + write_action(middleware.action).dump() + "\n";
}

std::string print(const Labelled& labelled) {
  std::string out;
  for (const Route& route : labelled.routes) {
    out += "route " + route.name + " " + std::to_string(route.priority) + " " + route.rule + " ->";
    for (const Listener listener : route.listeners) out += " " + std::string(to_text(listener));
    out += " -> " + route.service + "\n";
    if (!route.resolver.empty()) out += "  resolver " + route.resolver + "\n";
    if (!route.tls_options.empty()) out += "  tls options " + route.tls_options + "\n";
    for (const auto& hosts : route.domains) out += "  certificate " + join(hosts, " ") + "\n";
    for (const Middleware& middleware : route.middlewares) out += print(middleware);
  }
  for (const Service& service : labelled.services) {
    out += "service " + service.name + (service.pass_host ? "" : " (own host)") + ":";
    for (const Upstream& each : service.upstreams) {
      out += std::string(each.tls  ? " https://"
                         : each.h2 ? " h2c://"
                                   : " http://") +
             each.host + ":" + std::to_string(each.port) + "(" + each.target + ")" +
             (each.transport.empty() ? "" : " by " + each.transport);
    }
    const Json balancing = write_balancing(service), group = write_group(service);
    if (balancing.size() > (service.pass_host ? 0u : 1u)) out += " " + balancing.dump();
    if (!group.is_null()) out += " " + group.dump();
    out += "\n";
    if (!service.down.empty()) out += "  down: " + replace_all(service.down, "\n", "\n    ") + "\n";
  }
  out += print_tcp(labelled.tcp);
  for (const Unexposed& each : labelled.unexposed)
    out += "unexposed " + each.container + (each.labelled ? " with labels\n" : "\n");
  for (const RouteNote& note : labelled.notes) {
    out += note.level == RouteNote::Level::error ? "error " : "warning ";
    out += (note.router.empty() ? "-" : note.router) + " " + note.container + ": " + note.message + "\n";
    if (!note.detail.empty()) out += "    " + replace_all(note.detail, "\n", "\n    ") + "\n";
  }
  return out;
}

class LabelCase : public ::testing::TestWithParam<berth::testing::GoldenCase> {};

TEST_P(LabelCase, ReadsRoutes) {
  const auto json = parse_json(GetParam().input);
  ASSERT_TRUE(json.has_value()) << json.error().text();
  std::vector<Target> targets;
  for (const Json& target : (*json)["targets"].items()) targets.push_back(read_target(target));
  HostLinks links;
  for (const Json& link : (*json)["links"].items()) links.subnets.push_back(parse_cidr(link.text()).value());
  if ((*json)["links"].is_null()) links.subnets.push_back(parse_cidr("172.18.0.0/16").value());
  LabelOptions options;
  options.exposed_by_default = (*json)["exposed_by_default"].boolean();
  options.use_bind_port_ip = (*json)["use_bind_port_ip"].boolean();
  options.allow_empty_services = (*json)["allow_empty_services"].boolean(true);
  options.network = text_of(*json, "network");
  if (const std::string rule = text_of(*json, "default_rule"); !rule.empty())
    options.default_rule = RuleTemplate::parse(rule).value();
  if (const std::string text = text_of(*json, "constraints"); !text.empty())
    options.constraints = parse_rule(text, RuleKind::labels).value();
  for (const Json& resolver : (*json)["resolvers"].items()) options.resolvers.emplace_back(resolver.text());
  for (const Json& name : (*json)["tls_options"].items()) options.tls_options.emplace_back(name.text());
  for (const Json& name : (*json)["transports"].items()) options.transports.emplace_back(name.text());
  for (const Json& name : (*json)["tcp_transports"].items()) options.tcp_transports.emplace_back(name.text());
  for (const Json& name : (*json)["entry_points"].items())
    options.entry_points.push_back(
        {.name = std::string(cut(name.text(), '/').before), .udp = name.text().ends_with("/udp")});
  const Labelled labelled = read_labels(targets, links, options);
  berth::testing::expect_golden(GetParam(), print(labelled));
  // Whatever the labels say, what comes out is a table that builds.
  const auto routes = Routes::build(labelled.routes, labelled.services);
  EXPECT_TRUE(routes.has_value()) << routes.error().text();
  EXPECT_TRUE(TcpTable::build(labelled.tcp).has_value());
}

INSTANTIATE_TEST_SUITE_P(Golden, LabelCase, ::testing::ValuesIn(berth::testing::golden_cases(TESTDATA "/label")),
                         berth::testing::golden_name);

}  // namespace
}  // namespace berth::edge
