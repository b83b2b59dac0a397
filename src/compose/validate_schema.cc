#include "compose/validate_schema.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace berth::compose {
namespace {

using Words = std::span<const std::string_view>;

// container_name: somewhere a letter or digit followed by a name character.
bool is_container_name(std::string_view text) {
  const auto alnum = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; };
  for (std::size_t i = 0; i + 1 < text.size(); ++i)
    if (alnum(text[i]) && (alnum(text[i + 1]) || std::string_view("_.-").find(text[i + 1]) != std::string_view::npos))
      return true;
  return false;
}

bool is_pull_policy(std::string_view text) {
  constexpr std::array<std::string_view, 8> kPolicies = {"always",  "never",   "build", "if_not_present",
                                                         "missing", "refresh", "daily", "weekly"};
  if (std::ranges::any_of(kPolicies,
                          [&](std::string_view policy) { return text.find(policy) != std::string_view::npos; }))
    return true;
  std::size_t at = text.find("every_");
  if (at == std::string_view::npos) return false;
  const std::size_t digits = at += 6;
  while (at < text.size() && text[at] >= '0' && text[at] <= '9') ++at;
  return at > digits && at < text.size() && std::string_view("wdhms").find(text[at]) != std::string_view::npos;
}

constexpr std::uint8_t kBooleanText = kBoolean | kText;
constexpr std::uint8_t kIntegerText = kInteger | kText;
constexpr std::uint8_t kNumberText = kNumber | kText;

// Scalars.
constexpr Type kString{.accepts = kText, .shape = Shape::text};
constexpr Type kStringOrNull{.accepts = kText | kNull, .shape = Shape::text};
constexpr Type kHidden{.accepts = kText};
constexpr Type kSwitch{.accepts = kBooleanText, .shape = Shape::boolean};
constexpr Type kStrictSwitch{.accepts = kBoolean, .shape = Shape::boolean};
constexpr Type kFlag{.accepts = kBooleanText, .shape = Shape::flag};
constexpr Type kOptOut{.accepts = kBooleanText, .shape = Shape::opt_out};
constexpr Type kWhole{.accepts = kIntegerText, .shape = Shape::integer};
constexpr Type kStrictWhole{.accepts = kInteger, .shape = Shape::integer};
constexpr Type kAmount{.accepts = kNumberText, .shape = Shape::integer};
constexpr Type kStrictAmount{.accepts = kNumber, .shape = Shape::integer};
constexpr Type kPositive{.accepts = kIntegerText, .shape = Shape::integer, .least = 0};
constexpr Type kPercent{.accepts = kIntegerText, .shape = Shape::single, .least = 0, .most = 100};
constexpr Type kOomScore{.accepts = kIntegerText, .shape = Shape::integer, .least = -1000, .most = 1000};
constexpr Type kCount{.accepts = kIntegerText, .shape = Shape::count};
constexpr Type kLooseCount{.accepts = kNumberText, .shape = Shape::count};
constexpr Type kSingle{.accepts = kNumberText, .shape = Shape::single};
constexpr Type kBytes{.accepts = kNumberText, .shape = Shape::bytes};
constexpr Type kWholeBytes{.accepts = kIntegerText, .shape = Shape::bytes};
constexpr Type kPositiveBytes{.accepts = kIntegerText, .shape = Shape::bytes, .least = 0};
constexpr Type kTextBytes{.accepts = kText, .shape = Shape::bytes};
constexpr Type kDuration{.accepts = kText, .shape = Shape::duration};
constexpr Type kDelay{.accepts = kText, .shape = Shape::delay};
constexpr Type kMode{.accepts = kNumberText, .shape = Shape::mode};
constexpr Type kContainerName{.accepts = kText, .shape = Shape::text, .matches = is_container_name};
constexpr Type kPullPolicy{.accepts = kText, .shape = Shape::text, .matches = is_pull_policy};

