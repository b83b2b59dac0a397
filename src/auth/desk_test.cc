// Signing in against a real store: sessions, second factors, the setup link, tokens, and what the audit says of them.
#include "auth/desk.h"

#include "auth/desk_test.h"
#include "auth/totp.h"

namespace berth::auth {
namespace {

using State = SignInResult::State;
using store::Transaction;

INSTANTIATE_TEST_SUITE_P(Stores, DeskTest, testing::stores(), testing::store_name);

TEST_P(DeskTest, ASessionLivesADayIdleAndThirtyDaysAtMost) {
  add_user("ada");
  const auto in = sign_in({.name = "Ada", .password = std::string(kPassword)});
  ASSERT_TRUE(in) << in.error().text();
  ASSERT_EQ(in->state, State::in);
  const std::string cookie = in->opened.cookie;
  EXPECT_EQ(by_cookie(cookie)->who.name, "ada");
  now += 23 * kHour;
  EXPECT_TRUE(by_cookie(cookie)->who.signed_in());
  now += 23 * kHour;
  EXPECT_TRUE(by_cookie(cookie)->who.signed_in()) << "using it made it live longer";
  now += 25 * kHour;
  EXPECT_FALSE(by_cookie(cookie)->who.signed_in());
}

TEST_P(DeskTest, ASessionEndsAfterThirtyDaysHoweverBusy) {
  add_user("ada");
  const std::string cookie = sign_in({.name = "ada", .password = std::string(kPassword)})->opened.cookie;
  int days = 0;
  while (by_cookie(cookie)->who.signed_in() && days < 40) {
    now += 20 * kHour;
    ++days;
  }
  EXPECT_EQ(days, 36) << "thirty days of 24 hours, in steps of 20";
}

TEST_P(DeskTest, ASessionIsRefreshedAtMostOnceAMinute) {
  add_user("ada");
  const std::string cookie = sign_in({.name = "ada", .password = std::string(kPassword)})->opened.cookie;
  const auto first = by_cookie(cookie);
  now += 59 * kSecond;
  EXPECT_FALSE(by_cookie(cookie)->stale);
  EXPECT_EQ(by_cookie(cookie)->expires_at, first->expires_at);
  now += kSecond;
  EXPECT_TRUE(by_cookie(cookie)->stale);
  EXPECT_EQ(by_cookie(cookie)->expires_at, first->expires_at + 60 * kSecond);
}

TEST_P(DeskTest, SigningInAgainMakesANewSessionAndEndsTheOld) {
  add_user("ada");
  const std::string first = sign_in({.name = "ada", .password = std::string(kPassword)})->opened.cookie;
  const auto again =
      sign_in({.name = "ada", .password = std::string(kPassword)}, {.client = "192.0.2.1", .previous = first});
  EXPECT_NE(again->opened.cookie, first);
  EXPECT_FALSE(by_cookie(first)->who.signed_in());
  EXPECT_TRUE(by_cookie(again->opened.cookie)->who.signed_in());
  const std::string planted(43, 'a');
  const auto fixed =
      sign_in({.name = "ada", .password = std::string(kPassword)}, {.client = "192.0.2.1", .previous = planted});
  EXPECT_NE(fixed->opened.cookie, planted);
  EXPECT_FALSE(by_cookie(planted)->who.signed_in());
}

TEST_P(DeskTest, WrongOnesAreRefusedAlikeAndWrittenDown) {
  const User ada = add_user("ada"), eve = add_user("eve");
  ASSERT_TRUE(change(eve, {.disabled = true}));
  EXPECT_EQ(sign_in({.name = "ada", .password = "wrong password"})->state, State::refused);
  EXPECT_EQ(sign_in({.name = "ada", .password = ""})->state, State::refused);
  EXPECT_EQ(sign_in({.name = "my-secret-typed-here", .password = std::string(kPassword)})->state, State::refused);
  EXPECT_EQ(sign_in({.name = "eve", .password = std::string(kPassword)})->state, State::refused);
  const std::string text = audit_text();
  EXPECT_FALSE(text.contains("my-secret-typed-here"));
  EXPECT_FALSE(text.contains("horse"));
  int denied = 0;
  for (const auto& entry : audit()) denied += entry.decision == job::Decision::denied ? 1 : 0;
  EXPECT_EQ(denied, 4);
}

TEST_P(DeskTest, GuessingEndsAfterFiveTries) {
  add_user("ada");
  for (int i = 0; i < 5; ++i) EXPECT_EQ(sign_in({.name = "ada", .password = "wrong"})->state, State::refused);
  const auto sixth = sign_in({.name = "ADA", .password = std::string(kPassword)});
  EXPECT_EQ(sixth->state, State::wait);
  EXPECT_EQ(sixth->seconds, 300);
  now += 300 * kSecond;
  EXPECT_EQ(sign_in({.name = "ada", .password = std::string(kPassword)})->state, State::in);
}

TEST_P(DeskTest, ChangesOfAUserEndItsSessions) {
  const User ada = add_user("ada");
  std::string kept = ada.id;
  for (const UserChange& wanted : {UserChange{.role = Role::developer}, UserChange{.disabled = true},
                                   UserChange{.disabled = false, .password = *hash_password(kPassword)}}) {
    ASSERT_TRUE(change(ada, {.disabled = false}));
    const std::string cookie = sign_in({.name = "ada", .password = std::string(kPassword)})->opened.cookie;
    EXPECT_TRUE(by_cookie(cookie)->who.signed_in());
    ASSERT_TRUE(change(ada, wanted));
    EXPECT_FALSE(by_cookie(cookie)->who.signed_in());
  }
}

TEST_P(DeskTest, ChangingOnesPasswordKeepsThisSessionOnly) {
  add_user("ada");
  const std::string other = sign_in({.name = "ada", .password = std::string(kPassword)})->opened.cookie;
  const std::string own = sign_in({.name = "ada", .password = std::string(kPassword)})->opened.cookie;
  const auto who = by_cookie(own)->who;
  EXPECT_EQ(loop.run(desk->change_password(who, "wrong wrong", "a new password")).error().code, Code::denied);
  EXPECT_EQ(loop.run(desk->change_password(who, std::string(kPassword), "short")).error().code, Code::invalid);
  ASSERT_TRUE(loop.run(desk->change_password(who, std::string(kPassword), "a new password")));
  EXPECT_TRUE(by_cookie(own)->who.signed_in());
  EXPECT_FALSE(by_cookie(other)->who.signed_in());
  EXPECT_EQ(sign_in({.name = "ada", .password = std::string(kPassword)})->state, State::refused);
  EXPECT_EQ(sign_in({.name = "ada", .password = "a new password"})->state, State::in);
}

TEST_P(DeskTest, TheLastAdminStays) {
  const User root = add_user("root", Role::admin), ada = add_user("ada", Role::admin);
  ASSERT_TRUE(change(ada, {.role = Role::operate}));
  EXPECT_EQ(change(root, {.role = Role::operate}).error().code, Code::conflict);
  EXPECT_EQ(change(root, {.disabled = true}).error().code, Code::conflict);
  const auto removed =
      write<void>([&](Transaction& transaction) { return remove_user(transaction, by_admin(), root.id); });
  EXPECT_EQ(removed.error().code, Code::conflict);
  ASSERT_TRUE(change(ada, {.role = Role::admin}));
  EXPECT_TRUE(change(root, {.role = Role::viewer}));
}

TEST_P(DeskTest, MembershipsReachTheCaller) {
  const User ada = add_user("ada");
  const auto set = [&](std::string project, Role role) {
    return write<User>(
        [&](Transaction& transaction) { return set_membership(transaction, by_admin(), ada.id, {project, role}); });
  };
  ASSERT_TRUE(set("shop", Role::viewer));
  ASSERT_TRUE(set("shop", Role::developer));
  EXPECT_EQ(set("shop", Role::admin).error().code, Code::invalid);
  EXPECT_EQ(set("../etc", Role::viewer).error().code, Code::invalid);
  const std::string cookie = sign_in({.name = "ada", .password = std::string(kPassword)})->opened.cookie;
  EXPECT_TRUE(may(by_cookie(cookie)->who, Permission::deploy, "shop"));
  ASSERT_TRUE(write<User>(
      [&](Transaction& transaction) { return remove_membership(transaction, by_admin(), ada.id, "shop"); }));
  EXPECT_FALSE(may(by_cookie(cookie)->who, Permission::view, "shop")) << "at the next request, in the same session";
}

struct TotpTest : DeskTest {
  User ada;
  std::string secret;
  std::vector<std::string> codes;

