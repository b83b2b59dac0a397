#include "edge/password.h"

#include <gtest/gtest.h>

namespace berth::edge {
namespace {

TEST(Password, KnowsTheFormsOfHtpasswd) {
  const std::string right[] = {
      "$apr1$YpLEmqkW$KF5V3fvK/IFM1hIOrFks8.",
      "$2y$04$3SAGiFn.0sqeOrFqeM6HGO8rmXXRaNABMMlQ26dOVhn.kgfBqCfxa",
      "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=",
      "$1$SRYYQTSU$meDlOEXRmBlycluR/v/MT.",
      "$5$txLugB/U/dz2QxOY$vQ3vjDs9vl6s856YNWPEMlNnna9cQZ9URoodPsVhUU/",
      "$6$RljV9n3DLTuSKB9b$xDV3hlx4odrixD0TW1hpsj4V2PScLjGdSv/fyaUpFzret3X6vgjgjf3L9OmzJyiTqamuFLLpw49ZOJ5wixLVL1",
      "$apr1$ZZELW.NA$d9pzlJwqNqOyUwKTYh7iG0",
  };
  for (const std::string& hash : right) {
    EXPECT_TRUE(fits_password("secret", hash)) << hash;
    EXPECT_FALSE(fits_password("Secret", hash)) << hash;
    EXPECT_FALSE(fits_password("", hash)) << hash;
    EXPECT_FALSE(fits_password(std::string_view("secret\0x", 8), hash)) << hash;
    EXPECT_FALSE(fits_password("secret", hash.substr(0, hash.size() - 1))) << hash;
  }
}

TEST(Password, RefusesOtherForms) {
  for (const char* hash : {"", "secret", "saZ5M2.ZBNrSM", "$", "$9$x", "*", "{SSHA}x", "$apr1$", "$2y$"}) {
    EXPECT_FALSE(fits_password("secret", hash)) << hash;
  }
  EXPECT_FALSE(fits_password(std::string(10000, 'a'), "{SHA}x"));
}

}  // namespace
}  // namespace berth::edge
