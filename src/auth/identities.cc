#include "auth/identities.h"

#include <algorithm>

#include "auth/passkeys.h"
#include "base/base64.h"
#include "base/hash.h"

namespace berth::auth {
namespace {

/// A subject may have any characters, and is nobody's business in a log of addresses.
std::string id_of(const std::string& provider, const std::string& subject) {
  return encode_base64url(sha256(provider + "\n" + subject).substr(0, 16));
}

LinkedIdentity identity_of(const store::Row& row) {
  LinkedIdentity identity{.id = id_of(row.text(0), row.text(1)),
                          .provider = row.text(0),
                          .provider_name = row.is_null(4) ? row.text(0) : row.text(4),
                          .subject = row.text(1),
                          .usable = !row.is_null(5) && row.integer(5) != 0,
                          .created_at = row.integer(3)};
  if (!row.is_null(2)) identity.name = row.text(2);
  return identity;
}

}  // namespace

Result<std::vector<LinkedIdentity>> list_identities(store::Transaction& transaction, std::string_view user) {
  std::vector<LinkedIdentity> all;
  for (const auto& row : TRY(transaction.query(
           "SELECT i.provider, i.subject, i.name, i.created_at, p.name, p.enabled FROM auth_identity i"
           " LEFT JOIN auth_provider p ON p.id = i.provider WHERE i.user_id = ?"
           " ORDER BY i.created_at, i.provider, i.subject",
           {std::string(user)})))
    all.push_back(identity_of(row));
  return all;
}

Result<void> check_other_way(store::Transaction& transaction, const User& user, std::string_view id,
                             std::string_view name) {
  if (user.has_password) return {};
  for (const auto& identity : TRY(list_identities(transaction, user.id)))
    if (identity.usable && identity.id != id) return {};
  for (const auto& passkey : TRY(list_passkeys(transaction, user.id)))
    if (passkey.id != id) return {};
  return fail(Code::conflict, std::string(name) +
                                  " is the only way to sign in to this account; add a passkey, link another provider, "
                                  "or have an admin set a password first");
}

Result<void> unlink_identity(store::Transaction& transaction, const Deed& by, const User& user, std::string_view id) {
  const auto all = TRY(list_identities(transaction, user.id));
  const auto found = std::ranges::find(all, id, &LinkedIdentity::id);
  if (found == all.end()) return fail(Code::not_found, "identity \"" + std::string(id) + "\" does not exist");
  if (by.who.id == user.id) TRY(check_other_way(transaction, user, id, found->provider_name));
  TRY(execute(transaction, "DELETE FROM auth_identity WHERE provider = ? AND subject = ? AND user_id = ?",
              {found->provider, found->subject, user.id}));
  return record(transaction, by,
                {.verb = "identity.unlink",
                 .subject = "user:" + user.name,
                 .difference = Json::object({{"provider", found->provider}})});
}

Json to_json(const LinkedIdentity& identity) {
  return Json::object({{"id", identity.id},
                       {"provider", identity.provider},
                       {"providerName", identity.provider_name},
                       {"enabled", identity.usable},
                       {"name", identity.name.empty() ? Json() : Json(identity.name)},
                       {"createdAt", identity.created_at / 1000}});
}

}  // namespace berth::auth
