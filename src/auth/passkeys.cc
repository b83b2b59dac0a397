#include "auth/passkeys.h"

#include <algorithm>

#include "auth/identities.h"
#include "auth/token.h"
#include "base/base64.h"
#include "io/seal.h"

namespace berth::auth {
namespace {

constexpr std::int64_t kLife = std::int64_t{300} * 1'000'000, kMostChallenges = 10'000;

std::unexpected<Error> denied(std::string_view why) {
  return fail(Code::denied, "passkey: " + std::string(why));
}

}  // namespace

Result<std::string> new_challenge(store::Transaction& transaction, std::string_view user, std::int64_t now) {
  TRY(execute(transaction, "DELETE FROM auth_challenge WHERE expires_at <= ?", {now}));
  const auto count = TRY(transaction.first("SELECT COUNT(*) FROM auth_challenge", {}));
  if (count && count->integer(0) >= kMostChallenges)
    return fail(Code::unavailable, "too many are signing in at the moment; try again in five minutes");
  const std::string challenge = secret_text(io::random_bytes(32));
  TRY(execute(transaction, "INSERT INTO auth_challenge (hash, user_id, expires_at) VALUES (?, ?, ?)",
              {store::Blob{secret_hash(challenge)}, std::string(user), now + kLife}));
  return challenge;
}

Result<bool> take_challenge(store::Transaction& transaction, std::string_view challenge, std::string_view user,
                            std::int64_t now) {
  const auto taken = TRY(transaction.run("DELETE FROM auth_challenge WHERE hash = ? AND user_id = ? AND expires_at > ?",
                                         {store::Blob{secret_hash(challenge)}, std::string(user), now}));
  return taken == 1;
}

Result<std::vector<Passkey>> list_passkeys(store::Transaction& transaction, std::string_view user) {
  std::vector<Passkey> all;
  for (const auto& row : TRY(transaction.query(
           "SELECT id, name, created_at, used_at FROM auth_passkey WHERE user_id = ? ORDER BY created_at, id",
           {std::string(user)}))) {
    all.push_back({.id = row.text(0), .name = row.text(1), .created_at = row.integer(2), .used_at = row.integer(3)});
  }
  return all;
}

Result<void> keep_passkey(store::Transaction& transaction, const Deed& by, const User& user,
                          std::pair<const PasskeyMade&, std::string> named) {
  const auto& [made, name] = named;
  if (name.empty() || name.size() > 100) return fail(Code::invalid, "passkey: its name has 1 to 100 characters");
  if (TRY(list_passkeys(transaction, user.id)).size() >= 20)
    return fail(Code::conflict, "passkey: there are 20 already; remove one");
  const auto kept = transaction.run(
      "INSERT INTO auth_passkey (id, user_id, name, algorithm, key_bytes, counter, created_at)"
      " VALUES (?, ?, ?, ?, ?, ?, ?)",
      {made.id, user.id, name, static_cast<std::int64_t>(made.key.algorithm), store::Blob{encode_key(made.key)},
       made.counter, by.now});
  if (!kept) return fail(kept.error());
  return record(transaction, by,
                {.verb = "passkey.add", .subject = "user:" + user.name, .difference = Json::object({{"name", name}})});
}

Result<void> remove_passkey(store::Transaction& transaction, const Deed& by, const User& user, std::string_view id) {
  const auto all = TRY(list_passkeys(transaction, user.id));
  const auto found = std::ranges::find(all, id, &Passkey::id);
  if (found == all.end()) return fail(Code::not_found, "passkey \"" + std::string(id) + "\" does not exist");
  TRY(check_other_way(transaction, user, id, "passkey \"" + found->name + "\""));
  TRY(execute(transaction, "DELETE FROM auth_passkey WHERE id = ? AND user_id = ?", {found->id, user.id}));
  return record(transaction, by, {.verb = "passkey.remove", .subject = "user:" + user.name});
}

Result<User> user_by_passkey(store::Transaction& transaction, const Json& assertion, const Ceremony& ceremony,
                             std::int64_t now) {
  const std::string id(assertion["id"].text());
  const auto row = TRY(transaction.first("SELECT user_id, key_bytes, counter FROM auth_passkey WHERE id = ?", {id}));
  if (!row) return denied("it is not known here");
  const std::string handle(assertion.at("response.userHandle").text());
  if (!handle.empty() && handle != encode_base64url(row->text(0))) return denied("it is another user's");
  const std::int64_t counter = TRY(check_passkey(assertion, ceremony, TRY(decode_key(row->bytes(1))), row->integer(2)));
  const auto used = TRY(transaction.run("UPDATE auth_passkey SET counter = ?, used_at = ? WHERE id = ? AND counter = ?",
                                        {counter, now, id, row->integer(2)}));
  if (used != 1) return denied("its counter did not grow; it may have been copied");
  return find_user(transaction, row->text(0));
}

Json to_json(const Passkey& passkey) {
  return Json::object({{"id", passkey.id},
                       {"name", passkey.name},
                       {"createdAt", passkey.created_at / 1000},
                       {"lastUsedAt", passkey.used_at == 0 ? Json() : Json(passkey.used_at / 1000)}});
}

}  // namespace berth::auth
