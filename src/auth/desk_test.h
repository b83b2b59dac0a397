// A desk over a new store, with a clock of its own.
#pragma once

#include "auth/desk.h"
#include "auth/schema.h"
#include "testing/stores.h"

namespace berth::auth {

struct DeskTest : testing::StoreTest {
  static constexpr std::int64_t kSecond = 1'000'000, kHour = 3600 * kSecond;
  static constexpr std::string_view kPassword = "correct horse battery";

  std::vector<store::Migration> steps;
  std::unique_ptr<store::Database> database;
  std::unique_ptr<io::SealKey> key;
  std::int64_t now = std::int64_t{1'700'000'000} * kSecond;
  std::unique_ptr<Desk> desk;

  void SetUp() override {
    for (const auto& step : job::migrations()) steps.push_back(step);
    for (const auto& step : migrations()) steps.push_back(step);
    auto opened = open(steps);
    ASSERT_TRUE(opened) << opened.error().text();
    database = std::move(*opened);
    auto made = io::SealKey::load_or_make(store.folder() + "/key");
    ASSERT_TRUE(made);
    key = std::make_unique<io::SealKey>(std::move(*made));
    desk = std::make_unique<Desk>(*database, *key, [this] { return now; });
  }

  template <class T>
  Result<T> write(std::function<Result<T>(store::Transaction&)> work) {
    return loop.run(database->write<T>(std::move(work)));
  }
  Deed by_admin() { return {.who = {.id = "user_root", .name = "root", .role = Role::admin}, .now = now}; }
  User add_user(const std::string& name, Role role = Role::viewer) {
    static const std::string kHash = *hash_password(kPassword);
    auto made = write<User>([&](store::Transaction& transaction) {
      return create_user(transaction, by_admin(), {.name = name, .role = role, .password = kHash});
    });
    EXPECT_TRUE(made) << made.error().text();
    return made.value_or(User{});
  }
  Result<SignInResult> sign_in(Credentials credentials, Visitor visitor = {.client = "192.0.2.1"}) {
    return loop.run(desk->sign_in(std::move(credentials), std::move(visitor)));
  }
  Result<Recognised> recognise(std::string_view name, const std::string& value) {
    http::Fields fields;
    fields.add({.name = name, .value = value});
    return loop.run(desk->recognise(fields, "192.0.2.1"));
  }
  Result<Recognised> by_cookie(const std::string& cookie) { return recognise("cookie", "__Host-berth=" + cookie); }
  Result<User> change(const User& user, const UserChange& wanted) {
    return write<User>(
        [&](store::Transaction& transaction) { return change_user(transaction, by_admin(), user.id, wanted); });
  }
  std::vector<job::Entry> audit() {
    auto entries = write<std::vector<job::Entry>>(
        [](store::Transaction& transaction) { return job::list(transaction, {.limit = 1000}); });
    return entries.value_or(std::vector<job::Entry>{});
  }
  std::string audit_text() {
    std::string text;
    for (const auto& entry : audit()) text += job::to_json(entry).dump() + "\n";
    return text;
  }
};

}  // namespace berth::auth
