// Bodies that ask for what the policy `operate` does not grant, each in a dozen encodings in which an engine reads
// them.
#include <gtest/gtest.h>

#include <cstdio>

#include "base/text.h"
#include "broker/decide.h"

namespace berth::broker {
namespace {

struct Hostile {
  const char* operation;
  std::vector<std::string> path;  ///< of members to the value
  std::string value;              ///< JSON
};

std::vector<Hostile> of_host_config() {
  const std::pair<const char*, const char*> fields[] = {
      {"Privileged", "true"},
      {"NetworkMode", "\"host\""},
      {"NetworkMode", "\"HOST:x\""},
      {"PidMode", "\"host\""},
      {"IpcMode", "\"host\""},
      {"UTSMode", "\"host\""},
      {"UsernsMode", "\"host\""},
      {"CgroupnsMode", "\"host\""},
      {"Cgroup", "\"host\""},
      {"CgroupParent", "\"/\""},
      {"CapAdd", "[\"ALL\"]"},
      {"CapAdd", "[\"sys_admin\"]"},
      {"CapAdd", "[\"CAP_SYS_PTRACE\"]"},
      {"Capabilities", "[\"SYS_ADMIN\"]"},
      {"Devices", R"([{"PathOnHost":"/dev/mem","PathInContainer":"/dev/mem","CgroupPermissions":"rwm"}])"},
      {"DeviceCgroupRules", "[\"a *:* rwm\"]"},
      {"DeviceRequests", R"([{"Driver":"nvidia","Count":-1}])"},
      {"SecurityOpt", "[\"seccomp=unconfined\"]"},
      {"SecurityOpt", "[\"apparmor:unconfined\"]"},
      {"SecurityOpt", "[\"label=disable\"]"},
      {"SecurityOpt", "[\"systempaths=unconfined\"]"},
      {"MaskedPaths", "[]"},
      {"ReadonlyPaths", "[]"},
      {"Binds", "[\"/:/h\"]"},
      {"Binds", "[\"/var/run/docker.sock:/s\"]"},
      {"Binds", "[\"/run/../run/docker.sock:/s\"]"},
      {"Binds", "[\"//run/docker.sock:/s:ro\"]"},
      {"Binds", "[\"/etc/:/e:ro\"]"},
      {"Binds", "[\"./x:/e\"]"},
      {"Binds", "[\"../etc:/e\"]"},
      {"Mounts", R"([{"Type":"bind","Source":"/etc","Target":"/e"}])"},
      {"Mounts", R"([{"Type":"bind","Source":"/run/","Target":"/e"}])"},
      {"Mounts", R"([{"Type":"volume","Source":"/etc","Target":"/e"}])"},
      {"Mounts", R"([{"Type":"npipe","Source":"x","Target":"/e"}])"},
      {"Mounts", R"([{"Type":"cluster","Source":"x","Target":"/e"}])"},
      {"Mounts", R"([{"Type":"volume","Source":"v","Target":"/e","VolumeOptions":{"DriverConfig":{"Name":"local",
                     "Options":{"type":"none","o":"bind","device":"/etc"}}}}])"},
      {"Mounts", R"([{"Type":"volume","Source":"v","Target":"/e","VolumeOptions":{"DriverConfig":{"Name":"local",
                     "Options":{"type":"ext4","device":"/dev/sda"}}}}])"},
      {"Mounts", R"([{"Type":"volume","Source":"v","Target":"/e","VolumeOptions":{"DriverConfig":{"Name":"sshfs"}}}])"},
      {"Mounts", R"([{"Type":"tmpfs","Target":"/e","BindOptions":{"Propagation":"rshared"}}])"},
      {"VolumesFrom", "[\"other\"]"},
      {"VolumeDriver", "\"sshfs\""},
      {"Runtime", "\"other\""},
      {"Isolation", "\"hyperv\""},
      {"LogConfig", R"({"Type":"syslog","Config":{"syslog-address":"unix:///run/docker.sock"}})"},
      {"Sysctls", R"({"kernel.core_pattern":"|/x"})"},
      {"StorageOpt", R"({"dm.x":"1"})"},
      {"Annotations", R"({"run.oci.handler":"x"})"},
      {"OomScoreAdj", "-1000"},
      {"OomKillDisable", "true"},
      {"Links", "[\"a:b/exec\"]"}};
  std::vector<Hostile> out;
  for (const auto& [name, value] : fields) out.push_back({"containers.create", {"HostConfig", name}, value});
  for (const char* name : {"CgroupParent", "Devices", "DeviceCgroupRules", "OomKillDisable"})
    for (const auto& [field, value] : fields)
      if (std::string_view(field) == name) out.push_back({"containers.update", {name}, value});
  return out;
}

