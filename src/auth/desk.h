// Where one signs in: passwords, second factors and the setup link become sessions; cookies and tokens become callers.
#pragma once

#include <functional>
#include <string>

#include "auth/password.h"
#include "auth/second_factor.h"
#include "auth/sessions.h"
#include "auth/throttle.h"
#include "http/head.h"
#include "io/wall.h"

namespace berth::auth {

/// Who tries, from where; `previous` is the cookie that the browser has, whose session ends with a new one.
struct Visitor {
  std::string client{};
  std::string agent{};
  std::string previous{};
};
struct Credentials {
  std::string name{};
  std::string password{};
  std::string totp{};
  std::string recovery_code{};
};
struct SignInResult {
  enum class State {
    in,
    refused,        ///< name or password wrong, or disabled: which one is not told
    second_factor,  ///< the password was right; a code is missing or wrong
    wait,           ///< too many tries: `seconds`
  };
  State state = State::refused;
  OpenedSession opened{};
  std::int64_t seconds = 0;
};

/// Thread: its loop's. `store` and `key` outlive it.
class Desk {
 public:
  Desk(store::Database& store, const io::SealKey& key, std::function<std::int64_t()> clock = io::wall_time)
      : store_(store), key_(key), clock_(std::move(clock)) {}

  /// Who a request comes from, by `Authorization: Bearer` or else the session's cookie; nobody (but with `from`) where
  /// there is none or the cookie does not count. Code::denied for a token that does not; unavailable and the like when
  /// the store does not answer: then nobody comes in.
  io::Task<Result<Recognised>> recognise(const http::Fields& fields, std::string client);

  /// By name and password. Every refusal is in the audit.
  io::Task<Result<SignInResult>> sign_in(Credentials credentials, Visitor visitor);
  /// Whoever a directory took the password of; where one-time passwords are on, `credentials` need a code too.
  io::Task<Result<SignInResult>> admit_with_factor(User user, std::string method, Credentials credentials,
                                                   Visitor visitor);
  /// A refusal by a provider goes to the audit.
  io::Task<Result<void>> refuse_at(std::string subject, std::string client, std::string why);
  /// Whoever a provider vouched for comes in.
  io::Task<Result<OpenedSession>> admit(std::string user, std::string method, Visitor visitor);

  /// The first admin; tries are the caller's to count. Code::denied for a token that does not fit (setup.h), conflict
  /// when there is an admin.
  io::Task<Result<OpenedSession>> set_up(std::string token, Credentials credentials, Visitor visitor);
  /// A new setup link's token, in place of the one before; Code::conflict when there is an admin.
  io::Task<Result<std::string>> new_setup_token(Principal by);

  /// Code::denied for a wrong old password; tries are the caller's to count. Other sessions of the user end.
  io::Task<Result<void>> change_password(Principal who, std::string old_password, std::string new_password);

  io::Task<Result<std::string>> hash(std::string password) { return passwords_.hash(std::move(password)); }
  /// Where it may keep files of its own (the replay cache of Kerberos); "": nowhere.
  void set_folder(std::string folder) { folder_ = std::move(folder); }
  const std::string& folder() const { return folder_; }
  store::Database& store() { return store_; }
  const io::SealKey& key() const { return key_; }
  Deed deed(Principal who) const { return {.who = std::move(who), .now = clock_()}; }
  /// Tries are counted here, by whatever means one signs in. Seconds to wait.
  std::int64_t count_try(std::string_view account, std::string_view client) {
    return throttle_.take(account, client, clock_());
  }
  void forget_tries(std::string_view account, std::string_view client) {
    throttle_.succeeded(account, client, clock_());
  }

 private:
  io::Task<Result<bool>> password_fits(const std::optional<User>& user, std::string password);
  io::Task<Result<void>> refuse(std::optional<User> user, std::string client, std::string_view why);

  store::Database& store_;
  const io::SealKey& key_;
  std::function<std::int64_t()> clock_;
  PasswordDesk passwords_;
  Throttle throttle_;
  std::string folder_;
};

}  // namespace berth::auth
