#include "broker/place.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace berth::broker {
namespace {

const std::string kId(64, 'a'), kOther(64, 'b');
using List = std::vector<std::string>;

TEST(Place, FindsItsIdWhereEnginesPutIt) {
  const std::string mounts = "1 0 0:50 / / rw - overlay overlay rw,upperdir=/x/" + kOther + "\n" +
                             "2 1 8:1 /var/lib/docker/containers/" + kId +
                             "/hostname /etc/hostname rw,relatime - ext4 /dev/sda1 rw\n" + "3 1 8:1 /docker/volumes/" +
                             kOther + "/_data /data rw - ext4 /dev/sda1 rw\n" +
                             "4 1 0:9 / /var/lib/docker/containers/" + kOther + "/mounts/shm rw - tmpfs shm rw\n";
  EXPECT_EQ(container_candidates(mounts, "", ""), List{kId});
  EXPECT_EQ(container_candidates("", "12:cpu:/docker/" + kId + "\n0::/\n", ""), List{kId});
  EXPECT_EQ(container_candidates("", "0::/system.slice/docker-" + kId + ".scope\n", ""), List{kId});
  EXPECT_EQ(container_candidates(mounts, "1:a:/docker/" + kOther, "0123456789ab"), (List{kId, kOther, "0123456789ab"}));
  for (const char* name : {"web", "0123456789a", "0123456789abc", "0123456789AB", "0123456789ag", ""})
    EXPECT_EQ(container_candidates("", "", name), List{}) << name;
  EXPECT_EQ(container_candidates("x\n \n1 2 3", "::\n/" + kId + "a", ""), List{});
  std::string many;
  for (char c = '0'; c <= '9'; ++c) many += "1:a:/docker/" + std::string(64, c) + "\n";
  EXPECT_EQ(container_candidates("", many, "").size(), 8u);
}

Json parsed(const std::string& text) {
  const auto value = parse_json(text);
  EXPECT_TRUE(value) << text;
  return value ? *value : Json();
}

Surroundings on(const std::string& endpoints, std::initializer_list<const char*> networks,
                const std::string& mode = "n") {
  Surroundings out{.container = parsed(R"({"Name":"/b","HostConfig":{"NetworkMode":")" + mode +
                                       R"("},"NetworkSettings":{"Networks":{)" + endpoints + "}}}")};
  for (const char* each : networks) out.networks.push_back(parsed(each));
  return out;
}

constexpr const char* kInternal = R"({"Id":"1","Name":"n","Driver":"bridge","Internal":true})";
constexpr const char* kOpen = R"({"Id":"2","Name":"m","Driver":"bridge","Internal":false})";
constexpr const char* kLan = R"({"Id":"3","Name":"lan","Driver":"macvlan","Internal":true})";
constexpr const char* kNone = R"({"Id":"4","Name":"none","Driver":"null","Internal":false})";
constexpr const char* kHost = R"({"Id":"5","Name":"host","Driver":"host","Internal":false})";

std::string endpoint(const std::string& name, const std::string& id, const std::string& address) {
  return "\"" + name + R"(":{"NetworkID":")" + id + R"(","IPAddress":")" + address +
         R"(","MacAddress":"02:42:0A:00:00:02","GlobalIPv6Address":""})";
}

const std::set<std::string> kOwn{"02:42:0a:00:00:02", "10.0.0.2"};

TEST(Place, AllNetworksInternalAndTheAddressesOurs) {
  const std::string n = endpoint("n", "1", "10.0.0.2");
  EXPECT_EQ(judge_place(on(n, {kInternal}), kOwn).reach, Reach::internal);
  EXPECT_EQ(judge_place(on(n, {kOpen, kInternal}), kOwn).reach, Reach::internal);  // one that it is not on
  const std::string none = R"("none":{"NetworkID":"4","IPAddress":"","MacAddress":""})";
  EXPECT_EQ(judge_place(on(none, {kNone}, "none"), {}).reach, Reach::internal);
  EXPECT_EQ(judge_place(on(none, {kNone}, "none"), kOwn).reach, Reach::unknown);
}

TEST(Place, OneOpenNetworkIsEnough) {
  const std::string both = endpoint("n", "1", "10.0.0.2") + "," + endpoint("m", "2", "10.1.0.2");
  const Place place = judge_place(on(both, {kInternal, kOpen}), kOwn);
  EXPECT_EQ(place.reach, Reach::open);
  EXPECT_TRUE(place.why.starts_with("network m of container b is not internal")) << place.why;
  EXPECT_EQ(judge_place(on(endpoint("lan", "3", "10.0.0.2"), {kLan}), kOwn).reach, Reach::open);
  EXPECT_EQ(judge_place(on(endpoint("host", "5", ""), {kHost}), kOwn).reach, Reach::open);
  EXPECT_EQ(judge_place(on("", {}, "host"), {}).reach, Reach::open);
}

// Another container, another engine's answer, or an interface that the engine did not make.
TEST(Place, WhatIsNotProvenIsUnknown) {
  const std::string n = endpoint("n", "1", "10.0.0.2");
  const auto reach = [&](const Surroundings& seen, const std::set<std::string>& own) {
    return judge_place(seen, own).reach;
  };
  EXPECT_EQ(reach(on(n, {kInternal}), {"02:42:0a:00:00:02", "10.0.0.3"}), Reach::unknown);
  EXPECT_EQ(reach(on(n, {kInternal}), {"02:42:0a:00:00:02", "10.0.0.2", "192.0.2.1"}), Reach::unknown);
  EXPECT_EQ(reach(on(n, {kInternal}), {"02:42:0a:00:00:02", "10.0.0.2", "tun0"}), Reach::unknown);
  EXPECT_EQ(reach(on(n, {kInternal}), {}), Reach::unknown);
  EXPECT_EQ(reach(on(n, {}), kOwn), Reach::unknown);
  EXPECT_EQ(reach(on(n, {R"({"Id":"1"})"}), kOwn), Reach::open);
  EXPECT_EQ(reach(on(R"("n":{})", {kInternal}), kOwn), Reach::unknown);
  EXPECT_EQ(reach(on(R"("n":null)", {R"({"Driver":"bridge","Internal":true})"}), {}), Reach::unknown);
  EXPECT_EQ(reach(on("", {}), kOwn), Reach::unknown);
  EXPECT_EQ(reach({}, kOwn), Reach::unknown);
  EXPECT_EQ(reach({}, {}), Reach::unknown);
  EXPECT_EQ(reach({.container = parsed(R"({"NetworkSettings":{"Networks":[]}})")}, {}), Reach::unknown);
}

}  // namespace
}  // namespace berth::broker
