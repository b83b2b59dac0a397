#include "edge/breaker.h"

#include <gtest/gtest.h>

namespace berth::edge {
namespace {

using namespace std::chrono_literals;
constexpr Window::Time kNow(1000s);

bool says(std::string_view text, const Window& window, Window::Time now = kNow) {
  const auto condition = parse_condition(text);
  EXPECT_TRUE(condition.has_value()) << condition.error().text();
  return condition && holds(*condition, window.sums(now));
}

TEST(Breaker, CountsWhatHappened) {
  Window window;
  for (int i = 0; i < 6; ++i) window.add(kNow, 200, 5ms);
  for (int i = 0; i < 3; ++i) window.add(kNow, 500, 100ms);
  window.add(kNow, 0, 1000ms);
  EXPECT_TRUE(says("NetworkErrorRatio() == 0.1", window));
  EXPECT_TRUE(says("ResponseCodeRatio(500, 600, 0, 600) >= 0.3", window));
  EXPECT_FALSE(says("ResponseCodeRatio(500, 600, 0, 600) > 0.3", window));
  EXPECT_TRUE(says("ResponseCodeRatio(500, 600, 200, 300) == 0.5", window));
  EXPECT_TRUE(says("LatencyAtQuantileMS(50.0) <= 8 && LatencyAtQuantileMS(90) > 64", window));
  EXPECT_TRUE(says("RequestThreshold() > 9", window));
  EXPECT_TRUE(says("!(NetworkErrorRatio() > 0.5) && (RequestThreshold() < 3 || RequestThreshold() != 4)", window));
  EXPECT_FALSE(says("RequestThreshold() > 0", window, kNow + 11s));
  window.clear();
  EXPECT_FALSE(says("NetworkErrorRatio() > 0", window));
}

TEST(Breaker, RefusesWhatIsNoExpression) {
  const std::pair<std::string, std::string> wrong[] = {
      {"", "column 1: expected NetworkErrorRatio, ResponseCodeRatio, LatencyAtQuantileMS or RequestThreshold"},
      {"NetworkErrorRatio() >", "column 22: expected a number"},
      {"NetworkErrorRatio(1) > 1", "column 21: NetworkErrorRatio takes 0 arguments"},
      {"ResponseCodeRatio(1,2,3) > 1", "column 25: ResponseCodeRatio takes 4 arguments"},
      {"NetworkErrorRatio() = 1", "column 21: expected a comparison"},
      {"NetworkErrorRatio() > nan", "column 23: expected a number"},
      {"(NetworkErrorRatio() > 1", "column 25: a parenthesis is not closed"},
      {"NetworkErrorRatio() > 1 x", "column 25: unexpected text"},
      {std::string(100, '('), "column 34: nested too deeply"},
      {std::string(2000, '!'), "is longer than 1 KiB"},
  };
  for (const auto& [text, message] : wrong) {
    const auto parsed = parse_condition(text);
    ASSERT_FALSE(parsed.has_value()) << text;
    EXPECT_EQ(parsed.error().message, message);
  }
}

}  // namespace
}  // namespace berth::edge
