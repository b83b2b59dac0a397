#include "io/socket.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>

#include "io/file.h"
#include "io/process.h"
#include "io/splice.h"

namespace berth::io {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(Address, ReadsNumbersOnly) {
  EXPECT_EQ(Address::parse("127.0.0.1:80").value().text(), "127.0.0.1:80");
  EXPECT_EQ(Address::parse("[::1]:443").value().text(), "[::1]:443");
  EXPECT_EQ(Address::parse("[::ffff:10.0.0.1]:5").value().host(), "10.0.0.1");
  for (const char* bad : {"", "80", ":80", "localhost:80", "::1:80", "127.0.0.1:", "127.0.0.1:65536", "[127.0.0.1]:1"})
    EXPECT_EQ(Address::parse(bad).error().code, Code::invalid) << bad;
  EXPECT_FALSE(Address::unix_path(std::string(108, 'x')));
}

Task<void> echo_once(Listener& listener) {
  auto stream = co_await listener.accept();
  if (stream) (void)co_await copy(**stream, **stream);
}

Task<Result<std::string>> ask(Address address, std::string_view text) {
  auto stream = CO_TRY(co_await connect(address));
  CO_TRY(co_await write_all(*stream, text));
  stream->shutdown_write();
  co_return co_await read_to_end(*stream, 1 << 24);
}

Task<Result<std::string>> echo(Listener& listener, std::string text) {
  Scope scope(co_await here());
  scope.spawn(echo_once(listener));
  auto answer = co_await ask(listener.address(), text);
  co_await scope.join();
  co_return answer;
}

TEST(Socket, EchoesLargeDataOverLoopback) {
  Loop loop;
  const auto listener = Listener::open(loop, Address::parse("127.0.0.1:0").value()).value();
  const std::string text(5'000'000, 'x');
  EXPECT_TRUE(loop.run(echo(*listener, text)).value() == text);
}

Task<void> splice_once(Listener& listener, Address to, std::uint64_t count, Result<std::uint64_t>& moved) {
  auto from = co_await listener.accept();
  auto target = co_await connect(to);
  if (from && target) moved = co_await splice(**from, **target, count, seconds(5));
}

Task<void> take_all(Listener& listener, std::string& taken) {
  auto stream = co_await listener.accept();
  if (stream) taken = (co_await read_to_end(**stream, 1 << 24)).value_or("");
}

struct Spliced {
  Result<std::uint64_t> moved = fail(Code::internal, "not run");
  std::string taken;
};
Task<Spliced> through_a_splice(Loop& loop, std::string text, std::uint64_t count) {
  const auto middle = Listener::open(loop, Address::parse("127.0.0.1:0").value()).value();
  const auto end = Listener::open(loop, Address::parse("127.0.0.1:0").value()).value();
  Spliced result;
  Scope scope(co_await here());
  scope.spawn(splice_once(*middle, end->address(), count, result.moved));
  scope.spawn(take_all(*end, result.taken));
  auto stream = co_await connect(middle->address());
  if (stream) (void)co_await write_all(**stream, text);
  if (stream) (*stream)->shutdown_write();
  co_await scope.join();
  co_return result;
}

TEST(Splice, MovesWhatItIsToldAndNoMore) {
  Loop loop;
  std::string text(3'000'000, 'x');
  for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>(i * 31 >> 5);
  const Spliced part = loop.run(through_a_splice(loop, text, 2'000'001));
  EXPECT_EQ(part.moved.value(), 2'000'001u);
  EXPECT_TRUE(part.taken == text.substr(0, 2'000'001));
  const Spliced all = loop.run(through_a_splice(loop, text, 9'000'000));
  EXPECT_EQ(all.moved.value(), text.size());
  EXPECT_TRUE(all.taken == text);
}

TEST(Socket, EchoesOverAUnixSocketAndReplacesADeadOne) {
  Loop loop;
  const std::string path = ::testing::TempDir() + "/berth-" + std::to_string(::getpid()) + ".sock";
  const auto address = Address::unix_path(path).value();
  // Leaves the file behind, as a killed listener does.
  Fd dead(::socket(AF_UNIX, SOCK_STREAM, 0));
  ASSERT_EQ(::bind(dead.get(), address.raw(), address.size()), 0);
  dead.reset();
  auto listener = Listener::open(loop, address).value();
  EXPECT_EQ(loop.run(echo(*listener, "hi")).value(), "hi");
  EXPECT_EQ(Listener::open(loop, address).error().code, Code::conflict);
  ::unlink(path.c_str());
}

TEST(Socket, SaysWhyItCannotConnect) {
  Loop loop;
  const auto missing = loop.run(connect(Address::unix_path("/nonexistent/x.sock").value()));
  EXPECT_EQ(missing.error().code, Code::unavailable);
  EXPECT_NE(missing.error().message.find("/nonexistent/x.sock"), std::string::npos);
  std::unique_ptr<Listener> listener = Listener::open(loop, Address::parse("127.0.0.1:0").value()).value();
  const Address closed = listener->address();
  listener.reset();
  EXPECT_EQ(loop.run(connect(closed)).error().code, Code::unavailable);
}

TEST(Socket, NamesTheAddressThatIsTaken) {
  Loop loop;
  const auto listener = Listener::open(loop, Address::parse("127.0.0.1:0").value()).value();
  const auto second = Listener::open(loop, listener->address());
  EXPECT_EQ(second.error().code, Code::conflict);
  EXPECT_NE(second.error().message.find(listener->address().text()), std::string::npos);
}

Task<Code> accept_within(Listener& listener) {
  const auto result = co_await within(milliseconds(20), listener.accept());
  co_return result ? Code::internal : result.error().code;
}

TEST(Socket, AcceptEndsWithItsDeadline) {
  Loop loop;
  const auto listener = Listener::open(loop, Address::parse("127.0.0.1:0").value()).value();
  EXPECT_EQ(loop.run(accept_within(*listener)), Code::timeout);
}

Task<Result<std::string>> pass_descriptor(Fd near, Fd far, int fd) {
  const Context context = co_await here();
  auto sender = CO_TRY(stream_on(*context.loop, std::move(near)));
  auto receiver = CO_TRY(stream_on(*context.loop, std::move(far)));
  CO_TRY(co_await send_fd(*sender, fd));
  CO_TRY(co_await send_fd(*sender, fd));
  const Fd first = CO_TRY(co_await receive_fd(*receiver));
  auto second = CO_TRY(stream_on(*context.loop, CO_TRY(co_await receive_fd(*receiver))));
  co_return co_await read_to_end(*second, 100);
}

TEST(Socket, PassesDescriptors) {
  Loop loop;
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  ASSERT_EQ(::write(ends[1], "through", 7), 7);
  ::close(ends[1]);
  auto [near, far] = socket_pair().value();
  EXPECT_EQ(loop.run(pass_descriptor(std::move(near), std::move(far), ends[0])).value(), "through");
  ::close(ends[0]);
}

Task<Result<void>> write_to_nobody(Fd end) {
  const Context context = co_await here();
  auto stream = CO_TRY(stream_on(*context.loop, std::move(end)));
  co_return co_await write_all(*stream, "lost");
}

TEST(Socket, WritingToAPipeThatNobodyReadsIsAnError) {
  Loop loop;
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  ::close(ends[0]);
  const auto written = loop.run(write_to_nobody(Fd(ends[1])));
  ASSERT_FALSE(written.has_value());
  EXPECT_EQ(written.error().code, Code::unavailable) << written.error().message;
}

TEST(Process, RunsAndCollects) {
  Loop loop;
  const auto output = loop.run(run_command({.argv = {"cat"}}, "text"));
  EXPECT_EQ(output.value().out, "text");
  EXPECT_EQ(output.value().status, 0);
  EXPECT_EQ(loop.run(run_command({.argv = {"false"}}, "")).value().status, 1);
  const auto with = loop.run(run_command({.argv = {"env"}, .environment = std::vector<std::string>{"A=b"}}, ""));
  EXPECT_EQ(with.value().out, "A=b\n");
  EXPECT_EQ(loop.run(run_command({.argv = {"pwd"}, .directory = "/"}, "")).value().out, "/\n");
}

TEST(Process, SaysWhyItCannotStart) {
  Loop loop;
  const auto missing = loop.run(run_command({.argv = {"no-such-program"}}, ""));
  EXPECT_EQ(missing.error().code, Code::not_found);
  EXPECT_NE(missing.error().message.find("no-such-program"), std::string::npos);
}

Task<Code> impatient() {
  const auto result = co_await within(milliseconds(50), run_command({.argv = {"sleep", "60"}}, ""));
  co_return result ? Code::internal : result.error().code;
}

TEST(Process, IsKilledAtTheDeadline) {
  Loop loop;
  EXPECT_EQ(loop.run(impatient()), Code::timeout);
}

TEST(Process, BoundsWhatItCollects) {
  Loop loop;
  const auto output = loop.run(run_command({.argv = {"head", "-c", "100000", "/dev/zero"}}, "", 1000));
  EXPECT_EQ(output.error().code, Code::invalid);
}

Task<int> killed() {
  const Context context = co_await here();
  auto process = Process::start(*context.loop, {.argv = {"sleep", "60"}}).value();
  process->kill(SIGTERM);
  co_return (co_await process->wait()).value();
}

TEST(Process, ReportsTheSignal) {
  Loop loop;
  EXPECT_EQ(loop.run(killed()), 128 + SIGTERM);
}

Task<int> next_signal(Signals& signals) {
  co_return (co_await signals.next()).value();
}

TEST(Signals, AreAwaited) {
  Loop loop;
  const auto signals = Signals::open(loop, {SIGUSR1}).value();
  ::kill(::getpid(), SIGUSR1);
  EXPECT_EQ(loop.run(next_signal(*signals)), SIGUSR1);
}

TEST(File, IsReplacedWholeWithItsMode) {
  const std::string folder = ::testing::TempDir() + "/berth-" + std::to_string(::getpid()) + "/a/b";
  ASSERT_TRUE(make_folder(folder, 0700));
  const std::string path = folder + "/key";
  ASSERT_TRUE(write_file(path, "one", 0600));
  ASSERT_TRUE(write_file(path, "two", 0600));
  EXPECT_EQ(read_file(path).value(), "two");
  EXPECT_EQ(read_file(path, 2).error().code, Code::invalid);
  EXPECT_EQ(list_folder(folder).value(), std::vector<std::string>{"key"});
  EXPECT_EQ(read_file(folder + "/none").error().code, Code::not_found);
  EXPECT_EQ(write_file(folder + "/no/file", "x").error().code, Code::not_found);
  ASSERT_TRUE(remove_file(path));
}

TEST(File, WhatAKillLeftIsRemoved) {
  const std::string folder = ::testing::TempDir() + "/berth-leftovers-" + std::to_string(::getpid());
  ASSERT_TRUE(make_folder(folder, 0700));
  const struct timespec old[2] = {{.tv_sec = 1'000'000, .tv_nsec = 0}, {.tv_sec = 1'000'000, .tv_nsec = 0}};
  for (const char* name : {"key", "key.a1B2c3", "key.fresh0", "key.a1B2c", "key.a1B2c-", "other.a1B2c3"}) {
    ASSERT_TRUE(write_new_file(folder + "/" + name, "x"));
    if (std::string_view(name) != "key.fresh0")
      ASSERT_EQ(::utimensat(AT_FDCWD, (folder + "/" + name).c_str(), old, 0), 0);
  }
  remove_leftovers(folder + "/key");
  remove_leftovers(folder + "/no/key");
  EXPECT_EQ(list_folder(folder).value(),
            (std::vector<std::string>{"key", "key.a1B2c", "key.a1B2c-", "key.fresh0", "other.a1B2c3"}));
}

TEST(FileLock, NamesItsHolder) {
  const std::string path = ::testing::TempDir() + "/berth-lock-" + std::to_string(::getpid());
  {
    auto lock = FileLock::take(path).value();
    ASSERT_TRUE(lock.describe("process 7"));
    const auto second = FileLock::take(path);
    EXPECT_EQ(second.error().code, Code::busy);
    EXPECT_NE(second.error().message.find("process 7"), std::string::npos);
  }
  EXPECT_TRUE(FileLock::take(path));
  (void)remove_file(path);
}

}  // namespace
}  // namespace berth::io