  void enrol() {
    ada = add_user("ada");
    const auto begun = write<Enrolment>([&](Transaction& transaction) { return begin_totp(transaction, ada, *key); });
    ASSERT_TRUE(begun);
    const auto row = write<std::string>([&](Transaction& transaction) -> Result<std::string> {
      return TRY(transaction.first("SELECT totp_secret FROM auth_user WHERE id = ?", {ada.id}))->bytes(0);
    });
    secret = *key->open(*row, "totp:" + ada.id);
    EXPECT_EQ(encode_base32(secret), begun->secret);
    EXPECT_FALSE(row->contains(secret));
    const auto confirmed = write<std::vector<std::string>>(
        [&](Transaction& transaction) { return confirm_totp(transaction, by_admin(), ada, code(), *key); });
    ASSERT_TRUE(confirmed) << confirmed.error().text();
    codes = *confirmed;
    ada.totp = true;
    now += 60 * kSecond;
  }
  std::string code() const { return totp_code(secret, totp_step(now / kSecond)); }
};
INSTANTIATE_TEST_SUITE_P(Stores, TotpTest, testing::stores(), testing::store_name);

TEST_P(TotpTest, IsTurnedOffOnlyByWhoHasIt) {
  enrol();
  const std::string password(kPassword);
  const auto remove = [&](const std::string& with) {
    return write<int>([&](Transaction& transaction) -> Result<int> {
      TRY(remove_totp(transaction, by_admin(), ada, with, *key));
      return 0;
    });
  };
  for (const char* wrong : {"", "000000", "aaaa-bbbb-cccc"}) {
    const auto refused = remove(wrong);
    ASSERT_FALSE(refused) << wrong;
    EXPECT_EQ(refused.error().code, Code::denied);
    EXPECT_EQ(sign_in({.name = "ada", .password = password})->state, State::second_factor) << wrong;
  }
  now += 60 * kSecond;
  ASSERT_TRUE(remove(code()));
  EXPECT_EQ(sign_in({.name = "ada", .password = password})->state, State::in);
}

TEST_P(TotpTest, IsAskedForAndWorksOnce) {
  enrol();
  EXPECT_EQ(codes.size(), 10U);
  const std::string password(kPassword);
  EXPECT_EQ(sign_in({.name = "ada", .password = password})->state, State::second_factor);
  EXPECT_EQ(sign_in({.name = "ada", .password = password, .totp = "000000"})->state, State::second_factor);
  EXPECT_EQ(sign_in({.name = "ada", .password = "wrong wrong", .totp = code()})->state, State::refused);
  EXPECT_EQ(sign_in({.name = "ada", .password = password, .totp = code()})->state, State::in);
  EXPECT_EQ(sign_in({.name = "ada", .password = password, .totp = code()})->state, State::second_factor) << "replayed";
  now += 30 * kSecond;
  EXPECT_EQ(sign_in({.name = "ada", .password = password, .totp = code()})->state, State::in);
  EXPECT_FALSE(audit_text().contains(code()));
}

TEST_P(TotpTest, RecoveryCodesWorkOnceAsPeopleTypeThem) {
  enrol();
  const std::string password(kPassword);
  std::string typed = codes[3];
  for (char& c : typed) c = static_cast<char>(std::toupper(c));
  std::erase(typed, '-');
  EXPECT_EQ(sign_in({.name = "ada", .password = password, .recovery_code = " " + typed + " "})->state, State::in);
  EXPECT_EQ(sign_in({.name = "ada", .password = password, .recovery_code = codes[3]})->state, State::second_factor);
  EXPECT_EQ(sign_in({.name = "ada", .password = password, .recovery_code = codes[4]})->state, State::in);
  EXPECT_FALSE(audit_text().contains(codes[4]));
}

io::Task<void> replay(store::Database& database, std::function<Result<bool>(Transaction&)> use, int& passed) {
  io::Scope scope(co_await io::here());
  const auto one = [](store::Database& at, std::function<Result<bool>(Transaction&)> work,
                      int& count) -> io::Task<void> {
    const auto used = co_await at.write<bool>(std::move(work));
    EXPECT_TRUE(used) << used.error().text();
    if (used && *used) ++count;
  };
  for (int i = 0; i < 1000; ++i) scope.spawn(one(database, use, passed));
  co_await scope.join();
}

TEST_P(TotpTest, OfAThousandReplaysAtOnceOnePasses) {
  enrol();
  int codes_passed = 0, recoveries_passed = 0;
  const std::string once = code();
  loop.run(replay(
      *database, [&](Transaction& transaction) { return use_totp(transaction, ada, once, *key, now); }, codes_passed));
  loop.run(replay(
      *database, [&](Transaction& transaction) { return use_recovery_code(transaction, ada, codes[0], now); },
      recoveries_passed));
  EXPECT_EQ(codes_passed, 1);
  EXPECT_EQ(recoveries_passed, 1);
}

struct SetupTest : DeskTest {
  Result<OpenedSession> set_up(const std::string& token, std::string name = "ada") {
    return loop.run(desk->set_up(token, {.name = std::move(name), .password = std::string(kPassword)},
                                 {.client = "192.0.2." + std::to_string(++client)}));
  }
  std::string open() {
    auto token = loop.run(desk->new_setup_token({.id = "local", .name = "local"}));
    EXPECT_TRUE(token) << token.error().text();
    return token.value_or("");
  }
  int client = 0;
};
INSTANTIATE_TEST_SUITE_P(Stores, SetupTest, testing::stores(), testing::store_name);

TEST_P(SetupTest, MakesTheFirstAdminOnce) {
  const std::string token = open();
  const auto first = set_up(token);
  ASSERT_TRUE(first) << first.error().text();
  EXPECT_EQ(by_cookie(first->cookie)->who.role, Role::admin);
  EXPECT_EQ(set_up(token, "eve").error().code, Code::conflict);
  EXPECT_EQ(loop.run(desk->new_setup_token({})).error().code, Code::conflict);
  EXPECT_FALSE(audit_text().contains(token));
}

TEST_P(SetupTest, ClosesAfterFiveWrongTriesAndOpensWithANewLink) {
  const std::string token = open(), wrong(43, 'x');
  for (int i = 0; i < 5; ++i) EXPECT_EQ(set_up(wrong).error().code, Code::denied);
  EXPECT_EQ(set_up(token).error().code, Code::denied);
  const std::string again = open();
  EXPECT_EQ(set_up(token).error().code, Code::denied);
  EXPECT_TRUE(set_up(again));
}

TEST_P(SetupTest, ClosesAfterAnHour) {
  const std::string token = open();
  now += kHour;
  EXPECT_EQ(set_up(token).error().code, Code::denied);
}

TEST_P(SetupTest, IsNotSpentByABadPassword) {
  const std::string token = open();
  const auto weak = loop.run(desk->set_up(token, {.name = "ada", .password = "short"}, {.client = "::1"}));
  EXPECT_EQ(weak.error().code, Code::invalid);
  EXPECT_TRUE(set_up(token));
}

struct TokenTest : DeskTest {
  User ada;
  Result<std::string> make(ApiToken about, Deed by) {
    return write<std::string>([&](Transaction& transaction) { return create_token(transaction, by, ada, about); });
  }
  Result<Recognised> by_token(const std::string& text) { return recognise("authorization", "Bearer " + text); }
};
INSTANTIATE_TEST_SUITE_P(Stores, TokenTest, testing::stores(), testing::store_name);

TEST_P(TokenTest, StandsForItsUserWithinItsScopes) {
  ada = add_user("ada", Role::admin);
  const auto text = make({.name = "ci", .scopes = "view logs", .expires_at = now + kHour}, by_admin());
  ASSERT_TRUE(text) << text.error().text();
  const auto who = by_token(*text);
  ASSERT_TRUE(who) << who.error().text();
  EXPECT_EQ(who->who.id, ada.id);
  EXPECT_TRUE(may(who->who, Permission::view, "shop"));
  EXPECT_FALSE(may(who->who, Permission::deploy, "shop"));
  EXPECT_FALSE(audit_text().contains(*text));
  std::string forged = *text;
  forged.back() = forged.back() == 'A' ? 'Q' : 'A';
  EXPECT_EQ(by_token(forged).error().code, Code::denied);
  EXPECT_EQ(by_token("berth_x").error().code, Code::denied);
  EXPECT_EQ(recognise("authorization", "Basic YTpi").error().code, Code::denied);
  now += kHour;
  EXPECT_EQ(by_token(*text).error().code, Code::denied) << "it has expired";
}

TEST_P(TokenTest, EndsWhenRevokedAndWithItsUser) {
  ada = add_user("ada");
  const auto first = make({.name = "a", .scopes = "view"}, by_admin());
  const auto second = make({.name = "b", .scopes = "view"}, by_admin());
  const std::string id = parse_token(*first)->id;
  const auto revoke = [&](std::string_view user) {
    return write<void>([&](Transaction& transaction) { return revoke_token(transaction, by_admin(), user, id); });
  };
  EXPECT_EQ(revoke("user_other").error().code, Code::not_found);
  EXPECT_TRUE(revoke(ada.id));
  EXPECT_FALSE(by_token(*first));
  EXPECT_TRUE(by_token(*second));
  ASSERT_TRUE(change(ada, {.disabled = true}));
  EXPECT_FALSE(by_token(*second));
}

TEST_P(TokenTest, NeverMakesAWiderOne) {
  ada = add_user("ada", Role::admin);
  Deed by = by_admin();
  by.who.scopes = std::set{Permission::self, Permission::view};
  EXPECT_TRUE(make({.name = "narrow", .scopes = "view"}, by));
  EXPECT_EQ(make({.name = "wide", .scopes = "view users"}, by).error().code, Code::denied);
  EXPECT_EQ(make({.name = "", .scopes = "view"}, by).error().code, Code::invalid);
  EXPECT_EQ(make({.name = "late", .scopes = "view", .expires_at = now}, by).error().code, Code::invalid);
}

TEST_P(DeskTest, TheChainOfTheAuditHolds) {
  const User ada = add_user("ada", Role::admin);
  EXPECT_EQ(sign_in({.name = "ada", .password = std::string(kPassword)})->state, State::in);
  const auto verified = write<job::Verified>([](Transaction& transaction) { return job::verify(transaction); });
  ASSERT_TRUE(verified);
  EXPECT_EQ(verified->entries, 2);
  EXPECT_EQ(verified->broken, 0);
}

}  // namespace
}  // namespace berth::auth
