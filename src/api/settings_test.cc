#include "api/settings.h"

#include "api/event_log.h"
#include "testing/stores.h"

namespace berth::api {
namespace {

struct SettingsTest : testing::StoreTest {
  SettingsTest() : database(std::move(*open(migrations()))) {}
  Result<bool> keep(CreateLimits limits) {
    return write<bool>(*database, [limits](store::Transaction& transaction) -> Result<bool> {
      TRY(keep_limits(transaction, limits));
      return true;
    });
  }
  CreateLimits load() { return read<CreateLimits>(*database, load_limits).value_or(CreateLimits{.memory = 0}); }
  std::unique_ptr<store::Database> database;
};
INSTANTIATE_TEST_SUITE_P(Stores, SettingsTest, testing::stores(), testing::store_name);

TEST_P(SettingsTest, KeepsTheLimitsOfNewContainers) {
  EXPECT_EQ(load().memory, 512 << 20);
  ASSERT_TRUE(keep({.memory = 64 << 20, .cpus = 0.5}));
  ASSERT_TRUE(keep({.memory = 128 << 20, .cpus = 0.25}));
  EXPECT_EQ(load().memory, 128 << 20);
  EXPECT_DOUBLE_EQ(load().cpus, 0.25);
  EXPECT_EQ(keep({.memory = 1}).error().code, Code::invalid);
  EXPECT_EQ(keep({.cpus = 0}).error().code, Code::invalid);
  EXPECT_EQ(load().memory, 128 << 20);
}

}  // namespace
}  // namespace berth::api
