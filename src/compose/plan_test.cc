#include "compose/plan.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/text.h"
#include "compose/plan_world_test.h"
#include "testing/golden.h"

namespace berth::compose {
namespace {

using berth::testing::GoldenCase;

Json json_of(std::string_view text) {
  if (trim(text).empty()) return Json::object();
  auto json = parse_json(text);
  EXPECT_TRUE(json) << (json ? "" : json.error().message) << " in " << text;
  return json ? *std::move(json) : Json();
}

std::vector<std::string> texts(const Json& list) {
  std::vector<std::string> out;
  for (const Json& item : list.items()) out.emplace_back(item.text());
  return out;
}

std::optional<std::int64_t> seconds(const Json& value) {
  return value.is_null() ? std::optional<std::int64_t>() : value.integer();
}

// "traffic": {"shop-web-1": 8080}: an edge sends requests to these containers; "no_edge": why none does.
plan::TrafficView traffic_of(const plan::Observed& observed, const Json& flags) {
  plan::TrafficView view{.edge = flags.contains("traffic"), .why = std::string(flags["no_edge"].text())};
  for (const auto& [name, port] : flags["traffic"].members())
    view.routed[observed.container(name)->id] = {static_cast<std::uint16_t>(port.integer())};
  return view;
}

UpOptions up_options(const plan::Observed& observed, const Json& flags) {
  UpOptions options{.services = texts(flags["services"])};
  options.force_recreate = flags["force_recreate"].boolean();
  options.no_recreate = flags["no_recreate"].boolean();
  options.always_recreate_deps = flags["always_recreate_deps"].boolean();
  options.no_deps = flags["no_deps"].boolean();
  options.no_start = flags["no_start"].boolean();
  options.images_settled = flags["images_settled"].boolean();
  options.remove_orphans = flags["remove_orphans"].boolean();
  options.renew_anon_volumes = flags["renew_anon_volumes"].boolean();
  options.timeout = seconds(flags["timeout"]);
  options.wait = flags["wait"].boolean();
  options.adopt = flags["adopt"].boolean();
  options.rolling = !flags["no_rolling"].boolean();
  options.back = flags["back"].boolean();
  options.traffic = traffic_of(observed, flags);
  options.ignore_orphans = flags["ignore_orphans"].boolean();
  const std::string_view build = flags["build"].text(), pull = flags["pull"].text();
  if (build == "always") options.build = Build::always;
  if (build == "never") options.build = Build::never;
  if (pull == "always") options.pull = Pull::always;
  if (pull == "never") options.pull = Pull::never;
  for (const auto& [service, count] : flags["scale"].members())
    options.scale[service] = static_cast<int>(count.integer());
  return options;
}

DownOptions down_options(const Json& flags) {
  DownOptions options{.services = texts(flags["services"])};
  options.remove_orphans = flags["remove_orphans"].boolean();
  options.volumes = flags["volumes"].boolean();
  options.timeout = seconds(flags["timeout"]);
  options.by_label = flags["by_label"].boolean();
  if (flags["images"].text() == "all") options.images = RemoveImages::all;
  if (flags["images"].text() == "local") options.images = RemoveImages::local;
  return options;
}

VerbOptions verb_options(const Json& flags) {
  VerbOptions options{.services = texts(flags["services"])};
  options.timeout = seconds(flags["timeout"]);
  options.signal = flags["signal"].text();
  options.no_deps = flags["no_deps"].boolean();
  options.wait = flags["wait"].boolean();
  options.by_label = flags["by_label"].boolean();
  return options;
}

Result<plan::Plan> planned(const Project& project, const plan::Observed& observed, std::string_view verb,
                           const Json& flags) {
  if (verb == "down") return plan_down(project, observed, down_options(flags));
  if (verb == "start") return plan_start(project, observed, verb_options(flags));
  if (verb == "stop") return plan_stop(project, observed, verb_options(flags));
  if (verb == "restart") return plan_restart(project, observed, verb_options(flags));
  if (verb == "kill") return plan_kill(project, observed, verb_options(flags));
  if (verb == "rm")
    return plan_rm(
        project, observed,
        {.services = texts(flags["services"]), .stop = flags["stop"].boolean(), .volumes = flags["volumes"].boolean()});
  if (verb == "pull") return plan_images(project, observed, {.services = texts(flags["services"])});
  if (verb == "build") return plan_images(project, observed, {.services = texts(flags["services"]), .build = true});
  EXPECT_EQ(verb, "up");
  return plan_up(project, observed, up_options(observed, flags));
}

void add_outside(const Json& facts, Project& project) {
  for (const auto& [service, text] : facts["dockerfiles"].members()) project.dockerfiles[service] = text.text();
  project.loaded_at = facts["now"].integer();
  for (const auto& [name, text] : facts["environment"].members()) project.environment[name] = text.text();
}

// Without a plan by the planner's own rules: every edge points backwards.
void expect_ordered(const plan::Plan& plan) {
  for (const plan::Node& node : plan.nodes)
    for (const int before : node.after) EXPECT_LT(before, node.id);
}

// A case: "=== project" and, when something runs already, "=== was" (the project that was brought up, `same` for the
// same), "=== world" (changes, one a line), "=== outside" (Dockerfiles and variables), "=== do" (a verb and its flags
// as JSON).
class PlanGolden : public ::testing::TestWithParam<GoldenCase> {};

TEST_P(PlanGolden, MatchesItsText) {
  auto parts = berth::testing::golden_files(GetParam().input);
  Project project = testing::project_of(json_of(parts["project"]));
  add_outside(json_of(parts["outside"]), project);
  testing::World world;
  const std::string_view was = trim(parts["was"]);
  if (was == "same") world.bring_up(project);
  if (!was.empty() && was != "same") world.bring_up(testing::project_of(json_of(was)));
  for (const std::string_view line : split(parts["world"], '\n'))
    if (!line.empty()) EXPECT_TRUE(world.change(line)) << line;
  const auto [verb, flags, found] = cut(trim(parts["do"]), ' ');
  const auto plan = planned(project, world.observe(project), verb, json_of(flags));
  if (!plan)
    return berth::testing::expect_golden(
        GetParam(), "error " + std::string(to_text(plan.error().code)) + ": " + plan.error().text() + '\n');
  expect_ordered(*plan);
  // The hash is a short cut to "equal" only: without it the same differs.
  world.forget_hashes();
  const auto slow = planned(project, world.observe(project), verb, json_of(flags));
  EXPECT_EQ(slow ? slow->to_text() : slow.error().text(), plan->to_text());
  berth::testing::expect_golden(GetParam(),
                                plan->to_text() + (plan->again ? "> again\n" : "") + "# " + summary(*plan) + '\n');
}

INSTANTIATE_TEST_SUITE_P(Cases, PlanGolden, ::testing::ValuesIn(berth::testing::golden_cases(TESTDATA "/plan")),
                         berth::testing::golden_name);

}  // namespace
}  // namespace berth::compose
