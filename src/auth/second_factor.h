// The second factor of local users: one-time passwords, and recovery codes for a lost device.
#pragma once

#include <string>
#include <vector>

#include "auth/users.h"
#include "io/seal.h"

namespace berth::auth {

/// A new secret for the user, sealed in the store; it counts only once confirmed. Code::conflict when one does already.
struct Enrolment {
  std::string secret{};  ///< base32, shown once
  std::string uri{};     ///< for the QR code
};
Result<Enrolment> begin_totp(store::Transaction& transaction, const User& user, const io::SealKey& key);
/// With a code of the new secret: the ten recovery codes, shown once. Code::denied for a wrong code.
Result<std::vector<std::string>> confirm_totp(store::Transaction& transaction, const Deed& by, const User& user,
                                              std::string_view code, const io::SealKey& key);
/// With a code of it, or a recovery code: a session that somebody else got hold of does not get rid of it. Code::denied
/// for a wrong code.
Result<void> remove_totp(store::Transaction& transaction, const Deed& by, const User& user, std::string_view code,
                         const io::SealKey& key);

/// True once for each code: what it used up is in the transaction.
Result<bool> use_totp(store::Transaction& transaction, const User& user, std::string_view code, const io::SealKey& key,
                      std::int64_t now);
Result<bool> use_recovery_code(store::Transaction& transaction, const User& user, std::string_view code,
                               std::int64_t now);

}  // namespace berth::auth
