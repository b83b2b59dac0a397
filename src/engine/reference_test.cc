#include "engine/reference.h"

#include <gtest/gtest.h>

namespace berth::engine {
namespace {

const std::string kDigest = "sha256:" + std::string(64, 'a');

struct Row {
  std::string text, host, path, repository, tag, shown;
};

TEST(Reference, Parses) {
  const Row rows[] = {
      {"debian", "docker.io", "library/debian", "debian", "latest", "debian:latest"},
      {"debian:bookworm-slim", "docker.io", "library/debian", "debian", "bookworm-slim", "debian:bookworm-slim"},
      {"docker.io/debian", "docker.io", "library/debian", "debian", "latest", "debian:latest"},
      {"index.docker.io/library/debian:1", "docker.io", "library/debian", "debian", "1", "debian:1"},
      {"team/app", "docker.io", "team/app", "team/app", "latest", "team/app:latest"},
      {"localhost/app", "localhost", "app", "localhost/app", "latest", "localhost/app:latest"},
      {"host:5000/a/b:v1.2", "host:5000", "a/b", "host:5000/a/b", "v1.2", "host:5000/a/b:v1.2"},
      {"ghcr.io/o/r__x@" + kDigest, "ghcr.io", "o/r__x", "ghcr.io/o/r__x", kDigest, "ghcr.io/o/r__x@" + kDigest},
      {"a:b@" + kDigest, "docker.io", "library/a", "a", kDigest, "a:b@" + kDigest},
      {"berth.local/nginx", "berth.local", "nginx", "berth.local/nginx", "latest", "berth.local/nginx:latest"},
  };
  for (const Row& row : rows) {
    const auto reference = parse_reference(row.text);
    ASSERT_TRUE(reference) << row.text;
    EXPECT_EQ(reference->host, row.host) << row.text;
    EXPECT_EQ(reference->path, row.path) << row.text;
    EXPECT_EQ(reference->repository(), row.repository) << row.text;
    EXPECT_EQ(reference->tag_or_digest(), row.tag) << row.text;
    EXPECT_EQ(reference->text(), row.shown) << row.text;
  }
}

TEST(Reference, Refuses) {
  for (const std::string& bad :
       {std::string(), std::string("Debian"), std::string("a//b"), std::string("a:"), std::string("a:b:c"),
        std::string("a b"), std::string("-a"), std::string("a-"), std::string("a@sha256:12"), std::string("a@"),
        std::string("h:5000/"), std::string("a:-b"), std::string("a:") + std::string(129, 'b'), std::string(256, 'a'),
        std::string("../a"), std::string("a?x=y"), std::string("h:/a"), std::string("-h.x/a"),
        std::string("h:99999999/a")}) {
    const auto reference = parse_reference(bad);
    ASSERT_FALSE(reference) << bad;
    EXPECT_EQ(reference.error().code, Code::invalid);
  }
  EXPECT_EQ(parse_reference("team/App").error().message, "image \"team/App\": a repository's name is lower case");
}

}  // namespace
}  // namespace berth::engine
