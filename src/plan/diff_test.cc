#include "plan/diff.h"

#include <gtest/gtest.h>

namespace berth::plan {
namespace {

Json json(const char* text) {
  return *parse_json(text);
}

std::string differences(const std::vector<Difference>& list) {
  std::string text;
  for (const Difference& one : list) text += to_text(one) + '\n';
  return text;
}

// A body against an inspect, both written down; whoever made the container.
std::string diff(const char* body, const char* inspect, const char* image = "{}") {
  const Json wanted = json(body);
  const Container container = parse_container(json(inspect));
  const Image config{.id = container.image_id, .config = json(image)};
  return differences(diff_container({.body = wanted, .container = container, .image = &config, .image_of = &config}));
}

TEST(Diff, TakesAwayWhatTheImageSupplies) {
  const char* image =
      R"({"Env":["PATH=/bin","A=1"],"Cmd":["serve"],"Entrypoint":["/init"],"User":"app","WorkingDir":"/srv",
    "Labels":{"maintainer":"x"},"ExposedPorts":{"80/tcp":{}},"Volumes":{"/data":{}},"StopSignal":"SIGQUIT",
    "Healthcheck":{"Test":["CMD","true"],"Interval":5}})";
  const char* inspect = R"({"Config":{"Env":["PATH=/bin","A=1"],"Cmd":["serve"],"Entrypoint":["/init"],"User":"app",
    "WorkingDir":"/srv","Labels":{"maintainer":"x"},"ExposedPorts":{"80/tcp":{}},"Volumes":{"/data":{}},"StopSignal":"SIGQUIT",
    "Healthcheck":{"Test":["CMD","true"],"Interval":5}},"HostConfig":{}})";
  EXPECT_EQ(diff("{}", inspect, image), "");
  EXPECT_EQ(diff(R"({"Env":["A=2"]})", inspect, image), "Env.A: absent -> \"2\"\n");
  EXPECT_EQ(diff(R"({"Entrypoint":["/other"]})", inspect, image),
            "Cmd: [\"serve\"] -> absent\nEntrypoint: [\"/init\"] -> [\"/other\"]\n");
  EXPECT_EQ(diff(R"({"Healthcheck":{"Interval":6}})", inspect, image), "Healthcheck.Interval: 5 -> 6\n");
}

TEST(Diff, TakesAwayWhatEnginesFillIn) {
  EXPECT_EQ(diff("{}", R"({"Id":"0123456789abcdef","Config":{"Hostname":"0123456789ab","StopSignal":"SIGTERM"},
    "HostConfig":{"NetworkMode":"default","RestartPolicy":{"Name":"no"},"LogConfig":{"Type":"journald","Config":{"tag":"x"}},
    "IpcMode":"shareable","CgroupnsMode":"private","Runtime":"runc","ShmSize":134217728,"MemorySwappiness":-1,"PidsLimit":0,
    "OomKillDisable":false,"Ulimits":[{"Name":"nofile","Soft":1,"Hard":1}],"Init":null,
    "MaskedPaths":["/proc/kcore"],"ConsoleSize":[0,0]}})"),
            "");
  EXPECT_EQ(diff(R"({"HostConfig":{"Memory":10,"Privileged":true}})",
                 R"({"HostConfig":{"Memory":10,"MemorySwap":20,"Privileged":true,"SecurityOpt":["label=disable"]}})"),
            "");
}

TEST(Diff, ForgivesWhatTheKernelLacks) {
  EXPECT_EQ(diff(R"({"HostConfig":{"Memory":10,"BlkioWeight":300,"MemorySwappiness":0,"OomKillDisable":true}})",
                 R"({"HostConfig":{"Memory":10,"MemorySwap":-1,"MemorySwappiness":null,"OomKillDisable":null}})"),
            "");
  EXPECT_EQ(diff(R"({"HostConfig":{"MemorySwap":20}})", R"({"HostConfig":{"MemorySwap":-1}})"),
            "HostConfig.MemorySwap: -1 -> 20\n");
  EXPECT_EQ(diff(R"({"HostConfig":{"BlkioWeight":300}})", R"({"HostConfig":{"BlkioWeight":200}})"),
            "HostConfig.BlkioWeight: 200 -> 300\n");
}

TEST(Diff, TrustsItsOwnContainersMore) {
  const char* made = R"({"Config":{"Labels":{"berth.schema":"1"}},"HostConfig":{"LogConfig":{"Type":"json-file",
    "Config":{"max-size":"1m"}},"ShmSize":1}})";
  EXPECT_EQ(diff("{}", made),
            "HostConfig.LogConfig.Config.max-size: \"1m\" -> absent\nHostConfig.ShmSize: 1 -> absent\n");
}