// Lists and mappings of scalars.
constexpr Type kStrings{.accepts = kList, .shape = Shape::texts, .items = &kString};
constexpr Type kUniqueStrings{.accepts = kList, .shape = Shape::texts, .items = &kString, .unique = true};
constexpr Type kStringOrList{.accepts = kText | kList, .shape = Shape::texts, .items = &kString, .unique = true};
constexpr Type kStringOrManyList{.accepts = kText | kList, .shape = Shape::texts, .items = &kString};
constexpr Type kScalar{.accepts = kText | kNumber | kBoolean | kNull};
constexpr Type kLabels{
    .accepts = kMap | kList, .shape = Shape::labels, .values = &kScalar, .items = &kString, .unique = true};
constexpr Type kVariables{
    .accepts = kMap | kList, .shape = Shape::variables, .values = &kScalar, .items = &kString, .unique = true};
constexpr Type kSsh{
    .accepts = kMap | kList, .shape = Shape::ssh, .values = &kScalar, .items = &kString, .unique = true};
constexpr Type kOption{.accepts = kNumberText};
constexpr Type kDriverOptions{.accepts = kMap, .shape = Shape::options, .values = &kOption};
constexpr Type kLogOption{.accepts = kNumberText | kNull};
constexpr Type kLogOptions{.accepts = kMap, .shape = Shape::options, .values = &kLogOption};
constexpr Type kAnything{.accepts = 0xFF, .open = true};
constexpr Type kStorageOptions{.accepts = kMap, .shape = Shape::options, .values = &kAnything};
constexpr Type kTextOptions{.accepts = kMap, .shape = Shape::options, .values = &kString};
constexpr Type kHostAddresses{.accepts = kText | kList, .items = &kString};
constexpr Type kExtraHosts{
    .accepts = kMap | kList, .shape = Shape::hosts, .values = &kHostAddresses, .items = &kString, .unique = true};
constexpr Type kCommand{.accepts = kNull | kText | kList, .shape = Shape::command, .items = &kString};
constexpr Type kNumberOrText{.accepts = kNumberText, .shape = Shape::text};
constexpr Type kExpose{.accepts = kList, .shape = Shape::numbers, .items = &kNumberOrText, .unique = true};

// blkio_config
constexpr std::array kLimitFields = {Field{"path", &kString, true, "Path"}, Field{"rate", &kWholeBytes, true, "Rate"}};
constexpr Type kLimit{.accepts = kMap, .shape = Shape::object, .fields = kLimitFields, .extensible = false};
constexpr Type kLimits{.accepts = kList, .shape = Shape::list, .items = &kLimit};
constexpr std::array kWeightFields = {Field{"path", &kString, true, "Path"}, Field{"weight", &kWhole, true, "Weight"}};
constexpr Type kWeight{.accepts = kMap, .shape = Shape::object, .fields = kWeightFields, .extensible = false};
constexpr Type kWeights{.accepts = kList, .shape = Shape::list, .items = &kWeight};
constexpr std::array kBlkioFields = {Field{"weight", &kWhole},
                                     Field{"weight_device", &kWeights},
                                     Field{"device_read_bps", &kLimits},
                                     Field{"device_read_iops", &kLimits},
                                     Field{"device_write_bps", &kLimits},
                                     Field{"device_write_iops", &kLimits}};
constexpr Type kBlkio{.accepts = kMap, .shape = Shape::object, .fields = kBlkioFields, .extensible = false};

// ulimits
constexpr std::array<std::string_view, 2> kSoftHard = {"soft", "hard"};
constexpr std::array kUlimitFields = {Field{"soft", &kWhole}, Field{"hard", &kWhole}};
constexpr Type kUlimit{
    .accepts = kIntegerText | kMap, .shape = Shape::ulimit, .fields = kUlimitFields, .required = kSoftHard};
constexpr Type kUlimits{.accepts = kMap, .shape = Shape::map, .values = &kUlimit, .keys = Keys::lower};

// Secrets and configs of a service or a build.
constexpr std::array kFileMountFields = {Field{"source", &kString}, Field{"target", &kString}, Field{"uid", &kString},
                                         Field{"gid", &kString}, Field{"mode", &kMode}};
constexpr Type kFileMount{.accepts = kText | kMap, .shape = Shape::object, .fields = kFileMountFields};
constexpr Type kFileMounts{.accepts = kList, .shape = Shape::list, .items = &kFileMount};

