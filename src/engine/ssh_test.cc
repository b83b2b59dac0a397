// The dialer over a program that plays ssh: a shell script that notes how it was called.
#include "engine/ssh.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "engine/client.h"
#include "engine/dialer.h"
#include "engine/system.h"
#include "io/file.h"
#include "io/process.h"
#include "io/temporary.h"

namespace berth::engine {
namespace {

// Plays ssh: -M listens on its control socket until it is ended; without it an engine that answers each request.
constexpr const char* kPlay = R"(#!/usr/bin/python3
import os, socket, sys
folder = os.path.dirname(sys.argv[0])
with open(folder + '/calls', 'a') as calls:
    calls.write(('login ' if '-M' in sys.argv else 'connection ') + str(os.getpid()) + '\n')
for name, status in (('refuse-login', 255), ('refuse', 1)):
    path = folder + '/' + name
    if os.path.exists(path) and ('-M' in sys.argv) == (name == 'refuse-login'):
        sys.stderr.write(open(path).read())
        sys.exit(status)
if '-M' in sys.argv:
    server = socket.socket(socket.AF_UNIX)
    server.bind(sys.argv[sys.argv.index('-S') + 1])
    server.listen()
    while True:
        server.accept()[0].close()
while True:
    head = b''
    while not head.endswith(b'\r\n\r\n'):
        byte = os.read(0, 1)
        if not byte:
            sys.exit(0)
        head += byte
    body = b'OK' if b'_ping' in head else b'{"Version":"9.9"}'
    reply = b'HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n'
    os.write(1, reply % len(body) + body)
)";

struct SshDialerTest : ::testing::Test {
  SshDialerTest() : folder(*io::TemporaryFolder::make("/tmp", "berth-ssh")) {
    program = folder.path() + "/ssh";
    EXPECT_TRUE(io::write_file(program, kPlay, 0755));
  }
  void put(const std::string& name, std::string_view text) {
    ASSERT_TRUE(io::write_file(folder.path() + "/" + name, text));
  }
  SshFiles files(bool shared = true) const {
    return {.program = program, .control_folder = shared ? folder.path() + "/c" : ""};
  }
  io::Task<Result<std::unique_ptr<Client>>> connect(bool shared = true) {
    const Address address = *parse_address("ssh://u@h");
    auto dialer = CO_TRY(make_dialer(address, {.ssh = files(shared)}));
    co_return co_await Client::connect(address, std::move(dialer));
  }
  std::size_t count(std::string_view word) const {
    const std::string calls = io::read_file(folder.path() + "/calls").value_or("");
    std::size_t found = 0;
    for (std::size_t at = 0; (at = calls.find(word, at)) != std::string::npos; ++at) ++found;
    return found;
  }

  io::Loop loop;
  io::TemporaryFolder folder;
  std::string program;
};

io::Task<void> ask(Client& client, Result<Json>& into) {
  into = co_await engine_version(client);
}
io::Task<void> ask_at_once(Client& client, std::vector<Result<Json>>& answers) {
  io::Scope scope(co_await io::here());
  for (auto& answer : answers) scope.spawn(ask(client, answer));
  co_await scope.join();
}

TEST_F(SshDialerTest, ConnectionsShareOneLogin) {
  auto client = loop.run(connect());
  ASSERT_TRUE(client) << client.error().message;
  std::vector<Result<Json>> answers(3);
  loop.run(ask_at_once(**client, answers));
  for (const auto& answer : answers) {
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_EQ((*answer)["Version"].text(), "9.9");
  }
  EXPECT_EQ(count("login"), 1u);
  EXPECT_EQ(count("connection"), 3u);
}

TEST_F(SshDialerTest, ALoginThatEndedIsMadeAgain) {
  auto client = loop.run(connect());
  ASSERT_TRUE(client) << client.error().message;
  for (const std::string& name : *io::list_folder(folder.path() + "/c"))
    ASSERT_TRUE(io::remove_file(folder.path() + "/c/" + name));
  std::vector<Result<Json>> answers(2);  // one more connection than there is
  loop.run(ask_at_once(**client, answers));
  for (const auto& answer : answers) EXPECT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(count("login"), 2u);
}

TEST_F(SshDialerTest, TellsWhyThereIsNoLogin) {
  put("refuse-login", "u@h: Permission denied (publickey).\r\n");
  const auto client = loop.run(connect());
  ASSERT_FALSE(client);
  EXPECT_EQ(client.error().code, Code::denied);
  EXPECT_TRUE(client.error().message.contains("the host takes none of our keys")) << client.error().message;
  EXPECT_EQ(count("connection"), 0u);
}

TEST_F(SshDialerTest, TellsWhatDockerSaidThere) {
  put("refuse", "Cannot connect to the Docker daemon at unix:///var/run/docker.sock.\n");
  for (const bool shared : {true, false}) {
    const auto client = loop.run(connect(shared));
    ASSERT_FALSE(client);
    EXPECT_EQ(client.error().code, Code::unavailable);
    EXPECT_EQ(client.error().message, "ssh://u@h: Cannot connect to the Docker daemon at unix:///var/run/docker.sock.");
  }
}

TEST_F(SshDialerTest, NamesAMissingProgram) {
  program = folder.path() + "/no-ssh";
  const auto client = loop.run(connect());
  ASSERT_FALSE(client);
  EXPECT_EQ(client.error().code, Code::not_found);
  EXPECT_TRUE(client.error().message.starts_with("ssh://u@h: cannot start ")) << client.error().message;
}

TEST_F(SshDialerTest, ChildrenEndWithTheClient) {
  {
    auto client = loop.run(connect());
    ASSERT_TRUE(client) << client.error().message;
  }
  std::string calls = *io::read_file(folder.path() + "/calls");
  for (std::size_t line = 0; line < calls.size(); line = calls.find('\n', line) + 1) {
    const pid_t pid = std::stoi(calls.substr(calls.find(' ', line)));
    auto child = io::Process::adopt(loop, pid);
    if (child) EXPECT_TRUE(loop.run(io::within(std::chrono::seconds(20), (*child)->wait()))) << pid;
  }
}

}  // namespace
}  // namespace berth::engine
