// Servers: engines beside the local one, as the store keeps them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/json.h"
#include "engine/access.h"
#include "engine/host_key.h"
#include "store/sealed.h"

namespace berth::api {

struct Server {
  std::string id{};             ///< "server_...", never reused
  std::string name{};           ///< of people and of ?engine=
  engine::Address address{};    ///< of any kind
  engine::HostKey host_key{};   ///< pinned, of ssh
  std::string identity{};       ///< absolute path of the key to log in with, of ssh; "": those in ~/.ssh
  std::string ca{};             ///< PEM, of tcp
  std::string certificate{};    ///< PEM, ours, of tcp
  std::string key{};            ///< PEM of `certificate`; sealed in the store, and read by find_server() alone
  std::int64_t created_at = 0;  ///< microseconds since 1970
};

/// The table of servers.
std::span<const store::Migration> server_migrations();

/// Lower case letters, digits and dashes, a letter or digit first, at most 63; "local" is the engine beside berth.
/// Code::invalid.
Result<void> check_server_name(std::string_view name);
/// What the address asks for is there, and nothing else: Code::invalid, or denied as check_reachable().
Result<void> check_server(const Server& server);

/// Code::conflict when the name is taken.
Result<void> add_server(store::Transaction& transaction, const io::SealKey& key, const Server& server);
/// By name, without their keys.
Result<std::vector<Server>> list_servers(store::Transaction& transaction);
/// With its key. Code::not_found.
Result<Server> find_server(store::Transaction& transaction, const io::SealKey& key, std::string_view name);
/// The server that there was, without its key. Code::not_found.
Result<Server> remove_server(store::Transaction& transaction, std::string_view name);

/// {"id" (the name), "name", "kind", "address", "fingerprint", "identity", "createdAt" (ms)}; never a key.
Json to_json(const Server& server);

}  // namespace berth::api