// build
constexpr Type kAttestation{.accepts = kBooleanText, .shape = Shape::text};
constexpr std::array kBuildFields = {Field{"context", &kString},
                                     Field{"dockerfile", &kString},
                                     Field{"dockerfile_inline", &kString},
                                     Field{"entitlements", &kStrings},
                                     Field{"args", &kVariables},
                                     Field{"provenance", &kAttestation},
                                     Field{"sbom", &kAttestation},
                                     Field{"ssh", &kSsh},
                                     Field{"labels", &kLabels},
                                     Field{"cache_from", &kStrings},
                                     Field{"cache_to", &kStrings},
                                     Field{"no_cache", &kSwitch},
                                     Field{"no_cache_filter", &kStringOrList},
                                     Field{"additional_contexts", &kLabels},
                                     Field{"pull", &kSwitch},
                                     Field{"extra_hosts", &kExtraHosts},
                                     Field{"isolation", &kString},
                                     Field{"network", &kString},
                                     Field{"target", &kString},
                                     Field{"secrets", &kFileMounts},
                                     Field{"shm_size", &kWholeBytes},
                                     Field{"tags", &kStrings},
                                     Field{"ulimits", &kUlimits},
                                     Field{"platforms", &kStrings},
                                     Field{"privileged", &kSwitch}};
constexpr Type kBuild{.accepts = kText | kMap, .shape = Shape::object, .fields = kBuildFields};

// depends_on
constexpr std::array<std::string_view, 3> kConditions = {"service_started", "service_healthy",
                                                         "service_completed_successfully"};
constexpr std::array<std::string_view, 1> kNeedsCondition = {"condition"};
constexpr Type kCondition{.accepts = kText, .shape = Shape::text, .choices = kConditions};
constexpr Type kRequired{.accepts = kBoolean, .shape = Shape::flag};
constexpr std::array kDependencyFields = {Field{"condition", &kCondition}, Field{"restart", &kSwitch},
                                          Field{"required", &kRequired, true}};
constexpr Type kDependency{
    .accepts = kMap, .shape = Shape::object, .fields = kDependencyFields, .required = kNeedsCondition};
constexpr Type kDependsOn{.accepts = kList | kMap,
                          .shape = Shape::map,
                          .values = &kDependency,
                          .items = &kString,
                          .keys = Keys::name,
                          .unique = true};

// Device requests
constexpr std::array<std::string_view, 1> kNeedsCapabilities = {"capabilities"};
constexpr Type kDeviceCount{.accepts = kIntegerText, .shape = Shape::device_count};
constexpr std::array kRequestFields = {Field{"capabilities", &kUniqueStrings}, Field{"driver", &kString},
                                       Field{"count", &kDeviceCount}, Field{"device_ids", &kUniqueStrings},
                                       Field{"options", &kLabels}};
constexpr Type kRequest{
    .accepts = kMap, .shape = Shape::object, .fields = kRequestFields, .required = kNeedsCapabilities};
constexpr Type kRequests{.accepts = kList, .shape = Shape::list, .items = &kRequest};
constexpr std::array<std::string_view, 1> kAll = {"all"};
constexpr Type kGpu{.accepts = kMap, .shape = Shape::object, .fields = kRequestFields, .open = true};
constexpr Type kGpus{.accepts = kText | kList, .shape = Shape::list, .items = &kGpu, .choices = kAll};

// deploy
constexpr std::array<std::string_view, 2> kOrders = {"start-first", "stop-first"};
constexpr Type kOrder{.accepts = kText, .shape = Shape::text, .choices = kOrders};
constexpr std::array kUpdateFields = {Field{"parallelism", &kCount},        Field{"delay", &kDelay},
                                      Field{"failure_action", &kString},    Field{"monitor", &kDelay},
                                      Field{"max_failure_ratio", &kSingle}, Field{"order", &kOrder}};
constexpr Type kUpdate{.accepts = kMap, .shape = Shape::object, .fields = kUpdateFields};
constexpr std::array kSpecFields = {Field{"kind", &kString, true}, Field{"value", &kAmount, true}};
constexpr Type kSpec{.accepts = kMap, .shape = Shape::object, .fields = kSpecFields};
constexpr std::array kGenericFields = {Field{"discrete_resource_spec", &kSpec}};
constexpr Type kGeneric{.accepts = kMap, .shape = Shape::object, .fields = kGenericFields};
constexpr Type kGenerics{.accepts = kList, .shape = Shape::list, .items = &kGeneric};
constexpr std::array kResourceLimitFields = {Field{"cpus", &kSingle}, Field{"memory", &kTextBytes},
                                             Field{"pids", &kWhole}};
