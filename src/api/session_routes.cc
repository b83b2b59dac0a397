#include "api/auth_routes.h"
#include "auth/cookie.h"
#include "auth/directory.h"
#include "auth/passkeys.h"
#include "auth/provider_table.h"

namespace berth::api {
namespace {

using auth::Desk;
using auth::SignInResult;
using store::Transaction;
using State = SignInResult::State;

/// The cookie lives as long as the session may; when it ends earlier, the store knows.
constexpr auto kCookieLife = std::chrono::seconds(auth::kSessionLife / 1'000'000);

Result<Json> user_json(Transaction& transaction, const auth::User& user) {
  Json projects = Json::object();
  for (const auto& [project, role] : user.projects) projects.set(project, auth::to_text(role));
  Json providers = Json::array();
  for (auto& provider : TRY(auth::providers_of(transaction, user.id))) providers.push(std::move(provider));
  return Json::object({{"id", user.id},
                       {"name", user.name},
                       {"role", auth::to_text(user.role)},
                       {"projects", std::move(projects)},
                       {"totp", user.totp},
                       {"password", user.has_password},
                       {"passkeys", TRY(auth::list_passkeys(transaction, user.id)).size()},
                       {"providers", std::move(providers)}});
}

Result<Json> methods_json(Transaction& transaction) {
  Json methods = Json::object({{"password", true},
                               {"passkey", true},
                               {"oidc", Json::array()},
                               {"oauth2", Json::array()},
                               {"ldap", Json::array()},
                               {"kerberos", Json::array()}});
  for (const auto& [provider, settings, secret] : TRY(auth::list_providers(transaction))) {
    if (!provider.enabled) continue;
    methods.slot(auth::to_text(provider.kind)).push(Json::object({{"id", provider.id}, {"name", provider.name}}));
  }
  return methods;
}

/// `user` is null for nobody.
Result<Json> session_json(Transaction& transaction, Json user, std::int64_t expires_at) {
  return Json::object({{"user", std::move(user)},
                       {"setup", TRY(auth::needs_setup(transaction))},
                       {"methods", TRY(methods_json(transaction))},
                       {"leastPassword", auth::kLeastPassword},
                       {"expiresAt", expires_at == 0 ? Json() : Json(expires_at / 1000)}});
}

Json local_json(const auth::Principal& who) {
  return Json::object({{"id", who.id},
                       {"name", who.name},
                       {"role", auth::to_text(who.role)},
                       {"projects", Json::object()},
                       {"totp", false},
                       {"password", false},
                       {"passkeys", 0},
                       {"providers", Json::array()}});
}

/// Until when the caller's session lasts; 0 for tokens.
Result<std::int64_t> end_of_session(Transaction& transaction, const Call& call, std::int64_t now) {
  for (const auto& session : TRY(auth::list_sessions(transaction, call.who.id, now)))
    if (session.id == call.who.session) return session.expires_at;
  return 0;
}

io::Task<Result<Reply>> show_session(Desk& desk, Call& call) {
  const std::int64_t now = desk.deed({}).now;
  co_return co_await desk.store().read<Reply>([&](Transaction& transaction) -> Result<Reply> {
    const bool local = call.who.id == "local";
    if (local || !call.who.signed_in())
      return Reply{.body = TRY(session_json(transaction, local ? local_json(call.who) : Json(), 0))};
    Json user = TRY(user_json(transaction, TRY(auth::find_user(transaction, call.who.id))));
    const std::int64_t end = TRY(end_of_session(transaction, call, now));
    return Reply{.body = TRY(session_json(transaction, std::move(user), end))};
  });
}

io::Task<Result<Reply>> sign_in(Desk& desk, Call& call) {
  call.record.kept = true;
  auth::Credentials credentials{.name = CO_TRY(text_field(call.body, "name", 256)),
                                .password = CO_TRY(text_field(call.body, "password", 1024)),
                                .totp = CO_TRY(text_field(call.body, "totp", 16)),
                                .recovery_code = CO_TRY(text_field(call.body, "recoveryCode", 64))};
  const std::string provider = CO_TRY(text_field(call.body, "provider", 64));
  const auto result =
      provider.empty()
          ? CO_TRY(co_await desk.sign_in(std::move(credentials), visitor_of(call)))
          : CO_TRY(co_await auth::directory_sign_in(desk, provider, std::move(credentials), visitor_of(call)));
  co_return co_await sign_in_reply(desk, result);
}

io::Task<Result<Reply>> sign_out(Desk& desk, Call& call) {
  call.record.kept = true;
  Reply reply{.status = 204, .headers = {{"Set-Cookie", auth::clear_cookie(auth::kSessionCookie)}}};
  // A token is not ended by signing out, but by revoking it.
  if (!call.who.has_session()) co_return reply;
  const auto by = desk.deed(call.who);
  const auto closed = co_await desk.store().write<void>(
      [&](Transaction& transaction) { return auth::close_session(transaction, by, call.who.id, call.who.session); });
  if (!closed && closed.error().code != Code::not_found) co_return fail(closed.error());
  co_return reply;
}

io::Task<Result<Reply>> set_up(Desk& desk, Call& call) {
  call.record.kept = true;
  auth::Credentials credentials{.name = CO_TRY(text_field(call.body, "name", 256)),
                                .password = CO_TRY(text_field(call.body, "password", 1024))};
  const std::string token = CO_TRY(text_field(call.body, "token", 256));
  if (const auto wait = desk.count_try("", call.who.from); wait > 0) co_return wait_reply(wait);
  const auto opened = CO_TRY(co_await desk.set_up(token, std::move(credentials), visitor_of(call)));
  desk.forget_tries("", call.who.from);
  co_return co_await signed_in(desk, opened, 201);
}

}  // namespace

auth::Visitor visitor_of(const Call& call) {
  auth::Visitor visitor{.client = call.who.from};
  if (!call.head) return visitor;
  visitor.agent = std::string(call.head->fields.get("user-agent"));
  visitor.previous = auth::read_cookie(call.head->fields, auth::kSessionCookie).value_or("");
  return visitor;
}

io::Task<Result<Reply>> signed_in(Desk& desk, const auth::OpenedSession& opened, int status) {
  const auto show = [&](Transaction& transaction) -> Result<Json> {
    return session_json(transaction, TRY(user_json(transaction, opened.user)), opened.session.expires_at);
  };
  co_return Reply{.status = status,
                  .body = CO_TRY(co_await desk.store().read<Json>(show)),
                  .headers = {{"Set-Cookie", session_cookie(opened)}}};
}

Result<std::string> text_field(const Json& body, std::string_view name, std::size_t most) {
  const std::string_view text = body[name].text();
  if (text.size() > most)
    return fail(Code::invalid, std::string(name) + ": it is longer than " + std::to_string(most) + " bytes");
  return std::string(text);
}

io::Task<Result<Reply>> sign_in_reply(Desk& desk, SignInResult result) {
  if (result.state == State::wait) co_return wait_reply(result.seconds);
  if (result.state == State::second_factor)
    co_return problem(401, "totp_required", "a code of your authenticator, or a recovery code, is needed");
  if (result.state != State::in) co_return problem(401, "unauthorized", "the name or the password is wrong");
  co_return co_await signed_in(desk, result.opened);
}

std::string session_cookie(const auth::OpenedSession& opened) {
  return auth::set_cookie(auth::kSessionCookie, opened.cookie, kCookieLife);
}

Reply wait_reply(std::int64_t seconds) {
  Reply reply = problem(429, "rate_limited", "too many tries; wait " + std::to_string(seconds) + " s");
  reply.headers.emplace_back("Retry-After", std::to_string(seconds));
  return reply;
}

Route desk_route(Permission needs, std::string_view method, std::string_view path, Answer handler) {
  return {.method = method,
          .path = path,
          .needs = needs,
          .where = Where::whole,
          .summary = "",
          .handler = std::move(handler),
          .records = false};
}

Route described(Route route, std::string_view summary, std::string_view verb, std::vector<Parameter> fields) {
  route.summary = summary;
  route.verb = verb;
  route.fields = std::move(fields);
  return route;
}

Routes session_routes(Desk& desk) {
  const auto open = [&](std::string_view method, std::string_view path, DeskAnswer answer) {
    return desk_route(Permission::everyone, method, path, at_desk(desk, answer));
  };
  const Parameter name{.name = "name", .required = true}, password{.name = "password", .required = true};
  return {
      described(open("GET", "/api/v1/session", show_session), "Who is signed in, and how one can"),
      described(open("POST", "/api/v1/session", sign_in), "Sign in with name and password", "session.create",
                {name,
                 password,
                 {.name = "totp", .meaning = "code of the authenticator"},
                 {.name = "recoveryCode", .meaning = "in place of it"},
                 {.name = "provider", .meaning = "id of an LDAP provider; none: a local user"}}),
      described(open("DELETE", "/api/v1/session", sign_out), "Sign out", "session.close"),
      described(open("POST", "/api/v1/setup", set_up), "Make the first admin with the setup link's token", "setup",
                {{.name = "token", .required = true}, name, password}),
  };
}

Routes auth_routes(Desk& desk) {
  Routes all = session_routes(desk);
  for (Routes& more : std::array{account_routes(desk), user_routes(desk), provider_routes(desk), passkey_routes(desk),
                                 identity_routes(desk), negotiate_routes(desk)})
    std::ranges::move(more, std::back_inserter(all));
  return all;
}

}  // namespace berth::api
