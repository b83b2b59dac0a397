#include "api/registry.h"

#include "io/seal.h"
#include "testing/stores.h"

namespace berth::api {
namespace {

using engine::Credentials;

struct RegistryTest : testing::StoreTest {
  RegistryTest() {
    auto opened = open(registry_migrations());
    EXPECT_TRUE(opened) << (opened ? "" : opened.error().message);
    if (opened) database = std::move(*opened);
  }
  Result<int> keep(const std::string& id, const std::string& host, Credentials credentials) {
    const std::pair entry{Registry{.host = host, .user = credentials.user, .checked = true, .created_at = 1'700'000},
                          std::move(credentials)};
    return write<int>(*database, [&](store::Transaction& transaction) -> Result<int> {
      TRY(keep_registry(transaction, key, id, entry));
      return 0;
    });
  }
  Result<std::optional<Credentials>> find(std::string_view host) {
    return read<std::optional<Credentials>>(
        *database, [&](store::Transaction& transaction) { return find_credentials(transaction, key, host); });
  }
  Result<std::vector<Registry>> list() { return read<std::vector<Registry>>(*database, list_registries); }
  Result<Registry> remove(std::string_view host) {
    return write<Registry>(*database,
                           [&](store::Transaction& transaction) { return remove_registry(transaction, host); });
  }

  std::unique_ptr<store::Database> database;
  io::SealKey key = *io::SealKey::load_or_make(store.folder() + "/key");
};
INSTANTIATE_TEST_SUITE_P(Stores, RegistryTest, testing::stores(), testing::store_name);

TEST_P(RegistryTest, GivesALoginToItsRegistryAlone) {
  ASSERT_TRUE(keep("registry_1", "docker.io", {.user = "hub", .password = "pw-hub"}));
  ASSERT_TRUE(keep("registry_2", "host:5000", {.user = "own", .identity_token = "tok"}));
  const auto hub = find("docker.io"), own = find("host:5000");
  ASSERT_TRUE(hub && *hub && own && *own);
  EXPECT_EQ((*hub)->password, "pw-hub");
  EXPECT_EQ((*hub)->server, "https://index.docker.io/v1/");
  EXPECT_EQ((*own)->identity_token, "tok");
  EXPECT_EQ((*own)->password, "");
  for (const char* other : {"host", "host:5001", "xhost:5000", "index.docker.io"}) EXPECT_FALSE(*find(other)) << other;
}

TEST_P(RegistryTest, ALoginTakesThePlaceOfTheOneBefore) {
  ASSERT_TRUE(keep("registry_1", "host", {.user = "one", .password = "pw-one"}));
  ASSERT_TRUE(keep("registry_2", "host", {.user = "two", .password = "pw-two"}));
  EXPECT_EQ((*find("host"))->user, "two");
  ASSERT_EQ(list()->size(), 1u);
  EXPECT_EQ(remove("host")->user, "two");
  EXPECT_FALSE(*find("host"));
  EXPECT_EQ(remove("host").error().code, Code::not_found);
}

TEST_P(RegistryTest, KeepsThePasswordSealedAndShowsItNowhere) {
  ASSERT_TRUE(keep("registry_1", "host", {.user = "own", .password = "pw-own"}));
  const auto rows = ask(*database, "SELECT secret FROM registry");
  ASSERT_TRUE(rows);
  EXPECT_EQ(rows->at(0).bytes(0).find("pw-own"), std::string::npos);
  EXPECT_EQ(to_json(list()->at(0)).dump(),
            R"({"id":"host","host":"host","user":"own","checked":true,"createdAt":1700})");
  ASSERT_TRUE(change(*database, "UPDATE registry SET id = 'registry_2'"));
  EXPECT_EQ(find("host").error().code, Code::invalid) << "a password of another row";
}

}  // namespace
}  // namespace berth::api
