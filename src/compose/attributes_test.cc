// Every attribute of a service: either it reaches the create body, as this table shows with one value each, or
// something else uses it, or nothing does. doc/compose.md says the same, and is compared with it.
#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>

#include "base/text.h"
#include "compose/create.h"
#include "compose/project_world_test.h"
#include "compose/validate_schema.h"

namespace berth::compose {
namespace {

struct Attribute {
  const char* name;   // a dot leads into the attribute
  const char* value;  // JSON, in canonical form
  const char* path;   // of the body; keys divided by slashes
  const char* expected;
  const char* api = "1.48";
};
void PrintTo(const Attribute& attribute, std::ostream* out) {
  *out << attribute.name << '=' << attribute.value;
}

constexpr Attribute kAttributes[] = {
    {"annotations", R"({"a":"b"})", "HostConfig/Annotations", R"({"a":"b"})"},
    {"blkio_config", R"({"weight":300})", "HostConfig/BlkioWeight", "300"},
    {"blkio_config", R"({"weight_device":[{"Path":"/dev/a","Weight":4}]})", "HostConfig/BlkioWeightDevice",
     R"([{"Path":"/dev/a","Weight":4}])"},
    {"blkio_config", R"({"device_read_bps":[{"Path":"/dev/a","Rate":"1024"}]})", "HostConfig/BlkioDeviceReadBps",
     R"([{"Path":"/dev/a","Rate":1024}])"},
    {"blkio_config", R"({"device_write_iops":[{"Path":"/dev/a","Rate":"9"}]})", "HostConfig/BlkioDeviceWriteIOps",
     R"([{"Path":"/dev/a","Rate":9}])"},
    {"cap_add", R"(["NET_ADMIN"])", "HostConfig/CapAdd", R"(["NET_ADMIN"])"},
    {"cap_drop", R"(["ALL"])", "HostConfig/CapDrop", R"(["ALL"])"},
    {"cgroup", R"("host")", "HostConfig/CgroupnsMode", R"("host")"},
    {"cgroup_parent", R"("p")", "HostConfig/CgroupParent", R"("p")"},
    {"command", R"(["a","b"])", "Cmd", R"(["a","b"])"},
    {"container_name", R"("given")", "NetworkingConfig/EndpointsConfig/shop_default/Aliases", R"(["given","a"])"},
    {"cpu_count", "2", "HostConfig/CpuCount", "2"},
    {"cpu_percent", "50", "HostConfig/CpuPercent", "50"},
    {"cpu_period", "1000", "HostConfig/CpuPeriod", "1000"},
    {"cpu_quota", "2000", "HostConfig/CpuQuota", "2000"},
    {"cpu_rt_period", "3000", "HostConfig/CpuRealtimePeriod", "3000"},
    {"cpu_rt_runtime", "4000", "HostConfig/CpuRealtimeRuntime", "4000"},
    {"cpu_shares", "512", "HostConfig/CpuShares", "512"},
    {"cpus", "1.5", "HostConfig/NanoCpus", "1500000000"},
    {"cpuset", R"("0-1")", "HostConfig/CpusetCpus", R"("0-1")"},
    {"deploy", R"({"resources":{"limits":{"cpus":0.5}}})", "HostConfig/NanoCpus", "500000000"},
    {"deploy", R"({"resources":{"limits":{"memory":"1024"}}})", "HostConfig/Memory", "1024"},
    {"deploy", R"({"resources":{"limits":{"pids":7}}})", "HostConfig/PidsLimit", "7"},
    {"deploy", R"({"resources":{"reservations":{"memory":"512"}}})", "HostConfig/MemoryReservation", "512"},
    {"deploy",
     R"({"resources":{"reservations":{"devices":[{"capabilities":["gpu"],"driver":"nvidia","count":1,"options":{"a":"b"}}]}}})",
     "HostConfig/DeviceRequests", R"([{"Driver":"nvidia","Count":1,"Capabilities":[["gpu"]],"Options":{"a":"b"}}])"},
    {"deploy", R"({"restart_policy":{"condition":"on-failure","max_attempts":3}})", "HostConfig/RestartPolicy",
     R"({"Name":"on-failure","MaximumRetryCount":3})"},
    {"depends_on", R"({"b":{"condition":"service_healthy","restart":true,"required":true}})",
     "Labels/com.docker.compose.depends_on", R"("b:service_healthy:true")"},
    {"device_cgroup_rules", R"(["c 1:3 mr"])", "HostConfig/DeviceCgroupRules", R"(["c 1:3 mr"])"},
    {"devices", R"([{"source":"/dev/a","target":"/dev/b","permissions":"r"}])", "HostConfig/Devices",
     R"([{"PathOnHost":"/dev/a","PathInContainer":"/dev/b","CgroupPermissions":"r"}])"},
    {"dns", R"(["1.1.1.1"])", "HostConfig/Dns", R"(["1.1.1.1"])"},
    {"dns_opt", R"(["use-vc"])", "HostConfig/DnsOptions", R"(["use-vc"])"},
    {"dns_search", R"(["x.example"])", "HostConfig/DnsSearch", R"(["x.example"])"},
    {"domainname", R"("d")", "Domainname", R"("d")"},
    {"entrypoint", R"(["e"])", "Entrypoint", R"(["e"])"},
    {"environment", R"({"A":"1","B":null})", "Env", R"(["A=1","B"])"},
    {"expose", R"(["80"])", "ExposedPorts", R"({"80/tcp":{}})"},
    {"external_links", R"(["other:o"])", "NetworkingConfig/EndpointsConfig/shop_default/Links", R"(["other:o"])"},
    {"extra_hosts", R"(["h=::1"])", "HostConfig/ExtraHosts", R"(["h:::1"])"},
    {"gpus", R"([{"count":-1}])", "HostConfig/DeviceRequests", R"([{"Count":-1,"Capabilities":[["gpu"]]}])"},
    {"group_add", R"(["mail"])", "HostConfig/GroupAdd", R"(["mail"])"},
    {"healthcheck", R"({"test":["CMD","t"],"interval":"2s","timeout":"1s","retries":3,"start_period":"4s"})",
     "Healthcheck",
     R"({"Test":["CMD","t"],"Retries":3,"Interval":2000000000,"Timeout":1000000000,"StartPeriod":4000000000})"},
    {"healthcheck", R"({"disable":true})", "Healthcheck", R"({"Test":["NONE"]})"},
    {"hostname", R"("h")", "Hostname", R"("h")"},
    {"image", R"("i:1")", "Image", R"("i:1")"},
    {"init", "true", "HostConfig/Init", "true"},
    {"ipc", R"("host")", "HostConfig/IpcMode", R"("host")"},
    {"isolation", R"("hyperv")", "HostConfig/Isolation", R"("hyperv")"},
    {"labels", R"({"x":"y"})", "Labels/x", R"("y")"},
    {"links", R"(["b:alias"])", "NetworkingConfig/EndpointsConfig/shop_default/Links",
     R"(["shop-b-1:alias","shop-b-1:b-1","shop-b-1:shop-b-1"])"},
    {"logging", R"({"driver":"syslog","options":{"a":"b"}})", "HostConfig/LogConfig",
     R"({"Type":"syslog","Config":{"a":"b"}})"},
    {"mac_address", R"("02:00:00:00:00:01")", "NetworkingConfig/EndpointsConfig/shop_default/MacAddress",
     R"("02:00:00:00:00:01")"},
    {"mac_address", R"("02:00:00:00:00:01")", "MacAddress", R"("02:00:00:00:00:01")", "1.41"},
    {"mem_limit", R"("1024")", "HostConfig/Memory", "1024"},
    {"mem_reservation", R"("512")", "HostConfig/MemoryReservation", "512"},
    {"mem_swappiness", R"("10")", "HostConfig/MemorySwappiness", "10"},
    {"memswap_limit", R"("-1")", "HostConfig/MemorySwap", "-1"},
    {"network_mode", R"("host")", "HostConfig/NetworkMode", R"("host")"},
    {"networks", R"({"default":{"ipv4_address":"10.0.0.2","ipv6_address":"::2","link_local_ips":["169.254.1.1"]}})",
     "NetworkingConfig/EndpointsConfig/shop_default/IPAMConfig",
     R"({"IPv4Address":"10.0.0.2","IPv6Address":"::2","LinkLocalIPs":["169.254.1.1"]})"},
    {"networks", R"({"default":{"driver_opts":{"a":"b"}}})", "NetworkingConfig/EndpointsConfig/shop_default/DriverOpts",
     R"({"a":"b"})"},
    {"networks", R"({"default":{"interface_name":"eth9"}})", "NetworkingConfig/EndpointsConfig/shop_default/DriverOpts",
     R"({"com.docker.network.endpoint.ifname":"eth9"})"},
    {"networks", R"({"default":{"gw_priority":3}})", "NetworkingConfig/EndpointsConfig/shop_default/GwPriority", "3"},
    {"networks", R"({"default":{"aliases":["x"]}})", "NetworkingConfig/EndpointsConfig/shop_default/Aliases",
     R"(["shop-a-1","a","x"])"},
    {"oom_kill_disable", "true", "HostConfig/OomKillDisable", "true"},
    {"oom_score_adj", "-500", "HostConfig/OomScoreAdj", "-500"},
    {"pid", R"("host")", "HostConfig/PidMode", R"("host")"},
    {"pids_limit", "9", "HostConfig/PidsLimit", "9"},
    {"ports", R"([{"target":80,"published":"8080","host_ip":"127.0.0.1","protocol":"tcp"}])", "HostConfig/PortBindings",
     R"({"80/tcp":[{"HostIp":"127.0.0.1","HostPort":"8080"}]})"},
    {"privileged", "true", "HostConfig/Privileged", "true"},
    {"read_only", "true", "HostConfig/ReadonlyRootfs", "true"},
    {"restart", R"("on-failure:2")", "HostConfig/RestartPolicy", R"({"Name":"on-failure","MaximumRetryCount":2})"},
    {"runtime", R"("runc")", "HostConfig/Runtime", R"("runc")"},
    {"secrets", R"([{"source":"s","target":"/run/secrets/s"}])", "HostConfig/Mounts",
     R"([{"Type":"bind","Source":"/srv/s","Target":"/run/secrets/s","ReadOnly":true}])"},
    {"configs", R"([{"source":"c"}])", "HostConfig/Mounts",
     R"([{"Type":"bind","Source":"/srv/c","Target":"/c","ReadOnly":true}])"},
    {"security_opt", R"(["no-new-privileges:true"])", "HostConfig/SecurityOpt", R"(["no-new-privileges:true"])"},
    {"security_opt", R"(["seccomp:profile.json"])", "HostConfig/SecurityOpt", R"(["seccomp={\"a\":1}"])"},
    {"shm_size", R"("1024")", "HostConfig/ShmSize", "1024"},
    {"stdin_open", "true", "OpenStdin", "true"},
    {"stop_grace_period", R"("1m30s")", "StopTimeout", "90"},
    {"stop_signal", R"("SIGINT")", "StopSignal", R"("SIGINT")"},
    {"storage_opt", R"({"size":"1G"})", "HostConfig/StorageOpt", R"({"size":"1G"})"},
    {"sysctls", R"({"a":"1"})", "HostConfig/Sysctls", R"({"a":"1"})"},
    {"tmpfs", R"(["/run:size=1m"])", "HostConfig/Tmpfs", R"({"/run":"size=1m"})"},
    {"tty", "true", "Tty", "true"},
    {"ulimits", R"({"nofile":{"soft":1,"hard":2}})", "HostConfig/Ulimits", R"([{"Name":"nofile","Soft":1,"Hard":2}])"},
    {"use_api_socket", "true", "HostConfig/Binds", R"(["/var/run/docker.sock:/var/run/docker.sock:rw"])"},
    {"user", R"("1000")", "User", R"("1000")"},
    {"userns_mode", R"("host")", "HostConfig/UsernsMode", R"("host")"},
    {"uts", R"("host")", "HostConfig/UTSMode", R"("host")"},
    {"volumes", R"([{"type":"bind","source":"/s","target":"/t","bind":{"propagation":"rslave","selinux":"z"}}])",
     "HostConfig/Binds", R"(["/s:/t:rw,z,rslave"])"},
    {"volumes", R"([{"type":"bind","source":"/s","target":"/t","bind":{"create_host_path":false}}])",
     "HostConfig/Mounts", R"([{"Type":"bind","Source":"/s","Target":"/t"}])"},
    {"volumes",
     R"([{"type":"bind","source":"/s","target":"/t","read_only":true,"consistency":"cached","bind":{"recursive":"readonly"}}])",
     "HostConfig/Mounts",
     R"([{"Type":"bind","Source":"/s","Target":"/t","ReadOnly":true,"Consistency":"cached","BindOptions":{"ReadOnlyForceRecursive":true}}])"},
    {"volumes",
     R"([{"type":"volume","source":"data","target":"/t","volume":{"nocopy":true,"subpath":"x","labels":{"a":"b"}}}])",
     "HostConfig/Mounts",
     R"([{"Type":"volume","Source":"shop_data","Target":"/t","VolumeOptions":{"NoCopy":true,"Subpath":"x","Labels":{"a":"b"}}}])"},
    {"volumes", R"([{"type":"tmpfs","target":"/t","tmpfs":{"size":"1024","mode":448}}])", "HostConfig/Mounts",
     R"([{"Type":"tmpfs","Target":"/t","TmpfsOptions":{"SizeBytes":1024,"Mode":448}}])"},
    {"volumes", R"([{"type":"image","source":"i:1","target":"/t","image":{"subpath":"x"}}])", "HostConfig/Mounts",
     R"([{"Type":"image","Source":"i:1","Target":"/t","ImageOptions":{"Subpath":"x"}}])"},
    {"volumes", R"([{"type":"cluster","source":"c","target":"/t"}])", "HostConfig/Mounts",
     R"([{"Type":"cluster","Source":"c","Target":"/t"}])"},
    {"volumes", R"([{"type":"npipe","source":"\\\\.\\pipe\\x","target":"/t"}])", "HostConfig/Mounts",
     R"([{"Type":"npipe","Source":"\\\\.\\pipe\\x","Target":"/t"}])"},
    {"volumes_from", R"(["container:other:ro"])", "HostConfig/VolumesFrom", R"(["other:ro"])"},
    {"working_dir", R"("/w")", "WorkingDir", R"("/w")"},
};

// Used elsewhere than in the body: by the loader, the planner or a verb.
constexpr std::string_view kElsewhere[] = {
    "attach",     "build",     "develop",  "env_file", "extends",     "label_file",         "platform",
    "post_start", "pre_start", "pre_stop", "profiles", "pull_policy", "pull_refresh_after", "scale"};
// Checked, printed, and without effect.
constexpr std::string_view kPrinted[] = {"credential_spec", "models", "provider"};

Json json_of(std::string_view text) {
  auto json = parse_json(text);
  EXPECT_TRUE(json) << text;
  return json ? *std::move(json) : Json();
}

Project project_with(std::string_view name, Json value) {
  Json document = json_of(R"({"services":{"a":{"image":"x"},"b":{"image":"x"}},"volumes":{"data":{}},
    "secrets":{"s":{"file":"/srv/s"}},"configs":{"c":{"file":"/srv/c"}}})");
  document.slot("services").slot("a").set(name, std::move(value));
  Project project = testing::project_of(document);
  project.contents["services.a.security_opt.seccomp:profile.json"] = R"({"a":1})";
  return project;
}

class AttributeTable : public ::testing::TestWithParam<Attribute> {};

TEST_P(AttributeTable, ReachesTheBody) {
  const Attribute& attribute = GetParam();
  const Project project = project_with(attribute.name, json_of(attribute.value));
  const auto request = create_request(
      {.project = project, .service = *project.find("a"), .version = *engine::parse_api_version(attribute.api)});
  ASSERT_TRUE(request) << request.error().message;
  Json at = request->body;
  for (const std::string_view key : split(attribute.path, '/')) at = Json(at[key]);
  EXPECT_EQ(at, json_of(attribute.expected)) << at.dump() << " in " << request->body.dump();
  EXPECT_TRUE(request->warnings.empty()) << request->warnings.front();
}

INSTANTIATE_TEST_SUITE_P(All, AttributeTable, ::testing::ValuesIn(kAttributes));

struct Newer {
  const char* name;
  const char* value;
  const char* warning;
};
class NewerAttribute : public ::testing::TestWithParam<Newer> {};

TEST_P(NewerAttribute, IsNamedWhereAnOldEngineLacksIt) {
  Project project = project_with(GetParam().name, json_of(GetParam().value));
  const auto request =
      create_request({.project = project, .service = *project.find("a"), .version = {.major = 1, .minor = 41}});
  ASSERT_TRUE(request) << request.error().message;
  ASSERT_EQ(request->warnings.size(), 1u);
  EXPECT_EQ(request->warnings[0], GetParam().warning);
}

INSTANTIATE_TEST_SUITE_P(
    All, NewerAttribute,
    ::testing::Values(
        Newer{"annotations", R"({"a":"b"})",
              "compose.yaml:11:3: services.a.annotations is left out: API 1.41 of this engine has no annotations of a "
              "container (from 1.43 on)"},
        Newer{"healthcheck", R"({"start_interval":"1s"})",
              "compose.yaml:11:3: services.a.healthcheck.start_interval is left out: API 1.41 of this engine has no a "
              "health check's start interval (from 1.44 on)"},
        Newer{"networks", R"({"default":{"gw_priority":3}})",
              "compose.yaml:11:3: services.a.networks.default.gw_priority is left out: API 1.41 of this engine has no "
              "gateway priorities of networks (from 1.48 on)"},
        Newer{
            "networks", R"({"default":{"interface_name":"e"}})",
            "compose.yaml:11:3: services.a.networks.default.interface_name is left out: API 1.41 of this engine has no "
            "driver options of a network endpoint (from 1.46 on)"},
        Newer{"volumes", R"([{"type":"bind","source":"/s","target":"/t","bind":{"recursive":"writable"}}])",
              "compose.yaml:11:3: services.a.volumes is left out: API 1.41 of this engine has no recursively read-only "
              "bind mounts (from 1.44 on)"},
        Newer{"credential_spec", R"({"file":"x"})",
              "compose.yaml:11:3: services.a.credential_spec is left out: only engines on Windows have it"},
        Newer{"models", R"({"m":null})",
              "compose.yaml:11:3: services.a.models is left out: berth runs no model runner"}));

TEST(Attributes, AProviderIsRefused) {
  const Project project = project_with("provider", json_of(R"({"type":"x"})"));
  const auto request = create_request({.project = project, .service = *project.find("a")});
  ASSERT_FALSE(request);
  EXPECT_EQ(
      request.error().message,
      "compose.yaml:11:3: services.a.provider: services that a provider program runs are not supported; remove it");
}

// "applied", "used" or "printed", by the tables above.
std::map<std::string, std::string> expected_table() {
  std::map<std::string, std::string> out;
  for (const Attribute& attribute : kAttributes) out[attribute.name] = "applied";
  for (const std::string_view name : kElsewhere) out[std::string(name)] = "used";
  for (const std::string_view name : kPrinted) out[std::string(name)] = "printed";
  return out;
}

const Type& service_type() {
  return *find_field(compose_schema(), "services")->type->values;
}

TEST(Attributes, TheTableHasEveryAttributeOfTheSchema) {
  std::set<std::string> schema, table;
  for (const Field& field : service_type().fields) schema.emplace(field.name);
  for (const auto& [name, how] : expected_table()) table.insert(name);
  EXPECT_EQ(schema, table);
}

// Rows "| `name` | applied | ... |".
TEST(Attributes, TheDocumentationSaysTheSame) {
  std::ifstream file(TESTDATA "/../../../doc/compose.md");
  std::map<std::string, std::string> rows;
  for (std::string line; std::getline(file, line);) {
    const auto cells = split(line, '|');
    const std::string_view name = cells.size() > 3 ? trim(cells[1]) : std::string_view();
    if (!name.starts_with('`') || !name.ends_with('`')) continue;
    const std::string_view how = trim(cells[2]);
    if (how == "applied" || how == "used" || how == "printed") rows[std::string(name.substr(1, name.size() - 2))] = how;
  }
  EXPECT_EQ(rows, expected_table());
}

}  // namespace
}  // namespace berth::compose
