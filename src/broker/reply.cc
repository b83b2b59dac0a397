#include "broker/reply.h"

#include <algorithm>
#include <span>

#include "base/text.h"

namespace berth::broker {
namespace {

enum class How {
  whole,
  labels,   ///< of others only where the policy shows them
  object,   ///< of `view`
  objects,  ///< an array of them
  map,      ///< any keys, objects of `view`
  action,   ///< an event's: without the command behind "exec_create:"
};
struct Shown;
using View = std::span<const Shown>;
struct Shown {
  std::string_view name;
  How how = How::whole;
  View view = {};
};

using enum How;

constexpr Shown kMount[] = {{"Type"}, {"Name"}, {"Destination"}, {"Driver"}, {"Mode"}, {"RW"}, {"Propagation"}};
constexpr Shown kNetworkMode[] = {{"NetworkMode"}};
constexpr Shown kEndpoint[] = {{"NetworkID"},   {"EndpointID"},  {"Gateway"},           {"IPAddress"},
                               {"IPPrefixLen"}, {"IPv6Gateway"}, {"GlobalIPv6Address"}, {"GlobalIPv6PrefixLen"},
                               {"MacAddress"},  {"Aliases"},     {"DNSNames"}};
constexpr Shown kNetworks[] = {{"Networks", map, kEndpoint}};
constexpr Shown kContainerItem[] = {{"Id"},
                                    {"Names"},
                                    {"Image"},
                                    {"ImageID"},
                                    {"Created"},
                                    {"State"},
                                    {"Status"},
                                    {"Ports"},
                                    {"SizeRw"},
                                    {"SizeRootFs"},
                                    {"Labels", labels},
                                    {"HostConfig", object, kNetworkMode},
                                    {"NetworkSettings", object, kNetworks},
                                    {"Mounts", objects, kMount}};
constexpr Shown kHealth[] = {{"Status"}, {"FailingStreak"}};
constexpr Shown kState[] = {{"Status"},
                            {"Running"},
                            {"Paused"},
                            {"Restarting"},
                            {"OOMKilled"},
                            {"Dead"},
                            {"Pid"},
                            {"ExitCode"},
                            {"StartedAt"},
                            {"FinishedAt"},
                            {"Health", object, kHealth}};
constexpr Shown kConfig[] = {{"Hostname"}, {"Domainname"}, {"User"},        {"Image"},         {"ExposedPorts"},
                             {"Tty"},      {"StopSignal"}, {"StopTimeout"}, {"Labels", labels}};
constexpr Shown kHost[] = {
    {"NetworkMode"},     {"RestartPolicy"},     {"PortBindings"}, {"AutoRemove"}, {"Memory"},
    {"MemorySwap"},      {"MemoryReservation"}, {"NanoCpus"},     {"CpuShares"},  {"CpuQuota"},
    {"CpuPeriod"},       {"CpusetCpus"},        {"PidsLimit"},    {"Privileged"}, {"ReadonlyRootfs"},
    {"PublishAllPorts"}, {"OomKillDisable"},    {"ShmSize"},      {"CapAdd"},     {"CapDrop"}};
constexpr Shown kSettings[] = {{"Ports"}, {"IPAddress"}, {"Gateway"}, {"MacAddress"}, {"Networks", map, kEndpoint}};
constexpr Shown kContainer[] = {{"Id"},
                                {"Created"},
                                {"State", object, kState},
                                {"Image"},
                                {"Name"},
                                {"RestartCount"},
                                {"Driver"},
                                {"Platform"},
                                {"SizeRw"},
                                {"SizeRootFs"},
                                {"Mounts", objects, kMount},
                                {"Config", object, kConfig},
                                {"HostConfig", object, kHost},
                                {"NetworkSettings", object, kSettings}};
constexpr Shown kImageItem[] = {{"Id"},   {"ParentId"},   {"RepoTags"},    {"RepoDigests"},    {"Created"},
                                {"Size"}, {"SharedSize"}, {"VirtualSize"}, {"Labels", labels}, {"Containers"}};
constexpr Shown kImageConfig[] = {{"User"}, {"ExposedPorts"}, {"StopSignal"}, {"Labels", labels}};
constexpr Shown kImage[] = {{"Id"},      {"RepoTags"},    {"RepoDigests"},
                            {"Parent"},  {"Created"},     {"DockerVersion"},
                            {"Size"},    {"VirtualSize"}, {"Architecture"},
                            {"Variant"}, {"Os"},          {"OsVersion"},
                            {"RootFS"},  {"Metadata"},    {"Config", object, kImageConfig}};
constexpr Shown kNetwork[] = {{"Name"},       {"Id"},         {"Created"},    {"Scope"},         {"Driver"},
                              {"EnableIPv4"}, {"EnableIPv6"}, {"IPAM"},       {"Internal"},      {"Attachable"},
                              {"Ingress"},    {"ConfigOnly"}, {"Containers"}, {"Labels", labels}};
constexpr Shown kVolume[] = {{"Name"}, {"Driver"}, {"CreatedAt"}, {"Scope"}, {"UsageData"}, {"Labels", labels}};
constexpr Shown kVolumes[] = {{"Volumes", objects, kVolume}};
constexpr Shown kCache[] = {{"ID"},   {"Type"},      {"InUse"},      {"Shared"},
                            {"Size"}, {"CreatedAt"}, {"LastUsedAt"}, {"UsageCount"}};
constexpr Shown kUsage[] = {{"LayersSize"},
                            {"Images", objects, kImageItem},
                            {"Containers", objects, kContainerItem},
                            {"Volumes", objects, kVolume},
                            {"BuildCache", objects, kCache}};
constexpr Shown kInfoSwarm[] = {{"NodeID"}, {"LocalNodeState"}, {"ControlAvailable"}, {"Nodes"}, {"Managers"}};
constexpr Shown kInfo[] = {{"ID"},
                           {"Containers"},
                           {"ContainersRunning"},
                           {"ContainersPaused"},
                           {"ContainersStopped"},
                           {"Images"},
                           {"Driver"},
                           {"Plugins"},
                           {"MemoryLimit"},
                           {"SwapLimit"},
                           {"PidsLimit"},
                           {"CPUShares"},
                           {"OomKillDisable"},
                           {"IPv4Forwarding"},
                           {"Debug"},
                           {"NFd"},
                           {"NGoroutines"},
                           {"SystemTime"},
                           {"LoggingDriver"},
                           {"CgroupDriver"},
                           {"CgroupVersion"},
                           {"NEventsListener"},
                           {"KernelVersion"},
                           {"OperatingSystem"},
                           {"OSVersion"},
                           {"OSType"},
                           {"Architecture"},
                           {"NCPU"},
                           {"MemTotal"},
                           {"Name"},
                           {"ServerVersion"},
                           {"LiveRestoreEnabled"},
                           {"Isolation"},
                           {"SecurityOptions"},
                           {"DefaultRuntime"},
                           {"Swarm", object, kInfoSwarm}};
constexpr Shown kActor[] = {{"ID"}, {"Attributes", labels}};
constexpr Shown kEvent[] = {{"Type"}, {"Action", action}, {"Actor", object, kActor}, {"scope"},
                            {"time"}, {"timeNano"},       {"status", action},        {"id"},
                            {"from"}};
constexpr Shown kServiceContainer[] = {{"Image"}, {"Labels", labels}};
constexpr Shown kTaskTemplate[] = {{"ContainerSpec", object, kServiceContainer},
                                   {"Networks"},
                                   {"Resources"},
                                   {"RestartPolicy"},
                                   {"Placement"},
                                   {"ForceUpdate"},
                                   {"Runtime"}};
constexpr Shown kServiceSpec[] = {{"Name"},         {"Labels", labels}, {"Mode"},
                                  {"EndpointSpec"}, {"Networks"},       {"TaskTemplate", object, kTaskTemplate}};
constexpr Shown kService[] = {{"ID"},
                              {"Version"},
                              {"CreatedAt"},
                              {"UpdatedAt"},
                              {"Endpoint"},
                              {"UpdateStatus"},
                              {"ServiceStatus"},
                              {"JobStatus"},
                              {"Spec", object, kServiceSpec}};
constexpr Shown kTask[] = {{"ID"},
                           {"Version"},
                           {"CreatedAt"},
                           {"UpdatedAt"},
                           {"Name"},
                           {"Labels", labels},
                           {"Slot"},
                           {"NodeID"},
                           {"ServiceID"},
                           {"Status"},
                           {"DesiredState"},
                           {"NetworksAttachments"},
                           {"Spec", object, kTaskTemplate}};
constexpr Shown kEngineVersion[] = {{"EngineVersion"}};
constexpr Shown kDescription[] = {{"Hostname"}, {"Platform"}, {"Resources"}, {"Engine", object, kEngineVersion}};
constexpr Shown kNodeSpec[] = {{"Name"}, {"Labels", labels}, {"Role"}, {"Availability"}};
constexpr Shown kNode[] = {{"ID"},
                           {"Version"},
                           {"CreatedAt"},
                           {"UpdatedAt"},
                           {"Spec", object, kNodeSpec},
                           {"Status"},
                           {"ManagerStatus"},
                           {"Description", object, kDescription}};

struct OfOperation {
  std::string_view operation;
  View view;
  bool list = false;
};
constexpr OfOperation kViews[] = {{"containers.list", kContainerItem, true},
                                  {"containers.inspect", kContainer},
                                  {"images.list", kImageItem, true},
                                  {"images.inspect", kImage},
                                  {"networks.list", kNetwork, true},
                                  {"networks.inspect", kNetwork},
                                  {"volumes.list", kVolumes},
                                  {"volumes.inspect", kVolume},
                                  {"services.list", kService, true},
                                  {"services.inspect", kService},
                                  {"tasks.list", kTask, true},
                                  {"tasks.inspect", kTask},
                                  {"nodes.list", kNode, true},
                                  {"nodes.inspect", kNode},
                                  {"system.df", kUsage},
                                  {"system.info", kInfo},
                                  {"system.events", kEvent}};

// These hold nothing of containers' insides.
constexpr std::string_view kHarmless[] = {"system.ping", "system.ping-head", "system.version", "containers.stats"};

const OfOperation* view_of(std::string_view operation) {
  const auto* found = std::find_if(std::begin(kViews), std::end(kViews),
                                   [&](const OfOperation& each) { return each.operation == operation; });
  return found == std::end(kViews) ? nullptr : found;
}

bool is_known_label(std::string_view name) {
  constexpr std::string_view kNames[] = {
      "com.docker.compose.project", "com.docker.compose.service", "com.docker.compose.container-number",
      "com.docker.compose.oneoff", "com.docker.compose.version", "com.docker.compose.volume",
      "com.docker.compose.network", "com.docker.swarm.service.name", "com.docker.swarm.task.name",
      // of an event
      "name", "image", "container", "exitCode", "signal", "oldName", "driver", "type", "scope"};
  if (name.starts_with("berth.") || name.starts_with("org.opencontainers.image.")) return true;
  return std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames);
}

Json shown_labels(const Policy& policy, const Json& given) {
  // Where Compose found a project's files is nobody's who only looks.
  constexpr std::string_view kNever[] = {"com.docker.compose.project.working_dir",
                                         "com.docker.compose.project.config_files",
                                         "com.docker.compose.project.environment_file", "execID", "source"};
  if (!given.is_object()) return given;
  Json out = Json::object();
  for (const auto& [name, value] : given.members()) {
    const bool never = std::find(std::begin(kNever), std::end(kNever), name) != std::end(kNever);
    if (!never && (policy.replies == Replies::labelled || is_known_label(name)))
      out.members_mut().emplace_back(name, value);
  }
  return out;
}

Json show(const Policy& policy, const Json& given, View view);

Json show_list(const Policy& policy, const Json& given, View view) {
  if (!given.is_array()) return {};
  Json out = Json::array();
  for (const Json& each : given.items()) out.push(show(policy, each, view));
  return out;
}

Json show_member(const Policy& policy, const Json& given, const Shown& shown) {
  switch (shown.how) {
    case How::whole:
      return given;
    case How::labels:
      return shown_labels(policy, given);
    case How::object:
      return show(policy, given, shown.view);
    case How::objects:
      return show_list(policy, given, shown.view);
    case How::map: {
      if (!given.is_object()) return {};
      Json out = Json::object();
      for (const auto& [name, each] : given.members())
        out.members_mut().emplace_back(name, show(policy, each, shown.view));
      return out;
    }
    case How::action:
      return given.text().starts_with("exec_") ? Json(cut(given.text(), ':').before) : given;
  }
  return {};
}

Json show(const Policy& policy, const Json& given, View view) {
  if (!given.is_object()) return {};
  Json out = Json::object();
  for (const auto& [name, value] : given.members()) {
    const auto shown = std::find_if(view.begin(), view.end(), [&](const Shown& each) { return each.name == name; });
    if (shown != view.end()) out.members_mut().emplace_back(name, show_member(policy, value, *shown));
  }
  return out;
}

// Who has a token makes a manager of any machine, and with it root of all: not for who may not change the swarm.
bool hides_tokens(const Policy& policy, const Operation& operation) {
  return operation.name == "swarm.inspect" && !policy.allows(*find_operation("swarm.update"));
}

Json without(const Json& given, std::string_view name) {
  Json out = Json::object();
  for (const auto& [each, value] : given.members())
    if (each != name) out.members_mut().emplace_back(each, value);
  return out;
}

}  // namespace

bool is_redacted(const Policy& policy, const Operation& operation) {
  if (hides_tokens(policy, operation)) return true;
  if (policy.replies == Replies::whole) return false;
  return std::find(std::begin(kHarmless), std::end(kHarmless), operation.name) == std::end(kHarmless);
}

Json redact(const Policy& policy, const Operation& operation, const Json& reply) {
  if (hides_tokens(policy, operation)) return without(reply, "JoinTokens");
  const OfOperation* found = view_of(operation.name);
  if (!found) return {};
  return found->list ? show_list(policy, reply, found->view) : show(policy, reply, found->view);
}

Result<std::string> EventRedactor::feed(std::string_view bytes) {
  constexpr std::size_t kMostLine = 1u << 20;
  std::string out;
  while (!bytes.empty()) {
    const auto end = bytes.find('\n');
    line_.append(bytes.substr(0, end));
    if (line_.size() > kMostLine) return fail(Code::internal, "an event of more than 1 MiB");
    if (end == std::string_view::npos) break;
    bytes.remove_prefix(end + 1);
    if (!trim(line_).empty()) out += show(policy_, TRY(parse_json(line_)), kEvent).dump() + "\n";
    line_.clear();
  }
  return out;
}

}  // namespace berth::broker