TEST(Diff, SeesWhatWasAskedForAndIsThereNoMore) {
  EXPECT_EQ(
      diff("{}", R"({"Config":{"Env":["A=1"],"Labels":{"x":"1"},"User":"u","Tty":true},"HostConfig":{"CapAdd":["CHOWN"],
    "Dns":["1.1.1.1"],"Binds":["/a:/b"],"ReadonlyRootfs":true}})"),
      "Env.A: \"1\" -> absent\nHostConfig.CapAdd: [\"CHOWN\"] -> absent\nHostConfig.Dns: [\"1.1.1.1\"] -> absent\n"
      "HostConfig.ReadonlyRootfs: true -> absent\nLabels.x: \"1\" -> absent\n"
      "Mounts./b: {\"Source\":\"/a\",\"Type\":\"bind\"} -> absent\nTty: true -> absent\nUser: \"u\" -> absent\n");
}

TEST(Diff, KnowsOneMountInAllItsForms) {
  const char* by_mounts = R"({"HostConfig":{"Mounts":[{"Type":"volume","Source":"v","Target":"/v","VolumeOptions":{}},
    {"Type":"bind","Source":"/a/","Target":"/b","ReadOnly":true}]}})";
  EXPECT_EQ(
      diff(by_mounts, R"({"Config":{"Volumes":{"/v":{},"/b":{}}},"HostConfig":{"Binds":["v:/v:rw","/a:/b/:ro"]}})"),
      "");
  EXPECT_EQ(
      diff(by_mounts, R"({"HostConfig":{"Binds":["v:/v:rw","/a:/b:rw"]}})"),
      "Mounts./b: {\"Source\":\"/a\",\"Type\":\"bind\"} -> {\"ReadOnly\":true,\"Source\":\"/a\",\"Type\":\"bind\"}\n");
  const std::string inherited =
      R"({"HostConfig":{"Mounts":[{"Type":"volume","Source":")" + std::string(64, 'a') + R"(","Target":"/n"}]}})";
  EXPECT_EQ(diff(R"({"HostConfig":{"Mounts":[{"Type":"volume","Target":"/n"}]}})", inherited.c_str()), "");
}

TEST(Diff, ComparesReferencesAsPeopleMeanThem) {
  const auto image = [](const char* wanted, const char* was) {
    return diff((std::string(R"({"Image":")") + wanted + "\"}").c_str(),
                (std::string(R"({"Config":{"Image":")") + was + "\"}}").c_str());
  };
  EXPECT_EQ(image("nginx", "docker.io/library/nginx:latest"), "");
  EXPECT_EQ(image("host:5000/a", "host:5000/a:latest"), "");
  EXPECT_EQ(image("nginx:1", "sha256:abc"), "") << "the ids are equal";
  EXPECT_EQ(image("nginx:2", "nginx:1"), "Image: \"nginx:1\" -> \"nginx:2\"\n");
}

TEST(Diff, SeesANewImageOfTheSameName) {
  const Json body = json(R"({"Image":"web:1"})");
  const Container container = parse_container(json(R"({"Image":"sha256:1111","Config":{"Image":"web:1"}})"));
  const Image now{.id = "sha256:2222"};
  EXPECT_EQ(differences(diff_container({.body = body, .container = container, .image = &now})),
            "Image: sha256:1111 -> sha256:2222\n");
  EXPECT_EQ(differences(diff_container({.body = body, .container = container})), "") << "not known yet";
}

TEST(Diff, LeavesOthersNetworksAlone) {
  const char* body = R"({"HostConfig":{"NetworkMode":"shop_a"},"NetworkingConfig":{"EndpointsConfig":{"shop_a":{}}}})";
  const char* inspect =
      R"({"Config":{"Labels":{"com.docker.compose.project":"shop"}},"HostConfig":{"NetworkMode":"shop_a"},
    "NetworkSettings":{"Networks":{"shop_a":{},"proxy":{"Aliases":["x"]},"shop_b":{}}}})";
  EXPECT_EQ(diff(body, inspect), "Networks.shop_b: true -> absent\n");
}

