#include "broker/older.h"

#include <gtest/gtest.h>

#include "testing/golden.h"

namespace berth::broker {
namespace {

constexpr Versions kBoth{24, 52};

bool lacks_at(std::string_view operation, std::optional<int> client, int upstream) {
  return lacks(*find_operation(operation), client, {24, upstream});
}

TEST(Older, OnlyWhatWasTakenAwayBetweenTheTwoVersions) {
  EXPECT_TRUE(lacks_at("images.list", 41, 45));
  EXPECT_TRUE(lacks_at("images.inspect", 43, 44));
  EXPECT_TRUE(lacks_at("system.df", 41, 52));
  EXPECT_FALSE(lacks_at("images.list", 44, 52));
  EXPECT_FALSE(lacks_at("images.list", 41, 43));
  EXPECT_TRUE(lacks_at("containers.inspect", 51, 52));
  EXPECT_FALSE(lacks_at("containers.inspect", 41, 51));
  EXPECT_FALSE(lacks_at("containers.inspect", std::nullopt, 52));
  EXPECT_FALSE(lacks_at("containers.list", 24, 52));
}

// Input: "OPERATION CLIENT", then the reply of an engine of 1.52.
std::string told(const std::string& input) {
  const auto end = input.find('\n'), space = input.find(' ');
  const Operation& operation = *find_operation(input.substr(0, space));
  const int client = std::stoi(input.substr(space + 1, end - space - 1));
  const Json reply = *parse_json(input.substr(end + 1));
  return (lacks(operation, client, kBoth) ? as_older(operation, client, reply) : reply).dump() + "\n";
}
using berth::testing::GoldenCase;
class OlderReply : public ::testing::TestWithParam<GoldenCase> {};
TEST_P(OlderReply, HasWhatItsClientReads) {
  berth::testing::expect_golden(GetParam(), told(GetParam().input));
}
INSTANTIATE_TEST_SUITE_P(Replies, OlderReply, ::testing::ValuesIn(berth::testing::golden_cases(TESTDATA "/older")),
                         berth::testing::golden_name);

}  // namespace
}  // namespace berth::broker
