// Containers as real tools made them on a real engine (dockerd 20.10.24): nothing must seem to differ.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "compose/plan.h"
#include "compose/plan_world_test.h"

namespace berth::compose {
namespace {

Json read_json(const std::string& name) {
  std::ifstream file(TESTDATA "/recorded/" + name);
  std::stringstream text;
  text << file.rdbuf();
  auto json = parse_json(text.str());
  EXPECT_TRUE(json) << name;
  return json ? *std::move(json) : Json();
}

plan::Replies replies_of(const Json& recorded) {
  plan::Replies replies{.version = *engine::parse_api_version(recorded["api"].text())};
  replies.containers = recorded["containers"].items();
  replies.networks = recorded["networks"].items();
  replies.volumes = recorded["volumes"].items();
  for (const auto& [reference, inspect] : recorded["images"].members()) replies.images.emplace_back(reference, inspect);
  return replies;
}

struct Recorded {
  Project project;
  plan::Replies replies;
};
Recorded recorded(const std::string& name) {
  return {testing::project_of(read_json(name + ".config.json")), replies_of(read_json(name + ".json"))};
}

plan::Plan plan_of(const Recorded& world) {
  auto plan = plan_up(world.project, plan::observed_from(wanted(world.project), world.replies));
  EXPECT_TRUE(plan) << (plan ? "" : plan.error().text());
  return plan ? *std::move(plan) : plan::Plan();
}

std::string nodes_of(const plan::Plan& plan) {
  std::string text;
  for (const plan::Node& node : plan.nodes)
    text += node.subject + ' ' + std::string(name_of(node.op)) + ": " + node.cause + '\n';
  return text;
}

TEST(Recorded, NothingDiffersAfterDockerCompose2) {
  const plan::Plan plan = plan_of(recorded("compose-2.26"));
  EXPECT_EQ(nodes_of(plan), "");
  EXPECT_EQ(plan.keeps.size(), 11u) << plan.to_text();
}

TEST(Recorded, NothingDiffersAfterDockerCompose1) {
  // The job is nobody's dependency, so that its end is not known to be its purpose.
  EXPECT_EQ(nodes_of(plan_of(recorded("compose-1.29"))), "service:job:1 StartContainer: exited with status 0\n");
}

TEST(Recorded, NothingDiffersAfterDockerRun) {
  Recorded world = recorded("by-hand");
  world.replies.networks.push_back(
      Json::object({{"Name", "hand_default"},
                    {"Id", world.replies.containers[0]["NetworkSettings"]["Networks"]["hand_default"]["NetworkID"]}}));
  world.replies.volumes.push_back(Json::object({{"Name", "hand_data"}, {"Driver", "local"}}));
  EXPECT_EQ(nodes_of(plan_of(world)), "");
}

// Each change of the configuration shows as exactly its field.
struct Change {
  std::string service;
  std::string attribute;
  std::string value;  // JSON
  std::string expected;
};
void PrintTo(const Change& change, std::ostream* out) {
  *out << change.service << '.' << change.attribute << '=' << change.value;
}
class RecordedChange : public ::testing::TestWithParam<Change> {};

TEST_P(RecordedChange, ShowsAsItsField) {
  const Change& change = GetParam();
  Recorded world = recorded("compose-2.26");
  for (Service& service : world.project.services)
    if (service.name == change.service) service.config.set(change.attribute, *parse_json(change.value));
  const plan::Plan plan = plan_of(world);
  std::string causes;
  for (const plan::Node& node : plan.nodes)
    if (std::holds_alternative<plan::CreateContainer>(node.op) && node.group == change.service) causes = node.cause;
  EXPECT_EQ(causes, change.expected) << plan.to_text();
}

INSTANTIATE_TEST_SUITE_P(
    Fields, RecordedChange,
    ::testing::Values(
        Change{"db", "environment", R"({"DB_PASSWORD":"pw","DEBUG":"True"})", R"(Env.DEBUG: "False" -> "True")"},
        Change{"db", "environment", R"({"DB_PASSWORD":"longer","DEBUG":"False"})",
               "Env.DB_PASSWORD: changed (2 -> 6 bytes)"},
        Change{"db", "environment", R"({"DEBUG":"False"})", "Env.DB_PASSWORD: removed (2 bytes)"},
        Change{"db", "command", R"(["sleep","9"])", R"(Cmd: ["sleep","infinity"] -> ["sleep","9"])"},
        Change{"db", "entrypoint", R"(["env"])", R"(Entrypoint: absent -> ["env"])"},
        Change{"db", "user", R"("1000")", R"(User: absent -> "1000")"},
        Change{"db", "hostname", R"("h")", R"(Hostname: absent -> "h")"},
        Change{"db", "working_dir", R"("/w/")", R"(WorkingDir: absent -> "/w")"},
        Change{"db", "labels", R"({"x":"1"})", R"(Labels.x: absent -> "1")"},
        Change{"db", "stop_signal", R"("SIGTERM")", ""},
        Change{"db", "stop_signal", R"("2")", R"(StopSignal: absent -> "INT")"},
        Change{"db", "stop_grace_period", R"("2s")", "StopTimeout: 1 -> 2"},
        Change{"db", "tty", "true", "Tty: absent -> true"}, Change{"db", "restart", R"("no")", ""},
        Change{"db", "restart", R"("always")", R"(HostConfig.RestartPolicy: absent -> "always")"},
        Change{"db", "mem_limit", R"("64m")", "HostConfig.Memory: absent -> 67108864"},
        Change{"db", "cpus", "1.5", "HostConfig.NanoCpus: absent -> 1500000000"},
        Change{"db", "shm_size", R"("64m")", ""},
        Change{"db", "ulimits", R"({"nofile":{"soft":1,"hard":2},"nproc":500})",
               R"(HostConfig.Ulimits.nofile: "1000:2000" -> "1:2")"},
        Change{"db", "privileged", "true", "HostConfig.Privileged: absent -> true"},
        Change{"db", "cap_add", R"(["CAP_CHOWN"])", R"(HostConfig.CapAdd: absent -> ["CHOWN"])"},
        Change{"db", "volumes", R"([{"type":"volume","source":"dbdata","target":"/var/lib/db"}])",
               R"(Mounts./anon: {"Type":"volume"} -> absent)"},
        Change{"db", "healthcheck",
               R"({"test":["CMD","true"],"interval":"3s","timeout":"1s","retries":5,"start_period":"1s"})",
               "Healthcheck.Interval: 2000000000 -> 3000000000"},
        Change{"db", "healthcheck",
               R"({"test":["CMD","false"],"interval":"2s","timeout":"1s","retries":5,"start_period":"1s"})",
               R"(Healthcheck.Test: ["CMD","true"] -> ["CMD","false"])"},
        Change{"db", "networks", R"({"back":{"aliases":["other"]}})",
               R"(Networks.proj_back.Aliases: ["database"] -> ["other"])"},
        Change{"db", "networks", R"({"back":{"aliases":["database"],"ipv4_address":"10.99.0.7"}})",
               R"(Networks.proj_back.IPv4Address: absent -> "10.99.0.7")"},
        Change{"web", "cap_add", R"(["chown"])", ""},
        Change{
            "web", "ports", R"([{"target":80,"published":"8080","protocol":"tcp"},{"target":443,"protocol":"tcp"}])",
            R"(HostConfig.PortBindings.9000/udp: ["127.0.0.1:9000"] -> absent; HostConfig.PortBindings.9001/udp: ["127.0.0.1:9001"] -> absent)"},
        Change{"web", "dns", R"(["8.8.8.8"])", R"(HostConfig.Dns: ["1.1.1.1"] -> ["8.8.8.8"])"},
        Change{"web", "init", "null", ""},
        Change{"web", "healthcheck", R"({"disable":true})",
               R"(Healthcheck.Interval: 7000000000 -> absent; Healthcheck.Test: ["CMD-SHELL","true"] -> ["NONE"])"},
        Change{"web", "environment", R"({"LANG":"de"})", R"(Env.LANG: absent -> "de")"},
        Change{"web", "environment", R"({"LANG":"C"})", ""},
        Change{"web", "environment", R"({"LANG":null})", R"(Env.LANG: absent -> removed)"},
        Change{"web", "tmpfs", R"(["/run:size=64k"])", R"(Mounts./tmp: {"Options":"","Type":"tmpfs"} -> absent)"},
        Change{"web", "image", R"("docker.io/library/app:1")", ""},
        Change{"web", "extra_hosts", R"(["h=9.9.9.9"])",
               R"(HostConfig.ExtraHosts: ["h:1.2.3.4","host.docker.internal:host-gateway"] -> ["h:9.9.9.9"])"},
        Change{"hostnet", "restart", R"("on-failure:5")",
               R"(HostConfig.RestartPolicy: "on-failure:3" -> "on-failure:5")"},
        Change{"hostnet", "hostname", R"("brec")", ""},
        Change{"side", "network_mode", R"("host")", R"(HostConfig.NetworkMode: "container:f3bf9864ef78" -> "host")"},
        Change{"none", "entrypoint", R"([""])", ""},
        Change{"none", "command", R"(["x"])", R"(Cmd: ["sleep","infinity"] -> ["x"])"}));

}  // namespace
}  // namespace berth::compose
