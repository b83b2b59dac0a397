#include "engine/socket_access.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

namespace berth::engine {
namespace {

const Error kDenied{Code::denied, "x: Permission denied"};
const Error kRefused{Code::unavailable, "x: Connection refused"};

SocketFacts usual() {
  return {.path = "/var/run/docker.sock",
          .exists = true,
          .is_socket = true,
          .mode = 0660,
          .owner = "root",
          .group = "docker",
          .user = "alice"};
}

TEST(ExplainSocket, NotInTheGroup) {
  const Error error = explain_socket(usual(), kDenied);
  EXPECT_EQ(error.code, Code::denied);
  EXPECT_EQ(
      error.message,
      "permission denied on the engine's socket /var/run/docker.sock, which belongs to root:docker with mode 0660; "
      "user alice is not in group docker: run `sudo usermod -aG docker alice` and log in again (members of it are "
      "as powerful as root), or use sudo");
}

TEST(ExplainSocket, AddedAfterTheLogin) {
  SocketFacts facts = usual();
  facts.listed_in_group = true;
  EXPECT_NE(explain_socket(facts, kDenied).message.find("log in again, or run `newgrp docker`"), std::string::npos);
}

TEST(ExplainSocket, GroupWithoutAccess) {
  SocketFacts facts = usual();
  facts.mode = 0600;
  EXPECT_NE(explain_socket(facts, kDenied).message.find("its group may not use it"), std::string::npos);
  facts = usual();
  facts.group = "root";
  EXPECT_NE(explain_socket(facts, kDenied).message.find("run this as root"), std::string::npos);
}

TEST(ExplainSocket, AllowedByModeYetDenied) {
  SocketFacts facts = usual();
  facts.in_group = true;
  EXPECT_NE(explain_socket(facts, kDenied).message.find("security module"), std::string::npos);
}

TEST(ExplainSocket, AFolderInTheWay) {
  SocketFacts facts{.path = "/run/user/0/docker.sock", .blocked_folder = "/run/user/0", .user = "alice"};
  const Error error = explain_socket(facts, kDenied);
  EXPECT_EQ(error.code, Code::denied);
  EXPECT_NE(error.message.find("user alice may not enter /run/user/0"), std::string::npos);
}

TEST(ExplainSocket, MissingOrDead) {
  SocketFacts facts = usual();
  facts.exists = false;
  EXPECT_EQ(explain_socket(facts, kRefused).code, Code::unavailable);
  EXPECT_NE(explain_socket(facts, kRefused).message.find("there is no such socket; start the engine"),
            std::string::npos);
  EXPECT_NE(explain_socket(usual(), kRefused).message.find("nobody listens on that socket"), std::string::npos);
  facts = usual();
  facts.is_socket = false;
  EXPECT_EQ(explain_socket(facts, kRefused).code, Code::invalid);
}

TEST(SocketFacts, OfWhatIsNotThere) {
  const SocketFacts facts = socket_facts("/nonexistent/engine.sock");
  EXPECT_FALSE(facts.exists);
  EXPECT_EQ(facts.blocked_folder, "");
  EXPECT_FALSE(facts.user.empty());
}

TEST(SocketFacts, OfAFile) {
  std::string path = testing::TempDir() + "socketfactsXXXXXX";
  const int file = ::mkstemp(path.data());
  ASSERT_GE(file, 0);
  const SocketFacts facts = socket_facts(path);
  EXPECT_TRUE(facts.exists);
  EXPECT_FALSE(facts.is_socket);
  EXPECT_EQ(facts.mode, 0600u);
  EXPECT_TRUE(facts.in_group);
  ::close(file);
  ::unlink(path.c_str());
}

}  // namespace
}  // namespace berth::engine
