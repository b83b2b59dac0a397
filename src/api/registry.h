// Registries: who berth is there, as the store keeps it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/json.h"
#include "engine/credentials.h"
#include "store/sealed.h"

namespace berth::api {

/// Without what is secret: that leaves by find_credentials() alone.
struct Registry {
  std::string host{};  ///< engine::parse_registry()
  std::string user{};
  bool checked = false;         ///< the registry took it when it was kept
  std::int64_t created_at = 0;  ///< microseconds since 1970
};

/// The table of registries.
std::span<const store::Migration> registry_migrations();

/// Keeps the password, or the identity token where there is one, sealed under `id`, which was never used before; it
/// takes the place of what was kept for this host.
Result<void> keep_registry(store::Transaction& transaction, const io::SealKey& key, const std::string& id,
                           const std::pair<Registry, engine::Credentials>& entry);
/// By host.
Result<std::vector<Registry>> list_registries(store::Transaction& transaction);
/// What there was. Code::not_found.
Result<Registry> remove_registry(store::Transaction& transaction, std::string_view host);
/// Nothing when none are kept for this host. Code::invalid when the key of the store does not open them.
Result<std::optional<engine::Credentials>> find_credentials(store::Transaction& transaction, const io::SealKey& key,
                                                            std::string_view host);

/// {"id" (the host), "host", "user", "checked", "createdAt" (ms)}.
Json to_json(const Registry& registry);

}  // namespace berth::api
