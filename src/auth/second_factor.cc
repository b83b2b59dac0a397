#include "auth/second_factor.h"

#include "auth/token.h"
#include "auth/totp.h"
#include "base/text.h"

namespace berth::auth {
namespace {

constexpr std::size_t kCodes = 10;
constexpr std::int64_t kSecond = 1'000'000;

std::string context_of(const User& user) {
  return "totp:" + user.id;
}

/// "abcde-fghij-klmno-pqrst": 100 bits, so that a plain hash keeps it.
std::string new_recovery_code() {
  const std::string letters = lower(encode_base32(io::random_bytes(13))).substr(0, 20);
  return letters.substr(0, 5) + "-" + letters.substr(5, 5) + "-" + letters.substr(10, 5) + "-" + letters.substr(15);
}

/// As people type it.
std::string recovery_hash(std::string_view code) {
  return secret_hash(replace_all(replace_all(lower(trim(code)), "-", ""), " ", ""));
}

struct Kept {
  std::string secret{};  // "" for none
  bool confirmed = false;
  std::int64_t step = 0;
};
Result<Kept> kept_of(store::Transaction& transaction, const User& user, const io::SealKey& key) {
  const auto row =
      TRY(transaction.first("SELECT totp_secret, totp_confirmed, totp_step FROM auth_user WHERE id = ?", {user.id}));
  if (!row || row->is_null(0)) return Kept{};
  return Kept{.secret = TRY(key.open(row->bytes(0), context_of(user))),
              .confirmed = row->integer(1) != 0,
              .step = row->integer(2)};
}

/// One statement decides, so that of many who come with one code only one passes.
Result<bool> use_step(store::Transaction& transaction, const User& user, std::int64_t step) {
  const auto changed =
      TRY(transaction.run("UPDATE auth_user SET totp_step = ? WHERE id = ? AND totp_step < ?", {step, user.id, step}));
  return changed == 1;
}

Result<std::vector<std::string>> new_codes(store::Transaction& transaction, const User& user) {
  TRY(execute(transaction, "DELETE FROM auth_recovery WHERE user_id = ?", {user.id}));
  std::vector<std::string> codes;
  for (std::size_t i = 0; i < kCodes; ++i) {
    codes.push_back(new_recovery_code());
    TRY(execute(transaction, "INSERT INTO auth_recovery (user_id, hash) VALUES (?, ?)",
                {user.id, store::Blob{recovery_hash(codes.back())}}));
  }
  return codes;
}

}  // namespace

Result<Enrolment> begin_totp(store::Transaction& transaction, const User& user, const io::SealKey& key) {
  if (user.totp) return fail(Code::conflict, "one-time passwords are on already; turn them off first");
  const std::string secret = io::random_bytes(20);
  TRY(execute(transaction, "UPDATE auth_user SET totp_secret = ?, totp_confirmed = 0, totp_step = 0 WHERE id = ?",
              {store::Blob{key.seal(secret, context_of(user))}, user.id}));
  return Enrolment{.secret = encode_base32(secret), .uri = totp_uri("berth", user.name, secret)};
}

Result<std::vector<std::string>> confirm_totp(store::Transaction& transaction, const Deed& by, const User& user,
                                              std::string_view code, const io::SealKey& key) {
  const auto kept = TRY(kept_of(transaction, user, key));
  if (kept.secret.empty() || kept.confirmed)
    return fail(Code::conflict, "there is no enrolment to confirm; begin one first");
  const auto step = accept_totp(kept.secret, code, by.now / kSecond, kept.step);
  if (!step || !TRY(use_step(transaction, user, *step)))
    return fail(Code::denied, "the code does not fit; check the clock of the device and try the next code");
  TRY(execute(transaction, "UPDATE auth_user SET totp_confirmed = 1 WHERE id = ?", {user.id}));
  auto codes = TRY(new_codes(transaction, user));
  TRY(record(transaction, by, {.verb = "totp.add", .subject = "user:" + user.name}));
  return codes;
}

Result<bool> use_totp(store::Transaction& transaction, const User& user, std::string_view code, const io::SealKey& key,
                      std::int64_t now) {
  const auto kept = TRY(kept_of(transaction, user, key));
  if (!kept.confirmed) return false;
  const auto step = accept_totp(kept.secret, code, now / kSecond, kept.step);
  if (!step) return false;
  return use_step(transaction, user, *step);
}

Result<bool> use_recovery_code(store::Transaction& transaction, const User& user, std::string_view code,
                               std::int64_t now) {
  const auto changed =
      TRY(transaction.run("UPDATE auth_recovery SET used_at = ? WHERE user_id = ? AND hash = ? AND used_at IS NULL",
                          {now, user.id, store::Blob{recovery_hash(code)}}));
  return changed == 1;
}

Result<void> remove_totp(store::Transaction& transaction, const Deed& by, const User& user, std::string_view code,
                         const io::SealKey& key) {
  const bool right = !user.totp || TRY(use_totp(transaction, user, code, key, by.now)) ||
                     TRY(use_recovery_code(transaction, user, code, by.now));
  if (!right) return fail(Code::denied, "the code does not fit; give the one that the authenticator shows now");
  TRY(execute(transaction, "UPDATE auth_user SET totp_secret = NULL, totp_confirmed = 0, totp_step = 0 WHERE id = ?",
              {user.id}));
  TRY(execute(transaction, "DELETE FROM auth_recovery WHERE user_id = ?", {user.id}));
  return record(transaction, by, {.verb = "totp.remove", .subject = "user:" + user.name});
}

}  // namespace berth::auth