std::vector<Hostile> of_others() {
  return {{"containers.create", {"Volumes"}, R"({"/etc:/e":{}})"},
          {"containers.create", {"NetworkingConfig", "EndpointsConfig"}, R"({"host":{}})"},
          {"containers.create", {"NetworkingConfig", "EndpointsConfig"}, R"({"n":{"DriverOpts":{"parent":"eth0"}}})"},
          {"exec.create", {"Privileged"}, "true"},
          {"volumes.create", {"DriverOpts"}, R"({"type":"none","o":"bind","device":"/etc"})"},
          {"volumes.create", {"DriverOpts"}, R"({"type":"none","o":"rbind,rw","device":"/run/docker.sock"})"},
          {"volumes.create", {"DriverOpts"}, R"({"type":"overlay","device":"overlay","o":"lowerdir=/etc"})"},
          {"volumes.create", {"DriverOpts"}, R"({"type":"nfs","o":"addr=127.0.0.1","device":":/"})"},
          {"volumes.create", {"Driver"}, "\"sshfs\""},
          {"networks.create", {"Driver"}, "\"macvlan\""},
          {"networks.create", {"Driver"}, "\"host\""},
          {"networks.create", {"Options"}, R"({"com.docker.network.bridge.name":"docker0"})"},
          {"networks.create", {"IPAM"}, R"({"Driver":"remote"})"},
          {"secrets.create", {"Driver"}, R"({"Name":"remote"})"},
          {"secrets.create", {"Templating"}, R"({"Name":"remote"})"}};
}

std::vector<Hostile> of_services() {
  const std::pair<const char*, const char*> fields[] = {
      {"CapabilityAdd", "[\"SYS_ADMIN\"]"},
      {"Mounts", R"([{"Type":"bind","Source":"/etc","Target":"/e"}])"},
      {"Mounts", R"([{"Type":"bind","Source":"/var/run/docker.sock","Target":"/e"}])"},
      {"Mounts", R"([{"Type":"volume","Source":"v","Target":"/e","VolumeOptions":{"DriverConfig":{"Name":"local",
                     "Options":{"o":"bind","device":"/etc"}}}}])"},
      {"Privileges", R"({"Seccomp":{"Mode":"unconfined"}})"},
      {"Privileges", R"({"AppArmor":{"Mode":"disabled"}})"},
      {"Privileges", R"({"SELinuxContext":{"Disable":true}})"},
      {"Privileges", R"({"CredentialSpec":{"File":"x"}})"},
      {"Sysctls", R"({"kernel.core_pattern":"|/x"})"},
      {"Isolation", "\"process\""},
      {"OomScoreAdj", "-1"}};
  std::vector<Hostile> out;
  for (const char* operation : {"services.create", "services.update"}) {
    for (const auto& [name, value] : fields) out.push_back({operation, {"TaskTemplate", "ContainerSpec", name}, value});
    out.push_back({operation, {"TaskTemplate", "Networks"}, R"([{"Target":"host"}])"});
    out.push_back({operation, {"Networks"}, R"([{"Target":"host"}])"});
    out.push_back({operation, {"TaskTemplate", "PluginSpec"}, R"({"Remote":"x"})"});
    out.push_back({operation, {"TaskTemplate", "Runtime"}, "\"plugin\""});
    out.push_back({operation, {"TaskTemplate", "NetworkAttachmentSpec"}, R"({"ContainerID":"x"})"});
    out.push_back({operation, {"TaskTemplate", "LogDriver"}, R"({"Name":"gelf"})"});
  }
  return out;
}

