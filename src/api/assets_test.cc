#include "api/assets.h"

#include <gtest/gtest.h>

namespace berth::api {
namespace {

TEST(Asset, AnyPathOfTheUiIsItsFirstPage) {
  const auto root = asset("/", "");
  ASSERT_TRUE(root);
  EXPECT_EQ(root->type, "text/html; charset=utf-8");
  EXPECT_FALSE(root->immutable);
  for (const auto* path : {"/projects/shop", "/containers/web-1/logs", "/setup", "/index.html", "/apiary"}) {
    const auto page = asset(path, "");
    ASSERT_TRUE(page) << path;
    EXPECT_EQ(page->body, root->body) << path;
  }
}

TEST(Asset, WhatIsMissingBelowFoldersOfFilesIsMissing) {
  for (const auto* path : {"/api", "/api/v1/nothing", "/assets/none.js", "/favicon.ico"})
    EXPECT_FALSE(asset(path, "br")) << path;
}

TEST(Asset, EachEncodingHasItsOwnTag) {
  const auto plain = asset("/", "");
  const auto packed = asset("/", "gzip");
  ASSERT_TRUE(plain && packed);
  EXPECT_TRUE(plain->encoding.empty());
  EXPECT_TRUE(plain->etag.starts_with('"') && plain->etag.ends_with('"'));
  EXPECT_EQ(packed->encoding.empty(), packed->etag == plain->etag);
  EXPECT_EQ(asset("/", "gzip;q=0, br;q=0")->etag, plain->etag);
}

TEST(Asset, TheFirstPageIsTheUiOrSaysThatItIsMissing) {
  const auto body = asset("/", "")->body;
  EXPECT_EQ(body.find("/assets/") != std::string_view::npos, has_ui());
  EXPECT_EQ(body.find("built without its UI") != std::string_view::npos, !has_ui());
}

}  // namespace
}  // namespace berth::api
