// Configured providers, and which user each of their identities is.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "auth/provider.h"
#include "auth/users.h"
#include "io/seal.h"

namespace berth::auth {

struct StoredProvider {
  Provider provider{};
  Json settings{};       ///< as the admin wrote them
  std::string secret{};  ///< of the client or of the searching bind; never shown
};
/// By id, without their secrets.
Result<std::vector<StoredProvider>> list_providers(store::Transaction& transaction);
/// Code::not_found for an unknown or disabled one.
Result<StoredProvider> find_provider(store::Transaction& transaction, std::string_view id, const io::SealKey& key);

struct ProviderChange {
  Json settings{};
  std::optional<std::string> secret{};  ///< none: stays what it is
  std::optional<bool> enabled{};
};
/// Code::conflict when the id is taken, invalid as parse_provider().
Result<StoredProvider> add_provider(store::Transaction& transaction, const Deed& by, const std::string& id,
                                    const ProviderChange& provider, const io::SealKey& key);
/// Null settings stay what they are.
Result<StoredProvider> change_provider(store::Transaction& transaction, const Deed& by, const std::string& id,
                                       const ProviderChange& change, const io::SealKey& key);
/// Its identities stay, for the day it comes back; nobody can use them until then.
Result<void> remove_provider(store::Transaction& transaction, const Deed& by, const std::string& id);

/// The user whom `identity` is, with role and memberships as its groups say now. Unknown ones get an account where the
/// provider creates them, a new one in any case: a name or e-mail never leads to an existing account. Code::denied
/// otherwise.
Result<User> user_of(store::Transaction& transaction, const Deed& by, const Provider& provider,
                     const Identity& identity);
/// The user may sign in as `identity` from now on. Code::conflict when it is somebody else's.
Result<void> link_identity(store::Transaction& transaction, const Deed& by, const Provider& provider,
                           std::pair<const Identity&, const User&> link);

/// Ids of those who vouch for a user, sorted; also removed ones.
Result<std::vector<std::string>> providers_of(store::Transaction& transaction, std::string_view user);

/// Never the secret.
Json to_json(const StoredProvider& provider);

}  // namespace berth::auth
