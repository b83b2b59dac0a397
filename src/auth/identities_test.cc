// What a user is linked with, and that nobody locks themselves out by taking it away.
#include "auth/identities.h"

#include "auth/desk_test.h"
#include "auth/passkeys.h"
#include "auth/provider_table.h"

namespace berth::auth {
namespace {

using store::Transaction;

struct IdentitiesTest : DeskTest {
  void add_provider_named(const std::string& id, std::string_view name) {
    const Json settings = Json::object({{"kind", "oidc"},
                                        {"name", name},
                                        {"issuer", "https://id.example"},
                                        {"clientId", "berth"},
                                        {"provision", "create"}});
    const auto added = write<StoredProvider>([&](Transaction& transaction) {
      return add_provider(transaction, by_admin(), id, {.settings = settings}, *key);
    });
    ASSERT_TRUE(added) << added.error().text();
  }
  void disable(const std::string& id) {
    ASSERT_TRUE(write<StoredProvider>([&](Transaction& transaction) {
      return change_provider(transaction, by_admin(), id, {.enabled = false}, *key);
    }));
  }
  /// Signs in by a provider; the account is made when there is none.
  Result<User> comes(const std::string& provider, const Identity& identity) {
    return write<User>([&](Transaction& transaction) -> Result<User> {
      const auto stored = TRY(find_provider(transaction, provider, *key));
      return user_of(transaction, by_admin(), stored.provider, identity);
    });
  }
  void link(const std::string& provider, const Identity& identity, const User& user) {
    const auto linked = write<void>([&](Transaction& transaction) -> Result<void> {
      const auto stored = TRY(find_provider(transaction, provider, *key));
      return link_identity(transaction, by_admin(), stored.provider, {identity, user});
    });
    ASSERT_TRUE(linked) << linked.error().text();
  }
  void keep_passkey_of(const User& user, const std::string& id = "p") {
    ASSERT_TRUE(write<void>([&](Transaction& transaction) {
      return execute(transaction,
                     "INSERT INTO auth_passkey (id, user_id, name, algorithm, key_bytes, counter, created_at)"
                     " VALUES (?, ?, 'laptop', -8, ?, 0, ?)",
                     {id, user.id, store::Blob{"key"}, now});
    }));
  }
  std::vector<LinkedIdentity> identities(const User& user) {
    auto all = write<std::vector<LinkedIdentity>>(
        [&](Transaction& transaction) { return list_identities(transaction, user.id); });
    EXPECT_TRUE(all) << all.error().text();
    return all.value_or(std::vector<LinkedIdentity>{});
  }
  Deed by(const User& user) { return {.who = principal_of(user), .now = now}; }
  Result<void> remove_key(const User& user, const std::string& id) {
    return write<void>([&](Transaction& transaction) { return remove_passkey(transaction, by(user), user, id); });
  }
  Result<void> unlink(const Deed& who, const User& user, const std::string& id) {
    return write<void>([&](Transaction& transaction) { return unlink_identity(transaction, who, user, id); });
  }
};
INSTANTIATE_TEST_SUITE_P(Stores, IdentitiesTest, testing::stores(), testing::store_name);

TEST_P(IdentitiesTest, AreListedWithTheNameThere) {
  const User ada = add_user("ada");
  add_provider_named("company", "The company");
  link("company", {.subject = "id/1", .name = "Ada Lovelace"}, ada);
  now += kHour;
  add_provider_named("other", "Other");
  link("other", {.subject = "2"}, ada);
  const auto both = identities(ada);
  ASSERT_EQ(both.size(), 2);
  EXPECT_EQ(to_json(both[0]).dump(), R"({"id":")" + both[0].id +
                                         R"(","provider":"company","providerName":"The company","enabled":true,)"
                                         R"("name":"Ada-Lovelace","createdAt":1700000000000})");
  EXPECT_FALSE(both[0].id.contains('/')) << "it is a segment of an address";
  EXPECT_TRUE(to_json(both[1])["name"].is_null());
  EXPECT_TRUE(identities(add_user("eve")).empty());
}