constexpr Type kResourceLimits{.accepts = kMap, .shape = Shape::object, .fields = kResourceLimitFields};
constexpr std::array kReservationFields = {Field{"cpus", &kSingle}, Field{"memory", &kTextBytes},
                                           Field{"devices", &kRequests}, Field{"generic_resources", &kGenerics}};
constexpr Type kReservations{.accepts = kMap, .shape = Shape::object, .fields = kReservationFields};
constexpr std::array kResourceFields = {Field{"limits", &kResourceLimits}, Field{"reservations", &kReservations}};
constexpr Type kResources{.accepts = kMap, .shape = Shape::object, .fields = kResourceFields};
constexpr std::array kRestartFields = {Field{"condition", &kString}, Field{"delay", &kDuration},
                                       Field{"max_attempts", &kCount}, Field{"window", &kDuration}};
constexpr Type kRestart{.accepts = kMap, .shape = Shape::object, .fields = kRestartFields};
constexpr std::array kPreferenceFields = {Field{"spread", &kString}};
constexpr Type kPreference{.accepts = kMap, .shape = Shape::object, .fields = kPreferenceFields};
constexpr Type kPreferences{.accepts = kList, .shape = Shape::list, .items = &kPreference};
constexpr std::array kPlacementFields = {Field{"constraints", &kStrings}, Field{"preferences", &kPreferences},
                                         Field{"max_replicas_per_node", &kWhole}};
constexpr Type kPlacement{.accepts = kMap, .shape = Shape::object, .fields = kPlacementFields};
constexpr std::array kDeployFields = {Field{"mode", &kString},
                                      Field{"replicas", &kCount},
                                      Field{"labels", &kLabels},
                                      Field{"update_config", &kUpdate},
                                      Field{"rollback_config", &kUpdate},
                                      Field{"resources", &kResources, true},
                                      Field{"restart_policy", &kRestart},
                                      Field{"placement", &kPlacement, true},
                                      Field{"endpoint_mode", &kString}};
constexpr Type kDeploy{.accepts = kMap | kNull, .shape = Shape::object, .fields = kDeployFields};

// Hooks and develop
constexpr std::array<std::string_view, 1> kNeedsCommand = {"command"};
constexpr std::array kHookFields = {Field{"command", &kCommand, true}, Field{"user", &kString},
                                    Field{"privileged", &kSwitch}, Field{"working_dir", &kString},
                                    Field{"environment", &kVariables}};
constexpr Type kHook{.accepts = kMap, .shape = Shape::object, .fields = kHookFields, .required = kNeedsCommand};
constexpr Type kHooks{.accepts = kList, .shape = Shape::list, .items = &kHook};
constexpr std::array kPreStartFields = {Field{"command", &kCommand, true}, Field{"image", &kString},
                                        Field{"user", &kString},           Field{"privileged", &kSwitch},
                                        Field{"working_dir", &kString},    Field{"environment", &kVariables},
                                        Field{"per_replica", &kSwitch}};
constexpr Type kPreStart{.accepts = kMap, .shape = Shape::object, .fields = kPreStartFields};
constexpr Type kPreStarts{.accepts = kList, .shape = Shape::list, .items = &kPreStart};
constexpr std::array<std::string_view, 5> kActions = {"rebuild", "sync", "restart", "sync+restart", "sync+exec"};
constexpr std::array<std::string_view, 2> kNeedsPathAction = {"path", "action"};
constexpr Type kAction{.accepts = kText, .shape = Shape::text, .choices = kActions};
constexpr std::array kTriggerFields = {
    Field{"path", &kString, true},        Field{"action", &kAction, true},  Field{"target", &kString},
    Field{"exec", &kHook, true},          Field{"include", &kStringOrList}, Field{"ignore", &kStringOrList},
    Field{"initial_sync", &kStrictSwitch}};
constexpr Type kTrigger{
    .accepts = kMap, .shape = Shape::object, .fields = kTriggerFields, .required = kNeedsPathAction};
