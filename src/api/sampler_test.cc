#include "api/sampler.h"

#include "api/event_log.h"
#include "testing/stores.h"

namespace berth::api {
namespace {

// No engine is there: what is sampled is the host.
struct SamplerTest : testing::StoreTest {
  SamplerTest() : database(std::move(*open(migrations()))) {}
  void rounds(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i, now += 10'000) loop.run(sampler.sample());
    const auto kept = loop.run(sampler.keep());
    EXPECT_TRUE(kept) << (kept ? "" : kept.error().message);
  }
  Json history(bool day) { return loop.run(sampler.history(std::string(kHost), day)).value_or(Json()); }

  std::int64_t now = 1'700'000'100'000;
  std::unique_ptr<store::Database> database;
  EngineDesk desk{{.address = "unix:///nowhere"}};
  Sampler sampler{{.desk = desk, .database = *database, .now = [this] { return now; }}};
};
INSTANTIATE_TEST_SUITE_P(Stores, SamplerTest, testing::stores(), testing::store_name);

TEST_P(SamplerTest, KeepsAnHourAndADay) {
  rounds(45);  // seven and a half minutes from the beginning of five
  const Json hour = history(false), day = history(true);
  EXPECT_EQ(hour["at"].size(), 44u) << "the first has nothing before it";
  EXPECT_EQ(hour["step"].integer(), 10'000);
  EXPECT_GT(hour["memory"].items().front().number(), 0);
  ASSERT_EQ(day["at"].size(), 1u) << day.dump();
  EXPECT_EQ(day["at"].items().front().integer(), 1'700'000'100'000);
  now += 3'600'000;
  rounds(2);
  EXPECT_EQ(history(false)["at"].size(), 2u) << "an hour is over";
  EXPECT_GE(history(true)["at"].size(), 1u);
  now += 2 * 86'400'000LL;
  rounds(1);
  EXPECT_EQ(ask(*database, "SELECT COUNT(*) FROM figure WHERE at < ?", {now - 86'400'000})->at(0).integer(0), 0);
}

TEST_P(SamplerTest, ShowsWhatIsNotWrittenYet) {
  for (int i = 0; i < 3; ++i, now += 10'000) loop.run(sampler.sample());
  EXPECT_EQ(history(false)["at"].size(), 2u);
  EXPECT_EQ(ask(*database, "SELECT COUNT(*) FROM figure")->at(0).integer(0), 0);
}

}  // namespace
}  // namespace berth::api
