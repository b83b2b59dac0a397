#include "io/confine.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <thread>

#include "io/file.h"
#include "io/temporary.h"

namespace berth::io {
namespace {

std::string status_line(const std::string& name) {
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with(name + ":")) return line.substr(name.size() + 1);
  return "";
}

/// Each test confines a process of its own: there is no way back.
[[noreturn]] void finish(bool good) {
  std::fflush(stdout);
  ::_exit(good ? 0 : 1);
}

TEST(Confine, SaysWhatItIs) {
  EXPECT_EXIT(
      {
        const auto kept = confine({});
        finish(kept && kept->empty() && status_line("NoNewPrivs") == "\t1" && status_line("Seccomp") == "\t2");
      },
      testing::ExitedWithCode(0), "");
}

TEST(Confine, BecomesAnotherUserWithoutCapabilities) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can become another user";
  const std::string folder = testing::TempDir() + "/confine-" + std::to_string(::getpid());
  ASSERT_TRUE(make_folder(folder, 0700));
  ASSERT_TRUE(write_file(folder + "/kept", "text", 0600));
  EXPECT_EXIT(
      {
        const auto kept = confine({.users = {"no-such-account", "61234"}, .folder = folder});
        const auto text = read_file("kept");
        finish(kept && kept->empty() && ::geteuid() == 61234 && text && *text == "text" &&
               write_file("kept", "more", 0600) && status_line("CapEff") == "\t0000000000000000" &&
               status_line("CapBnd") == "\t0000000000000000" && !read_file("/etc/shadow"));
      },
      testing::ExitedWithCode(0), "");
  std::filesystem::remove_all(folder);
}

TEST(Confine, RefusesAnAccountThatDoesNotExist) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can become another user";
  const auto refused = confine({.users = {"no-such-account"}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "no account no-such-account exists; make it, or name another one");
}

TEST(Confine, RunsNoProgram) {
  EXPECT_EXIT(
      {
        (void)confine({});
        ::execl("/bin/true", "true", nullptr);
        finish(true);
      },
      testing::ExitedWithCode(70), "system call 0*59 is not allowed|system call 0*221 is not allowed");
}

TEST(Confine, MakesNoUnixSocket) {
  EXPECT_EXIT(
      {
        (void)confine({});
        if (::socket(AF_INET, SOCK_STREAM, 0) < 0 || ::socket(AF_INET6, SOCK_STREAM, 0) < 0) finish(false);
        (void)::socket(AF_UNIX, SOCK_STREAM, 0);
        finish(true);
      },
      testing::ExitedWithCode(70), "is not allowed");
}

TEST(Confine, HoldsForThreadsAndLetsThemBegin) {
  EXPECT_EXIT(
      {
        (void)confine({});
        std::string status;
        std::thread([&] { status = status_line("Seccomp"); }).join();
        finish(status == "\t2");
      },
      testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace berth::io
