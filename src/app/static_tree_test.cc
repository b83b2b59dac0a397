#include "app/static_tree.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "app/provider_options.h"
#include "io/file.h"

namespace berth::app {
namespace {

Result<edge::LabelOptions> read(const std::vector<std::pair<std::string, std::string>>& flags) {
  Json tree;
  for (const auto& [path, value] : flags) TRY(set_static(tree, "providers." + path, value));
  return read_provider(tree);
}

std::string error_of(const std::string& path, const std::string& value) {
  const auto got = read({{path, value}});
  return got ? "accepted" : got.error().message;
}

/// A file with this text, for one test.
class File {
 public:
  explicit File(std::string_view text) : path_(std::string(::testing::TempDir()) + "berth-static-tree.yaml") {
    EXPECT_TRUE(io::write_file(path_, text).has_value());
  }
  ~File() { std::filesystem::remove(path_); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

TEST(StaticTree, KnowsTraefiksFlags) {
  EXPECT_TRUE(is_static_flag("--certificatesResolvers.le.acme.email=me@example.com"));
  EXPECT_TRUE(is_static_flag("--entrypoints.postgres.address=:5432"));
  EXPECT_TRUE(is_static_flag("--providers.docker=true"));
  EXPECT_FALSE(is_static_flag("--providers"));
  EXPECT_FALSE(is_static_flag("--data"));
  EXPECT_FALSE(is_static_flag("entrypoints.a"));
}

TEST(StaticTree, RefusesPathsThatMeanNothing) {
  const auto error = [](std::string_view path) {
    Json tree;
    const auto set = set_static(tree, path, "x");
    return set ? "accepted" : set.error().message;
  };
  EXPECT_EQ(error("entrypoints.web"), "write --entrypoints.NAME.address=:PORT");
  EXPECT_EQ(error("certificatesresolvers.a.email"), "write --certificatesresolvers.NAME.acme.KEY=VALUE");
  EXPECT_EQ(error("providers.file.directory"),
            "write --providers.docker.KEY=VALUE; files are served by berth edge --config");
  EXPECT_EQ(error("entrypoints..address"),
            "a part of \"entrypoints..address\" is empty; write --entrypoints.NAME.address=:PORT");
}

TEST(Provider, IsOffUnlessItIsSaid) {
  const auto got = read({});
  ASSERT_TRUE(got.has_value());
  EXPECT_FALSE(got->exposed_by_default);
  EXPECT_FALSE(got->use_bind_port_ip);
  EXPECT_TRUE(got->allow_empty_services);
  EXPECT_FALSE(got->constraints.has_value());
  EXPECT_FALSE(got->default_rule.has_value());
  EXPECT_EQ(got->network, "");
}

TEST(Provider, ReadsFlags) {
  const auto got = read({{"docker", "true"},
                         {"docker.exposedbydefault", "true"},
                         {"Docker.Network", "front"},
                         {"docker.endpoint", "unix:///var/run/docker.sock"},
                         {"docker.usebindportip", "true"},
                         {"docker.allowEmptyServices", "false"},
                         {"docker.constraints", "Label(`tier`, `public`)"},
                         {"docker.defaultrule", "Host(`{{ .ContainerName }}.test`)"}});
  ASSERT_TRUE(got.has_value()) << got.error().message;
  EXPECT_TRUE(got->exposed_by_default);
  EXPECT_EQ(got->network, "front");
  EXPECT_TRUE(got->use_bind_port_ip);
  EXPECT_FALSE(got->allow_empty_services);
  EXPECT_EQ(got->constraints->text, "Label(`tier`, `public`)");
  edge::Target target;
  target.name = "a";
  EXPECT_EQ(got->default_rule->fill(target).value(), "Host(`a.test`)");
}

TEST(Provider, SaysWhatIsWrong) {
  EXPECT_EQ(error_of("docker.exposedByDefault", "maybe"),
            "providers.docker.exposedByDefault: \"maybe\" is neither true nor false");
  EXPECT_EQ(error_of("docker.allowEmptyServices", "2"),
            "providers.docker.allowEmptyServices: \"2\" is neither true nor false");
  EXPECT_EQ(error_of("docker.exposdByDefault", "true"),
            "providers.docker.exposdByDefault: is not known (did you mean \"exposedByDefault\"?)");
  EXPECT_EQ(error_of("docker.constraints", "Label(`a`)"),
            "providers.docker.constraints: 1:1: Label takes 2 arguments, got 1");
  EXPECT_EQ(error_of("docker.constraints", "Host(`a`)"), "providers.docker.constraints: 1:1: unknown matcher Host");
  EXPECT_EQ(error_of("docker.defaultRule", "Host(`{{ .Name }`)"),
            "providers.docker.defaultRule: 1:16: is not expected here");
  EXPECT_EQ(error_of("docker.defaultRule", "Host(`{{ .Node }}`)"), "accepted") << "an error of each router";
}

TEST(StaticTree, ReadsAFileOverFlags) {
  const File file(R"(
providers:
  docker: {exposedByDefault: false, network: front, watch: true}
  file: {directory: /etc/traefik}
)");
  Json tree;
  ASSERT_TRUE(set_static(tree, "providers.docker.exposedbydefault", "true").has_value());
  ASSERT_TRUE(set_static(tree, "providers.docker.defaultrule", "Host(`a`)").has_value());
  ASSERT_TRUE(merge_static_file(tree, file.path()).has_value());
  const auto got = read_provider(tree);
  ASSERT_TRUE(got.has_value()) << got.error().message;
  EXPECT_FALSE(got->exposed_by_default);
  EXPECT_EQ(got->network, "front");
  EXPECT_TRUE(got->default_rule.has_value());
}

TEST(StaticTree, NamesThePlaceInTheFile) {
  const File file("providers:\n  docker:\n    watch: true\n    constraints: Label(`a`, b)\n");
  Json tree;
  const auto merged = merge_static_file(tree, file.path());
  ASSERT_FALSE(merged.has_value());
  EXPECT_EQ(merged.error().message,
            file.path() + ":4:5: providers.docker.constraints: 1:12: expected a text in `backticks` before \"b)\"");
  const File options("tls: {options: {a: {minVersion: x}}}\n");
  const auto second = merge_static_file(tree, options.path());
  ASSERT_FALSE(second.has_value());
  EXPECT_TRUE(second.error().message.starts_with(options.path() + ":1:17: tls.options.a")) << second.error().message;
}

}  // namespace
}  // namespace berth::app
