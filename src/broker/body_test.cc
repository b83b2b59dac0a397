#include "broker/body.h"

#include <gtest/gtest.h>

#include "broker/bind.h"
#include "broker/query.h"
#include "http/url.h"

namespace berth::broker {
namespace {

std::string error_of(std::string_view name, std::string_view text) {
  const auto read = examine(name, text);
  return read ? "" : read.error().message;
}

std::vector<std::string> rules_in(std::string_view text) {
  const auto read = examine("container", text);
  if (!read) return {"invalid: " + read.error().message};
  std::vector<std::string> out;
  for (const Finding& each : read->findings) out.push_back(each.rule + (each.value.empty() ? "" : "=" + each.value));
  return out;
}

TEST(Body, ComesBackInOneSpelling) {
  const auto read = examine("container", R"( {"Image":"a","\u0043md":["x"],"HostConfig":{"CapAdd":["cap_chown"],
      "Binds":["data:/d/:ro"],"MaskedPaths":null,"ContainerIDFile":"x"}} )");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->body.dump(), R"({"Image":"a","Cmd":["x"],"HostConfig":{"CapAdd":["CHOWN"],"Binds":["data:/d:ro"]}})");
  EXPECT_TRUE(read->findings.empty());
}

TEST(Body, RefusesWhatAnEngineReadsInAnotherWay) {
  EXPECT_NE(error_of("container", R"({"hostConfig":{}})"), "");
  EXPECT_NE(error_of("container", "{\"Ho\xC5\xBFtConfig\":{}}"), "");
  EXPECT_EQ(error_of("container", R"({"HostConfig":{},"HostConfig":{}})"), "an object has a key twice");
  EXPECT_EQ(error_of("container", R"({"Labels":{"a":"1","\u0061":"2"}})"), "an object has a key twice");
  EXPECT_NE(error_of("container", R"({"Image":"a"} x)"), "");
  EXPECT_NE(error_of("container", "\xEF\xBB\xBF{}"), "");
  EXPECT_NE(error_of("container", std::string(100'000, ' ') + "{}"), "");
  EXPECT_NE(error_of("container", R"(["a"])"), "");
  EXPECT_EQ(error_of("container", R"({"HostConfig":{"Memory":"1"}})"), "HostConfig.Memory: is not an integer");
  EXPECT_NE(error_of("container", R"({"HostConfig":{"Memory":1e3}})"), "");
  EXPECT_NE(error_of("container", R"({"Image":"a\u0000b"})"), "");
  EXPECT_EQ(error_of("container", R"({"Labels":{":":"a:b\\\":"}})"), "");
  EXPECT_EQ(error_of("exec", ""), "");
}

// What dockerode and python3-docker say besides: none of it goes on, and it opens nothing.
TEST(Body, LeavesOutWhatClientsRepeat) {
  const auto sent = [](std::string_view operation, std::string_view text) {
    const auto read = examine(*find_operation(operation), text);
    return read ? read->body.dump() : read.error().message;
  };
  EXPECT_EQ(sent("containers.create", R"({"name":"x","platform":"","Dns":["1.1.1.1"],"VolumesFrom":["x"],"Tty":true})"),
            R"({"Tty":true})");
  EXPECT_EQ(sent("secrets.update", R"({"version":7,"Name":"x"})"), R"({"Name":"x"})");
  EXPECT_EQ(sent("secrets.update", R"({"Version":7})"),
            "Version: is not a known member (names are read with their case)");
  EXPECT_EQ(sent("containers.create", R"({"NetworkingConfig":{"bridge":null}})"), R"({"NetworkingConfig":{}})");
  EXPECT_NE(sent("containers.create", R"({"NetworkingConfig":{"bridge":{}}})").find("is not a known member"),
            std::string::npos);
  EXPECT_NE(sent("containers.create", R"({"HostConfig":{"bridge":null}})").find("is not a known"), std::string::npos);
  Findings findings;
  const auto asked = [&](std::string_view operation, std::string_view text) {
    const auto query = read_query(*find_operation(operation), text, findings);
    return query ? http::encode_query(*query) : query.error().message;
  };
  EXPECT_EQ(asked("containers.create", "name=x&HostConfig=%7B%22Privileged%22%3Atrue%7D&Image=y"), "name=x");
  EXPECT_EQ(asked("containers.create", "hostconfig=1"), "\"hostconfig\" is not a parameter of this operation");
  EXPECT_EQ(asked("containers.attach", "stdin=1&hijack=true"), "stdin=1");
  const Operation& stop = *find_operation("containers.stop");
  EXPECT_TRUE(says_nothing(stop, R"({"t":3})"));
  EXPECT_FALSE(says_nothing(stop, R"({"T":3})"));
  EXPECT_FALSE(says_nothing(stop, R"({"t":3,"HostConfig":{}})"));
}

TEST(Body, FindsWhatNeedsAGrant) {
  using List = std::vector<std::string>;
  EXPECT_EQ(rules_in(R"({"HostConfig":{"Privileged":true}})"), List{"privileged"});
  EXPECT_EQ(rules_in(R"({"HostConfig":{"NetworkMode":"host","PidMode":"host","IpcMode":"shareable"}})"),
            (List{"host-network=host", "host-pid=host"}));
  EXPECT_EQ(rules_in(R"({"HostConfig":{"NetworkMode":"container:x"}})"), List{"container-namespaces=x"});
  EXPECT_EQ(rules_in(R"({"HostConfig":{"CapAdd":["all","CAP_NET_ADMIN","kill"]}})"),
            (List{"capabilities=ALL", "capabilities=NET_ADMIN"}));
  EXPECT_EQ(rules_in(R"({"HostConfig":{"MaskedPaths":[]}})"), List{"masked-paths"});
  EXPECT_EQ(rules_in(R"({"HostConfig":{"Sysctls":{"net.core.somaxconn":"1","kernel.shmmax":"1","vm.x":"1"}}})"),
            List{"sysctls=vm.x"});
  EXPECT_EQ(rules_in(R"({"HostConfig":{"LogConfig":{"Type":"syslog"}}})"), List{"log-driver=syslog"});
  EXPECT_EQ(rules_in(R"({"HostConfig":{"SecurityOpt":["no-new-privileges","seccomp=unconfined"]}})"),
            List{"security-options=seccomp=unconfined"});
}

TEST(Body, FindsBindsInEverySpelling) {
  using List = std::vector<std::string>;
  EXPECT_EQ(rules_in(R"({"HostConfig":{"Binds":["/etc/:/e:ro"]}})"), List{"binds=/etc"});
  for (const char* source : {"/etc/../etc", "//etc", "/./etc", "./etc", "../etc", "/etc/.", "~/x", "C:\\\\x", ""})
    EXPECT_EQ(rules_in(R"({"HostConfig":{"Binds":[")" + std::string(source) + R"(:/e"]}})").at(0).substr(0, 13),
              "bind-spelling")
        << source;
  EXPECT_EQ(rules_in(R"({"HostConfig":{"Mounts":[{"Type":"bind","Source":"/etc/","Target":"/e"}]}})"),
            List{"binds=/etc"});
  EXPECT_EQ(rules_in(R"({"HostConfig":{"Mounts":[{"Type":"volume","Source":"/etc","Target":"/e"}]}})"),
            List{"bind-spelling=/etc"});
  EXPECT_EQ(rules_in(R"({"HostConfig":{"Mounts":[{"Type":"volume","Target":"/e","VolumeOptions":{"DriverConfig":
                     {"Name":"local","Options":{"type":"none","o":"bind","device":"/etc"}}}}]}})"),
            List{"binds=/etc"});
  EXPECT_EQ(rules_in(R"({"HostConfig":{"VolumesFrom":["other:ro"]}})"), List{"volumes-from=other"});
  EXPECT_EQ(rules_in(R"({"Volumes":{"/etc:/e":{}}})"), List{"bind-spelling=/etc:/e"});
  const auto volume = [](const char* options) {
    const auto read = examine("volume", R"({"Name":"v","DriverOpts":)" + std::string(options) + "}");
    return read && !read->findings.empty() ? read->findings[0].rule + "=" + read->findings[0].value : "";
  };
  EXPECT_EQ(volume(R"({"type":"none","o":"bind","device":"/etc/"})"), "binds=/etc");
  EXPECT_EQ(volume(R"({"o":"ro,rbind","device":"/etc"})"), "binds=/etc");
  EXPECT_EQ(volume(R"({"type":"none","o":"bind","device":"/etc/../x"})"), "volume-options=none");
  EXPECT_EQ(volume(R"({"type":"ext4","device":"/dev/sda1"})"), "volume-options=ext4");
  EXPECT_EQ(volume(R"({"type":"overlay","o":"lowerdir=/etc","device":"overlay"})"), "volume-options=overlay");
  EXPECT_EQ(volume(R"({"type":"nfs","o":"addr=10.0.0.1","device":":/x"})"), "volume-options=nfs");
  EXPECT_EQ(volume(R"({"type":"tmpfs","o":"size=1m,uid=1","device":"tmpfs"})"), "");
}

TEST(Bind, KnowsItsPaths) {
  EXPECT_EQ(canonical_path("/a/b/"), "/a/b");
  EXPECT_FALSE(canonical_path("/a//b"));
  EXPECT_TRUE(is_beneath("/srv/a", "/srv"));
  EXPECT_FALSE(is_beneath("/srvx", "/srv"));
  EXPECT_TRUE(shows_hidden("/run", {"/run/docker.sock"}));
  EXPECT_TRUE(shows_hidden("/", {"/run/docker.sock"}));
  EXPECT_TRUE(shows_hidden("/var/run/docker.sock", always_hidden()));
  EXPECT_FALSE(shows_hidden("/srv", always_hidden()));
}

}  // namespace
}  // namespace berth::broker
