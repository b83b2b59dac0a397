#include "api/server.h"

#include <array>

namespace berth::api {
namespace {

using engine::Address;

constexpr std::string_view kTable = R"(
CREATE TABLE server (
  id {text} PRIMARY KEY,
  name {text} NOT NULL UNIQUE,
  address {text} NOT NULL,
  key_type {text} NOT NULL,
  host_key {text} NOT NULL,
  identity {text} NOT NULL,
  ca {text} NOT NULL,
  certificate {text} NOT NULL,
  secret {blob},
  created_at {integer} NOT NULL
);
)";
constexpr std::array<store::Migration, 1> kMigrations = {{{.number = 450, .name = "servers", .sql = kTable}}};

constexpr std::string_view kColumns =
    "SELECT id, name, address, key_type, host_key, identity, ca, certificate, created_at, secret FROM server";

store::Cell cell_of(const Server& server) {
  return {.table = "server", .column = "secret", .row = server.id};
}

Result<Server> server_of(const store::Row& row) {
  return Server{.id = row.text(0),
                .name = row.text(1),
                .address = TRY(engine::parse_address(row.text(2))),
                .host_key = {.type = row.text(3), .key = row.text(4)},
                .identity = row.text(5),
                .ca = row.text(6),
                .certificate = row.text(7),
                .created_at = row.integer(8)};
}

std::unexpected<Error> no_server(std::string_view name) {
  return fail(Code::not_found, "there is no server \"" + std::string(name) + "\"; berth server list shows which are");
}

Result<std::optional<store::Row>> row_of(store::Transaction& transaction, std::string_view name) {
  return transaction.first(std::string(kColumns) + " WHERE name = ?", {std::string(name)});
}

std::string_view kind_of(Address::Kind kind) {
  switch (kind) {
    case Address::Kind::unix_socket:
      return "unix";
    case Address::Kind::tcp:
      return "tcp";
    case Address::Kind::ssh:
      return "ssh";
  }
  return "";
}

}  // namespace

std::span<const store::Migration> server_migrations() {
  return kMigrations;
}

Result<void> check_server_name(std::string_view name) {
  if (name == "local") return fail(Code::invalid, "\"local\" is the engine beside berth; choose another name");
  const bool right = !name.empty() && name.size() <= 63 && name.front() != '-' &&
                     name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string_view::npos;
  if (right) return {};
  return fail(Code::invalid, "\"" + std::string(name) +
                                 "\" is no name for a server: use up to 63 lower case letters, digits and dashes");
}

Result<void> check_server(const Server& server) {
  TRY(check_server_name(server.name));
  const Address::Kind kind = server.address.kind;
  const bool tls = !server.ca.empty() || !server.certificate.empty() || !server.key.empty();
  if (kind != Address::Kind::tcp && tls) return fail(Code::invalid, "certificates go with tcp:// addresses");
  if (kind != Address::Kind::ssh && !server.identity.empty())
    return fail(Code::invalid, "an identity goes with ssh:// addresses");
  if (tls && server.ca.empty()) return fail(Code::invalid, "the certificate of the CA is missing: give --ca");
  if (server.certificate.empty() != server.key.empty())
    return fail(Code::invalid, "a certificate and its key go together: give --cert and --key");
  if (!server.identity.empty() && !server.identity.starts_with('/'))
    return fail(Code::invalid, "identity " + server.identity + ": give an absolute path");
  if (server.identity.find_first_of("\n\r") != std::string::npos)
    return fail(Code::invalid, "identity: a path is one line");
  return engine::check_reachable(server.address, tls);
}

Result<void> add_server(store::Transaction& transaction, const io::SealKey& key, const Server& server) {
  if (TRY(row_of(transaction, server.name)))
    return fail(Code::conflict, "there is a server \"" + server.name + "\" already; berth server remove removes it");
  const store::Value secret =
      server.key.empty() ? store::Value() : store::Value(store::seal(key, server.key, cell_of(server)));
  const auto added = transaction.run(
      "INSERT INTO server (id, name, address, key_type, host_key, identity, ca, certificate, secret, created_at) "
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      {server.id, server.name, server.address.text(), server.host_key.type, server.host_key.key, server.identity,
       server.ca, server.certificate, secret, server.created_at});
  if (!added) return fail(added.error());
  return {};
}

Result<std::vector<Server>> list_servers(store::Transaction& transaction) {
  std::vector<Server> out;
  for (const auto& row : TRY(transaction.query(std::string(kColumns) + " ORDER BY name", {})))
    out.push_back(TRY(server_of(row)));
  return out;
}

Result<Server> find_server(store::Transaction& transaction, const io::SealKey& key, std::string_view name) {
  const auto row = TRY(row_of(transaction, name));
  if (!row) return no_server(name);
  auto server = TRY(server_of(*row));
  if (!row->is_null(9)) server.key = TRY(store::unseal(key, *row, 9, cell_of(server)));
  return server;
}

Result<Server> remove_server(store::Transaction& transaction, std::string_view name) {
  const auto row = TRY(row_of(transaction, name));
  if (!row) return no_server(name);
  const auto removed = transaction.run("DELETE FROM server WHERE name = ?", {std::string(name)});
  if (!removed) return fail(removed.error());
  return server_of(*row);
}

Json to_json(const Server& server) {
  const bool ssh = !server.host_key.key.empty();
  return Json::object({{"id", server.name},
                       {"name", server.name},
                       {"kind", kind_of(server.address.kind)},
                       {"address", server.address.text()},
                       {"fingerprint", ssh ? Json(engine::fingerprint_of(server.host_key)) : Json()},
                       {"identity", server.identity.empty() ? Json() : Json(server.identity)},
                       {"createdAt", server.created_at / 1000}});
}

}  // namespace berth::api
