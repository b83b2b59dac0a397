#include "auth/desk.h"

#include "auth/cookie.h"
#include "auth/setup.h"
#include "base/text.h"

namespace berth::auth {
namespace {

using store::Transaction;

/// The one Authorization field; several are none. A ticket (negotiate_token()) says nothing about who has a session.
std::optional<std::string> bearer_of(const http::Fields& fields) {
  std::optional<std::string> found;
  bool ticket = false;
  for (const auto& field : fields) {
    if (!http::same_name(field.name, "authorization")) continue;
    if (found) return std::string();
    const auto [scheme, token, divided] = cut(field.value, ' ');
    found = divided && equal_fold(scheme, "bearer") ? std::string(token) : std::string();
    ticket = equal_fold(scheme, "negotiate");
  }
  return ticket ? std::nullopt : found;
}

Result<std::optional<User>> maybe_user(Transaction& transaction, std::string_view name) {
  auto user = user_named(transaction, name);
  if (user) return std::optional(std::move(*user));
  if (user.error().code == Code::not_found) return std::optional<User>();
  return fail(std::move(user.error()));
}

/// The session that the browser had before ends with the new one.
Result<OpenedSession> open_in_place(Transaction& transaction, const Deed& by, const User& user, const Session& about,
                                    const std::string& previous) {
  if (!previous.empty()) {
    TRY(execute(transaction, "DELETE FROM auth_session WHERE hash = ?", {store::Blob{secret_hash(previous)}}));
  }
  return open_session(transaction, by, user, about);
}

Result<std::optional<SetupToken>> kept_setup(Transaction& transaction) {
  const auto row = TRY(transaction.first("SELECT hash, expires_at, wrong FROM auth_setup WHERE one = 1", {}));
  if (!row) return std::optional<SetupToken>();
  return std::optional(SetupToken{.hash = row->bytes(0), .expires_at = row->integer(1), .wrong = row->integer(2)});
}

/// A refusal is a value here: the try that it counts must stay in the store.
Result<SetupVerdict> judge_in_store(Transaction& transaction, const Deed& by, const std::string& token) {
  if (!TRY(needs_setup(transaction)))
    return SetupVerdict{.allowed = fail(Code::conflict, "setup: it is done already; sign in")};
  auto verdict = judge_setup(TRY(kept_setup(transaction)), token, by.now);
  if (verdict.counts) TRY(execute(transaction, "UPDATE auth_setup SET wrong = wrong + 1 WHERE one = 1", {}));
  if (!verdict.allowed) {
    TRY(record(transaction, by,
               {.verb = "setup",
                .subject = "setup",
                .difference = Json::object({{"why", verdict.counts ? "wrong token" : "closed"}}),
                .decision = job::Decision::denied}));
  }
  return verdict;
}

struct FirstAdmin {
  SetupVerdict verdict{};
  OpenedSession opened{};
};
Result<FirstAdmin> make_first_admin(Transaction& transaction, const Deed& by, const std::string& token,
                                    const NewUser& admin, const Session& about) {
  FirstAdmin made{.verdict = TRY(judge_in_store(transaction, by, token))};
  if (!made.verdict.allowed) return made;
  const User user = TRY(create_user(transaction, by, admin));
  TRY(execute(transaction, "DELETE FROM auth_setup", {}));
  made.opened = TRY(open_session(transaction, by, user, about));
  return made;
}

}  // namespace

io::Task<Result<Recognised>> Desk::recognise(const http::Fields& fields, std::string client) {
  const auto bearer = bearer_of(fields);
  const auto cookie = bearer ? std::nullopt : read_cookie(fields, kSessionCookie);
  Recognised nobody;
  nobody.who.from = client;
  if (!bearer && !cookie) co_return nobody;
  const std::int64_t now = clock_();
  auto found = CO_TRY(co_await store_.read<std::optional<Recognised>>([=](Transaction& transaction) {
    return bearer ? recognise_token(transaction, *bearer, now) : recognise_session(transaction, *cookie, now);
  }));
  // Programs are told; a browser with an old cookie is nobody and signs in again.
  if (!found && bearer) co_return fail(Code::denied, "the token does not exist, was revoked or has expired");
  if (!found) co_return nobody;
  found->who.from = std::move(client);
  if (found->stale) {
    CO_TRY(co_await store_.write<void>([&](Transaction& transaction) { return touch(transaction, *found, now); }));
  }
  co_return std::move(*found);
}

io::Task<Result<bool>> Desk::password_fits(const std::optional<User>& user, std::string password) {
  std::optional<std::string> hash;
  if (user) {
    hash = CO_TRY(co_await store_.read<std::optional<std::string>>(
        [&](Transaction& transaction) { return password_of(transaction, user->id); }));
  }
  const bool fits = CO_TRY(co_await passwords_.fits(hash, password));
  if (fits && needs_new_hash(*hash)) {
    const std::string better = CO_TRY(co_await passwords_.hash(std::move(password)));
    CO_TRY(co_await store_.write<void>(
        [&](Transaction& transaction) { return keep_new_hash(transaction, user->id, better); }));
  }
  co_return fits && !user->disabled;
}

io::Task<Result<void>> Desk::refuse(std::optional<User> user, std::string client, std::string_view why) {
  Principal who = user ? principal_of(*user) : Principal{};
  who.from = std::move(client);
  const Deed by = deed(std::move(who));
  // A name that nobody has may be a password in the wrong field: it is not written down.
  const std::string subject = user ? "user:" + user->name : "user";
  co_return co_await store_.write<void>([&](Transaction& transaction) {
    return record(transaction, by,
                  {.verb = "session.create",
                   .subject = subject,
                   .difference = Json::object({{"why", why}}),
                   .decision = job::Decision::denied});
  });
}

io::Task<Result<void>> Desk::refuse_at(std::string subject, std::string client, std::string why) {
  Principal who;
  who.from = std::move(client);
  const Deed by = deed(std::move(who));
  co_return co_await store_.write<void>([&](Transaction& transaction) {
    return record(transaction, by,
                  {.verb = "session.create",
                   .subject = subject,
                   .difference = Json::object({{"why", why}}),
                   .decision = job::Decision::denied});
  });
}

io::Task<Result<SignInResult>> Desk::admit_with_factor(User user, std::string method, Credentials credentials,
                                                       Visitor visitor) {
  using State = SignInResult::State;
  Deed by = deed({});
  by.who.from = visitor.client;
  const Session about{.method = method + (user.totp ? "+totp" : ""), .agent = visitor.agent, .client = visitor.client};
  co_return co_await store_.write<SignInResult>([&](Transaction& transaction) -> Result<SignInResult> {
    bool second = !user.totp;
    if (!second && !credentials.totp.empty()) second = TRY(use_totp(transaction, user, credentials.totp, key_, by.now));
    if (!second && !credentials.recovery_code.empty())
      second = TRY(use_recovery_code(transaction, user, credentials.recovery_code, by.now));
    if (!second) return SignInResult{.state = State::second_factor};
    return SignInResult{.state = State::in,
                        .opened = TRY(open_in_place(transaction, by, user, about, visitor.previous))};
  });
}

io::Task<Result<SignInResult>> Desk::sign_in(Credentials credentials, Visitor visitor) {
  using State = SignInResult::State;
  const std::string account = lower(credentials.name), client = visitor.client;
  if (const auto wait = count_try(account, client); wait > 0)
    co_return SignInResult{.state = State::wait, .seconds = wait};
  auto user = CO_TRY(co_await store_.read<std::optional<User>>(
      [&](Transaction& transaction) { return maybe_user(transaction, credentials.name); }));
  if (credentials.password.empty() || credentials.password.size() > 1024 ||
      !CO_TRY(co_await password_fits(user, credentials.password))) {
    CO_TRY(co_await refuse(std::move(user), client, "wrong name or password, or disabled"));
    co_return SignInResult{};
  }
  const User known = *user;
  const bool has_code = !credentials.totp.empty() || !credentials.recovery_code.empty();
  auto result = CO_TRY(co_await admit_with_factor(known, "password", std::move(credentials), std::move(visitor)));
  if (result.state == State::in) forget_tries(account, client);
  if (result.state == State::second_factor && has_code) CO_TRY(co_await refuse(known, client, "wrong code"));
  co_return result;
}

io::Task<Result<OpenedSession>> Desk::admit(std::string user, std::string method, Visitor visitor) {
  Deed by = deed({});
  by.who.from = visitor.client;
  const Session about{.method = std::move(method), .agent = visitor.agent, .client = visitor.client};
  co_return co_await store_.write<OpenedSession>([&](Transaction& transaction) -> Result<OpenedSession> {
    const User known = TRY(find_user(transaction, user));
    return open_in_place(transaction, by, known, about, visitor.previous);
  });
}

io::Task<Result<OpenedSession>> Desk::set_up(std::string token, Credentials credentials, Visitor visitor) {
  CO_TRY(check_user_name(credentials.name));
  CO_TRY(check_new_password(credentials.password, credentials.name));
  Deed by = deed({});
  by.who.name = "setup";
  by.who.from = visitor.client;
  // Looked at before the password is hashed, which is dear, and again where it is spent.
  auto verdict = CO_TRY(co_await store_.write<SetupVerdict>(
      [&](Transaction& transaction) { return judge_in_store(transaction, by, token); }));
  if (!verdict.allowed) co_return fail(verdict.allowed.error());
  const NewUser admin{.name = credentials.name,
                      .role = Role::admin,
                      .password = CO_TRY(co_await passwords_.hash(credentials.password))};
  const Session about{.method = "setup", .agent = visitor.agent, .client = visitor.client};
  auto made = CO_TRY(co_await store_.write<FirstAdmin>(
      [&](Transaction& transaction) { return make_first_admin(transaction, by, token, admin, about); }));
  if (!made.verdict.allowed) co_return fail(made.verdict.allowed.error());
  co_return std::move(made.opened);
}

io::Task<Result<std::string>> Desk::new_setup_token(Principal who) {
  const Deed by = deed(std::move(who));
  const std::string token = secret_text(io::random_bytes(32));
  co_return co_await store_.write<std::string>([&](Transaction& transaction) -> Result<std::string> {
    if (!TRY(needs_setup(transaction)))
      return fail(Code::conflict, "setup: there is an admin already; use berth user password to set a new password");
    TRY(execute(transaction, "DELETE FROM auth_setup", {}));
    TRY(execute(transaction, "INSERT INTO auth_setup (one, hash, expires_at, wrong) VALUES (1, ?, ?, 0)",
                {store::Blob{secret_hash(token)}, by.now + kSetupLife}));
    TRY(record(transaction, by, {.verb = "setup.open", .subject = "setup"}));
    return token;
  });
}

io::Task<Result<void>> Desk::change_password(Principal who, std::string old_password, std::string new_password) {
  CO_TRY(check_new_password(new_password, who.name));
  const User user =
      CO_TRY(co_await store_.read<User>([&](Transaction& transaction) { return find_user(transaction, who.id); }));
  if (user.has_password && !CO_TRY(co_await password_fits(user, std::move(old_password)))) {
    CO_TRY(co_await refuse(user, who.from, "wrong old password"));
    co_return fail(Code::denied, "password: the old one is wrong");
  }
  const UserChange change{.password = CO_TRY(co_await passwords_.hash(std::move(new_password))),
                          .keep_session = who.session};
  const Deed by = deed(std::move(who));
  co_return co_await store_.write<void>([&](Transaction& transaction) -> Result<void> {
    const auto changed = change_user(transaction, by, user.id, change);
    if (!changed) return fail(changed.error());
    return {};
  });
}

}  // namespace berth::auth
