#include "broker/older.h"

#include <string_view>

namespace berth::broker {
namespace {

constexpr int kWithoutVirtualSize = 44, kWithoutDefaultAddress = 52;

// The first version whose replies lack something; 0: none.
int lacking_since(const Operation& operation) {
  if (operation.name == "images.list" || operation.name == "images.inspect" || operation.name == "system.df")
    return kWithoutVirtualSize;
  return operation.name == "containers.inspect" ? kWithoutDefaultAddress : 0;
}

void add_size(Json& image) {
  if (image["Size"].is_number() && !image.contains("VirtualSize")) image.set("VirtualSize", image["Size"]);
}
void add_sizes(Json& images) {
  if (!images.is_array()) return;
  for (Json& image : images.items_mut()) add_size(image);
}

void add_default_address(Json& container) {
  if (!container["NetworkSettings"].is_object()) return;
  Json& settings = container.slot("NetworkSettings");
  const Json bridge = settings["Networks"]["bridge"];
  const auto add = [&](std::string_view key, const Json& absent) {
    if (!settings.contains(key)) settings.set(key, bridge.contains(key) ? bridge[key] : absent);
  };
  for (const std::string_view key :
       {"EndpointID", "Gateway", "GlobalIPv6Address", "IPAddress", "IPv6Gateway", "MacAddress"})
    add(key, "");
  for (const std::string_view key : {"GlobalIPv6PrefixLen", "IPPrefixLen"}) add(key, 0);
}

}  // namespace

bool lacks(const Operation& operation, std::optional<int> client, const Versions& versions) {
  const int since = lacking_since(operation);
  return since > 0 && client && *client < since && versions.newest >= since;
}

Json as_older(const Operation& operation, int client, Json reply) {
  if (client >= lacking_since(operation)) return reply;
  if (operation.name == "images.list") add_sizes(reply);
  if (operation.name == "images.inspect") add_size(reply);
  if (operation.name == "system.df" && reply["Images"].is_array()) add_sizes(reply.slot("Images"));
  if (operation.name == "containers.inspect") add_default_address(reply);
  return reply;
}

}  // namespace berth::broker
