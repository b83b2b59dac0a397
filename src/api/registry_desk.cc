#include "api/registry_desk.h"

#include "base/ulid.h"
#include "engine/reference.h"
#include "engine/registry.h"
#include "io/seal.h"

namespace berth::api {
namespace {

constexpr std::size_t kMostUser = 255;
constexpr std::size_t kMostPassword = 8192;  // tokens of clouds take some 2,000
constexpr std::size_t kMostRegistries = 200;

bool is_line(std::string_view text) {
  return std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

Result<void> check_wish(const RegistryDesk::Wish& wish) {
  if (wish.user.empty() || wish.user.size() > kMostUser || !is_line(wish.user) || wish.user.contains(':'))
    return fail(Code::invalid, "user: write the name at the registry, without colons");
  if (wish.password.empty() || wish.password.size() > kMostPassword || !is_line(wish.password))
    return fail(Code::invalid, "password: write one line, the password or a token");
  return {};
}

}  // namespace

RegistryDesk::RegistryDesk(store::Database& store, const io::SealKey& key, Options options)
    : store_(store), key_(key), options_(std::move(options)) {}

io::Task<Result<Registry>> RegistryDesk::keep(Wish wish) {
  Registry registry{.host = CO_TRY(engine::parse_registry(wish.host)),
                    .user = wish.user,
                    .checked = wish.check,
                    .created_at = options_.now()};
  CO_TRY(check_wish(wish));
  engine::Credentials credentials{
      .server = engine::registry_server(registry.host), .user = wish.user, .password = std::move(wish.password)};
  if (wish.check) {
    const auto client = CO_TRY(options_.engine.client());
    credentials.identity_token = CO_TRY(co_await engine::log_in(*client, credentials));
  }
  const std::string id = "registry_" + encode_ulid(registry.created_at / 1000, io::random_bytes(10));
  const std::pair entry{registry, std::move(credentials)};
  const auto kept = co_await store_.write<int>([&](store::Transaction& transaction) -> Result<int> {
    TRY(keep_registry(transaction, key_, id, entry));
    if (TRY(list_registries(transaction)).size() > kMostRegistries)
      return fail(Code::conflict, "there are " + std::to_string(kMostRegistries) + " registries already");
    return 0;
  });
  if (!kept) co_return fail(kept.error());
  co_return registry;
}

io::Task<Result<std::vector<Registry>>> RegistryDesk::list() {
  co_return co_await store_.read<std::vector<Registry>>(list_registries);
}

io::Task<Result<Registry>> RegistryDesk::remove(std::string host) {
  const std::string key = CO_TRY(engine::parse_registry(host));
  co_return co_await store_.write<Registry>(
      [&](store::Transaction& transaction) { return remove_registry(transaction, key); });
}

io::Task<Result<std::string>> RegistryDesk::auth(std::string reference) {
  const std::string host = engine::registry_key(CO_TRY(engine::parse_reference(reference)).host);
  using Found = std::optional<engine::Credentials>;
  const auto found = co_await store_.read<Found>(
      [&](store::Transaction& transaction) { return find_credentials(transaction, key_, host); });
  if (!found) co_return fail(Error(found.error()).within("the login for registry " + host));
  co_return engine::registry_auth(*found);
}

}  // namespace berth::api
