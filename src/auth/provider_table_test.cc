// Which user an identity is: never one by name, with what its groups say, and the secret is nowhere to be read.
#include "auth/provider_table.h"

#include "auth/desk_test.h"
#include "auth/directory.h"
#include "auth/flow.h"
#include "auth/ldap.h"
#include "auth/ldap_text.h"

namespace berth::auth {
namespace {

using store::Transaction;

struct ProviderTableTest : DeskTest {
  Result<StoredProvider> add(std::string_view settings, std::optional<std::string> secret = {}) {
    return write<StoredProvider>([&](Transaction& transaction) {
      return add_provider(transaction, by_admin(), "company",
                          {.settings = parse_json(settings).value_or(Json()), .secret = secret}, *key);
    });
  }
  Result<User> user(const Identity& identity) {
    return write<User>([&](Transaction& transaction) -> Result<User> {
      const auto stored = TRY(find_provider(transaction, "company", *key));
      return user_of(transaction, by_admin(), stored.provider, identity);
    });
  }
};
INSTANTIATE_TEST_SUITE_P(Stores, ProviderTableTest, testing::stores(), testing::store_name);

constexpr std::string_view kCreates = R"({"kind":"oidc","issuer":"https://id.example","clientId":"berth",
  "provision":"create","roles":{"admins":"admin","staff":"developer"},"projects":{"staff":{"shop":"developer"}}})";

TEST_P(ProviderTableTest, CreatesAUserOfItsOwnAndKnowsItAgain) {
  const User local = add_user("ada", Role::admin);
  ASSERT_TRUE(add(kCreates));
  const auto made = user({.subject = "1", .name = "Ada"});
  ASSERT_TRUE(made) << made.error().text();
  EXPECT_NE(made->id, local.id) << "a name never leads to an account that exists";
  EXPECT_EQ(made->name, "Ada-2");
  EXPECT_EQ(made->role, Role::viewer);
  EXPECT_FALSE(made->has_password);
  EXPECT_EQ(user({.subject = "1", .name = "renamed"})->id, made->id);
  EXPECT_NE(user({.subject = "2", .name = "Ada"})->id, made->id);
}

TEST_P(ProviderTableTest, FollowsTheGroupsAtEverySignIn) {
  add_user("root", Role::admin);
  ASSERT_TRUE(add(kCreates));
  const auto staff = user({.subject = "1", .name = "ada", .groups = {"staff"}});
  EXPECT_EQ(staff->role, Role::developer);
  EXPECT_EQ(staff->projects.at("shop"), Role::developer);
  EXPECT_EQ(user({.subject = "1", .groups = {"admins"}})->role, Role::admin);
  const auto left = user({.subject = "1"});
  EXPECT_EQ(left->role, Role::viewer);
  EXPECT_TRUE(left->projects.empty());
}

TEST_P(ProviderTableTest, NeverTakesTheLastAdminAway) {
  ASSERT_TRUE(add(kCreates));
  EXPECT_EQ(user({.subject = "1", .name = "ada", .groups = {"admins"}})->role, Role::admin);
  EXPECT_EQ(user({.subject = "1"})->role, Role::admin);
}

TEST_P(ProviderTableTest, WithoutProvisioningOnlyLinkedOnesComeIn) {
  const User ada = add_user("ada"), eve = add_user("eve");
  ASSERT_TRUE(add(R"({"kind":"oauth2","preset":"github","clientId":"x"})"));
  EXPECT_EQ(user({.subject = "1", .name = "ada"}).error().code, Code::denied);
  const auto link = [&](const User& to) {
    return write<void>([&](Transaction& transaction) -> Result<void> {
      const auto stored = TRY(find_provider(transaction, "company", *key));
      return link_identity(transaction, by_admin(), stored.provider, {Identity{.subject = "1"}, to});
    });
  };
  ASSERT_TRUE(link(ada));
  ASSERT_TRUE(link(ada));
  EXPECT_EQ(link(eve).error().code, Code::conflict);
  EXPECT_EQ(user({.subject = "1"})->id, ada.id);
}

TEST_P(ProviderTableTest, KeepsItsSecretSealed) {
  ASSERT_TRUE(add(kCreates, "s3cret-of-the-client"));
  const auto row = write<std::string>([](Transaction& transaction) -> Result<std::string> {
    return TRY(transaction.first("SELECT secret FROM auth_provider", {}))->bytes(0);
  });
  EXPECT_FALSE(row->contains("s3cret"));
  EXPECT_FALSE(audit_text().contains("s3cret"));
  const auto found =
      write<StoredProvider>([&](Transaction& transaction) { return find_provider(transaction, "company", *key); });
  EXPECT_EQ(found->secret, "s3cret-of-the-client");
  EXPECT_FALSE(to_json(*found).dump().contains("s3cret"));
  EXPECT_EQ(add(kCreates).error().code, Code::conflict);
}

TEST_P(ProviderTableTest, DisabledAndRemovedOnesAreGone) {
  ASSERT_TRUE(add(kCreates));
  ASSERT_TRUE(write<StoredProvider>([&](Transaction& transaction) {
    return change_provider(transaction, by_admin(), "company", {.enabled = false}, *key);
  }));
  EXPECT_EQ(user({.subject = "1", .name = "ada"}).error().code, Code::not_found);
  ASSERT_TRUE(
      write<void>([&](Transaction& transaction) { return remove_provider(transaction, by_admin(), "company"); }));
  EXPECT_EQ(user({.subject = "1"}).error().code, Code::not_found);
}

