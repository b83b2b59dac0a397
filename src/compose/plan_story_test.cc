// What a person is shown of a plan: its tree, its gaps, its risks.
#include <gtest/gtest.h>

#include <algorithm>

#include "compose/plan_world_test.h"
#include "plan/gap.h"
#include "plan/tree.h"
#include "testing/golden.h"

namespace berth::compose {
namespace {

std::string story(const plan::Plan& plan, const plan::Observed& observed) {
  std::string out;
  const auto gaps = plan::gaps_of(plan, observed);
  for (const auto& branch : plan::tree_of(plan, observed)) {
    out += branch.service.empty() ? "(shared)" : branch.service;
    const auto gap = std::ranges::find(gaps, branch.service, &plan::Gap::service);
    out += gap == gaps.end() ? "\n" : ", away: " + plan::to_text(*gap) + '\n';
    for (const auto& leaf : branch.leaves) {
      out += "  " + std::string(plan::to_text(leaf.deed)) + ' ' + leaf.object + ": " + leaf.cause + '\n';
      for (const auto& risk : leaf.risks) out += (leaf.risk == plan::Risk::data ? "    ! " : "    note ") + risk + '\n';
    }
  }
  return out;
}

// "=== project", "=== was" and "=== world" as in testdata/plan; "=== do" is the flags of up as JSON.
class StoryGolden : public ::testing::TestWithParam<berth::testing::GoldenCase> {};

TEST_P(StoryGolden, IsTold) {
  auto parts = berth::testing::golden_files(GetParam().input);
  const auto json = [&](const std::string& part) {
    return trim(parts[part]).empty() ? Json() : *parse_json(parts[part]);
  };
  const Project project = testing::project_of(json("project"));
  testing::World world;
  if (!trim(parts["was"]).empty()) world.bring_up(testing::project_of(json("was")));
  for (const std::string_view line : split(parts["world"], '\n'))
    if (!line.empty()) EXPECT_TRUE(world.change(line)) << line;
  const Json flags = json("do");
  const UpOptions options{.force_recreate = flags["force_recreate"].boolean(),
                          .renew_anon_volumes = flags["renew_anon_volumes"].boolean()};
  const auto observed = world.observe(project);
  const auto plan = plan_up(project, observed, options);
  ASSERT_TRUE(plan) << plan.error().text();
  berth::testing::expect_golden(GetParam(), story(*plan, observed));
}

INSTANTIATE_TEST_SUITE_P(Cases, StoryGolden, ::testing::ValuesIn(berth::testing::golden_cases(TESTDATA "/story")),
                         berth::testing::golden_name);

}  // namespace
}  // namespace berth::compose
