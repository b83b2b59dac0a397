#include "broker/policy.h"

#include <gtest/gtest.h>

namespace berth::broker {
namespace {

bool allows(const Policy& policy, std::string_view operation) {
  return policy.allows(*find_operation(operation));
}

Result<Policy> read(std::string_view text) {
  return parse_policy(*parse_json(text), "file");
}

TEST(Policy, NamedOnesAreRead) {
  EXPECT_EQ(named_policies().size(), 6u);
  for (const NamedPolicy& each : named_policies()) EXPECT_TRUE(named_policy(each.name)) << each.name;
  const auto none = named_policy("root");
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().message, "no policy is named \"root\"; there are monitor, traefik, deploy, ci, operate, core");
}

TEST(Policy, MonitorHasNoTrap) {
  const Policy monitor = *named_policy("monitor");
  for (const char* trap : {"containers.logs", "containers.archive-get", "containers.archive-info", "containers.export",
                           "containers.attach-websocket", "containers.top", "images.save", "images.save-all",
                           "images.search", "images.distribution", "debug.pprof", "debug.vars", "session.grpc"})
    EXPECT_FALSE(allows(monitor, trap)) << trap;
  for (const Operation& each : operations())
    if (!each.reads()) EXPECT_FALSE(monitor.allows(each)) << each.name;
  EXPECT_EQ(monitor.replies, Replies::redacted);
}

TEST(Policy, WhatIsCarriedForNobodyCannotBeAllowed) {
  const auto all = read(R"({"allow": ["*"]})");
  ASSERT_TRUE(all);
  for (const Operation& each : operations()) EXPECT_EQ(all->allows(each), each.needs != Needs::refusal) << each.name;
}

TEST(Policy, FilesAreReadStrictly) {
  const auto good = read(R"({"extends": "monitor", "allow": ["containers.*"], "deny": ["containers.remove"],
                             "grants": ["capabilities=NET_ADMIN"], "binds": ["/srv/"], "replies": "labelled"})");
  ASSERT_TRUE(good) << good.error().message;
  EXPECT_TRUE(allows(*good, "containers.create"));
  EXPECT_FALSE(allows(*good, "containers.remove"));
  EXPECT_TRUE(allows(*good, "system.info"));
  EXPECT_EQ(good->roots, std::vector<std::string>{"/srv"});
  const auto message = [](std::string_view text) { return read(text).error().message; };
  EXPECT_EQ(message(R"({"allows": []})"), "\"allows\" is not a key of a policy (did you mean \"allow\"?)");
  EXPECT_EQ(message(R"({"allow": ["containers.lists"]})"),
            "operation \"containers.lists\" does not exist (did you mean \"containers.list\"?)");
  EXPECT_EQ(message(R"({"grants": ["priviledged"]})"), "\"priviledged\" is not a rule (did you mean \"privileged\"?)");
  EXPECT_EQ(message(R"({"binds": ["srv"]})"), "binds: \"srv\" is not an absolute path without .. parts");
  EXPECT_EQ(message(R"({"grants": ["binds"]})"), "binds needs an absolute path: binds=/srv/media");
  EXPECT_FALSE(read(R"({"replies": "some"})"));
  EXPECT_FALSE(read(R"({"body-limit": 1})"));
}

TEST(Policy, GrantsCoverWhatTheySay) {
  EXPECT_TRUE(covers("privileged", {"privileged", "", ""}));
  EXPECT_TRUE(covers("capabilities", {"capabilities", "ALL", ""}));
  EXPECT_FALSE(covers("capabilities=NET_ADMIN", {"capabilities", "ALL", ""}));
  EXPECT_TRUE(covers("binds=/srv", {"binds", "/srv/a", ""}));
  EXPECT_FALSE(covers("binds=/srv", {"binds", "/srvx", ""}));
  EXPECT_FALSE(covers("hidden-paths=/run", {"hidden-paths", "/run/docker.sock", ""}));
}

TEST(Policy, ExceptionsAreKeptAsText) {
  const std::vector<Exception> some{{"shop", "privileged"}, {"shop", "binds=/srv"}};
  EXPECT_EQ(*parse_exceptions(exceptions_text(some)), some);
  EXPECT_FALSE(parse_exceptions(R"({"grants": [{"project": "../x", "field": "privileged"}]})"));
  EXPECT_FALSE(parse_exceptions(R"({"grants": [{"project": "x", "field": "all"}]})"));
}

TEST(Environment, ReadsVariablesOfSocketProxy) {
  const Policy usual = *policy_of_environment({});
  EXPECT_TRUE(allows(usual, "system.ping"));
  EXPECT_TRUE(allows(usual, "system.version"));
  EXPECT_TRUE(allows(usual, "system.events"));
  EXPECT_FALSE(allows(usual, "containers.list"));
  const Policy some =
      *policy_of_environment({{"CONTAINERS", "1"}, {"POST", "0"}, {"ALLOW_RESTARTS", "1"}, {"PING", "0"}});
  EXPECT_TRUE(allows(some, "containers.list"));
  EXPECT_TRUE(allows(some, "containers.restart"));
  EXPECT_FALSE(allows(some, "containers.start"));
  EXPECT_FALSE(allows(some, "containers.create"));
  EXPECT_FALSE(allows(some, "containers.archive-get"));
  EXPECT_FALSE(allows(some, "system.ping"));
  const Policy writes = *policy_of_environment({{"CONTAINERS", "1"}, {"POST", "1"}});
  EXPECT_TRUE(allows(writes, "containers.create"));
  EXPECT_FALSE(allows(writes, "exec.start"));
  EXPECT_FALSE(allows(writes, "images.list"));
  EXPECT_FALSE(policy_of_environment({{"POST", "yes"}}));
}

}  // namespace
}  // namespace berth::broker