constexpr Type kTriggers{.accepts = kList, .shape = Shape::list, .items = &kTrigger};
constexpr std::array kDevelopFields = {Field{"watch", &kTriggers}};
constexpr Type kDevelop{.accepts = kMap | kNull, .shape = Shape::object, .fields = kDevelopFields};

// Small parts of a service
constexpr std::array kCredentialFields = {Field{"config", &kString}, Field{"file", &kString},
                                          Field{"registry", &kString}};
constexpr Type kCredential{.accepts = kMap, .shape = Shape::object, .fields = kCredentialFields};
constexpr std::array<std::string_view, 1> kNeedsSource = {"source"};
constexpr std::array kDeviceFields = {Field{"source", &kString}, Field{"target", &kString},
                                      Field{"permissions", &kString}};
constexpr Type kDevice{
    .accepts = kText | kMap, .shape = Shape::object, .fields = kDeviceFields, .required = kNeedsSource};
constexpr Type kDevices{.accepts = kList, .shape = Shape::list, .items = &kDevice};
constexpr std::array<std::string_view, 1> kNeedsPath = {"path"};
constexpr std::array kEnvFileFields = {Field{"path", &kString}, Field{"required", &kOptOut}, Field{"format", &kString}};
constexpr Type kEnvFile{.accepts = kText | kMap,
                        .shape = Shape::object,
                        .fields = kEnvFileFields,
                        .extensible = false,
                        .required = kNeedsPath};
constexpr Type kEnvFiles{.accepts = kText | kList, .shape = Shape::list, .items = &kEnvFile};
constexpr std::array<std::string_view, 1> kNeedsService = {"service"};
constexpr std::array kExtendsFields = {Field{"file", &kString}, Field{"service", &kString}};
constexpr Type kExtends{.accepts = kText | kMap,
                        .shape = Shape::object,
                        .fields = kExtendsFields,
                        .extensible = false,
                        .required = kNeedsService};
constexpr std::array<std::string_view, 1> kNeedsType = {"type"};
constexpr Type kProviderOption{.accepts = kText | kNumber | kBoolean | kList, .items = &kScalar};
constexpr Type kProviderOptions{.accepts = kMap, .shape = Shape::multi, .values = &kProviderOption};
constexpr std::array kProviderFields = {Field{"type", &kString}, Field{"options", &kProviderOptions}};
constexpr Type kProvider{.accepts = kMap, .shape = Shape::object, .fields = kProviderFields, .required = kNeedsType};
constexpr Type kTest{.accepts = kText | kList, .shape = Shape::test, .items = &kString};
constexpr std::array kHealthFields = {
    Field{"test", &kTest},          Field{"timeout", &kDuration},      Field{"interval", &kDuration},
    Field{"retries", &kLooseCount}, Field{"start_period", &kDuration}, Field{"start_interval", &kDuration},
    Field{"disable", &kSwitch}};
constexpr Type kHealth{.accepts = kMap, .shape = Shape::object, .fields = kHealthFields};
constexpr std::array kLoggingFields = {Field{"driver", &kString}, Field{"options", &kLogOptions}};
constexpr Type kLogging{.accepts = kMap, .shape = Shape::object, .fields = kLoggingFields};
constexpr std::array kServiceModelFields = {Field{"endpoint_var", &kString}, Field{"model_var", &kString}};
constexpr Type kServiceModel{.accepts = kMap | kNull, .shape = Shape::object, .fields = kServiceModelFields};
constexpr Type kServiceModels{.accepts = kList | kMap,
                              .shape = Shape::map,
                              .values = &kServiceModel,
                              .items = &kString,
                              .keys = Keys::loose_name,
                              .unique = true};
constexpr std::array kAttachmentFields = {
    Field{"aliases", &kUniqueStrings},        Field{"driver_opts", &kDriverOptions},
    Field{"gw_priority", &kStrictAmount},     Field{"interface_name", &kString},
    Field{"ipv4_address", &kString},          Field{"ipv6_address", &kString},
    Field{"link_local_ips", &kUniqueStrings}, Field{"mac_address", &kString},
    Field{"priority", &kStrictAmount}};
