#include "auth/sessions.h"

#include <algorithm>

#include "io/ident.h"
#include "io/seal.h"

namespace berth::auth {
namespace {

constexpr std::size_t kMostSessions = 50;
constexpr std::size_t kMostTokens = 100;

std::string printable(std::string_view text, std::size_t most) {
  std::string out(text.substr(0, most));
  std::ranges::replace_if(out, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c >= 0x7F; }, '?');
  return out;
}

std::int64_t expiry(std::int64_t created_at, std::int64_t now) {
  return std::min(created_at + kSessionLife, now + kSessionIdle);
}

Session session_of(const store::Row& row) {
  return {.id = row.text(0),
          .user = row.text(1),
          .method = row.text(2),
          .agent = row.text(3),
          .client = row.text(4),
          .created_at = row.integer(5),
          .seen_at = row.integer(6),
          .expires_at = row.integer(7)};
}

/// The oldest ones beyond what one user may have.
Result<void> trim_sessions(store::Transaction& transaction, const std::string& user) {
  TRY(execute(transaction,
              "DELETE FROM auth_session WHERE user_id = ? AND id NOT IN"
              " (SELECT id FROM auth_session WHERE user_id = ? ORDER BY seen_at DESC LIMIT ?)",
              {user, user, static_cast<std::int64_t>(kMostSessions)}));
  return {};
}

/// Nothing for a user who may not sign in.
Result<std::optional<Principal>> active(store::Transaction& transaction, const std::string& id) {
  const auto user = find_user(transaction, id);
  if (!user && user.error().code != Code::not_found) return fail(user.error());
  if (!user || user->disabled) return std::optional<Principal>();
  return std::optional(principal_of(*user));
}

}  // namespace

Result<OpenedSession> open_session(store::Transaction& transaction, const Deed& by, const User& user,
                                   const Session& about) {
  if (user.disabled) return fail(Code::denied, "user \"" + user.name + "\" is disabled; ask an admin");
  OpenedSession opened{.cookie = secret_text(io::random_bytes(32)), .session = about, .user = user};
  Session& session = opened.session;
  session.id = io::new_id("session");
  session.user = user.id;
  session.agent = printable(about.agent, 200);
  session.created_at = session.seen_at = by.now;
  session.expires_at = expiry(by.now, by.now);
  TRY(execute(transaction,
              "INSERT INTO auth_session (id, hash, user_id, method, agent, client, created_at, seen_at,"
              " expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
              {session.id, store::Blob{secret_hash(opened.cookie)}, user.id, session.method, session.agent,
               session.client, session.created_at, session.seen_at, session.expires_at}));
  TRY(trim_sessions(transaction, user.id));
  Deed deed = by;
  deed.who = principal_of(user);
  deed.who.from = by.who.from;
  TRY(record(transaction, deed,
             {.verb = "session.create",
              .subject = "user:" + user.name,
              .difference = Json::object({{"method", session.method}, {"session", session.id}})}));
  return opened;
}

Result<std::optional<Recognised>> recognise_session(store::Transaction& transaction, std::string_view cookie,
                                                    std::int64_t now) {
  if (!is_secret_text(cookie)) return std::optional<Recognised>();
  const auto row =
      TRY(transaction.first("SELECT id, user_id, method, agent, client, created_at, seen_at, expires_at"
                            " FROM auth_session WHERE hash = ?",
                            {store::Blob{secret_hash(cookie)}}));
  if (!row) return std::optional<Recognised>();
  const Session session = session_of(*row);
  if (session.expires_at <= now) return std::optional<Recognised>();
  auto who = TRY(active(transaction, session.user));
  if (!who) return std::optional<Recognised>();
  who->session = session.id;
  return std::optional(Recognised{
      .who = std::move(*who), .expires_at = session.expires_at, .stale = now - session.seen_at >= kSessionRefresh});
}

Result<std::optional<Recognised>> recognise_token(store::Transaction& transaction, std::string_view text,
                                                  std::int64_t now) {
  const auto token = parse_token(text);
  if (!token) return std::optional<Recognised>();
  const auto row = TRY(
      transaction.first("SELECT hash, user_id, scopes, expires_at, used_at FROM auth_token WHERE id = ?", {token->id}));
  if (!row || !same_secret(row->bytes(0), secret_hash(token->secret))) return std::optional<Recognised>();
  if (!row->is_null(3) && row->integer(3) <= now) return std::optional<Recognised>();
  auto who = TRY(active(transaction, row->text(1)));
  const auto scopes = parse_scopes(row->text(2));
  if (!who || !scopes) return std::optional<Recognised>();
  who->scopes = *scopes;
  who->session = token->id;
  return std::optional(Recognised{.who = std::move(*who),
                                  .expires_at = row->integer(3),
                                  .stale = now - row->integer(4) >= kSessionRefresh,
                                  .token = true});
}

Result<void> touch(store::Transaction& transaction, const Recognised& recognised, std::int64_t now) {
  if (recognised.token) {
    TRY(execute(transaction, "UPDATE auth_token SET used_at = ? WHERE id = ?", {now, recognised.who.session}));
    return {};
  }
  TRY(execute(transaction,
              "UPDATE auth_session SET seen_at = ?, expires_at = CASE WHEN created_at + ? < ?"
              " THEN created_at + ? ELSE ? END WHERE id = ? AND seen_at < ?",
              {now, kSessionLife, now + kSessionIdle, kSessionLife, now + kSessionIdle, recognised.who.session, now}));
  TRY(execute(transaction, "DELETE FROM auth_session WHERE expires_at <= ?", {now}));
  return {};
}

