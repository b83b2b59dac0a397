#include "edge/certificate.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "edge/certificate_store.h"
#include "io/file.h"

namespace berth::edge {
namespace {

using namespace std::chrono_literals;
using Days = std::chrono::days;
constexpr std::chrono::sys_seconds kNow(1'800'000'000s);

class TemporaryFolder {
 public:
  TemporaryFolder()
      : path_(std::string(::testing::TempDir()) + "berth-edge-" + std::to_string(::getpid()) + "-XXXXXX") {
    EXPECT_NE(::mkdtemp(path_.data()), nullptr);
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  std::string at(std::string_view name) const { return path_ + "/" + std::string(name); }

 private:
  std::string path_;
};

int mode_of(const std::string& path) {
  struct stat status{};
  EXPECT_EQ(::stat(path.c_str(), &status), 0) << path;
  return static_cast<int>(status.st_mode & 0777);
}

TEST(Authority, SignsLeavesForItsDomains) {
  const auto authority = make_authority("CA", {"test", "Example.ORG"}, kNow).value();
  EXPECT_EQ(authority.not_after, kNow + Days(3650));
  const auto leaf = issue(authority, {"a.test", "*.example.org", "127.0.0.1", "::1"}, kNow).value();
  EXPECT_EQ(leaf.hosts, (std::vector<std::string>{"a.test", "*.example.org", "127.0.0.1", "::1"}));
  EXPECT_EQ(leaf.not_after, kNow + Days(90));
  EXPECT_TRUE(is_signed_by(leaf, authority));
  EXPECT_FALSE(is_signed_by(leaf, make_authority("CA", {"test"}, kNow).value()));
  EXPECT_NE(leaf.key, issue(authority, {"a.test"}, kNow)->key);
}

TEST(Authority, RefusesOtherHosts) {
  const auto authority = make_authority("CA", {"test"}, kNow).value();
  for (const char* host : {"example.com", "atest", "test.com", "10.0.0.1", "*", "a b", "", "a.test:80"}) {
    const auto leaf = issue(authority, {host}, kNow);
    ASSERT_FALSE(leaf.has_value()) << host;
    EXPECT_EQ(leaf.error().code, Code::invalid);
  }
  EXPECT_FALSE(issue(authority, {}, kNow).has_value());
  EXPECT_FALSE(make_authority("CA", {}, kNow).has_value());
  EXPECT_FALSE(make_authority("CA", {"*.test"}, kNow).has_value());
  EXPECT_FALSE(make_authority("CA", {"10.0.0.1"}, kNow).has_value());
}

TEST(Authority, LeafEndsWithItsRoot) {
  const auto authority = make_authority("CA", {"test"}, kNow).value();
  EXPECT_EQ(issue(authority, {"a.test"}, kNow + Days(3600))->not_after, authority.not_after);
}

TEST(Authority, LoadsWhatItMade) {
  const auto made = make_authority("CA", {"test", "localhost"}, kNow).value();
  const auto loaded = load_authority(made.certificate, made.key).value();
  EXPECT_EQ(loaded.permitted, made.permitted);
  EXPECT_EQ(loaded.not_after, made.not_after);
  const auto other = make_authority("CA", {"test"}, kNow).value();
  EXPECT_FALSE(load_authority(made.certificate, other.key).has_value());
  EXPECT_FALSE(load_authority("x", made.key).has_value());
  EXPECT_FALSE(load_authority(made.certificate, "x").has_value());
  const auto leaf = issue(made, {"a.test"}, kNow).value();
  EXPECT_FALSE(load_authority(leaf.chain, leaf.key).has_value());
}

TEST(Certificate, LoadsWithHostsAndDates) {
  const auto authority = make_authority("CA", {"test"}, kNow).value();
  const auto leaf = issue(authority, {"a.test", "127.0.0.1"}, kNow).value();
  const auto loaded = load_certificate(leaf.chain, leaf.key).value();
  EXPECT_EQ(loaded.hosts, leaf.hosts);
  EXPECT_EQ(loaded.not_before, leaf.not_before);
  EXPECT_EQ(loaded.not_after, leaf.not_after);
  EXPECT_FALSE(load_certificate(leaf.chain, issue(authority, {"a.test"}, kNow)->key).has_value());
  EXPECT_FALSE(is_due(leaf, kNow + Days(59)));
  EXPECT_TRUE(is_due(leaf, kNow + Days(61)));
}

TEST(Certificate, HasAFingerprint) {
  const auto authority = make_authority("CA", {"test"}, kNow).value();
  const std::string text = fingerprint(authority.certificate).value();
  EXPECT_EQ(text.size(), 32u * 3 - 1);
  EXPECT_EQ(text[2], ':');
  EXPECT_NE(text, fingerprint(make_authority("CA", {"test"}, kNow)->certificate).value());
  EXPECT_FALSE(fingerprint("x").has_value());
}

TEST(Certificate, ParentDomains) {
  EXPECT_EQ(parent_domain("app.example.com"), "example.com");
  EXPECT_EQ(parent_domain("a.b.example.com"), "example.com");
  EXPECT_EQ(parent_domain("example.com"), "example.com");
  EXPECT_EQ(parent_domain("*.example.com"), "example.com");
  EXPECT_EQ(parent_domain("shop.example.co.uk"), "example.co.uk");
  EXPECT_EQ(parent_domain("intranet"), "intranet");
  EXPECT_EQ(parent_domain("app.localhost"), "");
  EXPECT_EQ(parent_domain("x.home.arpa"), "");
}

TEST(CertificateStore, KeepsRootAndLeaves) {
  const TemporaryFolder folder;
  const std::string dir = folder.at("ca");
  auto store = CertificateStore::open({.dir = dir}, kNow).value();
  const auto leaf = store.certificate("App.localhost", kNow).value();
  EXPECT_EQ(leaf.hosts, std::vector<std::string>{"app.localhost"});
  EXPECT_EQ(mode_of(dir), 0700);
  EXPECT_EQ(mode_of(dir + "/root.key"), 0600);
  EXPECT_EQ(mode_of(dir + "/root.pem"), 0644);
  EXPECT_EQ(mode_of(dir + "/leaf-app.localhost.key"), 0600);
  auto again = CertificateStore::open({.dir = dir}, kNow).value();
  EXPECT_EQ(again.roots(), store.roots());
  EXPECT_EQ(again.certificate("app.localhost", kNow + Days(30))->chain, leaf.chain);
  EXPECT_NE(again.certificate("app.localhost", kNow + Days(61))->chain, leaf.chain);
}

TEST(CertificateStore, ForeignDomainsHaveRootsOfTheirOwn) {
  const TemporaryFolder folder;
  auto store = CertificateStore::open({.dir = folder.at("ca"), .name = "CA"}, kNow).value();
  ASSERT_EQ(store.authorities().size(), 1u);
  const auto leaf = store.certificate("app.example.com", kNow).value();
  ASSERT_EQ(store.authorities().size(), 2u);
  EXPECT_EQ(store.authorities()[1].permitted, std::vector<std::string>{"example.com"});
  EXPECT_TRUE(is_signed_by(leaf, store.authorities()[1]));
  EXPECT_TRUE(store.certificate("*.example.com", kNow).has_value());
  EXPECT_TRUE(store.certificate("127.0.0.1", kNow).has_value());
  EXPECT_EQ(store.authorities().size(), 2u);
  const auto again = CertificateStore::open({.dir = folder.at("ca")}, kNow).value();
  EXPECT_EQ(again.roots(), store.roots());
  EXPECT_FALSE(store.certificate("10.0.0.1", kNow).has_value());
  EXPECT_FALSE(store.certificate("*", kNow).has_value());
  EXPECT_FALSE(store.certificate("../x", kNow).has_value());
}

TEST(CertificateStore, ConfiguredDomainsBelongToTheMainRoot) {
  const TemporaryFolder folder;
  auto store = CertificateStore::open({.dir = folder.at("ca"), .domains = {"corp.example.com"}}, kNow).value();
  EXPECT_TRUE(store.certificate("x.corp.example.com", kNow).has_value());
  EXPECT_EQ(store.authorities().size(), 1u);
}

TEST(CertificateStore, ReplacesABrokenLeafAndReportsABrokenRoot) {
  const TemporaryFolder folder;
  const std::string dir = folder.at("ca");
  auto store = CertificateStore::open({.dir = dir}, kNow).value();
  const auto leaf = store.certificate("a.test", kNow).value();
  ASSERT_TRUE(io::write_file(dir + "/leaf-a.test.pem", "broken", 0600).has_value());
  EXPECT_TRUE(is_signed_by(store.certificate("a.test", kNow).value(), store.authorities()[0]));
  ASSERT_TRUE(io::write_file(dir + "/root.key", leaf.key, 0600).has_value());
  const auto broken = CertificateStore::open({.dir = dir}, kNow);
  ASSERT_FALSE(broken.has_value());
  EXPECT_EQ(broken.error().message,
            dir +
                "/root.pem: certificate and key do not belong together, or it is no authority; "
                "restore it with its .key from a backup, or move both away to get a new authority");
}

}  // namespace
}  // namespace berth::edge
