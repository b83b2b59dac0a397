#include "api/auth_routes.h"
#include "auth/kerberos.h"
#include "auth/kerberos_text.h"
#include "base/base64.h"

namespace berth::api {
namespace {

using auth::Desk;

Reply challenge(std::string_view why) {
  Reply reply = problem(401, "unauthorized", why);
  reply.headers.emplace_back("WWW-Authenticate", "Negotiate");
  return reply;
}

/// The ticket is for whoever is at the other end of the edge's TLS: over the socket of this machine none counts.
io::Task<Result<Reply>> sign_in_by_ticket(Desk& desk, Call& call) {
  call.record.kept = true;
  if (call.who.id == "local") co_return fail(Code::denied, "tickets count over TLS only, not on the machine's socket");
  auth::Credentials credentials{.totp = CO_TRY(text_field(call.body, "totp", 16)),
                                .recovery_code = CO_TRY(text_field(call.body, "recoveryCode", 64))};
  const std::string provider = CO_TRY(text_field(call.body, "provider", 64));
  const auto token = auth::negotiate_token(call.head->fields);
  if (!token) co_return challenge(token.error().message);
  if (token->empty())
    co_return challenge(
        "a Kerberos ticket is needed, and none was sent: get one (kinit) and let the browser send it to this host, or "
        "sign in another way");
  const auto judged =
      CO_TRY(co_await auth::kerberos_sign_in(desk, provider, *token, std::move(credentials), visitor_of(call)));
  if (judged.result.state == auth::SignInResult::State::refused)
    co_return challenge("the Kerberos ticket does not count here; the audit says why");
  auto reply = CO_TRY(co_await sign_in_reply(desk, judged.result));
  // RFC 4559 4.1: with it the client knows that it speaks to whom the ticket is for.
  if (!judged.answer.empty())
    reply.headers.emplace_back("WWW-Authenticate", "Negotiate " + encode_base64(judged.answer));
  co_return reply;
}

}  // namespace

Routes negotiate_routes(Desk& desk) {
  Route route = desk_route(Permission::everyone, "POST", "/api/v1/session/negotiate", at_desk(desk, sign_in_by_ticket));
  return {described(std::move(route), "Sign in with a Kerberos ticket: Authorization: Negotiate (RFC 4559)",
                    "session.create",
                    {{.name = "provider", .meaning = "id of a Kerberos provider", .required = true},
                     {.name = "totp", .meaning = "code of the authenticator"},
                     {.name = "recoveryCode", .meaning = "in place of it"}})};
}

}  // namespace berth::api
