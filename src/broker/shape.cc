#include "broker/shape.h"

#include <algorithm>
#include <array>
#include <iterator>

#include "broker/rules.h"

// The tables follow the Engine API's documents 1.25 to 1.55, and what known clients send besides. A field without a
// rule stays inside what a container may do to itself.
namespace berth::broker {
namespace {

using enum Kind;

constexpr Field kHealth[] = {{"Test", texts},    {"Interval", whole},    {"Timeout", whole},
                             {"Retries", whole}, {"StartPeriod", whole}, {"StartInterval", whole}};

constexpr Field kConfig[] = {{"Hostname", text},
                             {"Domainname", text},
                             {"User", text},
                             {"AttachStdin", flag},
                             {"AttachStdout", flag},
                             {"AttachStderr", flag},
                             {"ExposedPorts", key_set},
                             {"Tty", flag},
                             {"OpenStdin", flag},
                             {"StdinOnce", flag},
                             {"Env", texts},
                             {"Cmd", words},
                             {"Healthcheck", object, kHealth},
                             {"ArgsEscaped", flag},
                             {"Image", text},
                             {"Volumes", key_set, {}, rule::container_volumes},
                             {"WorkingDir", text},
                             {"Entrypoint", words},
                             {"NetworkDisabled", flag},
                             {"MacAddress", text},
                             {"OnBuild", texts},
                             {"Labels", text_map},
                             {"StopSignal", text},
                             {"StopTimeout", whole},
                             {"Shell", texts}};

constexpr Field kBlockWeight[] = {{"Path", text}, {"Weight", whole}};
constexpr Field kBlockRate[] = {{"Path", text}, {"Rate", whole}};
constexpr Field kDevice[] = {{"PathOnHost", text}, {"PathInContainer", text}, {"CgroupPermissions", text}};
constexpr Field kDeviceRequest[] = {
    {"Driver", text}, {"Count", whole}, {"DeviceIDs", texts}, {"Capabilities", text_lists}, {"Options", text_map}};
constexpr Field kUlimit[] = {{"Name", text}, {"Soft", whole}, {"Hard", whole}};
constexpr Field kRestart[] = {{"Name", text}, {"MaximumRetryCount", whole}};

// Resources: of HostConfig at create, alone at update.
#define BERTH_RESOURCES                                                                                              \
  {"CpuShares", whole}, {"Memory", whole}, {"CgroupParent", text, {}, rule::cgroup_parent}, {"BlkioWeight", whole},  \
      {"BlkioWeightDevice", objects, kBlockWeight, rule::block_devices},                                             \
      {"BlkioDeviceReadBps", objects, kBlockRate, rule::block_devices},                                              \
      {"BlkioDeviceWriteBps", objects, kBlockRate, rule::block_devices},                                             \
      {"BlkioDeviceReadIOps", objects, kBlockRate, rule::block_devices},                                             \
      {"BlkioDeviceWriteIOps", objects, kBlockRate, rule::block_devices}, {"CpuPeriod", whole}, {"CpuQuota", whole}, \
      {"CpuRealtimePeriod", whole}, {"CpuRealtimeRuntime", whole}, {"CpusetCpus", text}, {"CpusetMems", text},       \
      {"Devices", objects, kDevice, rule::any_devices}, {"DiskQuota", whole}, {"MemoryReservation", whole},          \
      {"MemorySwap", whole}, {"MemorySwappiness", whole}, {"NanoCpus", whole}, {"NanoCPUs", whole},                  \
      {"OomKillDisable", flag, {}, rule::oom_kill}, {"PidsLimit", whole}, {"Ulimits", objects, kUlimit},             \
      {"CpuCount", whole}, {"CpuPercent", whole}, {"IOMaximumIOps", whole}, {"IOMaximumBandwidth", whole},           \
      {"DeviceCgroupRules", texts, {}, rule::any_devices}, {"KernelMemory", whole}, {"Init", flag},                  \
      {"DeviceRequests", objects, kDeviceRequest, rule::any_devices}, {                                              \
    "KernelMemoryTCP", whole                                                                                         \
  }

constexpr Field kUpdate[] = {BERTH_RESOURCES, {"RestartPolicy", object, kRestart}};

constexpr Field kDriverConfig[] = {{"Name", text}, {"Options", text_map}};
constexpr Field kLogConfig[] = {{"Type", text}, {"Config", text_map}};
constexpr Field kPort[] = {{"HostIp", text}, {"HostPort", text}};
constexpr Field kBindOptions[] = {{"Propagation", text},
                                  {"NonRecursive", flag},
                                  {"CreateMountpoint", flag},
                                  {"ReadOnlyNonRecursive", flag},
                                  {"ReadOnlyForceRecursive", flag}};
constexpr Field kVolumeOptions[] = {
    {"NoCopy", flag}, {"Labels", text_map}, {"Subpath", text}, {"DriverConfig", object, kDriverConfig}};
constexpr Field kTmpfsOptions[] = {{"SizeBytes", whole}, {"Mode", whole}, {"Options", text_lists}};
constexpr Field kImageOptions[] = {{"Subpath", text}};
constexpr Field kMount[] = {{"Target", text},
                            {"Source", text},
                            {"Type", text},
                            {"ReadOnly", flag},
                            {"Consistency", text},
                            {"BindOptions", object, kBindOptions},
                            {"VolumeOptions", object, kVolumeOptions},
                            {"TmpfsOptions", object, kTmpfsOptions},
                            {"ImageOptions", object, kImageOptions}};

constexpr Field kHostConfig[] = {BERTH_RESOURCES,
                                 {"Binds", texts, {}, rule::binds},
                                 {"ContainerIDFile", dropped},
                                 {"LogConfig", object, kLogConfig, rule::log_config},
                                 {"NetworkMode", text, {}, rule::network_mode},
                                 {"PortBindings", object_lists, kPort},
                                 {"RestartPolicy", object, kRestart},
                                 {"AutoRemove", flag},
                                 {"VolumeDriver", text, {}, rule::volume_driver},
                                 {"VolumesFrom", texts, {}, rule::volumes_from},
                                 {"Mounts", objects, kMount, rule::mounts},
                                 {"CapAdd", texts, {}, rule::capabilities},
                                 {"CapDrop", texts},
                                 {"Capabilities", texts, {}, rule::capabilities},
                                 {"Dns", texts},
                                 {"DnsOptions", texts},
                                 {"DnsSearch", texts},
                                 {"ExtraHosts", texts},
                                 {"GroupAdd", texts},
                                 {"IpcMode", text, {}, rule::ipc_mode},
                                 {"Cgroup", text, {}, rule::cgroup},
                                 {"Links", texts, {}, rule::links},
                                 {"OomScoreAdj", whole, {}, rule::oom_score},
                                 {"PidMode", text, {}, rule::pid_mode},
                                 {"Privileged", flag, {}, rule::privileged},
                                 {"PublishAllPorts", flag},
                                 {"ReadonlyRootfs", flag},
                                 {"SecurityOpt", texts, {}, rule::security_options},
                                 {"StorageOpt", text_map, {}, rule::storage_options},
                                 {"Tmpfs", text_map, {}, rule::tmpfs},
                                 {"UTSMode", text, {}, rule::uts_mode},
                                 {"UsernsMode", text, {}, rule::userns_mode},
                                 {"ShmSize", whole},
                                 {"Sysctls", text_map, {}, rule::sysctls},
                                 {"Runtime", text, {}, rule::runtime},
                                 {"ConsoleSize", wholes},
                                 {"Isolation", text, {}, rule::isolation},
                                 {"MaskedPaths", texts, {}, rule::masked_paths},
                                 {"ReadonlyPaths", texts, {}, rule::masked_paths},
                                 {"CgroupnsMode", text, {}, rule::cgroupns_mode},
                                 {"Annotations", text_map, {}, rule::annotations}};

constexpr Field kEndpointIpam[] = {{"IPv4Address", text}, {"IPv6Address", text}, {"LinkLocalIPs", texts}};
constexpr Field kEndpoint[] = {{"IPAMConfig", object, kEndpointIpam},
                               {"Links", texts, {}, rule::links},
                               {"Aliases", texts},
                               {"NetworkID", dropped},  // an engine would take it for the network's name
                               {"EndpointID", dropped},
                               {"Gateway", text},
                               {"IPAddress", text},
                               {"IPPrefixLen", whole},
                               {"IPv6Gateway", text},
                               {"GlobalIPv6Address", text},
                               {"GlobalIPv6PrefixLen", whole},
                               {"MacAddress", text},
                               {"DriverOpts", text_map, {}, rule::endpoint_options},
                               {"DNSNames", texts},
                               {"GwPriority", whole}};
constexpr Field kNetworking[] = {{"EndpointsConfig", object_map, kEndpoint, rule::endpoints},
                                 {"", others}};  // python3-docker names the network here

// Member for member what kConfig has, and the parts of the host and the networks.
constexpr auto kContainer = [] {
  std::array<Field, std::size(kConfig) + 4> out{};
  std::copy(std::begin(kConfig), std::end(kConfig), out.begin());
  out[std::size(kConfig)] = {"HostConfig", object, kHostConfig};
  out[std::size(kConfig) + 1] = {"NetworkingConfig", object, kNetworking};
  // Where engines before 1.18 had them, and where docker-modem still writes them; newer ones read them no more.
  out[std::size(kConfig) + 2] = {"Dns", dropped};
  out[std::size(kConfig) + 3] = {"VolumesFrom", dropped};
  return out;
}();

constexpr Field kExec[] = {{"AttachStdin", flag},   {"AttachStdout", flag}, {"AttachStderr", flag},
                           {"ConsoleSize", wholes}, {"DetachKeys", text},   {"Tty", flag},
                           {"Env", texts},          {"Cmd", words},         {"Privileged", flag, {}, rule::privileged},
                           {"User", text},          {"WorkingDir", text},   {"Detach", dropped},
                           {"Container", dropped}};
constexpr Field kExecStart[] = {
    {"Detach", flag}, {"Tty", flag}, {"ConsoleSize", wholes}, {"hijack", dropped}, {"stdin", dropped}};

constexpr Field kVolume[] = {
    {"Name", text}, {"Driver", text}, {"DriverOpts", text_map}, {"Labels", text_map}, {"Mountpoint", dropped}};

constexpr Field kIpamConfig[] = {
    {"Subnet", text}, {"IPRange", text}, {"Gateway", text}, {"AuxiliaryAddresses", text_map}, {"AuxAddress", text_map}};
constexpr Field kIpam[] = {{"Driver", text}, {"Config", objects, kIpamConfig}, {"Options", text_map}};
constexpr Field kConfigFrom[] = {{"Network", text}};
constexpr Field kNetwork[] = {{"Name", text},          {"CheckDuplicate", flag}, {"Driver", text},
                              {"Scope", text},         {"Internal", flag},       {"Attachable", flag},
                              {"Ingress", flag},       {"ConfigOnly", flag},     {"ConfigFrom", object, kConfigFrom},
                              {"IPAM", object, kIpam}, {"EnableIPv4", flag},     {"EnableIPv6", flag},
                              {"Options", text_map},   {"Labels", text_map}};
constexpr Field kConnect[] = {{"Container", text, {}, rule::container_name}, {"EndpointConfig", object, kEndpoint}};
constexpr Field kDisconnect[] = {{"Container", text, {}, rule::container_name}, {"Force", flag}};

constexpr Field kAuth[] = {{"username", text},      {"password", text},      {"email", text}, {"serveraddress", text},
                           {"identitytoken", text}, {"registrytoken", text}, {"auth", text}};

// Services.
constexpr Field kSwarmDriver[] = {{"Name", text}, {"Options", text_map}};
constexpr Field kCredential[] = {{"Config", text}, {"File", text}, {"Registry", text}};
constexpr Field kSelinux[] = {{"Disable", flag}, {"User", text}, {"Role", text}, {"Type", text}, {"Level", text}};
constexpr Field kSeccomp[] = {{"Mode", text}, {"Profile", text}};
constexpr Field kAppArmor[] = {{"Mode", text}};
constexpr Field kPrivileges[] = {{"CredentialSpec", object, kCredential, rule::credential_spec},
                                 {"SELinuxContext", object, kSelinux, rule::selinux},
                                 {"Seccomp", object, kSeccomp, rule::service_seccomp},
                                 {"AppArmor", object, kAppArmor, rule::service_apparmor},
                                 {"NoNewPrivileges", flag}};
constexpr Field kDns[] = {{"Nameservers", texts}, {"Search", texts}, {"Options", texts}};
constexpr Field kFile[] = {{"Name", text}, {"UID", text}, {"GID", text}, {"Mode", whole}};
constexpr Field kSecretUse[] = {{"File", object, kFile}, {"SecretID", text}, {"SecretName", text}};
constexpr Field kConfigUse[] = {
    {"File", object, kFile}, {"Runtime", key_set}, {"ConfigID", text}, {"ConfigName", text}};
constexpr Field kServiceContainer[] = {{"Image", text},
                                       {"Labels", text_map},
                                       {"Command", texts},
                                       {"Args", texts},
                                       {"Hostname", text},
                                       {"Env", texts},
                                       {"Dir", text},
                                       {"User", text},
                                       {"Groups", texts},
                                       {"Privileges", object, kPrivileges},
                                       {"TTY", flag},
                                       {"OpenStdin", flag},
                                       {"ReadOnly", flag},
                                       {"Mounts", objects, kMount, rule::mounts},
                                       {"StopSignal", text},
                                       {"StopGracePeriod", whole},
                                       {"HealthCheck", object, kHealth},
                                       {"Healthcheck", object, kHealth},
                                       {"Hosts", texts},
                                       {"DNSConfig", object, kDns},
                                       {"Secrets", objects, kSecretUse},
                                       {"Configs", objects, kConfigUse},
                                       {"OomScoreAdj", whole, {}, rule::oom_score},
                                       {"Isolation", text, {}, rule::isolation},
                                       {"Init", flag},
                                       {"Sysctls", text_map, {}, rule::sysctls},
                                       {"CapabilityAdd", texts, {}, rule::capabilities},
                                       {"CapabilityDrop", texts},
                                       {"Ulimits", objects, kUlimit}};
constexpr Field kNamedResource[] = {{"Kind", text}, {"Value", text}};
constexpr Field kDiscreteResource[] = {{"Kind", text}, {"Value", whole}};
constexpr Field kGeneric[] = {{"NamedResourceSpec", object, kNamedResource},
                              {"DiscreteResourceSpec", object, kDiscreteResource}};
constexpr Field kLimit[] = {
    {"NanoCPUs", whole}, {"MemoryBytes", whole}, {"Pids", whole}, {"GenericResources", objects, kGeneric}};
constexpr Field kServiceResources[] = {
    {"Limits", object, kLimit}, {"Reservations", object, kLimit}, {"SwapBytes", whole}, {"MemorySwappiness", whole}};
constexpr Field kServiceRestart[] = {{"Condition", text}, {"Delay", whole}, {"MaxAttempts", whole}, {"Window", whole}};
constexpr Field kSpread[] = {{"SpreadDescriptor", text}};
constexpr Field kPreference[] = {{"Spread", object, kSpread}};
constexpr Field kPlatform[] = {{"Architecture", text}, {"OS", text}};
constexpr Field kPlacement[] = {{"Constraints", texts},
                                {"Preferences", objects, kPreference},
                                {"MaxReplicas", whole},
                                {"Platforms", objects, kPlatform}};
constexpr Field kServiceNetwork[] = {{"Target", text, {}, rule::service_network},
                                     {"Aliases", texts},
                                     {"DriverOpts", text_map, {}, rule::endpoint_options}};
constexpr Field kPrivilege[] = {{"Name", text}, {"Description", text}, {"Value", texts}};
constexpr Field kPluginSpec[] = {
    {"Name", text}, {"Remote", text}, {"Disabled", flag}, {"PluginPrivilege", objects, kPrivilege}, {"Env", texts}};
constexpr Field kAttachment[] = {{"ContainerID", text}};
constexpr Field kTask[] = {{"ContainerSpec", object, kServiceContainer},
                           {"PluginSpec", object, kPluginSpec, rule::plugin_spec},
                           {"NetworkAttachmentSpec", object, kAttachment, rule::attachment},
                           {"Resources", object, kServiceResources},
                           {"RestartPolicy", object, kServiceRestart},
                           {"Placement", object, kPlacement},
                           {"ForceUpdate", whole},
                           {"Runtime", text, {}, rule::service_runtime},
                           {"Networks", objects, kServiceNetwork},
                           {"LogDriver", object, kSwarmDriver, rule::log_config}};
constexpr Field kReplicated[] = {{"Replicas", whole}};
constexpr Field kReplicatedJob[] = {{"MaxConcurrent", whole}, {"TotalCompletions", whole}};
constexpr Field kMode[] = {{"Replicated", object, kReplicated},
                           {"Global", key_set},
                           {"replicated", object, kReplicated},  // as python3-docker writes them
                           {"global", key_set},
                           {"ReplicatedJob", object, kReplicatedJob},
                           {"GlobalJob", key_set}};
constexpr Field kRollout[] = {{"Parallelism", whole},      {"Delay", whole},
                              {"FailureAction", text},     {"Monitor", whole},
                              {"MaxFailureRatio", number}, {"Order", text}};
constexpr Field kServicePort[] = {
    {"Name", text}, {"Protocol", text}, {"TargetPort", whole}, {"PublishedPort", whole}, {"PublishMode", text}};
constexpr Field kServiceEndpoint[] = {
    {"Mode", text}, {"Ports", objects, kServicePort}, {"ExposedPorts", dropped}};  // the last as dockerode has it
constexpr Field kService[] = {{"Name", text},
                              {"Labels", text_map},
                              {"TaskTemplate", object, kTask},
                              {"Mode", object, kMode},
                              {"UpdateConfig", object, kRollout},
                              {"RollbackConfig", object, kRollout},
                              {"Networks", objects, kServiceNetwork},
                              {"EndpointSpec", object, kServiceEndpoint}};

// The swarm itself.
constexpr Field kHistory[] = {{"TaskHistoryRetentionLimit", whole}};
constexpr Field kRaft[] = {{"SnapshotInterval", whole},
                           {"KeepOldSnapshots", whole},
                           {"LogEntriesForSlowFollowers", whole},
                           {"ElectionTick", whole},
                           {"HeartbeatTick", whole}};
constexpr Field kDispatcher[] = {{"HeartbeatPeriod", whole}};
constexpr Field kExternalCa[] = {{"Protocol", text}, {"URL", text}, {"Options", text_map}, {"CACert", text}};
constexpr Field kCa[] = {{"NodeCertExpiry", whole},
                         {"ExternalCAs", objects, kExternalCa, rule::external_ca},
                         {"SigningCACert", text},
                         {"SigningCAKey", text},
                         {"ForceRotate", whole}};
constexpr Field kEncryption[] = {{"AutoLockManagers", flag}};
constexpr Field kTaskDefaults[] = {{"LogDriver", object, kSwarmDriver, rule::log_config}};
constexpr Field kSwarm[] = {{"Name", text},
                            {"Labels", text_map},
                            {"Orchestration", object, kHistory},
                            {"Raft", object, kRaft},
                            {"Dispatcher", object, kDispatcher},
                            {"CAConfig", object, kCa},
                            {"EncryptionConfig", object, kEncryption},
                            {"TaskDefaults", object, kTaskDefaults}};
constexpr Field kSwarmInit[] = {{"ListenAddr", text},    {"AdvertiseAddr", text},    {"DataPathAddr", text},
                                {"DataPathPort", whole}, {"DefaultAddrPool", texts}, {"ForceNewCluster", flag},
                                {"SubnetSize", whole},   {"AutoLockManagers", flag}, {"Availability", text},
                                {"Spec", object, kSwarm}};
constexpr Field kSwarmJoin[] = {{"ListenAddr", text},   {"AdvertiseAddr", text}, {"DataPathAddr", text},
                                {"RemoteAddrs", texts}, {"JoinToken", text},     {"Availability", text}};
constexpr Field kUnlock[] = {{"UnlockKey", text}};
constexpr Field kNode[] = {{"Name", text}, {"Labels", text_map}, {"Role", text}, {"Availability", text}};
constexpr Field kSecret[] = {{"Name", text},
                             {"Labels", text_map},
                             {"Data", text},
                             {"Driver", object, kSwarmDriver, rule::swarm_driver},
                             {"Templating", object, kSwarmDriver, rule::swarm_driver}};

struct Named {
  std::string_view name;
  Shape shape;
  bool list = false;
  Rule rule = nullptr;
};
const Named kShapes[] = {{"container", kContainer},
                         {"container-update", kUpdate},
                         {"config", kConfig},
                         {"exec", kExec},
                         {"exec-start", kExecStart},
                         {"volume", kVolume, false, rule::volume},
                         {"network", kNetwork, false, rule::network},
                         {"network-connect", kConnect},
                         {"network-disconnect", kDisconnect},
                         {"auth", kAuth},
                         {"service", kService},
                         {"swarm", kSwarm},
                         {"swarm-init", kSwarmInit},
                         {"swarm-join", kSwarmJoin},
                         {"swarm-unlock", kUnlock},
                         {"node", kNode},
                         {"secret", kSecret},
                         {"swarm-config", kSecret},
                         {"privileges", kPrivilege, true},
                         {"settings", {}, true}};

const Named* find(std::string_view body) {
  const auto* found =
      std::find_if(std::begin(kShapes), std::end(kShapes), [&](const Named& each) { return each.name == body; });
  return found == std::end(kShapes) ? nullptr : found;
}

}  // namespace

Shape shape_of(std::string_view body) {
  const Named* found = find(body);
  return found ? found->shape : Shape{};
}

bool is_list(std::string_view body) {
  const Named* found = find(body);
  return found && found->list;
}

Rule rule_of(std::string_view body) {
  const Named* found = find(body);
  return found ? found->rule : nullptr;
}

}  // namespace berth::broker
