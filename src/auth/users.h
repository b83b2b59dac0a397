// Users and what they are members of. Every change is in the audit.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "auth/deed.h"

namespace berth::auth {

struct User {
  std::string id{};
  std::string name{};
  Role role = Role::viewer;
  bool disabled = false;
  bool has_password = false;
  bool totp = false;
  std::int64_t created_at = 0;
  std::map<std::string, Role, std::less<>> projects{};
};

/// 1 to 64 letters, digits and . _ - @ +, a letter or digit first: Code::invalid otherwise.
Result<void> check_user_name(std::string_view name);
/// As Compose names projects. Code::invalid.
Result<void> check_project_name(std::string_view project);

/// By name, at most `limit` after `after` ("" for the first).
Result<std::vector<User>> list_users(store::Transaction& transaction, std::string_view after, std::size_t limit);
/// How users can sign in beside a password, by their ids: for those who administer them. Who is not in it has nothing.
struct SignInMeans {
  std::int64_t passkeys = 0;
  std::vector<std::string> providers{};  ///< ids of those who vouch for it, sorted; also removed ones
};
Result<std::map<std::string, SignInMeans>> sign_in_means(store::Transaction& transaction);
/// Code::not_found.
Result<User> find_user(store::Transaction& transaction, std::string_view id);
/// Upper and lower case are the same. Code::not_found.
Result<User> user_named(store::Transaction& transaction, std::string_view name);
/// No admin exists: the setup is open.
Result<bool> needs_setup(store::Transaction& transaction);

struct NewUser {
  std::string name{};
  Role role = Role::viewer;
  std::optional<std::string> password{};  ///< its hash; none: signs in by a provider or not at all
};
/// Code::conflict when the name is taken.
Result<User> create_user(store::Transaction& transaction, const Deed& by, const NewUser& user);

struct UserChange {
  std::optional<Role> role{};
  std::optional<bool> disabled{};
  std::optional<std::string> password{};  ///< its hash
  std::string keep_session{};             ///< of the user: stays although the others are revoked
};
/// A change of role or password and disabling revoke the user's sessions. Code::conflict when no admin would be left.
Result<User> change_user(store::Transaction& transaction, const Deed& by, std::string_view id,
                         const UserChange& change);
/// With sessions, tokens, memberships. Code::conflict for the last admin.
Result<void> remove_user(store::Transaction& transaction, const Deed& by, std::string_view id);

/// Within a project one is a viewer or a developer; Code::invalid for other roles.
Result<User> set_membership(store::Transaction& transaction, const Deed& by, std::string_view id,
                            std::pair<std::string, Role> membership);
Result<User> remove_membership(store::Transaction& transaction, const Deed& by, std::string_view id,
                               std::string_view project);

/// The hash of the user's password, for signing in; nothing when there is none.
Result<std::optional<std::string>> password_of(store::Transaction& transaction, std::string_view id);
/// The same password hashed with today's cost.
Result<void> keep_new_hash(store::Transaction& transaction, std::string_view id, const std::string& hash);

/// Without session and client.
Principal principal_of(const User& user);
Json to_json(const User& user);
Json to_json(const User& user, const SignInMeans& means);

}  // namespace berth::auth
