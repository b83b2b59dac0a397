// Passkeys of users, and the challenges that are under way.
#pragma once

#include <string>
#include <vector>

#include "auth/users.h"
#include "auth/webauthn.h"

namespace berth::auth {

/// A new challenge for five minutes; `user` is whose passkey is to be made, "" for signing in.
Result<std::string> new_challenge(store::Transaction& transaction, std::string_view user, std::int64_t now);
/// True once for each challenge of this user.
Result<bool> take_challenge(store::Transaction& transaction, std::string_view challenge, std::string_view user,
                            std::int64_t now);

struct Passkey {
  std::string id{}, name{};
  std::int64_t created_at = 0, used_at = 0;  ///< 0: never
};
Result<std::vector<Passkey>> list_passkeys(store::Transaction& transaction, std::string_view user);
/// Code::conflict when it is known already.
Result<void> keep_passkey(store::Transaction& transaction, const Deed& by, const User& user,
                          std::pair<const PasskeyMade&, std::string> named);
/// Code::not_found unless it is the user's, conflict when it is the last way to sign in.
Result<void> remove_passkey(store::Transaction& transaction, const Deed& by, const User& user, std::string_view id);
/// Whose the assertion is; its counter is kept. Code::denied for everything that does not fit.
Result<User> user_by_passkey(store::Transaction& transaction, const Json& assertion, const Ceremony& ceremony,
                             std::int64_t now);

Json to_json(const Passkey& passkey);

}  // namespace berth::auth
