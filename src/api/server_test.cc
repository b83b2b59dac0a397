#include "api/server.h"

#include "io/seal.h"
#include "testing/stores.h"

namespace berth::api {
namespace {

struct ServerTest : testing::StoreTest {
  ServerTest() {
    auto opened = open(server_migrations());
    EXPECT_TRUE(opened) << (opened ? "" : opened.error().message);
    if (opened) database = std::move(*opened);
  }
  Result<int> add(const Server& server) {
    return write<int>(*database, [&](store::Transaction& transaction) -> Result<int> {
      TRY(add_server(transaction, key, server));
      return 0;
    });
  }
  Result<Server> find(std::string_view name) {
    return read<Server>(*database,
                        [&](store::Transaction& transaction) { return find_server(transaction, key, name); });
  }
  Result<Server> remove(std::string_view name) {
    return write<Server>(*database, [&](store::Transaction& transaction) { return remove_server(transaction, name); });
  }
  static Server far() {
    return {.id = "server_1",
            .name = "far",
            .address = *engine::parse_address("tcp://h:2376"),
            .ca = "CA",
            .certificate = "CERT",
            .key = "PRIVATE",
            .created_at = 1'700'000'000'000'000};
  }

  std::unique_ptr<store::Database> database;
  io::SealKey key = *io::SealKey::load_or_make(store.folder() + "/key");
};
INSTANTIATE_TEST_SUITE_P(Stores, ServerTest, testing::stores(), testing::store_name);

TEST_P(ServerTest, KeepsAServer) {
  ASSERT_TRUE(add(far()));
  const auto found = find("far");
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->address.text(), "tcp://h:2376");
  EXPECT_EQ(found->key, "PRIVATE");
  EXPECT_EQ(add(far()).error().code, Code::conflict);
}

TEST_P(ServerTest, KeepsTheKeySealed) {
  ASSERT_TRUE(add(far()));
  const auto rows = ask(*database, "SELECT secret FROM server");
  ASSERT_TRUE(rows);
  EXPECT_EQ(rows->at(0).bytes(0).find("PRIVATE"), std::string::npos);
  ASSERT_TRUE(change(*database, "UPDATE server SET id = 'server_2'"));
  EXPECT_EQ(find("far").error().code, Code::invalid) << "a key of another row";
}

TEST_P(ServerTest, RemovesAServer) {
  ASSERT_TRUE(add(far()));
  EXPECT_EQ(remove("far")->id, "server_1");
  EXPECT_EQ(find("far").error().code, Code::not_found);
  EXPECT_EQ(remove("far").error().code, Code::not_found);
}

TEST_P(ServerTest, ShowsNoKey) {
  ASSERT_TRUE(add(far()));
  const std::string shown = to_json(*find("far")).dump();
  EXPECT_EQ(shown.find("PRIVATE"), std::string::npos);
  EXPECT_EQ(shown.find("CERT"), std::string::npos);
  EXPECT_NE(shown.find(R"("kind":"tcp")"), std::string::npos) << shown;
}

struct Wrong {
  std::string what;
  Server server;
  std::string message;
};
TEST(ServerCheck, NamesWhatIsWrong) {
  const auto at = [](const char* address) { return *engine::parse_address(address); };
  const Wrong rows[] = {
      {"local", {.name = "local", .address = at("ssh://h")}, "beside berth"},
      {"capital", {.name = "Far", .address = at("ssh://h")}, "no name for a server"},
      {"dash", {.name = "-far", .address = at("ssh://h")}, "no name for a server"},
      {"empty", {.address = at("ssh://h")}, "no name for a server"},
      {"ca of ssh", {.name = "a", .address = at("ssh://h"), .ca = "CA"}, "go with tcp://"},
      {"identity of tcp", {.name = "a", .address = at("tcp://h"), .identity = "/id", .ca = "CA"}, "goes with ssh://"},
      {"relative identity", {.name = "a", .address = at("ssh://h"), .identity = "id"}, "absolute path"},
      {"two lines", {.name = "a", .address = at("ssh://h"), .identity = "/id\nProxyCommand x"}, "one line"},
      {"no ca", {.name = "a", .address = at("tcp://h"), .certificate = "C", .key = "K"}, "give --ca"},
      {"no key", {.name = "a", .address = at("tcp://h"), .ca = "CA", .certificate = "C"}, "give --cert and --key"},
      {"plain", {.name = "a", .address = at("tcp://h")}, "plain TCP"},
  };
  for (const Wrong& row : rows) {
    const auto checked = check_server(row.server);
    ASSERT_FALSE(checked) << row.what;
    EXPECT_NE(checked.error().message.find(row.message), std::string::npos) << checked.error().message;
  }
  EXPECT_TRUE(check_server({.name = "a-1", .address = at("ssh://u@h"), .identity = "/root/.ssh/id"}));
  EXPECT_TRUE(check_server({.name = "podman", .address = at("unix:///run/podman/podman.sock")}));
}

}  // namespace
}  // namespace berth::api
