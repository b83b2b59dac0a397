#include "auth/flow.h"

#include "auth/next.h"
#include "auth/web.h"
#include "http/url.h"

namespace berth::auth {
namespace {

using store::Transaction;

constexpr std::int64_t kSecond = 1'000'000;
constexpr std::int64_t kPending = 600 * kSecond, kMetadata = 3600 * kSecond, kKeysPause = 60 * kSecond;
constexpr std::int64_t kMostPending = 10'000;
constexpr std::string_view kNotBegun =
    "this browser did not begin signing in here, or did so more than ten minutes ago, or ended it already; sign in "
    "again";

std::string callback_url(const std::string& origin, const std::string& provider) {
  return origin + "/api/v1/auth/" + provider + "/callback";
}

Result<void> keep_pending(Transaction& transaction, const store::Values& row, std::int64_t now) {
  TRY(execute(transaction, "DELETE FROM auth_login WHERE expires_at <= ?", {now}));
  const auto count = TRY(transaction.first("SELECT COUNT(*) FROM auth_login", {}));
  if (count && count->integer(0) >= kMostPending)
    return fail(Code::unavailable, "too many are signing in at the moment; try again in ten minutes");
  return execute(transaction,
                 "INSERT INTO auth_login (hash, browser, provider, verifier, nonce, target, expires_at, link)"
                 " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                 row);
}

}  // namespace

io::Task<Result<StoredProvider>> Flow::provider_named(std::string id) {
  auto found = CO_TRY(co_await desk_.store().read<StoredProvider>(
      [&](Transaction& transaction) { return find_provider(transaction, id, desk_.key()); }));
  if (found.provider.kind != ProviderKind::oidc && found.provider.kind != ProviderKind::oauth2)
    co_return fail(Code::not_found, "provider \"" + id + "\" has no page of its own");
  co_return found;
}

io::Task<Result<Flow::Known*>> Flow::metadata_for(const StoredProvider& stored) {
  const std::int64_t now = desk_.deed({}).now;
  const OAuthSettings& oauth = stored.provider.oauth;
  const std::string settings = stored.settings.canonical();
  Known& known = known_[stored.provider.id];
  if (known.settings == settings && now - known.at < kMetadata) co_return &known;
  Known fresh{.metadata = metadata_of(oauth), .at = now, .settings = settings};
  if (stored.provider.kind == ProviderKind::oidc) {
    const Json document = CO_TRY(co_await fetch_json({.url = discovery_url(oauth.issuer), .ca = oauth.ca}));
    fresh.metadata = CO_TRY(parse_metadata(oauth.issuer, document));
  }
  known_[stored.provider.id] = std::move(fresh);
  co_return &known_[stored.provider.id];
}

io::Task<Result<void>> Flow::fetch_keys(const StoredProvider& stored, Known& known) {
  const std::int64_t now = desk_.deed({}).now;
  // A token with a made-up key name must not have us ask the provider each time.
  if (known.keys_at != 0 && now - known.keys_at < kKeysPause)
    co_return fail(Code::denied, "the token is signed with a key that the provider does not have");
  known.keys_at = now;
  const Json set = CO_TRY(co_await fetch_json({.url = known.metadata.keys, .ca = stored.provider.oauth.ca}));
  known_[stored.provider.id].keys = CO_TRY(parse_jwks(set));
  co_return Result<void>{};
}

io::Task<Result<Flow::Begun>> Flow::begin(Begin wanted) {
  const auto stored = CO_TRY(co_await provider_named(wanted.provider));
  const Known* known = CO_TRY(co_await metadata_for(stored));
  const Login login{.state = secret_text(io::random_bytes(32)),
                    .verifier = secret_text(io::random_bytes(32)),
                    .nonce = secret_text(io::random_bytes(32)),
                    .redirect = callback_url(wanted.origin, wanted.provider)};
  Begun begun{.url = authorize_url(known->metadata, stored.provider.oauth, login),
              .browser = is_secret_text(wanted.browser) ? wanted.browser : secret_text(io::random_bytes(32))};
  const std::int64_t now = desk_.deed({}).now;
  const store::Values row = {store::Blob{secret_hash(login.state)},
                             store::Blob{secret_hash(begun.browser)},
                             wanted.provider,
                             store::Blob{desk_.key().seal(login.verifier, "login:" + wanted.provider)},
                             login.nonce,
                             safe_next(wanted.next),
                             now + kPending,
                             wanted.link};
  CO_TRY(co_await desk_.store().write<void>(
      [&](Transaction& transaction) { return keep_pending(transaction, row, now); }));
  co_return begun;
}

io::Task<Result<Flow::Pending>> Flow::take_pending(const Finish& wanted, std::string state) {
  if (!is_secret_text(state) || !is_secret_text(wanted.browser)) co_return fail(Code::timeout, std::string(kNotBegun));
  const std::int64_t now = desk_.deed({}).now;
  // Taken whatever comes next: a state counts once.
  const auto rows = CO_TRY(co_await desk_.store().write<store::Rows>([&](Transaction& transaction) {
    return transaction.query(
        "DELETE FROM auth_login WHERE hash = ? RETURNING browser, provider, verifier, nonce, target, expires_at, link",
        {store::Blob{secret_hash(state)}});
  }));
  if (rows.empty() || rows[0].integer(5) <= now || rows[0].text(1) != wanted.provider ||
      !same_secret(rows[0].bytes(0), secret_hash(wanted.browser))) {
    co_return fail(Code::timeout, std::string(kNotBegun));
  }
  Pending pending{.next = rows[0].text(4), .link = rows[0].text(6)};
  pending.login = {.state = std::move(state),
                   .verifier = CO_TRY(desk_.key().open(rows[0].bytes(2), "login:" + wanted.provider)),
                   .nonce = rows[0].text(3),
                   .redirect = callback_url(wanted.origin, wanted.provider)};
  co_return pending;
}

io::Task<Result<Json>> Flow::exchange_code(const StoredProvider& stored, const Pending& pending, std::string code) {
  const Known* known = CO_TRY(co_await metadata_for(stored));
  const OAuthSettings& oauth = stored.provider.oauth;
  WebRequest request{.url = known->metadata.token, .ca = oauth.ca, .form = token_form(oauth, pending.login, code)};
  if (known->metadata.basic_secret && !stored.secret.empty()) {
    // RFC 6749 2.3.1: both are form-encoded before they are joined.
    request.basic = http::percent_encode(oauth.client) + ":" + http::percent_encode(stored.secret);
  } else if (!stored.secret.empty()) {
    request.form.emplace_back("client_secret", stored.secret);
  }
  const std::string address = request.url;
  auto tokens = token_answer(CO_TRY(co_await fetch(std::move(request))));
  if (!tokens) co_return fail(within_address(std::move(tokens.error()), address));
  co_return tokens;
}

io::Task<Result<Json>> Flow::claims_of(const StoredProvider& stored, const Pending& pending, std::string token) {
  Known* known = CO_TRY(co_await metadata_for(stored));
  if (known->keys.empty()) CO_TRY(co_await fetch_keys(stored, *known));
  known = &known_[stored.provider.id];
  auto verified = verify_jwt(token, known->keys);
  if (!verified && verified.error().code == Code::not_found) {
    CO_TRY(co_await fetch_keys(stored, *known));
    verified = verify_jwt(token, known_[stored.provider.id].keys);
  }
  if (!verified) co_return fail(Code::denied, verified.error().message);
  CO_TRY(check_claims(verified->claims, {.issuer = stored.provider.oauth.issuer,
                                         .client = stored.provider.oauth.client,
                                         .nonce = pending.login.nonce,
                                         .now = desk_.deed({}).now / kSecond}));
  co_return std::move(verified->claims);
}

io::Task<Result<Identity>> Flow::identify(const StoredProvider& stored, const Pending& pending, std::string query) {
  const auto callback = CO_TRY(parse_callback(query));
  const Known* known = CO_TRY(co_await metadata_for(stored));
  const Metadata metadata = known->metadata;
  CO_TRY(check_callback(callback, metadata));
  const Json tokens = CO_TRY(co_await exchange_code(stored, pending, callback.code));
  const OAuthSettings& oauth = stored.provider.oauth;
  const std::string token(tokens["access_token"].text());
  Vouched vouched;
  if (stored.provider.kind == ProviderKind::oidc)
    vouched.claims = CO_TRY(co_await claims_of(stored, pending, std::string(tokens["id_token"].text())));
  if (!metadata.user.empty())
    vouched.user = CO_TRY(co_await fetch_json({.url = metadata.user, .ca = oauth.ca, .bearer = token}));
  if (!oauth.groups.empty())
    vouched.groups = CO_TRY(co_await fetch_pages({.url = oauth.groups, .ca = oauth.ca, .bearer = token}));
  co_return identity_of(oauth, vouched);
}

io::Task<Result<User>> Flow::settle(const StoredProvider& stored, Identity identity, Pending pending,
                                    std::string from) {
  Principal provider;
  provider.name = "provider:" + stored.provider.id;
  provider.from = std::move(from);
  const Deed by = desk_.deed(std::move(provider));
  co_return co_await desk_.store().write<User>([&](Transaction& transaction) -> Result<User> {
    if (!pending.link.empty()) {
      const User user = TRY(find_user(transaction, pending.link));
      TRY(link_identity(transaction, by, stored.provider, {identity, user}));
    }
    return user_of(transaction, by, stored.provider, identity);
  });
}

io::Task<Result<OpenedSession>> Flow::try_finish(Finish wanted, std::string& next) {
  const auto callback = parse_callback(wanted.query);
  if (!callback) co_return fail(Code::denied, callback.error().message);
  auto pending = CO_TRY(co_await take_pending(wanted, callback->state));
  next = pending.next;
  const auto stored = co_await provider_named(wanted.provider);
  if (!stored) co_return fail(Code::unavailable, stored.error().message);
  auto identity = CO_TRY(co_await identify(*stored, pending, wanted.query));
  const auto user = co_await settle(*stored, std::move(identity), std::move(pending), wanted.visitor.client);
  // The provider did its part: it is here that nobody knows them.
  if (!user && user.error().code == Code::denied) co_return fail(Code::not_found, user.error().message);
  if (!user) co_return fail(user.error());
  const std::string method = std::string(to_text(stored->provider.kind)) + ":" + stored->provider.id;
  co_return co_await desk_.admit(user->id, method, std::move(wanted.visitor));
}

io::Task<Result<Flow::Finished>> Flow::finish(Finish wanted) {
  const std::string provider = wanted.provider, from = wanted.visitor.client;
  Finished finished;
  finished.opened = co_await try_finish(std::move(wanted), finished.next);
  if (!finished.opened) CO_TRY(co_await desk_.refuse_at("provider:" + provider, from, finished.opened.error().message));
  co_return finished;
}

}  // namespace berth::auth
