// Signing in with a provider that sends the browser there and back: OpenID Connect and plain OAuth 2.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "auth/desk.h"
#include "auth/oidc.h"
#include "auth/provider_table.h"

namespace berth::auth {

/// Thread: the desk's loop's. The desk outlives it.
class Flow {
 public:
  explicit Flow(Desk& desk) : desk_(desk) {}

  struct Begin {
    std::string provider{};
    std::string origin{};   ///< "https://berth.localhost", where the callback is
    std::string next{};     ///< a wish; what is not a plain path becomes "/"
    std::string browser{};  ///< the login cookie that it has, or ""
    std::string link{};     ///< id of the user who is signed in and wants to link; "" to sign in
  };
  struct Begun {
    std::string url{};      ///< the provider's
    std::string browser{};  ///< the login cookie, for ten minutes
  };
  /// Code::not_found for an unknown provider, unavailable when it does not answer.
  io::Task<Result<Begun>> begin(Begin wanted);

  struct Finish {
    std::string provider{};
    std::string origin{};
    std::string query{};    ///< of the callback
    std::string browser{};  ///< the login cookie
    Visitor visitor{};
  };
  struct Finished {
    Result<OpenedSession> opened{};
    std::string next = "/";  ///< where the browser wanted to go, also when it was refused
  };
  /// Why nobody was let in is in the audit too. Of its code: cancelled for a user who did not consent, timeout for a
  /// sign-in that is over (or was never begun here), invalid for a provider whose settings do not fit, busy and
  /// unavailable for one that does not answer, internal for one that answers nonsense, not_found for an identity that
  /// nobody let in here, conflict for one that is another user's, denied for everything else.
  io::Task<Result<Finished>> finish(Finish wanted);

 private:
  struct Known {
    Metadata metadata{};
    VerifyKeys keys{};
    std::int64_t at = 0, keys_at = 0;  // when they were fetched
    std::string settings{};
  };
  struct Pending {
    Login login{};
    std::string next{}, link{};
  };
  io::Task<Result<StoredProvider>> provider_named(std::string id);
  io::Task<Result<Known*>> metadata_for(const StoredProvider& provider);
  io::Task<Result<void>> fetch_keys(const StoredProvider& provider, Known& known);
  io::Task<Result<Pending>> take_pending(const Finish& wanted, std::string state);
  io::Task<Result<Identity>> identify(const StoredProvider& provider, const Pending& pending, std::string query);
  io::Task<Result<Json>> claims_of(const StoredProvider& provider, const Pending& pending, std::string token);
  io::Task<Result<Json>> exchange_code(const StoredProvider& provider, const Pending& pending, std::string code);
  io::Task<Result<User>> settle(const StoredProvider& provider, Identity identity, Pending pending, std::string from);
  io::Task<Result<OpenedSession>> try_finish(Finish wanted, std::string& next);

  Desk& desk_;
  std::map<std::string, Known> known_;
};

}  // namespace berth::auth