// {"a":{"b":VALUE}} with `write` for each member's text.
template <class Write>
std::string nested(const std::vector<std::string>& path, const std::string& value, Write write) {
  std::string out = value;
  for (std::size_t i = path.size(); i-- > 0;) out = "{" + write(path[i], out, i) + "}";
  return out;
}

std::string member(const std::string& name, const std::string& value) {
  return "\"" + name + "\":" + value;
}

std::string folded(std::string name) {
  for (const auto& [from, to] : {std::pair("s", "\xC5\xBF"), std::pair("k", "\xE2\x84\xAA"), std::pair("S", "\xC5\xBF"),
                                 std::pair("K", "\xE2\x84\xAA")})
    if (name.contains(from)) return replace_all(name, from, to);
  return lower(name);
}

std::string escaped(const std::string& name) {
  std::string out;
  for (const char c : name) {
    char hex[8];
    std::snprintf(hex, sizeof hex, "\\u%04x", static_cast<unsigned>(c));
    out += hex;
  }
  return out;
}

std::vector<std::string> encodings_of(const Hostile& hostile) {
  const auto& path = hostile.path;
  const std::string& value = hostile.value;
  const auto each = [&](auto rename) {
    return nested(path, value, [&](const std::string& name, const std::string& inner, std::size_t) {
      return member(rename(name), inner);
    });
  };
  const auto last_of = [&](auto write) {
    return nested(path, value, [&](const std::string& name, const std::string& inner, std::size_t i) {
      return i + 1 == path.size() ? write(name, inner) : member(name, inner);
    });
  };
  const auto first_of = [&](auto write) {
    return nested(path, value, [&](const std::string& name, const std::string& inner, std::size_t i) {
      return i == 0 ? write(name, inner) : member(name, inner);
    });
  };
  const auto plain = each([](const std::string& name) { return name; });
  std::string upper_plain = plain;
  return {plain,
          each([](const std::string& name) { return lower(name); }),
          each([](std::string name) {
            for (char& c : name) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
            return name;
          }),
          each(folded),
          each(escaped),
          last_of([](const std::string& name, const std::string& v) {
            return member(name, "null") + "," + member(name, v);
          }),
          last_of([](const std::string& name, const std::string& v) {
            return member(name, v) + "," + member(name, "null");
          }),
          first_of([](const std::string& name, const std::string& v) {
            return member(name, v == "true" ? "false" : "{}") + "," + member(lower(name), v);
          }),
          first_of([](const std::string& name, const std::string& v) {
            return member(name, v) + "," + member(escaped(name), v);
          }),
          "\xEF\xBB\xBF" + plain,
          plain + "trailing",
          std::string(2u << 20, ' ') + plain,
          "\n\t " + plain + " \r\n",
          last_of([](const std::string& name, const std::string& v) { return "\"x\":1," + member(name, v); })};
}

std::string with_name(const Hostile& hostile, std::string text) {
  if (std::string_view(hostile.operation) != "networks.create") return text;
  const auto brace = text.find('{');
  return text.insert(brace + 1, "\"Name\":\"n\",");
}