TEST(Diff, TakesTheHashAsAShortCutOnly) {
  const Container container = parse_container(json(R"({"Config":{"User":"a","Labels":{"berth.hash":"h"}},
    "HostConfig":{"NetworkMode":"container:old"}})"));
  const Json same = json(R"({"User":"b","Labels":{"berth.hash":"h"},"HostConfig":{"NetworkMode":"container:new"}})");
  EXPECT_EQ(differences(diff_container({.body = same, .container = container})),
            "HostConfig.NetworkMode: \"container:old\" -> \"container:new\"\n")
      << "ids of others are no part of it";
  const Json other = json(R"({"User":"a","Labels":{"berth.hash":"g"},"HostConfig":{"NetworkMode":"container:old"}})");
  EXPECT_EQ(differences(diff_container({.body = other, .container = container})), "")
      << "another hash alone is nothing";
}

TEST(Diff, HashesWhatMattersOnly) {
  const std::string hash = hash_of_body(json(R"({"Image":"a","Env":["A=1","B=2"],"Labels":{"x":"1"}})"));
  EXPECT_EQ(hash.size(), 64u);
  EXPECT_EQ(
      hash,
      hash_of_body(json(
          R"({"Labels":{"com.docker.compose.version":"9","x":"1"},"Env":["B=2","A=1"],"Image":"a","AttachStdout":true})")));
  EXPECT_NE(hash, hash_of_body(json(R"({"Image":"b","Env":["A=1","B=2"],"Labels":{"x":"1"}})")));
  EXPECT_NE(hash, hash_of_body(json(R"({"Image":"a","Env":["A=1","B=3"],"Labels":{"x":"1"}})")));
}

TEST(Diff, PrintsNoSecretAndNoEndlessText) {
  EXPECT_EQ(to_text(Difference{"Env.A", "x", {}, false}), "Env.A: \"x\" -> absent");
  EXPECT_EQ(to_text(Difference{"Env.KEY", "12345678", "123456789012", true}), "Env.KEY: changed (8 -> 12 bytes)");
  const std::string text = to_text(Difference{"Cmd", std::string(1000, 'a'), {}, false});
  EXPECT_LT(text.size(), 160u);
  EXPECT_NE(text.find("..."), std::string::npos);
}

TEST(DiffNetwork, ComparesWhatWasAskedFor) {
  const Network network = parse_network(json(R"({"Driver":"bridge","Internal":false,"Attachable":true,"EnableIPv6":true,
    "IPAM":{"Driver":"default","Config":[{"Subnet":"10.0.0.0/24","Gateway":"10.0.0.1"}]},"Options":{"mtu":"1500"},"Labels":{"x":"1"}})"));
  EXPECT_EQ(differences(diff_network(json("{}"), network)), "");
  EXPECT_EQ(
      differences(diff_network(json(R"({"Driver":"bridge","IPAM":{"Config":[{"Subnet":"10.0.0.0/24"}]}})"), network)),
      "");
  EXPECT_EQ(
      differences(diff_network(json(R"({"Driver":"macvlan","Internal":true,"Options":{"mtu":"9000"},"Labels":{"x":"2"},
    "IPAM":{"Config":[{"Subnet":"10.0.0.0/24","Gateway":"10.0.0.9"},{"Subnet":"10.1.0.0/24"}]}})"),
                               network)),
      "Driver: \"bridge\" -> \"macvlan\"\nInternal: false -> true\nOptions.mtu: \"1500\" -> \"9000\"\n"
      "IPAM.Config.10.0.0.0/24.Gateway: \"10.0.0.1\" -> \"10.0.0.9\"\n"
      "IPAM.Config.10.1.0.0/24: [{\"Gateway\":\"10.0.0.1\",\"Subnet\":\"10.0.0.0/24\"}] -> "
      "{\"Subnet\":\"10.1.0.0/24\"}\n"
      "Labels.x: \"1\" -> \"2\"\n");
}

TEST(DiffVolume, ComparesBothWays) {
  const Volume volume = parse_volume(json(R"({"Driver":"local","Options":{"type":"nfs","o":"addr=1"},"Labels":null})"));
  EXPECT_EQ(differences(diff_volume(json(R"({"DriverOpts":{"type":"nfs","o":"addr=1"}})"), volume)), "");
  EXPECT_EQ(
      differences(diff_volume(json(R"({"Driver":"rexray","DriverOpts":{"type":"nfs","o":"addr=2","x":"y"}})"), volume)),
      "Driver: \"local\" -> \"rexray\"\nDriverOpts.o: \"addr=1\" -> \"addr=2\"\nDriverOpts.x: absent -> \"y\"\n");
  EXPECT_EQ(differences(diff_volume(json("{}"), volume)),
            "DriverOpts.type: \"nfs\" -> absent\nDriverOpts.o: \"addr=1\" -> absent\n");
}

}  // namespace
}  // namespace berth::plan
