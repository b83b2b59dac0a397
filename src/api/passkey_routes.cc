#include "api/auth_routes.h"
#include "auth/passkeys.h"
#include "base/base64.h"
#include "base/text.h"

namespace berth::api {
namespace {

using auth::Desk;
using store::Transaction;

auth::Ceremony ceremony_of(const Call& call) {
  const std::string_view authority = call.head->authority;
  return {.origin = "https://" + std::string(authority), .host = std::string(cut(authority, ':').before)};
}

/// Passkeys are of browsers with a session: a token or the local socket has none.
Result<auth::User> owner(Transaction& transaction, const Call& call) {
  if (!call.who.has_session()) return fail(Code::denied, "passkeys need a session; sign in first");
  return auth::find_user(transaction, call.who.id);
}

Json options_of(const auth::User& user, const std::string& challenge, const std::vector<auth::Passkey>& known,
                const std::string& host) {
  Json algorithms = Json::array(), excluded = Json::array();
  for (const int algorithm : {-7, -8, -257})
    algorithms.push(Json::object({{"type", "public-key"}, {"alg", algorithm}}));
  for (const auto& passkey : known) excluded.push(Json::object({{"type", "public-key"}, {"id", passkey.id}}));
  return Json::object(
      {{"challenge", challenge},
       {"rp", Json::object({{"id", host}, {"name", "berth"}})},
       {"user", Json::object({{"id", encode_base64url(user.id)}, {"name", user.name}, {"displayName", user.name}})},
       {"pubKeyCredParams", std::move(algorithms)},
       {"excludeCredentials", std::move(excluded)},
       {"authenticatorSelection", Json::object({{"residentKey", "required"}, {"userVerification", "required"}})},
       {"attestation", "none"},
       {"timeout", 300'000}});
}

io::Task<Result<Reply>> registration_options(Desk& desk, Call& call) {
  const auto by = desk.deed(call.who);
  co_return co_await desk.store().write<Reply>([&](Transaction& transaction) -> Result<Reply> {
    const auto user = TRY(owner(transaction, call));
    const auto known = TRY(auth::list_passkeys(transaction, user.id));
    const auto challenge = TRY(auth::new_challenge(transaction, user.id, by.now));
    return Reply{.body = options_of(user, challenge, known, ceremony_of(call).host)};
  });
}

io::Task<Result<Reply>> add_passkey(Desk& desk, Call& call) {
  const auto by = desk.deed(call.who);
  const Json& credential = call.body["credential"];
  // The challenge is spent whatever comes of it, so it has a transaction of its own.
  const bool ours = CO_TRY(co_await desk.store().write<bool>([&](Transaction& transaction) {
    return auth::take_challenge(transaction, auth::challenge_of(credential), call.who.id, by.now);
  }));
  if (!ours) co_return fail(Code::denied, "passkey: it took too long; try again");
  const auto made = CO_TRY(auth::check_new_passkey(credential, ceremony_of(call)));
  co_return co_await desk.store().write<Reply>([&](Transaction& transaction) -> Result<Reply> {
    const auto user = TRY(owner(transaction, call));
    TRY(auth::keep_passkey(transaction, by, user, {made, std::string(call.body["name"].text())}));
    return Reply{.status = 201, .body = Json::object({{"id", made.id}})};
  });
}

io::Task<Result<Reply>> list_passkeys(Desk& desk, Call& call) {
  co_return co_await desk.store().read<Reply>([&](Transaction& transaction) -> Result<Reply> {
    std::vector<Json> items;
    for (const auto& passkey : TRY(auth::list_passkeys(transaction, call.who.id)))
      items.push_back(auth::to_json(passkey));
    return page(call, std::move(items));
  });
}

io::Task<Result<Reply>> remove_passkey(Desk& desk, Call& call) {
  const auto by = desk.deed(call.who);
  co_return co_await desk.store().write<Reply>([&](Transaction& transaction) -> Result<Reply> {
    TRY(auth::remove_passkey(transaction, by, TRY(owner(transaction, call)), call.parameter("id")));
    return Reply{.status = 204};
  });
}

io::Task<Result<Reply>> assertion_options(Desk& desk, Call& call) {
  call.record.kept = true;
  const auto now = desk.deed({}).now;
  const auto challenge = CO_TRY(co_await desk.store().write<std::string>(
      [&](Transaction& transaction) { return auth::new_challenge(transaction, "", now); }));
  co_return Reply{.body = Json::object({{"challenge", challenge},
                                        {"rpId", ceremony_of(call).host},
                                        {"userVerification", "required"},
                                        {"timeout", 300'000}})};
}

io::Task<Result<Reply>> sign_in_by_passkey(Desk& desk, Call& call) {
  call.record.kept = true;
  if (const auto wait = desk.count_try("passkey", call.who.from); wait > 0) co_return wait_reply(wait);
  const Json& assertion = call.body["assertion"];
  const auto now = desk.deed({}).now;
  const bool ours = CO_TRY(co_await desk.store().write<bool>([&](Transaction& transaction) {
    return auth::take_challenge(transaction, auth::challenge_of(assertion), "", now);
  }));
  auto user = co_await desk.store().write<auth::User>([&](Transaction& transaction) -> Result<auth::User> {
    if (!ours) return fail(Code::denied, "passkey: it took too long; try again");
    return auth::user_by_passkey(transaction, assertion, ceremony_of(call), now);
  });
  auto opened = user ? co_await desk.admit(user->id, "passkey", visitor_of(call))
                     : Result<auth::OpenedSession>(fail(user.error()));
  if (opened) {
    desk.forget_tries("passkey", call.who.from);
    co_return co_await signed_in(desk, *opened);
  }
  if (opened.error().code != Code::denied) co_return fail(opened.error());
  CO_TRY(co_await desk.refuse_at("passkey", call.who.from, opened.error().message));
  co_return problem(401, "unauthorized", opened.error().message);
}

}  // namespace

Routes passkey_routes(Desk& desk) {
  const auto own = [&](std::string_view method, std::string_view path, DeskAnswer answer) {
    return desk_route(Permission::self, method, path, at_desk(desk, answer));
  };
  const auto open = [&](std::string_view path, DeskAnswer answer) {
    return desk_route(Permission::everyone, "POST", path, at_desk(desk, answer));
  };
  Routes routes = {
      described(own("POST", "/api/v1/me/passkeys/options", registration_options),
                "What a browser needs to make a passkey", "passkey.begin"),
      described(own("POST", "/api/v1/me/passkeys", add_passkey), "Keep a passkey", "passkey.add",
                {{.name = "name", .required = true}, {.name = "credential", .type = "object", .required = true}}),
      described(own("GET", "/api/v1/me/passkeys", list_passkeys), "One's passkeys"),
      described(own("DELETE", "/api/v1/me/passkeys/{id}", remove_passkey), "Remove a passkey", "passkey.remove"),
      described(open("/api/v1/session/passkey/options", assertion_options),
                "What a browser needs to sign in by passkey", "session.begin"),
      described(open("/api/v1/session/passkey", sign_in_by_passkey), "Sign in by passkey", "session.create",
                {{.name = "assertion", .type = "object", .required = true}}),
  };
  routes[2].query = {{.name = "limit", .type = "integer"}, {.name = "cursor"}};
  return routes;
}

}  // namespace berth::api
