#include "auth/directory.h"

#include "auth/ldap.h"
#include "base/text.h"

namespace berth::auth {
namespace {

using store::Transaction;
using State = SignInResult::State;

io::Task<Result<User>> settle(Desk& desk, const Provider& provider, const Identity& identity, std::string client) {
  Principal who;
  who.name = "provider:" + provider.id;
  who.from = std::move(client);
  const Deed by = desk.deed(std::move(who));
  co_return co_await desk.store().write<User>(
      [&](Transaction& transaction) { return user_of(transaction, by, provider, identity); });
}

}  // namespace

io::Task<Result<SignInResult>> directory_sign_in(Desk& desk, std::string id, Credentials credentials, Visitor visitor) {
  const std::string account = id + ":" + lower(credentials.name), client = visitor.client;
  if (const auto wait = desk.count_try(account, client); wait > 0)
    co_return SignInResult{.state = State::wait, .seconds = wait};
  const auto stored = CO_TRY(co_await desk.store().read<StoredProvider>(
      [&](Transaction& transaction) { return find_provider(transaction, id, desk.key()); }));
  if (stored.provider.kind != ProviderKind::ldap)
    co_return fail(Code::not_found, "provider \"" + id + "\" is no directory");
  const auto identity =
      co_await ldap_identity(stored.provider.ldap, stored.secret, credentials.name, credentials.password);
  auto user =
      identity ? co_await settle(desk, stored.provider, *identity, client) : Result<User>(fail(identity.error()));
  if (!user || user->disabled) {
    const std::string why = user ? "disabled" : user.error().message;
    CO_TRY(co_await desk.refuse_at("provider:" + id, client, why));
    if (!user && user.error().code != Code::denied) co_return fail(user.error());
    co_return SignInResult{};
  }
  const bool has_code = !credentials.totp.empty() || !credentials.recovery_code.empty();
  auto result =
      CO_TRY(co_await desk.admit_with_factor(*user, "ldap:" + id, std::move(credentials), std::move(visitor)));
  if (result.state == State::in) desk.forget_tries(account, client);
  if (result.state == State::second_factor && has_code)
    CO_TRY(co_await desk.refuse_at("provider:" + id, client, "wrong code"));
  co_return result;
}

}  // namespace berth::auth