constexpr Type kAttachment{.accepts = kMap | kNull, .shape = Shape::object, .fields = kAttachmentFields};
constexpr Type kAttachments{.accepts = kList | kMap,
                            .shape = Shape::map,
                            .values = &kAttachment,
                            .items = &kString,
                            .keys = Keys::name,
                            .unique = true};
constexpr std::array kPortFields = {Field{"name", &kString},
                                    Field{"mode", &kString},
                                    Field{"host_ip", &kString},
                                    Field{"target", &kWhole},
                                    Field{"published", &kNumberOrText},
                                    Field{"protocol", &kString},
                                    Field{"app_protocol", &kString}};
constexpr Type kPort{.accepts = kNumberText | kMap, .shape = Shape::object, .fields = kPortFields};
constexpr Type kPorts{.accepts = kList, .shape = Shape::list, .items = &kPort, .unique = true};

// volumes of a service
constexpr std::array<std::string_view, 6> kMountTypes = {"bind", "volume", "tmpfs", "cluster", "npipe", "image"};
constexpr std::array<std::string_view, 4> kRecursions = {"enabled", "disabled", "writable", "readonly"};
constexpr std::array<std::string_view, 2> kSelinux = {"z", "Z"};
constexpr Type kMountType{.accepts = kText, .shape = Shape::text, .choices = kMountTypes};
constexpr Type kRecursion{.accepts = kText, .shape = Shape::text, .choices = kRecursions};
constexpr Type kSelinuxLabel{.accepts = kText, .shape = Shape::text, .choices = kSelinux};
constexpr std::array kBindFields = {Field{"selinux", &kSelinuxLabel}, Field{"propagation", &kString},
                                    Field{"create_host_path", &kOptOut}, Field{"recursive", &kRecursion}};
constexpr Type kBind{.accepts = kMap, .shape = Shape::object, .fields = kBindFields};
constexpr std::array kVolumeOptionFields = {Field{"labels", &kLabels}, Field{"nocopy", &kSwitch},
                                            Field{"subpath", &kString}};
constexpr Type kVolumeOption{.accepts = kMap, .shape = Shape::object, .fields = kVolumeOptionFields};
constexpr std::array kTmpfsFields = {Field{"size", &kPositiveBytes}, Field{"mode", &kAmount}};
constexpr Type kTmpfs{.accepts = kMap, .shape = Shape::object, .fields = kTmpfsFields};
constexpr std::array kImageOptionFields = {Field{"subpath", &kString}};
constexpr Type kImageOption{.accepts = kMap, .shape = Shape::object, .fields = kImageOptionFields};
constexpr std::array kMountFields = {
    Field{"type", &kMountType},      Field{"source", &kString},      Field{"target", &kString},
    Field{"read_only", &kSwitch},    Field{"consistency", &kString}, Field{"bind", &kBind},
    Field{"volume", &kVolumeOption}, Field{"tmpfs", &kTmpfs},        Field{"image", &kImageOption}};
constexpr Type kMount{.accepts = kText | kMap, .shape = Shape::object, .fields = kMountFields, .required = kNeedsType};
constexpr Type kMounts{.accepts = kList, .shape = Shape::list, .items = &kMount, .unique = true};

constexpr std::array<std::string_view, 2> kCgroups = {"host", "private"};
constexpr Type kCgroup{.accepts = kText, .shape = Shape::text, .choices = kCgroups};

