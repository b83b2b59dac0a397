// Who asks, and what that one may do. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace berth::auth {

/// A user's role. Viewers and developers have what their memberships in projects give them, nothing engine-wide.
enum class Role {
  viewer,     ///< sees its projects, without values of secrets and environment
  developer,  ///< and changes them: deploys, restarts, opens terminals
  operate,    ///< "operator": all projects and the engine itself; no users, no settings
  admin,      ///< all
};
std::optional<Role> parse_role(std::string_view text);
std::string_view to_text(Role role);

/// What a route needs. The first group is asked about a project (or about what belongs to none: then only an operator
/// or admin has it); the second about the whole.
enum class Permission {
  view,    ///< see it exists, its state, counters, events
  logs,    ///< what it writes
  act,     ///< start, stop, restart, pause
  deploy,  ///< create, edit files, plan with values, apply, roll back
  reveal,  ///< environment and other values
  exec,    ///< terminals, files inside, attach
  remove,  ///< remove it and its volumes

  self,      ///< anybody who signed in: its own sessions, tokens, password
  engine,    ///< images, networks, volumes, registries, all containers: see and change
  audit,     ///< read the audit log
  users,     ///< users, roles, memberships, tokens of others
  settings,  ///< settings, sign-in, servers
  everyone,  ///< also without signing in: sign-in itself, health
};
std::optional<Permission> parse_permission(std::string_view text);
std::string_view to_text(Permission permission);

/// One authenticated caller, as loaded for one request; never kept longer.
struct Principal {
  std::string id{};    ///< "user_..."; "" for nobody; "local" for root on the unix socket
  std::string name{};  ///< for people and the audit
  Role role = Role::viewer;
  std::map<std::string, Role, std::less<>> projects{};  ///< memberships: project name -> role there
  /// Of an API token: what it is narrowed to; absent for a session.
  std::optional<std::set<Permission>> scopes{};
  std::string session{};  ///< id of the session or token
  std::string from{};     ///< address of the client, or "unix:uid=0"
  bool signed_in() const { return !id.empty(); }
  /// A person with a session: no token, and not root on the unix socket. Only such change how an account is signed in
  /// to.
  bool has_session() const { return signed_in() && !scopes && id != "local"; }
};

/// Denies by default. `project` is the project that a thing belongs to; "" for what belongs to none. Permissions of the
/// second group ignore it.
bool may(const Principal& who, Permission permission, std::string_view project = {});

}  // namespace berth::auth