Result<std::vector<Session>> list_sessions(store::Transaction& transaction, std::string_view user, std::int64_t now) {
  const auto rows =
      TRY(transaction.query("SELECT id, user_id, method, agent, client, created_at, seen_at, expires_at"
                            " FROM auth_session WHERE user_id = ? AND expires_at > ?"
                            " ORDER BY created_at DESC, id",
                            {std::string(user), now}));
  std::vector<Session> sessions;
  for (const auto& row : rows) sessions.push_back(session_of(row));
  return sessions;
}

Result<void> close_session(store::Transaction& transaction, const Deed& by, std::string_view user,
                           std::string_view id) {
  const auto gone = TRY(
      transaction.run("DELETE FROM auth_session WHERE id = ? AND user_id = ?", {std::string(id), std::string(user)}));
  if (gone == 0) return fail(Code::not_found, "session \"" + std::string(id) + "\" does not exist");
  return record(transaction, by, {.verb = "session.close", .subject = "session:" + std::string(id)});
}

Result<std::string> create_token(store::Transaction& transaction, const Deed& by, const User& user,
                                 const ApiToken& about) {
  if (about.name.empty() || about.name.size() > 100 || printable(about.name, 100) != about.name)
    return fail(Code::invalid, "token: its name has 1 to 100 plain characters");
  if (about.expires_at != 0 && about.expires_at <= by.now) return fail(Code::invalid, "token: its end has passed");
  const auto scopes = TRY(parse_scopes(about.scopes));
  // A token that makes tokens may not make wider ones.
  for (const Permission scope : scopes) {
    if (by.who.scopes && !by.who.scopes->contains(scope))
      return fail(Code::denied, "token: scope " + std::string(to_text(scope)) + " is wider than the token used");
  }
  const auto count = TRY(transaction.first("SELECT COUNT(*) FROM auth_token WHERE user_id = ?", {user.id}));
  if (count && count->integer(0) >= static_cast<std::int64_t>(kMostTokens))
    return fail(Code::conflict, "token: there are 100 already; revoke some");
  const auto token = make_token(io::random_bytes(8), io::random_bytes(32));
  TRY(execute(transaction,
              "INSERT INTO auth_token (id, hash, user_id, name, scopes, created_at, expires_at)"
              " VALUES (?, ?, ?, ?, ?, ?, ?)",
              {token.id, store::Blob{secret_hash(token.secret)}, user.id, about.name, to_text(scopes), by.now,
               about.expires_at == 0 ? store::Value() : store::Value(about.expires_at)}));
  TRY(record(transaction, by,
             {.verb = "token.create",
              .subject = "token:" + token.id,
              .difference = Json::object({{"user", user.name}, {"name", about.name}, {"scopes", to_text(scopes)}})}));
  return to_text(token);
}

Result<std::vector<ApiToken>> list_tokens(store::Transaction& transaction, std::string_view user) {
  const auto rows =
      TRY(transaction.query("SELECT id, user_id, name, scopes, created_at, expires_at, used_at"
                            " FROM auth_token WHERE user_id = ? ORDER BY created_at DESC, id",
                            {std::string(user)}));
  std::vector<ApiToken> tokens;
  for (const auto& row : rows) {
    tokens.push_back({.id = row.text(0),
                      .user = row.text(1),
                      .name = row.text(2),
                      .scopes = row.text(3),
                      .created_at = row.integer(4),
                      .expires_at = row.integer(5),
                      .used_at = row.integer(6)});
  }
  return tokens;
}

Result<void> revoke_token(store::Transaction& transaction, const Deed& by, std::string_view user, std::string_view id) {
  const auto gone =
      TRY(transaction.run("DELETE FROM auth_token WHERE id = ? AND user_id = ?", {std::string(id), std::string(user)}));
  if (gone == 0) return fail(Code::not_found, "token \"" + std::string(id) + "\" does not exist");
  return record(transaction, by, {.verb = "token.revoke", .subject = "token:" + std::string(id)});
}

Json to_json(const Session& session) {
  return Json::object({{"id", session.id},
                       {"method", session.method},
                       {"agent", session.agent},
                       {"from", session.client},
                       {"createdAt", session.created_at / 1000},
                       {"seenAt", session.seen_at / 1000},
                       {"expiresAt", session.expires_at / 1000}});
}

Json to_json(const ApiToken& token) {
  const auto time = [](std::int64_t at) { return at == 0 ? Json() : Json(at / 1000); };
  Json scopes = Json::array();
  if (const auto parsed = parse_scopes(token.scopes))
    for (const Permission scope : *parsed) scopes.push(to_text(scope));
  return Json::object({{"id", token.id},
                       {"name", token.name},
                       {"scopes", std::move(scopes)},
                       {"createdAt", time(token.created_at)},
                       {"expiresAt", time(token.expires_at)},
                       {"usedAt", time(token.used_at)}});
}

}  // namespace berth::auth
