// Sessions of browsers and tokens of programs, in the store as hashes.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "auth/token.h"
#include "auth/users.h"

namespace berth::auth {

inline constexpr std::int64_t kSessionIdle = std::int64_t{24} * 3600 * 1'000'000;
inline constexpr std::int64_t kSessionLife = 30 * kSessionIdle;
inline constexpr std::int64_t kSessionRefresh = std::int64_t{60} * 1'000'000;

/// Ends 24 h after it was last used, 30 days after it began.
struct Session {
  std::string id{};      ///< "session_...", for lists; not what the cookie holds
  std::string user{};    ///< id
  std::string method{};  ///< "password", "oidc:company"
  std::string agent{};   ///< User-Agent, at most 200 bytes
  std::string client{};  ///< address
  std::int64_t created_at = 0, seen_at = 0, expires_at = 0;
};
struct OpenedSession {
  std::string cookie{};  ///< secret; nowhere else
  Session session{};
  User user{};
};
/// A new session, always with a new secret. What `method`, `agent` and `client` of `about` say is kept.
Result<OpenedSession> open_session(store::Transaction& transaction, const Deed& by, const User& user,
                                   const Session& about);

/// Who a cookie or token stands for. `stale`: tell touch() so.
struct Recognised {
  Principal who{};
  std::int64_t expires_at = 0;  ///< 0: never
  bool stale = false;
  bool token = false;
};
/// Nothing for an unknown or expired one, and for users who are disabled.
Result<std::optional<Recognised>> recognise_session(store::Transaction& transaction, std::string_view cookie,
                                                    std::int64_t now);
Result<std::optional<Recognised>> recognise_token(store::Transaction& transaction, std::string_view text,
                                                  std::int64_t now);
/// Notes that it was used, at most once per 60 s; expired sessions go.
Result<void> touch(store::Transaction& transaction, const Recognised& recognised, std::int64_t now);

Result<std::vector<Session>> list_sessions(store::Transaction& transaction, std::string_view user, std::int64_t now);
/// Code::not_found unless it is the user's.
Result<void> close_session(store::Transaction& transaction, const Deed& by, std::string_view user, std::string_view id);

struct ApiToken {
  std::string id{};  ///< its public part
  std::string user{};
  std::string name{};
  std::string scopes{};
  std::int64_t created_at = 0, expires_at = 0, used_at = 0;  ///< 0: never
};
/// The token's text, shown once. `about` says name, scopes and expires_at. Code::invalid for an empty name, a time that
/// passed, or a scope that the user has not itself.
Result<std::string> create_token(store::Transaction& transaction, const Deed& by, const User& user,
                                 const ApiToken& about);
Result<std::vector<ApiToken>> list_tokens(store::Transaction& transaction, std::string_view user);
/// Code::not_found unless it is the user's.
Result<void> revoke_token(store::Transaction& transaction, const Deed& by, std::string_view user, std::string_view id);

Json to_json(const Session& session);
Json to_json(const ApiToken& token);

}  // namespace berth::auth
