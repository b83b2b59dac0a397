// Labels of two containers, any bytes: what they say is a table that loads, a fault stays with its router, and what
// core would send to the edge arrives as it was. A line is a label; an empty one begins the second container.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/json.h"
#include "base/text.h"
#include "edge/label.h"
#include "edge/live.h"
#include "edge/snapshot.h"

namespace {

using namespace berth;
using namespace berth::edge;

void require(bool held) {
  if (!held) __builtin_trap();
}

Target container(std::string name, std::string address) {
  Target target;
  target.id = "id-" + name;
  target.project = "p";
  target.service = name;
  target.name = std::move(name);
  target.exposed = {80};
  target.running = true;
  target.networks = {{.name = "p_default",
                      .address = std::move(address),
                      .address6 = {},
                      .gateway = {},
                      .subnets = {"172.18.0.0/16"}}};
  return target;
}

std::vector<Target> containers_of(std::string_view text) {
  std::vector<Target> targets{container("one", "172.18.0.2"), container("two", "172.18.0.3")};
  std::size_t current = 0;
  for (const std::string_view line : split(text, '\n')) {
    const Cut label = cut(line, '=');
    if (line.empty()) current = 1;
    if (label.found) targets[current].labels.emplace_back(label.before, label.after);
  }
  targets.push_back(container("sound", "172.18.0.4"));
  targets.back().labels = {{"traefik.enable", "true"},
                           {"traefik.http.routers.sound.rule", "Host(`sound.test`)"},
                           {"traefik.http.services.sound.loadbalancer.server.port", "80"}};
  return targets;
}

/// What the others say does not touch a container that they do not name.
void check_sound(const Labelled& labelled) {
  std::size_t routes = 0, upstreams = 0;
  for (const Route& route : labelled.routes) routes += route.name == "sound@docker" && route.service == "sound";
  for (const Service& service : labelled.services)
    if (service.name == "sound") upstreams += service.upstreams.size();
  require(routes == 1 && upstreams == 1);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // Labels come in JSON: they are UTF-8.
  const Json json = parse_json(quote_json({reinterpret_cast<const char*>(data), size})).value();
  const std::string_view text = json.text();
  static const HostLinks kLinks{{parse_cidr("172.18.0.0/16").value()}};
  const Labelled labelled = read_labels(containers_of(text), kLinks, {.resolvers = {"le"}});
  for (const RouteNote& note : labelled.notes) require(!note.message.empty() && !note.message.contains('\n'));
  if (!lower(text).contains("sound")) check_sound(labelled);

  Snapshot snapshot;
  snapshot.version = 1;
  snapshot.routes = labelled.routes;
  snapshot.services = labelled.services;
  const std::string sent = encode_snapshot(snapshot);
  auto arrived = decode_snapshot(sent);
  require(arrived.has_value() && arrived->routes == labelled.routes && arrived->services == labelled.services);
  require(encode_snapshot(*arrived) == sent);
  const auto live = Live::make(std::move(*arrived));
  require(live.has_value() && (*live)->routes().entries().size() == labelled.routes.size());
  return 0;
}
