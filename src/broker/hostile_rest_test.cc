// Hostile requests beyond the creation of containers: builds, execs, updates, services, volumes, networks, secrets,
// archives. Each through the same mutations of spelling as hostile_test.cc; what reads as the harmless form may pass as
// it.
#include <gtest/gtest.h>

#include <cstdio>

#include "base/text.h"
#include "broker/decide.h"
#include "broker/query.h"
#include "broker/reply.h"
#include "http/url.h"

namespace berth::broker {
namespace {

constexpr Versions kVersions{.oldest = 24, .newest = 41};

struct Asks {
  const char* operation;
  std::vector<std::string> path;  ///< of members to the value
  std::string value;              ///< JSON
};

std::vector<Asks> bodies() {
  const std::vector<std::string> container{"TaskTemplate", "ContainerSpec"}, task{"TaskTemplate"};
  const auto in = [](std::vector<std::string> path, const char* name) {
    path.emplace_back(name);
    return path;
  };
  std::vector<Asks> out{
      {"exec.create", {"Privileged"}, "true"},
      {"containers.update", {"Devices"}, R"([{"PathOnHost":"/dev/sda"}])"},
      {"containers.update", {"Devices"}, "[{}]"},
      {"containers.update", {"DeviceRequests"}, R"([{"Count":-1}])"},
      {"containers.update", {"DeviceCgroupRules"}, R"(["c 1:1 rwm"])"},
      {"containers.update", {"CgroupParent"}, R"("/system.slice")"},
      {"containers.update", {"OomKillDisable"}, "true"},
      {"containers.update", {"Binds"}, R"(["/etc:/e"])"},
      {"containers.update", {"Privileged"}, "true"},
      {"containers.update", {"RestartPolicy"}, R"({"Name":"always","Command":["sh"]})"},
      {"containers.update", {"HostConfig"}, R"({"Privileged":true})"},
      {"networks.connect", {"EndpointConfig"}, R"({"DriverOpts":{"com.docker.network.bridge.name":"eth0"}})"},
      {"networks.connect", {"EndpointConfig"}, R"({"Links":["a:b/c"]})"},
      {"networks.connect", {"Container"}, R"("../x")"},
      {"networks.disconnect", {"Container"}, R"("x/../../images")"},
      {"images.commit", {"HostConfig"}, R"({"Privileged":true})"},
      {"images.commit", {"Volumes"}, R"({"/etc:/e":{}})"},
      {"secrets.create", {"Driver"}, R"({"Name":"remote","Options":{"a":"b"}})"},
      {"secrets.update", {"Driver"}, R"({"Name":"remote"})"},
      {"configs.create", {"Templating"}, R"({"Name":"other"})"},
      {"configs.update", {"Driver"}, R"({"Name":"remote"})"}};
  for (const char* name : {"BlkioDeviceReadBps", "BlkioDeviceWriteBps", "BlkioDeviceReadIOps", "BlkioDeviceWriteIOps"})
    for (const char* path : {"/root/.ssh/id_rsa", "/dev/../etc/shadow", "dev/sda", "/dev", "/devices", ""}) {
      if (std::string_view(path) == "/dev") continue;
      out.push_back({"containers.update", {name}, R"([{"Path":")" + std::string(path) + R"(","Rate":1}])"});
      out.push_back(
          {"containers.create", {"HostConfig", name}, R"([{"Path":")" + std::string(path) + R"(","Rate":1}])"});
    }
  out.push_back({"containers.update", {"BlkioWeightDevice"}, R"([{"Path":"/etc/shadow","Weight":10}])"});
  for (const char* options : {"shared", "rw,rshared", "bind", "rbind,size=1m", "remount", "rslave"})
    out.push_back({"containers.create", {"HostConfig", "Tmpfs"}, R"({"/t":")" + std::string(options) + "\"}"});
  out.push_back({"containers.create", {"HostConfig", "Tmpfs"}, R"({"/t/../proc":""})"});
  for (const char* config : {R"({"Config":{"syslog-address":"unixgram:///run/docker.sock"}})",
                             R"({"Type":"","Config":{"gelf-address":"udp://127.0.0.1:1"}})",
                             R"({"Type":"json-file","Config":{"fluentd-address":"unix:///run/x"}})",
                             R"({"Type":"local","Config":{"awslogs-endpoint":"http://127.0.0.1"}})"})
    out.push_back({"containers.create", {"HostConfig", "LogConfig"}, config});
  for (const char* options : {R"({"type":"none","o":"bind","device":"/"})",
                              R"({"type":"none","o":"bind","device":"/etc/.."})",
                              R"({"type":"","o":"rbind,ro","device":"/etc"})",
                              R"({"o":"bind","device":"/proc/1/root"})",
                              R"({"type":"bind","o":"bind","device":"/etc"})",
                              R"({"type":"none","o":"bind,shared","device":"/srv"})",
                              R"({"type":"nfs","o":"addr=192.0.2.1,rw","device":":/x"})",
                              R"({"type":"nfs4","o":"addr=10.0.0.1","device":":/"})",
                              R"({"type":"cifs","o":"username=a,password=b","device":"//192.0.2.1/x"})",
                              R"({"type":"ext4","device":"/dev/vda1"})",
                              R"({"type":"btrfs","device":"/dev/sda","o":"subvol=/"})",
                              R"({"type":"overlay","device":"overlay","o":"lowerdir=/etc,upperdir=/x,workdir=/y"})",
                              R"({"type":"proc","device":"proc"})",
                              R"({"type":"sysfs","device":"sysfs"})",
                              R"({"type":"cgroup2","device":"x"})",
                              R"({"type":"fuse","device":"/dev/fuse","o":"fd=3"})",
                              R"({"type":"tmpfs","device":"/etc","o":"bind"})",
                              R"({"type":"tmpfs","device":"tmpfs","o":"bind"})",
                              R"({"type":"tmpfs","device":"tmpfs","o":"size=1m,rshared"})",
                              R"({"device":"/etc"})",
                              R"({"o":"bind"})",
                              R"({"mountpoint":"/etc"})",
                              R"({"TYPE":"none","O":"bind","DEVICE":"/etc"})"}) {
    out.push_back({"volumes.create", {"DriverOpts"}, options});
    const std::string mount =
        R"([{"Type":"volume","Source":"v","Target":"/e","VolumeOptions":{"DriverConfig":{"Options":)" +
        std::string(options) + "}}}]";
    out.push_back({"containers.create", {"HostConfig", "Mounts"}, mount});
    for (const char* operation : {"services.create", "services.update"})
      out.push_back({operation, in(container, "Mounts"), mount});
  }
  for (const char* driver : {"\"sshfs\"", "\"LOCAL\"", "\"local:latest\"", "\"rclone/docker-volume\""})
    out.push_back({"volumes.create", {"Driver"}, driver});
  out.push_back({"volumes.create", {"ClusterVolumeSpec"}, R"({"AccessMode":{"Scope":"single"}})"});
  for (const char* driver : {"\"macvlan\"", "\"ipvlan\"", "\"host\"", "\"null\"", "\"Bridge\"", "\"weave\""})
    out.push_back({"networks.create", {"Driver"}, driver});
  for (const char* options :
       {R"({"parent":"eth0"})", R"({"macvlan_mode":"passthru"})", R"({"com.docker.network.bridge.name":"docker0"})",
        R"({"com.docker.network.container_iface_prefix":"x"})", R"({"com.docker.network.bridge.inhibit_ipv4":"true"})",
        R"({"com.docker.network.host_ipv4":"192.0.2.1"})",
        R"({"com.docker.network.bridge.trusted_host_interfaces":"eth0"})"})
    out.push_back({"networks.create", {"Options"}, options});
  for (const char* ipam :
       {R"({"Driver":"remote"})", R"({"Driver":"null"})", R"({"Options":{"dhcp_interface":"eth0"}})",
        R"({"Config":[{"Subnet":"8.8.8.0/24"}]})", R"({"Config":[{"Subnet":"0.0.0.0/0"}]})",
        R"({"Config":[{"Subnet":"10.0.0.0/1"}]})", R"({"Config":[{"Subnet":"172.32.0.0/16"}]})",
        R"({"Config":[{"Subnet":"172.16.0.0/8"}]})", R"({"Config":[{"Subnet":"100.0.0.0/16"}]})",
        R"({"Config":[{"Subnet":"192.168.0.0/8"}]})", R"({"Config":[{"Subnet":"10.0.0.0"}]})",
        R"({"Config":[{"Subnet":"2606:4700::/32"}]})", R"({"Config":[{"Subnet":"fd::/8"}]})",
        R"({"Config":[{"Subnet":"::/0"}]})", R"({"Config":[{"Subnet":"127.0.0.0/8"}]})",
        R"({"Config":[{"Subnet":"10.1.0.0/16"},{"Subnet":"1.1.1.0/24"}]})", R"({"Config":[{"Subnet":"10.0.0.0/8 "}]})"})
    out.push_back({"networks.create", {"IPAM"}, ipam});
  out.push_back({"networks.create", {"Ingress"}, "true"});
  for (const char* operation : {"services.create", "services.update"}) {
    for (const char* value : {R"({"Seccomp":{"Mode":"custom","Profile":"e30="}})", R"({"Seccomp":{"Profile":"e30="}})",
                              R"({"Seccomp":{"Mode":"Unconfined"}})", R"({"AppArmor":{"Mode":"disabled"}})",
                              R"({"SELinuxContext":{"User":"x"}})", R"({"CredentialSpec":{"Registry":"x"}})",
                              R"({"CredentialSpec":{"Config":"x"}})", R"({"CredentialSpec":{"File":""}})"})
      out.push_back({operation, in(container, "Privileges"), value});
    for (const char* value :
         {"[\"ALL\"]", "[\"cap_sys_admin\"]", "[\"Net_Admin\"]", "[\"CAP_CAP_CHOWN\"]", "[\" CHOWN\"]"})
      out.push_back({operation, in(container, "CapabilityAdd"), value});
    for (const char* value :
         {R"([{"Type":"bind","Source":"/","Target":"/e"}])", R"([{"Type":"npipe","Source":"x","Target":"/e"}])",
          R"([{"Type":"cluster","Source":"x","Target":"/e"}])", R"([{"Type":"BIND","Source":"/etc","Target":"/e"}])",
          R"([{"Source":"/etc","Target":"/e"}])", R"([{"Type":"volume","Source":"/run/docker.sock","Target":"/e"}])",
          R"([{"Type":"tmpfs","Source":"/etc","Target":"/e"}])", R"([{"Type":"image","Source":"/etc","Target":"/e"}])",
          R"([{"Type":"bind","Source":"/srv","Target":"/e","BindOptions":{"Propagation":"shared"}}])"})
      out.push_back({operation, in(container, "Mounts"), value});
    for (const char* value :
         {R"({"kernel.core_pattern":"x"})", R"({"vm.overcommit_memory":"1"})", R"({"net/../kernel/x":"1"})",
          R"({"kernel/core_pattern":"x"})", R"({"fs.file-max":"1"})", R"({"net..kernel":"1"})"})
      out.push_back({operation, in(container, "Sysctls"), value});
    for (const char* value : {R"([{"Target":"host"}])", R"([{"Target":"container:x"}])", R"([{"Target":"../host"}])",
                              R"([{"Target":"n"},{"Target":"host"}])", R"([{"Target":"host "}])",
                              R"([{"Target":"n","DriverOpts":{"parent":"eth0"}}])"}) {
      out.push_back({operation, in(task, "Networks"), value});
      out.push_back({operation, {"Networks"}, value});
    }
    out.push_back({operation, in(task, "Runtime"), "\"plugin\""});
    out.push_back({operation, in(task, "Runtime"), "\"attachment\""});
    out.push_back(
        {operation, in(task, "PluginSpec"), R"({"Remote":"x","PluginPrivilege":[{"Name":"mount","Value":["/"]}]})"});
    out.push_back({operation, in(task, "NetworkAttachmentSpec"), R"({"ContainerID":"x"})"});
    out.push_back({operation, in(task, "LogDriver"), R"({"Name":"syslog"})"});
    out.push_back({operation, in(task, "LogDriver"), R"({"Options":{"syslog-address":"udp://127.0.0.1:1"}})"});
    out.push_back({operation, in(container, "Isolation"), "\"hyperv\""});
    out.push_back({operation, in(container, "OomScoreAdj"), "-1000"});
    out.push_back({operation, in(container, "Privileged"), "true"});
    out.push_back({operation, in(container, "Devices"), R"([{"PathOnHost":"/dev/sda"}])"});
    out.push_back({operation, in(container, "HostConfig"), R"({"Privileged":true})"});
  }
  return out;
}

std::string escaped(const std::string& name) {
  std::string out;
  for (const char c : name) {
    char hex[8];
    std::snprintf(hex, sizeof hex, "\\u%04X", static_cast<unsigned>(c));
    out += hex;
  }
  return out;
}

std::string upper(std::string text) {
  for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

std::string folded(std::string name) {
  for (const auto& [from, to] :
       {std::pair("s", "\xC5\xBF"), std::pair("k", "\xE2\x84\xAA"), std::pair("S", "\xC5\xBF")})
    if (name.contains(from)) return replace_all(name, from, to);
  return lower(name);
}

template <class Write>
std::string nested(const std::vector<std::string>& path, const std::string& value, Write write) {
  std::string out = value;
  for (std::size_t i = path.size(); i-- > 0;) out = "{" + write(path[i], out, i + 1 == path.size()) + "}";
  return out;
}

std::string member(const std::string& name, const std::string& value) {
  return "\"" + name + "\":" + value;
}

// Number forms, nesting, sizes, duplicates at each level, and spellings of names.
std::vector<std::string> mutations_of(const Asks& asks) {
  using Text = const std::string&;
  const auto each = [&](auto rename) {
    return nested(asks.path, asks.value, [&](Text name, Text inner, bool) { return member(rename(name), inner); });
  };
  const auto last = [&](auto write) {
    return nested(asks.path, asks.value, [&](Text name, Text inner, bool is_last) {
      return is_last ? write(name, inner) : member(name, inner);
    });
  };
  const auto first = [&](auto write) {
    int left = static_cast<int>(asks.path.size());
    return nested(asks.path, asks.value,
                  [&](Text name, Text inner, bool) { return --left == 0 ? write(name, inner) : member(name, inner); });
  };
  const std::string plain = each([](Text name) { return name; });
  return {plain,
          each([](Text name) { return lower(name); }),
          each(upper),
          each(folded),
          each(escaped),
          each([](Text name) { return name + "\\u0000"; }),
          last([](Text name, Text v) { return member(name, "null") + "," + member(name, v); }),
          last([](Text name, Text v) { return member(name, v) + "," + member(name, "null"); }),
          last([](Text name, Text v) { return member(name, v) + "," + member(name, v); }),
          last([](Text name, Text v) { return member(upper(name), "null") + "," + member(name, v); }),
          last([](Text name, Text v) { return member(name, v) + "," + member(lower(name), "[]"); }),
          first([](Text name, Text v) { return member(name, "{}") + "," + member(name, v); }),
          first([](Text name, Text v) { return member(name, v) + "," + member(escaped(name), "{}"); }),
          first([](Text name, Text v) { return "\"\":1," + member(name, v); }),
          last([](Text name, Text v) { return member(name, "[" + v + "]"); }),
          last([](Text name, Text v) { return "\"Memory\":1e3," + member(name, v); }),
          last([](Text name, Text v) { return "\"Memory\":18446744073709551616," + member(name, v); }),
          "[" + plain + "]",
          plain + plain,
          plain + "]",
          "\xEF\xBB\xBF" + plain,
          "\xFF\xFE" + plain,
          "/**/" + plain,
          "\r\n\t " + plain + "\n",
          std::string(70'000, ' ') + plain,
          std::string(40, '[') + plain + std::string(40, ']'),
          plain + std::string(200'000, '\n')};
}

std::string with_name(const Asks& asks, std::string text) {
  const auto brace = text.find('{');
  if (std::string_view(asks.operation) != "networks.create" || brace == std::string::npos) return text;
  return text.insert(brace + 1, "\"Name\":\"n\",");
}

Verdict body_verdict(const Policy& policy, const char* operation, std::string_view text) {
  Verdict head;
  head.match = {find_operation(operation), "x"};
  return decide_body(policy, std::move(head), text);
}

TEST(HostileRest, NoBodyGetsThrough) {
  Policy policy = *named_policy("operate");
  policy.body_limit = 200'000;
  std::size_t cases = 0, through = 0;
  const auto all = bodies();
  for (const Asks& asks : all)
    for (const std::string& text : mutations_of(asks)) {
      ++cases;
      const Verdict verdict = body_verdict(policy, asks.operation, with_name(asks, text));
      if (!verdict.allowed()) continue;
      ++through;
      ADD_FAILURE() << asks.operation << " " << text.substr(0, 300) << " -> " << verdict.body.substr(0, 300);
    }
  std::printf("hostile bodies beyond creation: %zu of %zu fields and values, %zu through\n", cases, all.size(),
              through);
  EXPECT_GE(cases, 5000u);
}

Verdict asked(const Policy& policy, std::string_view method, std::string_view target) {
  return decide_head(policy, kVersions, {.method = method, .target = target, .content_type = "application/json"});
}

struct Query1 {
  const char *path, *name;
  std::vector<std::string> values;
};

std::vector<Query1> queries() {
  return {
      {"/build", "remote", {"http://127.0.0.1/x", "git://h/x", "client-session", "-", "/etc", " ", "upload-request"}},
      {"/build", "networkmode", {"host", "container:x", "ns:/proc/1/ns/net", "slirp4netns:x"}},
      {"/build",
       "buildargs",
       {R"({"BUILDKIT_SYNTAX":"x"})", R"({"BUILDKIT_SYNTAX":null})", R"({"a":1,"a":2})", "{", "{}x"}},
      {"/build",
       "securityopt",
       {R"(["seccomp=unconfined"])", R"(["apparmor=unconfined"])", R"(["no-new-privileges"])"}},
      {"/build", "cgroupparent", {"/", "/system.slice", "x"}},
      {"/build", "isolation", {"hyperv", "process"}},
      {"/build", "session", {"x", "1"}},
      {"/build", "outputs", {R"([{"Type":"local","Attrs":{"dest":"/etc"}}])"}},
      {"/build", "version", {"3", "1,2", "-1"}},
      {"/build", "cachefrom", {"[", R"(["a"]x)", R"({"a":1,"a":2})"}},
      {"/build", "memory", {"0x10", "1e9", " 1", "99999999999999999999"}},
      {"/build", "dockerfile", {std::string("Dockerfile\0x", 12), std::string("\x01"), std::string("\xFF\xFE")}},
      {"/build", "extrahosts", {std::string("a\0b", 3)}},
      {"/build", "ssh", {"default"}},
      {"/build", "secrets", {"x"}},
      {"/build", "entitlements", {"security.insecure", "network.host"}},
      {"/build", "devices", {"/dev/sda"}},
      {"/build", "privileged", {"1", "true"}},
      {"/build", "volumes", {"/:/h"}},
      {"/images/create", "fromSrc", {"http://127.0.0.1/x", "/etc/passwd", "file:///x", "--", "ftp://h"}},
      {"/images/create", "fromImage", {"../x", "a//b", "a/../b", "http://h/x", "a b", "-x", "a@", ":80/x"}},
      {"/containers/a/rename", "name", {"../x", "a/b", "/../x", "", "a b", "a\n", std::string("a\0", 2)}},
      {"/containers/a/start", "checkpoint", {"x"}},
      {"/containers/a/start", "checkpoint-dir", {"/etc"}},
      {"/containers/create", "name", {"../x", "//x", "a/b"}},
      {"/commit", "container", {"../x", "a/b"}},
      {"/services/a/update", "version", {"1.5", "x"}},
  };
}

std::vector<std::string> spellings_of(const std::string& name, const std::string& value) {
  const std::string encoded = http::encode_query({{name, value}});
  const std::string hex = encoded.substr(encoded.find('='));
  char first[4];
  std::snprintf(first, sizeof first, "%%%02x", static_cast<unsigned>(name[0]));
  return {encoded,           first + name.substr(1) + hex, name + "=&" + encoded, encoded + "&" + name + "=",
          upper(name) + hex, "&&" + encoded + "&",         encoded + ";x=1",      name + "[]" + hex,
          encoded + "%00"};
}

TEST(HostileRest, NoQueryGetsThrough) {
  const Policy policy = *named_policy("operate");
  std::size_t cases = 0, through = 0;
  for (const Query1& each : queries())
    for (const std::string& value : each.values)
      for (const std::string& query : spellings_of(each.name, value)) {
        const bool renames = std::string_view(each.path).ends_with("rename") && value.empty();
        if (renames) continue;  // the engine refuses an empty name
        ++cases;
        const Verdict verdict = asked(policy, "POST", std::string(each.path) + "?" + query);
        if (!verdict.allowed()) continue;
        ++through;
        ADD_FAILURE() << each.path << "?" << query << " -> " << verdict.target(kVersions);
      }
  std::printf("hostile queries: %zu, %zu through\n", cases, through);
  EXPECT_GE(cases, 500u);
}

TEST(HostileRest, TheHarmlessOnesPass) {
  const Policy policy = *named_policy("operate");
  const std::pair<const char*, const char*> harmless[] = {
      {"containers.update",
       R"({"BlkioDeviceReadBps":[{"Path":"/dev/sda","Rate":1}],"RestartPolicy":{"Name":"always"}})"},
      {"containers.create", R"({"HostConfig":{"Tmpfs":{"/t":"rw,noexec,size=1m","/u":""},
          "LogConfig":{"Type":"json-file","Config":{"max-size":"1m","max-file":"2"}}}})"},
      {"networks.create",
       R"({"Name":"n","IPAM":{"Driver":"default","Config":[{"Subnet":"172.28.0.0/16"},{"Subnet":"10.9.0.0/24"},
          {"Subnet":"fd00:1::/64"},{"Subnet":"192.168.9.0/24","Gateway":"192.168.9.1"},{"IPRange":"10.9.0.0/25"}]}})"},
      {"networks.create", R"({"Name":"n","Ingress":false,"Driver":"overlay","Attachable":true})"},
      {"services.create", R"({"Name":"s","Networks":[{"Target":"n"}],"TaskTemplate":{"ContainerSpec":{"Image":"a",
          "Privileges":{"Seccomp":{"Mode":"default"},"NoNewPrivileges":true},"CapabilityAdd":["chown"]}}})"},
      {"volumes.create", R"({"Name":"v","DriverOpts":{"type":"tmpfs","device":"tmpfs","o":"size=1m,uid=5"}})"},
      {"exec.create", R"({"Cmd":["true"],"Privileged":false})"}};
  for (const auto& [operation, text] : harmless) {
    const Verdict verdict = body_verdict(policy, operation, text);
    EXPECT_TRUE(verdict.allowed()) << operation << ": " << verdict.rule << ": " << verdict.message;
  }
  EXPECT_EQ(body_verdict(policy, "services.create", harmless[4].second).networks, std::vector<std::string>{"n"});
}

// An engine takes NetworkID for the network to join, whatever name stands before it.
TEST(HostileRest, ANetworkHasOneName) {
  const Policy policy = *parse_policy(*parse_json(R"({"extends":"operate","labels":{"team":"a"}})"), "file");
  const Verdict made = body_verdict(policy, "containers.create",
                                    R"({"NetworkingConfig":{"EndpointsConfig":{"mine":{"NetworkID":"theirs"}}}})");
  EXPECT_EQ(made.body.find("theirs"), std::string::npos) << made.body;
  const Verdict joined =
      body_verdict(policy, "networks.connect", R"({"Container":"c","EndpointConfig":{"NetworkID":"theirs"}})");
  EXPECT_TRUE(joined.allowed());
  EXPECT_EQ(joined.body.find("theirs"), std::string::npos) << joined.body;
  const Verdict build = asked(policy, "POST", "/build?networkmode=theirs");
  EXPECT_EQ(build.references, (std::vector<Reference>{{"networks", "theirs"}}));
}

TEST(HostileRest, LabelsHideWhatEnginesCannotDivide) {
  const Policy policy = *parse_policy(*parse_json(R"({"extends":"operate","labels":{"team":"a"}})"), "file");
  for (const char* path : {"/tasks", "/tasks/x", "/tasks/x/logs?stdout=1", "/system/df"})
    EXPECT_EQ(asked(policy, "GET", path).rule, "labels") << path;
  EXPECT_EQ(asked(policy, "GET", "/events").query[0].second, R"({"label":["team=a"]})");
}

TEST(HostileRest, RegistriesHoldForEveryWayToAnImage) {
  const Policy policy =
      *parse_policy(*parse_json(R"({"extends":"operate","registries":["docker.io","good:5000"]})"), "file");
  const auto pull = [&](const std::string& image) {
    return asked(policy, "POST", "/images/create?fromImage=" + image).rule;
  };
  EXPECT_EQ(pull("a/b"), "");
  EXPECT_EQ(pull("good:5000/b"), "");
  for (const char* image :
       {"evil.example/x", "EVIL/x", "Evil/x", "localhost/x", "evil:1/x", "127.0.0.1:1/x", "docker.io.evil/x"})
    EXPECT_EQ(pull(image), "registries") << image;
  EXPECT_EQ(asked(policy, "POST", "/build").rule, "registries");
  EXPECT_EQ(asked(policy, "POST", "/images/EVIL/x/push").rule, "registries");
  const auto service = [&](const std::string& image) {
    return body_verdict(policy, "services.create", R"({"TaskTemplate":{"ContainerSpec":{"Image":")" + image + R"("}}})")
        .rule;
  };
  EXPECT_EQ(service("a"), "");
  EXPECT_EQ(service("evil.example/a@sha256:00"), "registries");
  const auto login = [&](const std::string& address) {
    return body_verdict(policy, "system.auth", R"({"serveraddress":")" + address + R"("})").rule;
  };
  for (const char* address : {"", "docker.io", "https://index.docker.io/v1/", "good:5000", "https://good:5000/v2/"})
    EXPECT_EQ(login(address), "") << address;
  for (const char* address :
       {"evil.example", "http://127.0.0.1:1/", "https://good:5000@evil.example/", "good:5001", "evil/docker.io"})
    EXPECT_EQ(login(address), "registries") << address;
}

TEST(HostileRest, TokensOfTheSwarmStayBehind) {
  const Operation& inspect = *find_operation("swarm.inspect");
  const Json reply = *parse_json(R"({"ID":"a","JoinTokens":{"Manager":"SWMTKN"},"Spec":{"Name":"d"}})");
  const Policy operate = *named_policy("operate");
  ASSERT_TRUE(is_redacted(operate, inspect));
  EXPECT_EQ(redact(operate, inspect, reply).dump(), R"({"ID":"a","Spec":{"Name":"d"}})");
  const Policy all = *parse_policy(*parse_json(R"({"allow":["swarm.*"]})"), "file");
  EXPECT_FALSE(is_redacted(all, inspect));
}

TEST(HostileRest, CompressedArchivesAreKnownByTheirFront) {
  using namespace std::string_view_literals;
  for (const auto front :
       {"\x1F\x8B\x08"sv, "BZh9"sv,
        "\xFD"
        "7zXZ\x00"sv,
        "\x5D\x00\x00\x80"sv, "\x28\xB5\x2F\xFD\x00"sv, "\x50\x2A\x4D\x18\x00"sv, "\x5F\x2A\x4D\x18\x00"sv})
    EXPECT_TRUE(looks_compressed(front));
  for (const auto front : {""sv, "\x50\x2A\x4D"sv, "\x60\x2A\x4D\x18"sv, "Pax"sv, "dir/file"sv})
    EXPECT_FALSE(looks_compressed(front));
}

}  // namespace
}  // namespace berth::broker
