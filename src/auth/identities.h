// By whom else a user is known: the identities at providers that it linked, or was made from, and taking one away.
#pragma once

#include <string>
#include <vector>

#include "auth/users.h"

namespace berth::auth {

struct LinkedIdentity {
  std::string id{};             ///< for addresses; made of provider and subject, so that it stays the same
  std::string provider{};       ///< its id
  std::string provider_name{};  ///< for people; the id where the provider was removed
  std::string subject{};        ///< the provider's own key of the user; not shown
  std::string name{};           ///< what the provider called the user last; "" where nobody knows
  bool usable = false;          ///< the provider is there and enabled
  std::int64_t created_at = 0;
};
/// The oldest first.
Result<std::vector<LinkedIdentity>> list_identities(store::Transaction& transaction, std::string_view user);
/// Code::conflict when `user` could not sign in without the identity or passkey `id`, which people know as `name`.
Result<void> check_other_way(store::Transaction& transaction, const User& user, std::string_view id,
                             std::string_view name);
/// Sessions that were opened by it go on. Code::not_found unless it is the user's; conflict when a user takes away the
/// own last way to sign in: who administers users may, since they can set a password.
Result<void> unlink_identity(store::Transaction& transaction, const Deed& by, const User& user, std::string_view id);

Json to_json(const LinkedIdentity& identity);

}  // namespace berth::auth
