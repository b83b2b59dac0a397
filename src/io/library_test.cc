#include "io/library.h"

#include <gtest/gtest.h>

namespace berth::io {
namespace {

TEST(Library, IsTheFirstThatIsThere) {
  EXPECT_FALSE(Library::load({"libberth-none.so.1"}));
  const auto math = Library::load({"libberth-none.so.1", "libm.so.6"});
  ASSERT_TRUE(math);
  double (*floor)(double) = nullptr;
  ASSERT_TRUE(math->find("floor", floor));
  EXPECT_EQ(floor(3.5), 3);
  EXPECT_FALSE(math->find("berth_none", floor));
  EXPECT_EQ(floor, nullptr);
}

}  // namespace
}  // namespace berth::io
