#include "api/auth_routes.h"

namespace berth::api {
namespace {

using auth::Desk;
using store::Transaction;

/// The caller's own user; root on the unix socket has none.
Result<auth::User> own_user(Transaction& transaction, const Call& call) {
  if (call.who.id == "local")
    return fail(Code::conflict, "the local socket has no account of its own; use the commands of berth user");
  return auth::find_user(transaction, call.who.id);
}

/// How an account is signed in to is not for its tokens to change.
Result<void> check_session(const Call& call) {
  if (call.who.id == "local" || call.who.has_session()) return {};
  return fail(Code::denied, "this needs a session, not a token; sign in first");
}

/// One transaction as the caller, on its own user.
template <class T>
io::Task<Result<T>> as_self(Desk& desk, Call& call,
                            std::function<Result<T>(Transaction&, const auth::Deed&, const auth::User&)> work) {
  const auth::Deed by = desk.deed(call.who);
  co_return co_await desk.store().write<T>(
      [&](Transaction& transaction) -> Result<T> { return work(transaction, by, TRY(own_user(transaction, call))); });
}

io::Task<Result<Reply>> show_totp(Desk& desk, Call& call) {
  co_return co_await as_self<Reply>(desk, call, [](Transaction&, const auth::Deed&, const auth::User& user) {
    return Result<Reply>(Reply{.body = Json::object({{"enabled", user.totp}})});
  });
}

io::Task<Result<Reply>> begin_totp(Desk& desk, Call& call) {
  CO_TRY(check_session(call));
  co_return co_await as_self<Reply>(
      desk, call, [&](Transaction& transaction, const auth::Deed&, const auth::User& user) -> Result<Reply> {
        const auto begun = TRY(auth::begin_totp(transaction, user, desk.key()));
        return Reply{.body = Json::object({{"secret", begun.secret}, {"uri", begun.uri}})};
      });
}

io::Task<Result<Reply>> confirm_totp(Desk& desk, Call& call) {
  CO_TRY(check_session(call));
  const std::string code(call.body["code"].text());
  if (const auto wait = desk.count_try(call.who.id, call.who.from); wait > 0) co_return wait_reply(wait);
  auto reply = co_await as_self<Reply>(
      desk, call, [&](Transaction& transaction, const auth::Deed& by, const auth::User& user) -> Result<Reply> {
        Json codes = Json::array();
        for (const auto& made : TRY(auth::confirm_totp(transaction, by, user, code, desk.key()))) codes.push(made);
        return Reply{.body = Json::object({{"recoveryCodes", std::move(codes)}})};
      });
  if (reply) desk.forget_tries(call.who.id, call.who.from);
  co_return reply;
}

io::Task<Result<Reply>> remove_totp(Desk& desk, Call& call) {
  CO_TRY(check_session(call));
  const std::string code(call.body["code"].text());
  if (const auto wait = desk.count_try(call.who.id, call.who.from); wait > 0) co_return wait_reply(wait);
  auto reply = co_await as_self<Reply>(
      desk, call, [&](Transaction& transaction, const auth::Deed& by, const auth::User& user) -> Result<Reply> {
        TRY(auth::remove_totp(transaction, by, user, code, desk.key()));
        return Reply{.status = 204};
      });
  if (reply) desk.forget_tries(call.who.id, call.who.from);
  co_return reply;
}

io::Task<Result<Reply>> change_password(Desk& desk, Call& call) {
  if (call.who.id == "local") co_return fail(Code::conflict, "the local socket has no password");
  CO_TRY(check_session(call));
  call.record.kept = true;
  if (const auto wait = desk.count_try(call.who.id, call.who.from); wait > 0) co_return wait_reply(wait);
  CO_TRY(co_await desk.change_password(call.who, std::string(call.body["old"].text()),
                                       std::string(call.body["new"].text())));
  desk.forget_tries(call.who.id, call.who.from);
  co_return Reply{.status = 204};
}

io::Task<Result<Reply>> list_sessions(Desk& desk, Call& call) {
  co_return co_await as_self<Reply>(
      desk, call, [&](Transaction& transaction, const auth::Deed& by, const auth::User& user) -> Result<Reply> {
        std::vector<Json> items;
        for (const auto& session : TRY(auth::list_sessions(transaction, user.id, by.now))) {
          items.push_back(auth::to_json(session));
          items.back().set("current", session.id == call.who.session);
        }
        return page(call, std::move(items));
      });
}

io::Task<Result<Reply>> close_session(Desk& desk, Call& call) {
  co_return co_await as_self<Reply>(
      desk, call, [&](Transaction& transaction, const auth::Deed& by, const auth::User& user) -> Result<Reply> {
        TRY(auth::close_session(transaction, by, user.id, call.parameter("id")));
        return Reply{.status = 204};
      });
}

io::Task<Result<Reply>> list_tokens(Desk& desk, Call& call) {
  co_return co_await as_self<Reply>(
      desk, call, [&](Transaction& transaction, const auth::Deed&, const auth::User& user) -> Result<Reply> {
        std::vector<Json> items;
        for (const auto& token : TRY(auth::list_tokens(transaction, user.id))) items.push_back(auth::to_json(token));
        return page(call, std::move(items));
      });
}

io::Task<Result<Reply>> create_token(Desk& desk, Call& call) {
  const auth::ApiToken about = token_of(call.body);
  co_return co_await as_self<Reply>(
      desk, call, [&](Transaction& transaction, const auth::Deed& by, const auth::User& user) -> Result<Reply> {
        const std::string text = TRY(auth::create_token(transaction, by, user, about));
        return Reply{.status = 201, .body = Json::object({{"token", text}, {"id", auth::parse_token(text)->id}})};
      });
}

io::Task<Result<Reply>> revoke_token(Desk& desk, Call& call) {
  co_return co_await as_self<Reply>(
      desk, call, [&](Transaction& transaction, const auth::Deed& by, const auth::User& user) -> Result<Reply> {
        TRY(auth::revoke_token(transaction, by, user.id, call.parameter("id")));
        return Reply{.status = 204};
      });
}

}  // namespace

auth::ApiToken token_of(const Json& body) {
  auth::ApiToken about{.name = std::string(body["name"].text()), .expires_at = body["expiresAt"].integer() * 1000};
  for (const auto& scope : body["scopes"].items()) about.scopes += std::string(scope.text()) + " ";
  return about;
}

std::vector<Parameter> token_fields() {
  return {{.name = "name", .required = true},
          {.name = "scopes", .type = "array", .meaning = "view, logs, act, deploy, ...", .required = true},
          {.name = "expiresAt", .type = "integer", .meaning = "milliseconds since 1970; none: never"}};
}

Routes account_routes(Desk& desk) {
  const auto own = [&](std::string_view method, std::string_view path, DeskAnswer answer) {
    return desk_route(Permission::self, method, path, at_desk(desk, answer));
  };
  Routes routes = {
      described(own("GET", "/api/v1/me/totp", show_totp), "Whether one-time passwords are on"),
      described(own("POST", "/api/v1/me/totp", begin_totp), "Begin with one-time passwords", "totp.begin"),
      described(own("POST", "/api/v1/me/totp/confirm", confirm_totp), "Confirm them with a code", "totp.add",
                {{.name = "code", .required = true}}),
      described(own("DELETE", "/api/v1/me/totp", remove_totp), "Turn one-time passwords off", "totp.remove",
                {{.name = "code", .meaning = "of the authenticator, or a recovery code", .required = true}}),
      described(own("PUT", "/api/v1/me/password", change_password), "Change one's password", "user.password",
                {{.name = "old", .required = true}, {.name = "new", .required = true}}),
      described(own("GET", "/api/v1/me/sessions", list_sessions), "One's sessions"),
      described(own("DELETE", "/api/v1/me/sessions/{id}", close_session), "End a session", "session.close"),
      described(own("GET", "/api/v1/me/tokens", list_tokens), "One's API tokens"),
      described(own("POST", "/api/v1/me/tokens", create_token), "Make an API token; its text is shown once",
                "token.create", token_fields()),
      described(own("DELETE", "/api/v1/me/tokens/{id}", revoke_token), "Revoke an API token", "token.revoke"),
  };
  for (auto& route : routes)
    if (route.path == "/api/v1/me/sessions" || (route.method == "GET" && route.path == "/api/v1/me/tokens"))
      route.query = {{.name = "limit", .type = "integer"}, {.name = "cursor"}};
  return routes;
}

}  // namespace berth::api