constexpr std::array kServiceFields = {
    Field{"annotations", &kLabels},
    Field{"attach", &kFlag},
    Field{"build", &kBuild},
    Field{"develop", &kDevelop},
    Field{"blkio_config", &kBlkio},
    Field{"cap_add", &kUniqueStrings},
    Field{"cap_drop", &kUniqueStrings},
    Field{"cgroup", &kCgroup},
    Field{"cgroup_parent", &kString},
    Field{"command", &kCommand, true},
    Field{"configs", &kFileMounts},
    Field{"container_name", &kContainerName},
    Field{"cpu_count", &kPositive},
    Field{"cpu_percent", &kPercent},
    Field{"cpu_shares", &kAmount},
    Field{"cpu_quota", &kAmount},
    Field{"cpu_period", &kAmount},
    Field{"cpu_rt_period", &kAmount},
    Field{"cpu_rt_runtime", &kAmount},
    Field{"cpus", &kSingle},
    Field{"cpuset", &kString},
    Field{"credential_spec", &kCredential},
    Field{"depends_on", &kDependsOn},
    Field{"deploy", &kDeploy},
    Field{"device_cgroup_rules", &kUniqueStrings},
    Field{"devices", &kDevices},
    Field{"dns", &kStringOrList},
    Field{"dns_opt", &kUniqueStrings},
    Field{"dns_search", &kStringOrList},
    Field{"domainname", &kString},
    Field{"entrypoint", &kCommand, true},
    Field{"env_file", &kEnvFiles},
    Field{"environment", &kVariables},
    Field{"expose", &kExpose},
    Field{"extends", &kExtends},
    Field{"external_links", &kUniqueStrings},
    Field{"extra_hosts", &kExtraHosts},
    Field{"gpus", &kGpus},
    Field{"group_add", &kExpose},
    Field{"healthcheck", &kHealth},
    Field{"hostname", &kString},
    Field{"image", &kString},
    Field{"init", &kFlag},
    Field{"ipc", &kString},
    Field{"isolation", &kString},
    Field{"label_file", &kStringOrManyList},
    Field{"labels", &kLabels},
    Field{"links", &kUniqueStrings},
    Field{"logging", &kLogging},
    Field{"mac_address", &kString},
    Field{"mem_limit", &kBytes},
    Field{"mem_reservation", &kWholeBytes},
    Field{"mem_swappiness", &kWholeBytes},
    Field{"memswap_limit", &kBytes},
    Field{"models", &kServiceModels},
    Field{"network_mode", &kString},
    Field{"networks", &kAttachments},
    Field{"oom_kill_disable", &kSwitch},
    Field{"oom_score_adj", &kOomScore},
    Field{"pid", &kStringOrNull},
    Field{"pids_limit", &kAmount},
    Field{"platform", &kString},
    Field{"ports", &kPorts},
    Field{"post_start", &kHooks},
    Field{"pre_start", &kPreStarts},
    Field{"pre_stop", &kHooks},
    Field{"privileged", &kSwitch},
    Field{"profiles", &kUniqueStrings},
    Field{"provider", &kProvider},
    Field{"pull_policy", &kPullPolicy},
    Field{"pull_refresh_after", &kHidden},
    Field{"read_only", &kSwitch},
    Field{"restart", &kString},
    Field{"runtime", &kString},
    Field{"scale", &kCount},
    Field{"secrets", &kFileMounts},
    Field{"security_opt", &kUniqueStrings},
    Field{"shm_size", &kBytes},
    Field{"stdin_open", &kSwitch},
    Field{"stop_grace_period", &kDuration},
    Field{"stop_signal", &kString},
    Field{"storage_opt", &kStorageOptions},
    Field{"sysctls", &kLabels},
    Field{"tmpfs", &kStringOrList},
    Field{"tty", &kSwitch},
    Field{"ulimits", &kUlimits},
    Field{"use_api_socket", &kStrictSwitch},
    Field{"user", &kString},
    Field{"userns_mode", &kString},
    Field{"uts", &kString},
    Field{"volumes", &kMounts},
    Field{"volumes_from", &kUniqueStrings},
    Field{"working_dir", &kString},
};
constexpr Type kService{.accepts = kMap, .shape = Shape::object, .fields = kServiceFields};

// Top-level sections
constexpr std::array kExternalFields = {Field{"name", &kString}};
constexpr Type kExternal{.accepts = kBooleanText | kMap, .shape = Shape::boolean, .fields = kExternalFields};
constexpr Type kOpenExternal{
    .accepts = kBooleanText | kMap, .shape = Shape::boolean, .fields = kExternalFields, .open = true};
constexpr std::array kPoolFields = {Field{"subnet", &kString}, Field{"gateway", &kString}, Field{"ip_range", &kString},
                                    Field{"aux_addresses", &kTextOptions}};
constexpr Type kPool{.accepts = kMap, .shape = Shape::object, .fields = kPoolFields};
constexpr Type kPools{.accepts = kList, .shape = Shape::list, .items = &kPool};
constexpr std::array kIpamFields = {Field{"driver", &kString}, Field{"config", &kPools},
                                    Field{"options", &kTextOptions}};
