// What newer API versions no longer show. The replies are made whole, as the oldest versions had them; what the version
// that was asked for has no more is taken out of them again.
#include "base/text.h"
#include "testing/fake_route.h"

namespace berth::testing {
namespace {

enum class When {
  always,
  empty,  ///< only where it says nothing: null, "", [], {}
};
struct Gone {
  int since;                 ///< the minor of the first version without them
  std::string_view pattern;  ///< of the route
  std::string_view where;    ///< of the object that held them; "" is the reply, or each of its items
  std::string_view members;  ///< names
  When when = When::always;
};

// From the published history of the Engine API.
constexpr Gone kGone[] = {
    {42, "/system/df", "", "BuilderSize"},
    {44, "/images/json", "", "VirtualSize"},
    {44, "/images/{}/json", "", "VirtualSize"},
    {45, "/images/{}/json", "", "Container ContainerConfig"},
    {50, "/images/{}/json", "Config",
     "Hostname Domainname AttachStdin AttachStdout AttachStderr Tty OpenStdin StdinOnce Image NetworkDisabled "
     "MacAddress "
     "StopTimeout"},
    {50, "/info", "", "BridgeNfIptables BridgeNfIp6tables"},
    {52, "/images/{}/json", "Config", "Cmd Entrypoint Env Labels OnBuild User Volumes WorkingDir", When::empty},
    {52, "/images/{}/json", "", "Parent Comment DockerVersion Author", When::empty},
    {52, "/containers/{}/json", "Config", "OnBuild", When::empty},
    {52, "/containers/{}/json", "NetworkSettings",
     "Bridge HairpinMode LinkLocalIPv6Address LinkLocalIPv6PrefixLen SecondaryIPAddresses SecondaryIPv6Addresses "
     "EndpointID Gateway GlobalIPv6Address GlobalIPv6PrefixLen IPAddress IPPrefixLen IPv6Gateway MacAddress"},
    {53, "/system/df", "", "LayersSize Images Containers Volumes BuildCache"},
};

void take_out(const Gone& gone, Json& reply) {
  if (!gone.where.empty() && !reply[gone.where].is_object()) return;
  Json& object = gone.where.empty() ? reply : reply.slot(gone.where);
  for (const std::string_view name : split(gone.members, ' '))
    if (gone.when == When::always || object[name].is_empty()) object.erase(name);
}

}  // namespace

void leave_out_gone(engine::ApiVersion asked, std::string_view pattern, FakeReply& reply) {
  Json json;
  for (const Gone& gone : kGone) {
    if (gone.pattern != pattern || asked < engine::ApiVersion{1, gone.since} || reply.status != 200) continue;
    if (json.is_null()) json = reply.json();
    if (json.is_array()) {
      for (Json& item : json.items_mut()) take_out(gone, item);
    } else {
      take_out(gone, json);
    }
  }
  if (!json.is_null()) reply.body = json.dump() + "\n";
}

std::string event_line(engine::ApiVersion asked, Json event) {
  if (asked >= engine::ApiVersion{1, 52})
    for (const std::string_view name : {"status", "id", "from"}) event.erase(name);
  return event.dump() + "\n";
}

}  // namespace berth::testing