/// A flow that was begun without asking the provider: plain OAuth 2 has no discovery.
struct FlowTest : ProviderTableTest {
  Flow flow_of() { return Flow(*desk); }
  Result<Flow::Begun> begin(Flow& flow, std::string next = "/projects") {
    return loop.run(flow.begin({.provider = "company", .origin = "https://berth.localhost", .next = std::move(next)}));
  }
  static std::string state_of(const Flow::Begun& begun) {
    const auto at = begun.url.find("state=") + 6;
    return begun.url.substr(at, begun.url.find('&', at) - at);
  }
  Code finish(Flow& flow, const std::string& state, const std::string& browser, std::string provider = "company") {
    const auto finished = loop.run(flow.finish({.provider = std::move(provider),
                                                .origin = "https://berth.localhost",
                                                .query = "code=c&state=" + state,
                                                .browser = browser,
                                                .visitor = {.client = "192.0.2.1"}}));
    return !finished || finished->opened ? Code::internal : finished->opened.error().code;
  }
  // Nobody listens there, so that "unavailable" means: everything before was right.
  static constexpr std::string_view kNobody = R"({"kind":"oauth2","clientId":"x","authorizeUrl":"https://127.0.0.1:1/a",
    "tokenUrl":"http://127.0.0.1:1/t","userUrl":"http://127.0.0.1:1/u","idMember":"id"})";
};
INSTANTIATE_TEST_SUITE_P(Stores, FlowTest, testing::stores(), testing::store_name);

TEST_P(FlowTest, BindsAStateToItsBrowserAndUsesItOnce) {
  ASSERT_TRUE(add(kNobody));
  Flow flow = flow_of();
  const auto begun = begin(flow);
  ASSERT_TRUE(begun) << begun.error().text();
  EXPECT_TRUE(
      begun->url.starts_with("https://127.0.0.1:1/a?response_type=code&client_id=x&redirect_uri="
                             "https%3A%2F%2Fberth.localhost%2Fapi%2Fv1%2Fauth%2Fcompany%2Fcallback"))
      << begun->url;
  EXPECT_EQ(finish(flow, state_of(*begun), begun->browser), Code::unavailable);
  EXPECT_EQ(finish(flow, state_of(*begun), begun->browser), Code::timeout) << "a second time";
  const auto second = begin(flow);
  EXPECT_EQ(finish(flow, state_of(*second), std::string(43, 'x')), Code::timeout) << "another browser";
  EXPECT_EQ(finish(flow, state_of(*second), second->browser), Code::timeout) << "spent by the try of another browser";
  const auto third = begin(flow);
  EXPECT_EQ(finish(flow, state_of(*third), ""), Code::timeout);
  const auto fourth = begin(flow);
  EXPECT_EQ(finish(flow, std::string(43, 'y'), fourth->browser), Code::timeout) << "a made-up state";
  EXPECT_EQ(finish(flow, "", fourth->browser), Code::timeout);
  now += 600 * kSecond;
  EXPECT_EQ(finish(flow, state_of(*fourth), fourth->browser), Code::timeout) << "after ten minutes";
}

TEST_P(FlowTest, OfOneProviderIsNoUseAtAnother) {
  ASSERT_TRUE(add(kNobody));
  ASSERT_TRUE(write<StoredProvider>([&](Transaction& transaction) {
    return add_provider(transaction, by_admin(), "other", {.settings = *parse_json(kNobody)}, *key);
  }));
  Flow flow = flow_of();
  const auto begun = begin(flow);
  EXPECT_EQ(finish(flow, state_of(*begun), begun->browser, "other"), Code::timeout);
}

TEST(LdapText, EscapesWhatIsSyntax) {
  EXPECT_EQ(escape_filter("ada"), "ada");
  EXPECT_EQ(escape_filter("*)(uid=*"), "\\2a\\29\\28uid\\3d\\2a");
  EXPECT_EQ(escape_filter(std::string("a\0b\\", 4)), "a\\00b\\5c");
  EXPECT_EQ(escape_filter("é"), "\\c3\\a9");
  EXPECT_EQ(escape_dn("ada,ou=admins"), "ada\\2cou\\3dadmins");
  EXPECT_EQ(escape_dn(" #a+b\"<>;"), "\\20\\23a\\2bb\\22\\3c\\3e\\3b");
  EXPECT_EQ(with_name("(|(uid={name})(mail={name}))", "x"), "(|(uid=x)(mail=x))");
}

TEST_P(DeskTest, AnEmptyPasswordNeverReachesADirectory) {
  const LdapSettings nowhere{.url = "ldap://127.0.0.1:1", .user_dn = "uid={name},dc=x"};
  const auto code = [&](std::string name, std::string password) {
    return loop.run(ldap_identity(nowhere, "", std::move(name), std::move(password))).error().code;
  };
  EXPECT_EQ(code("ada", ""), Code::denied);
  EXPECT_EQ(code("ada", std::string("a\0b", 3)), Code::denied);
  EXPECT_EQ(code("", "password"), Code::denied);
  EXPECT_EQ(code(std::string(300, 'a'), "password"), Code::denied);
  EXPECT_EQ(code("ada", "password"), Code::unavailable) << "this one was asked, and nobody is there";
}

}  // namespace
}  // namespace berth::auth