TEST_P(IdentitiesTest, KeepTheirIdWhenTheNameThereChanges) {
  add_provider_named("company", "The company");
  const auto ada = comes("company", {.subject = "1", .name = "ada"});
  const auto before = identities(*ada);
  ASSERT_TRUE(comes("company", {.subject = "1", .name = "countess"}));
  const auto after = identities(*ada);
  ASSERT_EQ(after.size(), 1);
  EXPECT_EQ(after[0].name, "countess");
  EXPECT_EQ(after[0].id, before[0].id);
  ASSERT_TRUE(
      write<void>([&](Transaction& transaction) { return remove_provider(transaction, by_admin(), "company"); }));
  EXPECT_EQ(identities(*ada)[0].provider_name, "company") << "of one that was removed, the id is left";
  EXPECT_FALSE(identities(*ada)[0].usable);
}

TEST_P(IdentitiesTest, UnlinkedOneSignsNobodyInAndTheAuditSaysSo) {
  const User ada = add_user("ada");
  add_provider_named("company", "The company");
  link("company", {.subject = "1"}, ada);
  link("company", {.subject = "2"}, ada);
  const auto both = identities(ada);
  ASSERT_TRUE(unlink(by(ada), ada, both[0].id));
  ASSERT_EQ(identities(ada).size(), 1);
  EXPECT_NE(comes("company", {.subject = both[0].subject})->id, ada.id);
  EXPECT_EQ(comes("company", {.subject = both[1].subject})->id, ada.id);
  const auto entries = audit();
  const auto line = std::ranges::find(entries, "identity.unlink", &job::Entry::verb);
  ASSERT_NE(line, entries.end());
  EXPECT_EQ(line->subject, "user:ada");
  EXPECT_EQ(unlink(by(ada), ada, both[0].id).error().code, Code::not_found) << "a second time";
}

TEST_P(IdentitiesTest, OfOthersAreNotThere) {
  const User ada = add_user("ada"), eve = add_user("eve");
  add_provider_named("company", "The company");
  link("company", {.subject = "1"}, ada);
  EXPECT_EQ(unlink(by(eve), eve, identities(ada)[0].id).error().code, Code::not_found);
  EXPECT_EQ(identities(ada).size(), 1);
}

TEST_P(IdentitiesTest, LastWayInStaysUnlessAnAdminTakesIt) {
  add_provider_named("company", "The company");
  add_provider_named("other", "Other");
  const auto ada = comes("company", {.subject = "1", .name = "ada"});
  const std::string id = identities(*ada)[0].id;
  const auto refused = unlink(by(*ada), *ada, id);
  EXPECT_EQ(refused.error().code, Code::conflict);
  EXPECT_EQ(refused.error().message,
            "The company is the only way to sign in to this account; add a passkey, link another provider, or have an "
            "admin set a password first");
  link("other", {.subject = "1"}, *ada);
  disable("other");
  EXPECT_EQ(unlink(by(*ada), *ada, id).error().code, Code::conflict) << "nobody comes in by one that is off";
  EXPECT_EQ(identities(*ada).size(), 2);
  EXPECT_TRUE(unlink(by_admin(), *ada, id));
}

TEST_P(IdentitiesTest, AnotherProviderOrAPasskeyIsAWayIn) {
  add_provider_named("company", "The company");
  add_provider_named("other", "Other");
  const auto ada = comes("company", {.subject = "1", .name = "ada"});
  link("other", {.subject = "1"}, *ada);
  EXPECT_TRUE(unlink(by(*ada), *ada, identities(*ada)[0].id));
  EXPECT_EQ(unlink(by(*ada), *ada, identities(*ada)[0].id).error().code, Code::conflict);
  keep_passkey_of(*ada);
  EXPECT_TRUE(unlink(by(*ada), *ada, identities(*ada)[0].id));
  EXPECT_TRUE(identities(*ada).empty());
}

TEST_P(IdentitiesTest, TheLastPasskeyStaysToo) {
  add_provider_named("company", "The company");
  const auto ada = comes("company", {.subject = "1", .name = "ada"});
  keep_passkey_of(*ada, "p");
  keep_passkey_of(*ada, "q");
  EXPECT_EQ(remove_key(*ada, "r").error().code, Code::not_found);
  ASSERT_TRUE(unlink(by(*ada), *ada, identities(*ada)[0].id));
  ASSERT_TRUE(remove_key(*ada, "p"));
  EXPECT_TRUE(remove_key(*ada, "q").error().message.starts_with("passkey \"laptop\" is the only way to sign in "));
  link("company", {.subject = "1"}, *ada);
  EXPECT_TRUE(remove_key(*ada, "q"));
  const User eve = add_user("eve");
  keep_passkey_of(eve, "s");
  EXPECT_TRUE(remove_key(eve, "s")) << "a password is left";
}

}  // namespace
}  // namespace berth::auth