TEST(Hostile, NothingGetsThrough) {
  const Policy policy = *named_policy("operate");
  std::vector<Hostile> all = of_host_config();
  for (auto& each : of_others()) all.push_back(std::move(each));
  for (auto& each : of_services()) all.push_back(std::move(each));
  std::size_t cases = 0, through = 0, named = 0;
  for (const Hostile& hostile : all) {
    Verdict head;
    head.match = {find_operation(hostile.operation), "x"};
    bool first = true;
    for (const std::string& text : encodings_of(hostile)) {
      ++cases;
      const Verdict verdict = decide_body(policy, head, with_name(hostile, text));
      if (verdict.allowed()) {
        ++through;
        ADD_FAILURE() << hostile.operation << " " << text.substr(0, 300) << " -> " << verdict.body.substr(0, 300);
      }
      // The plain spelling is refused for what it asks, not for how it is written.
      if (first) named += verdict.rule != "body";
      if (first) EXPECT_NE(verdict.rule, "body") << text;
      first = false;
    }
  }
  std::printf("hostile bodies: %zu of %zu fields and values, %zu through\n", cases, all.size(), through);
  EXPECT_GE(cases, 800u);
  EXPECT_EQ(through, 0u);
  EXPECT_EQ(named, all.size());
}

TEST(Hostile, TheHarmlessOnesPass) {
  const Policy policy = *named_policy("operate");
  Verdict head;
  head.match = {find_operation("containers.create"), ""};
  for (const char* text :
       {R"({"Image":"a","HostConfig":{"Privileged":false,"NetworkMode":"bridge","Binds":["data:/d"],"CapAdd":["CHOWN"],
             "CapDrop":["ALL"],"SecurityOpt":["no-new-privileges"],"Devices":[],"MaskedPaths":null,"PidMode":"",
             "Mounts":[{"Type":"tmpfs","Target":"/t"},{"Type":"volume","Source":"v","Target":"/v"}],
             "Sysctls":{"net.ipv4.ip_forward":"1"},"LogConfig":{"Type":"","Config":{}},"RestartPolicy":{"Name":"no"}}})",
        R"({"Image":"a","Cmd":"x","Entrypoint":null,"Labels":{"a":"b"},"ExposedPorts":{"80/tcp":{}},
            "NetworkingConfig":{"EndpointsConfig":{"n":{"Aliases":["a"]},"m":null}},
            "HostConfig":{"PortBindings":{"80/tcp":[{"HostPort":"8080"}],"81/tcp":null},"Links":["a:b"]}})"}) {
    const Verdict verdict = decide_body(policy, head, text);
    EXPECT_TRUE(verdict.allowed()) << verdict.rule << ": " << verdict.message;
  }
}

TEST(Hostile, GrantsOpenWhatTheyName) {
  Policy policy = *named_policy("core");
  policy.roots = {"/var/lib/berth/projects"};
  policy.hidden = {"/srv/engine.sock"};
  policy.exceptions = {{"shop", "privileged"}, {"shop", "binds=/srv/media"}, {"shop", "hidden-paths=/run/docker.sock"}};
  Verdict head;
  head.match = {find_operation("containers.create"), ""};
  const auto rule_of = [&](const std::string& project, const std::string& host) {
    return decide_body(policy, head,
                       R"({"Labels":{"com.docker.compose.project":")" + project + R"("},"HostConfig":)" + host + "}")
        .rule;
  };
  EXPECT_EQ(rule_of("shop", R"({"Privileged":true})"), "");
  EXPECT_EQ(rule_of("other", R"({"Privileged":true})"), "privileged");
  EXPECT_EQ(rule_of("shop", R"({"Binds":["/srv/media/a:/a"]})"), "");
  EXPECT_EQ(rule_of("other", R"({"Binds":["/srv/media/a:/a"]})"), "binds");
  EXPECT_EQ(rule_of("other", R"({"Binds":["/var/lib/berth/projects/x:/a"]})"), "");
  EXPECT_EQ(rule_of("other", R"({"Binds":["/var/lib/berth/projectsx:/a"]})"), "binds");
  EXPECT_EQ(rule_of("other", R"({"Binds":["/srv:/a"]})"), "hidden-paths");
  EXPECT_EQ(rule_of("shop", R"({"Binds":["/run/docker.sock:/s:ro"]})"), "");
  EXPECT_EQ(rule_of("shop", R"({"Binds":["/run:/s:ro"]})"), "hidden-paths");
}

}  // namespace
}  // namespace berth::broker
