#include "compose/git_reference.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace berth::compose {
namespace {

constexpr std::string_view kOne = "1111111111111111111111111111111111111111";
constexpr std::string_view kTwo = "2222222222222222222222222222222222222222";

GitReference parsed(std::string_view text) {
  auto reference = parse_git_reference(text);
  EXPECT_TRUE(reference) << text;
  return reference ? *std::move(reference) : GitReference();
}

std::string refused(std::string_view text) {
  const auto reference = parse_git_reference(text);
  EXPECT_FALSE(reference) << text;
  return reference ? std::string() : reference.error().message;
}

TEST(GitReference, ReadsUrls) {
  EXPECT_EQ(parsed("https://h/x.git"), (GitReference{"https://h/x.git", "https", "x", "HEAD", ""}));
  EXPECT_EQ(parsed("https://h/a/x.git#v1"), (GitReference{"https://h/a/x.git", "https", "x", "v1", ""}));
  EXPECT_EQ(parsed("git@h:x.git#main:a/compose.yaml"),
            (GitReference{"git@h:x.git", "ssh", "x", "main", "a/compose.yaml"}));
  EXPECT_EQ(parsed("ssh://git@h:22/x/#:deep"), (GitReference{"ssh://git@h:22/x/", "ssh", "x", "HEAD", "deep"}));
  EXPECT_EQ(parsed("https://[::1]:8443/.git#refs/pull/1/head"),
            (GitReference{"https://[::1]:8443/.git", "https", "repository", "refs/pull/1/head", ""}));
}

TEST(GitReference, RefusesWhatGitCouldMisread) {
  for (const char* text : {"ext::sh -c id",
                           "ext::id",
                           "--upload-pack=x",
                           "file:///srv/x",
                           "fd::7",
                           "https://h/x#--output=y",
                           "https://h/x#main:../y",
                           "https://h/x#main:a/../../y",
                           "https://h/x#main:/etc/passwd",
                           "https://h/x#a..b",
                           "ssh://-oProxyCommand=id/x",
                           "ssh://-x@h/x",
                           "git@-oProxyCommand=id:x",
                           "git@h:-x",
                           "git@h",
                           "ssh://%2dx/y",
                           "https://h",
                           "https:///x",
                           "https://h /x",
                           "https://h/x\n",
                           "https://h/x#a b",
                           "https://h:80x-/y",
                           "oci://h/x",
                           "https://h/x?service=git",
                           "ftp://h/x",
                           "h/x.git",
                           ""})
    EXPECT_NE(refused(text), "") << text;
  EXPECT_FALSE(parse_git_reference("https://h/" + std::string(3000, 'x')));
}

TEST(GitReference, TakesPlainTransportsOnlyWhereNobodyIsBetween) {
  EXPECT_EQ(parsed("http://127.0.0.1:80/x").scheme, "http");
  EXPECT_EQ(parsed("git://localhost/x").scheme, "git");
  EXPECT_EQ(parsed("git://[::1]:9418/x").scheme, "git");
  EXPECT_TRUE(parsed("http://far.example/x#" + std::string(kOne)).is_pinned());
  EXPECT_NE(refused("http://far.example/x").find("use https"), std::string::npos);
  EXPECT_NE(refused("git://localhost.far.example/x#main").find("use https"), std::string::npos);
}

TEST(GitReference, RepeatsNoPassword) {
  const auto said = refused("https://me:hunter2@h/x");
  EXPECT_EQ(said.find("hunter2"), std::string::npos) << said;
  EXPECT_NE(said.find("https://me:***@h/x"), std::string::npos) << said;
  EXPECT_EQ(refused("https://me:hun/ter2@h/x").find("ter2"), std::string::npos);
}

TEST(GitReference, ChoosesTheCommitOfTheExactName) {
  const auto line = [](std::string_view hash, std::string_view name) {
    return std::string(hash) + '\t' + std::string(name) + '\n';
  };
  const auto main = parsed("https://h/x#main");
  // Asked for "main", git also lists what ends in it.
  EXPECT_EQ(choose_commit(main, line(kOne, "refs/heads/feature/main") + line(kTwo, "refs/heads/main")), kTwo);
  EXPECT_EQ(choose_commit(main, line(kOne, "refs/heads/feature/main")).error().code, Code::not_found);
  EXPECT_EQ(choose_commit(main, line(kOne, "refs/tags/main") + line(kTwo, "refs/tags/main^{}")), kTwo);
  EXPECT_EQ(choose_commit(main, line(kTwo, "refs/tags/main") + line(kOne, "refs/heads/main")), kOne);
  EXPECT_EQ(choose_commit(parsed("https://h/x"), line(kOne, "HEAD")), kOne);
  EXPECT_FALSE(choose_commit(main, "not a list\n"));
}

TEST(GitReference, PutsUrlsBehindTheEndOfOptions) {
  const auto reference = parsed("https://h/x#main");
  auto calls = fetch_arguments(reference, std::string(kOne), "/tmp/store", "/tmp/files");
  calls.push_back(list_arguments(reference));
  std::size_t named = 0;
  for (const auto& call : calls)
    for (std::size_t i = 1; i < call.size(); ++i)
      if (call[i] == "https://h/x") named += call[i - 1] == "--" ? 1u : 100u;
  EXPECT_EQ(named, 2u);
}

TEST(GitReference, ShortensWhatGitSays) {
  EXPECT_EQ(failure_text("Cloning\nfatal: no such repository\n"), "fatal: no such repository");
  EXPECT_EQ(failure_text("fatal: denied\nhint: x\n"), "fatal: denied");
  EXPECT_EQ(failure_text("remote: \x1b[2Jgone\n"), "remote: [2Jgone");
  EXPECT_EQ(failure_text(""), "git failed and gave no reason");
}

}  // namespace
}  // namespace berth::compose
