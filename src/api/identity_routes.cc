#include "api/auth_routes.h"
#include "auth/identities.h"

namespace berth::api {
namespace {

using auth::Desk;
using store::Transaction;

Result<Reply> list_of(Transaction& transaction, Call& call, std::string_view user) {
  std::vector<Json> items;
  for (const auto& identity : TRY(auth::list_identities(transaction, user))) items.push_back(auth::to_json(identity));
  return page(call, std::move(items));
}

io::Task<Result<Reply>> list_own(Desk& desk, Call& call) {
  co_return co_await desk.store().read<Reply>(
      [&](Transaction& transaction) { return list_of(transaction, call, call.who.id); });
}

/// As with passkeys: how an account is signed in to is not for its tokens to change.
io::Task<Result<Reply>> unlink_own(Desk& desk, Call& call) {
  if (!call.who.has_session()) co_return fail(Code::denied, "unlinking needs a session; sign in first");
  const auto by = desk.deed(call.who);
  co_return co_await desk.store().write<Reply>([&](Transaction& transaction) -> Result<Reply> {
    const auto user = TRY(auth::find_user(transaction, call.who.id));
    TRY(auth::unlink_identity(transaction, by, user, call.parameter("id")));
    return Reply{.status = 204};
  });
}

io::Task<Result<Reply>> list_of_user(Desk& desk, Call& call) {
  co_return co_await desk.store().read<Reply>([&](Transaction& transaction) -> Result<Reply> {
    return list_of(transaction, call, TRY(auth::find_user(transaction, call.parameter("id"))).id);
  });
}

io::Task<Result<Reply>> unlink_of_user(Desk& desk, Call& call) {
  const auto by = desk.deed(call.who);
  co_return co_await desk.store().write<Reply>([&](Transaction& transaction) -> Result<Reply> {
    const auto user = TRY(auth::find_user(transaction, call.parameter("id")));
    TRY(auth::unlink_identity(transaction, by, user, call.parameter("identity")));
    return Reply{.status = 204};
  });
}

}  // namespace

Routes identity_routes(Desk& desk) {
  const auto route = [&](Permission needs, std::string_view method, std::string_view path, DeskAnswer answer) {
    return desk_route(needs, method, path, at_desk(desk, answer));
  };
  Routes routes = {
      described(route(Permission::self, "GET", "/api/v1/me/identities", list_own), "One's identities at providers"),
      described(route(Permission::users, "GET", "/api/v1/users/{id}/identities", list_of_user),
                "Its identities at providers"),
      described(route(Permission::self, "DELETE", "/api/v1/me/identities/{id}", unlink_own), "Unlink an identity",
                "identity.unlink"),
      described(route(Permission::users, "DELETE", "/api/v1/users/{id}/identities/{identity}", unlink_of_user),
                "Unlink one of them", "identity.unlink"),
  };
  for (auto& each : routes)
    if (each.method == "GET") each.query = {{.name = "limit", .type = "integer"}, {.name = "cursor"}};
  return routes;
}

}  // namespace berth::api
