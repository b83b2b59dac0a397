// Signing in, one's own account, users and the audit, over HTTP.
#pragma once

#include "api/route.h"
#include "auth/desk.h"

namespace berth::api {

/// /session and /setup. `desk` outlives the routes.
Routes session_routes(auth::Desk& desk);
/// /me/...
Routes account_routes(auth::Desk& desk);
/// /users/... and /audit.
Routes user_routes(auth::Desk& desk);

/// /auth/{provider}/..., /providers/... and /setup/token.
Routes provider_routes(auth::Desk& desk);

/// /session/negotiate.
Routes negotiate_routes(auth::Desk& desk);

/// /me/passkeys/... and /session/passkey.
Routes passkey_routes(auth::Desk& desk);

/// /me/identities/... and /users/{id}/identities/...
Routes identity_routes(auth::Desk& desk);

/// All of them.
Routes auth_routes(auth::Desk& desk);

/// A handler over the desk, without a capture in a coroutine.
using DeskAnswer = io::Task<Result<Reply>> (*)(auth::Desk& desk, Call& call);
inline Answer at_desk(auth::Desk& desk, DeskAnswer answer) {
  return [&desk, answer](Call& call) { return answer(desk, call); };
}
/// A route over the desk. Its handler writes the audit, in the transaction of the change.
Route desk_route(Permission needs, std::string_view method, std::string_view path, Answer handler);
Route described(Route route, std::string_view summary, std::string_view verb = {}, std::vector<Parameter> fields = {});
/// Who tries to sign in, as the request tells it.
auth::Visitor visitor_of(const Call& call);
/// The reply to a sign-in: the session's cookie and what GET /session says.
io::Task<Result<Reply>> signed_in(auth::Desk& desk, const auth::OpenedSession& opened, int status = 200);
/// Its Set-Cookie value.
std::string session_cookie(const auth::OpenedSession& opened);
/// A new token as a body with token_fields() asks for it.
auth::ApiToken token_of(const Json& body);
std::vector<Parameter> token_fields();
/// The text in a member of the body; Code::invalid when it is longer than `most` bytes.
Result<std::string> text_field(const Json& body, std::string_view name, std::size_t most);
/// The reply for a sign-in that was judged: the session, or 401 and 429 with what is missing.
io::Task<Result<Reply>> sign_in_reply(auth::Desk& desk, auth::SignInResult result);
/// 429 with Retry-After.
Reply wait_reply(std::int64_t seconds);

}  // namespace berth::api