constexpr Type kIpam{.accepts = kMap, .shape = Shape::object, .fields = kIpamFields};
constexpr std::array kNetworkFields = {
    Field{"name", &kString},       Field{"driver", &kString},     Field{"driver_opts", &kDriverOptions},
    Field{"ipam", &kIpam, true},   Field{"external", &kExternal}, Field{"internal", &kSwitch},
    Field{"attachable", &kSwitch}, Field{"labels", &kLabels},     Field{"enable_ipv4", &kFlag},
    Field{"enable_ipv6", &kFlag}};
constexpr Type kNetwork{.accepts = kMap | kNull, .shape = Shape::object, .fields = kNetworkFields};
constexpr std::array kVolumeFields = {Field{"name", &kString}, Field{"driver", &kString},
                                      Field{"driver_opts", &kDriverOptions}, Field{"external", &kExternal},
                                      Field{"labels", &kLabels}};
constexpr Type kVolume{.accepts = kMap | kNull, .shape = Shape::object, .fields = kVolumeFields};
constexpr std::array kSecretFields = {Field{"name", &kString},
                                      Field{"file", &kString},
                                      Field{"environment", &kString},
                                      Field{"external", &kOpenExternal},
                                      Field{"labels", &kLabels},
                                      Field{"driver", &kString},
                                      Field{"driver_opts", &kDriverOptions},
                                      Field{"template_driver", &kString}};
constexpr Type kSecret{.accepts = kMap, .shape = Shape::object, .fields = kSecretFields};
constexpr std::array kConfigFields = {Field{"name", &kString},           Field{"file", &kString},
                                      Field{"environment", &kString},    Field{"content", &kString},
                                      Field{"external", &kOpenExternal}, Field{"labels", &kLabels},
                                      Field{"template_driver", &kString}};
constexpr Type kConfig{.accepts = kMap, .shape = Shape::object, .fields = kConfigFields};
constexpr std::array<std::string_view, 1> kNeedsModel = {"model"};
constexpr std::array kModelFields = {Field{"name", &kString}, Field{"model", &kString},
                                     Field{"context_size", &kStrictWhole}, Field{"runtime_flags", &kStrings}};
constexpr Type kModel{.accepts = kMap, .shape = Shape::object, .fields = kModelFields, .required = kNeedsModel};
constexpr std::array kIncludeFields = {Field{"path", &kStringOrList}, Field{"env_file", &kStringOrList},
                                       Field{"project_directory", &kString}};
constexpr Type kInclude{.accepts = kText | kMap, .shape = Shape::object, .fields = kIncludeFields, .extensible = false};
constexpr Type kIncludes{.accepts = kList, .items = &kInclude};

constexpr Type kServices{.accepts = kMap, .shape = Shape::map, .values = &kService, .keys = Keys::name};
constexpr Type kNetworks{.accepts = kMap, .shape = Shape::map, .values = &kNetwork, .keys = Keys::loose_name};
constexpr Type kVolumes{.accepts = kMap, .shape = Shape::map, .values = &kVolume, .keys = Keys::name};
constexpr Type kSecrets{.accepts = kMap, .shape = Shape::map, .values = &kSecret, .keys = Keys::name};
constexpr Type kConfigs{.accepts = kMap, .shape = Shape::map, .values = &kConfig, .keys = Keys::name};
constexpr Type kModels{.accepts = kMap, .values = &kModel, .keys = Keys::loose_name};
constexpr std::array kFileFields = {Field{"name", &kString},       Field{"version", &kHidden},
                                    Field{"include", &kIncludes},  Field{"services", &kServices, true},
                                    Field{"networks", &kNetworks}, Field{"volumes", &kVolumes},
                                    Field{"secrets", &kSecrets},   Field{"configs", &kConfigs},
                                    Field{"models", &kModels}};
constexpr Type kFile{.accepts = kMap, .shape = Shape::object, .fields = kFileFields};

}  // namespace

const Type& compose_schema() {
  return kFile;
}

const Field* find_field(const Type& type, std::string_view name) {
  const auto field = std::ranges::find(type.fields, name, &Field::name);
  return field == type.fields.end() ? nullptr : &*field;
}

}  // namespace berth::compose
