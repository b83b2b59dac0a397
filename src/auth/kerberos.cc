#include "auth/kerberos.h"

#include "auth/kerberos_text.h"
#include "auth/ldap.h"
#include "auth/negotiate.h"

namespace berth::auth {
namespace {

using store::Transaction;
using State = SignInResult::State;

constexpr std::string_view kReplays = "/kerberos.replays";

io::Task<Result<StoredProvider>> stored_provider(Desk& desk, std::string id, ProviderKind kind) {
  auto found = CO_TRY(co_await desk.store().read<StoredProvider>(
      [&](Transaction& transaction) { return find_provider(transaction, id, desk.key()); }));
  if (found.provider.kind != kind)
    co_return fail(Code::not_found, "provider \"" + id + "\" is not of the kind " + std::string(to_text(kind)));
  co_return found;
}

struct Known {
  Provider provider{};  // whose identity it is: the directory's, where there is one
  Identity identity{};
  std::string answer{};
};

io::Task<Result<Known>> identify(Desk& desk, Provider provider, std::string token) {
  const KerberosSettings& settings = provider.kerberos;
  const std::string replays = desk.folder().empty() ? "" : desk.folder() + std::string(kReplays);
  Result<Accepted> accepted;
  co_await io::on_pool([&] { accepted = accept_token(settings, replays, token); });
  if (!accepted) co_return fail(accepted.error());
  const std::string name = CO_TRY(user_of_principal(accepted->principal, settings.realm));
  if (settings.directory.empty()) {
    Identity identity{.subject = accepted->principal, .name = name};
    co_return Known{std::move(provider), std::move(identity), std::move(accepted->answer)};
  }
  auto directory = co_await stored_provider(desk, settings.directory, ProviderKind::ldap);
  if (!directory) co_return fail(Code::unavailable, "kerberos: its directory: " + directory.error().message);
  auto identity = CO_TRY(co_await ldap_entry(directory->provider.ldap, directory->secret, name));
  co_return Known{std::move(directory->provider), std::move(identity), std::move(accepted->answer)};
}

io::Task<Result<User>> settle(Desk& desk, const Known& known, std::string client) {
  Principal who;
  who.name = "provider:" + known.provider.id;
  who.from = std::move(client);
  const Deed by = desk.deed(std::move(who));
  auto user = co_await desk.store().write<User>(
      [&](Transaction& transaction) { return user_of(transaction, by, known.provider, known.identity); });
  if (user && user->disabled) co_return fail(Code::denied, "disabled");
  co_return user;
}

}  // namespace

io::Task<Result<NegotiatedSignIn>> kerberos_sign_in(Desk& desk, std::string id, std::string token,
                                                    Credentials credentials, Visitor visitor) {
  const std::string subject = "provider:" + id, client = visitor.client;
  const auto stored = CO_TRY(co_await stored_provider(desk, id, ProviderKind::kerberos));
  auto known = co_await identify(desk, stored.provider, std::move(token));
  const auto user = known ? co_await settle(desk, *known, client) : Result<User>(fail(known.error()));
  if (!user) {
    CO_TRY(co_await desk.refuse_at(subject, client, user.error().message));
    if (user.error().code != Code::denied) co_return fail(user.error());
    co_return NegotiatedSignIn{};
  }
  // A ticket cannot be guessed; a code of the authenticator can.
  if (const auto wait = desk.count_try(user->id, client); wait > 0)
    co_return NegotiatedSignIn{.result = {.state = State::wait, .seconds = wait}};
  const bool has_code = !credentials.totp.empty() || !credentials.recovery_code.empty();
  NegotiatedSignIn signed_in{.answer = std::move(known->answer)};
  signed_in.result =
      CO_TRY(co_await desk.admit_with_factor(*user, "kerberos:" + id, std::move(credentials), std::move(visitor)));
  if (signed_in.result.state == State::in || !has_code) desk.forget_tries(user->id, client);
  if (signed_in.result.state == State::second_factor && has_code)
    CO_TRY(co_await desk.refuse_at(subject, client, "wrong code"));
  co_return signed_in;
}

}  // namespace berth::auth
