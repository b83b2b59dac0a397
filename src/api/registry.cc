#include "api/registry.h"

#include <array>

namespace berth::api {
namespace {

constexpr std::string_view kTable = R"(
CREATE TABLE registry (
  id {text} PRIMARY KEY,
  host {text} NOT NULL UNIQUE,
  user_name {text} NOT NULL,
  is_token {integer} NOT NULL,
  secret {blob} NOT NULL,
  checked {integer} NOT NULL,
  created_at {integer} NOT NULL
);
)";
constexpr std::array<store::Migration, 1> kMigrations = {{{.number = 460, .name = "registries", .sql = kTable}}};

constexpr std::string_view kColumns = "SELECT host, user_name, checked, created_at FROM registry";

store::Cell cell_of(std::string_view id) {
  return {.table = "registry", .column = "secret", .row = id};
}

Registry registry_of(const store::Row& row) {
  return {.host = row.text(0), .user = row.text(1), .checked = row.integer(2) != 0, .created_at = row.integer(3)};
}

}  // namespace

std::span<const store::Migration> registry_migrations() {
  return kMigrations;
}

Result<void> keep_registry(store::Transaction& transaction, const io::SealKey& key, const std::string& id,
                           const std::pair<Registry, engine::Credentials>& entry) {
  const auto& [registry, credentials] = entry;
  const bool is_token = !credentials.identity_token.empty();
  const std::string& secret = is_token ? credentials.identity_token : credentials.password;
  const auto before = transaction.run("DELETE FROM registry WHERE host = ?", {registry.host});
  if (!before) return fail(before.error());
  const auto kept = transaction.run(
      "INSERT INTO registry (id, host, user_name, is_token, secret, checked, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
      {id, registry.host, registry.user, std::int64_t{is_token}, store::seal(key, secret, cell_of(id)),
       std::int64_t{registry.checked}, registry.created_at});
  if (!kept) return fail(kept.error());
  return {};
}

Result<std::vector<Registry>> list_registries(store::Transaction& transaction) {
  std::vector<Registry> out;
  for (const auto& row : TRY(transaction.query(std::string(kColumns) + " ORDER BY host", {})))
    out.push_back(registry_of(row));
  return out;
}

Result<Registry> remove_registry(store::Transaction& transaction, std::string_view host) {
  const auto row = TRY(transaction.first(std::string(kColumns) + " WHERE host = ?", {std::string(host)}));
  if (!row)
    return fail(Code::not_found, "berth has no login for registry \"" + std::string(host) +
                                     "\"; berth registry list shows for which it has");
  const auto removed = transaction.run("DELETE FROM registry WHERE host = ?", {std::string(host)});
  if (!removed) return fail(removed.error());
  return registry_of(*row);
}

Result<std::optional<engine::Credentials>> find_credentials(store::Transaction& transaction, const io::SealKey& key,
                                                            std::string_view host) {
  const auto row = TRY(
      transaction.first("SELECT id, user_name, is_token, secret FROM registry WHERE host = ?", {std::string(host)}));
  if (!row) return std::optional<engine::Credentials>();
  engine::Credentials out{.server = engine::registry_server(host), .user = row->text(1)};
  const std::string id = row->text(0);
  (row->integer(2) != 0 ? out.identity_token : out.password) = TRY(store::unseal(key, *row, 3, cell_of(id)));
  return std::optional(std::move(out));
}

Json to_json(const Registry& registry) {
  return Json::object({{"id", registry.host},
                       {"host", registry.host},
                       {"user", registry.user},
                       {"checked", registry.checked},
                       {"createdAt", registry.created_at / 1000}});
}

}  // namespace berth::api
