#include "auth/principal.h"

#include <array>
#include <utility>

namespace berth::auth {
namespace {

constexpr std::array<std::pair<Role, std::string_view>, 4> kRoles = {
    {{Role::viewer, "viewer"}, {Role::developer, "developer"}, {Role::operate, "operator"}, {Role::admin, "admin"}}};
constexpr std::array<std::pair<Permission, std::string_view>, 13> kPermissions = {{
    {Permission::view, "view"},
    {Permission::logs, "logs"},
    {Permission::act, "act"},
    {Permission::deploy, "deploy"},
    {Permission::reveal, "reveal"},
    {Permission::exec, "exec"},
    {Permission::remove, "remove"},
    {Permission::self, "self"},
    {Permission::engine, "engine"},
    {Permission::audit, "audit"},
    {Permission::users, "users"},
    {Permission::settings, "settings"},
    {Permission::everyone, "everyone"},
}};

/// What a role may within a project where it holds.
bool role_allows(Role role, Permission permission) {
  switch (permission) {
    case Permission::view:
    case Permission::logs:
      return true;
    case Permission::act:
    case Permission::deploy:
    case Permission::reveal:
    case Permission::exec:
    case Permission::remove:
      return role >= Role::developer;
    default:
      return false;
  }
}

bool may_in_project(const Principal& who, Permission permission, std::string_view project) {
  if (who.role >= Role::operate) return role_allows(who.role, permission);
  if (project.empty()) return false;
  const auto membership = who.projects.find(project);
  return membership != who.projects.end() && role_allows(membership->second, permission);
}

}  // namespace

std::optional<Role> parse_role(std::string_view text) {
  for (const auto& [role, name] : kRoles)
    if (name == text) return role;
  return {};
}

std::string_view to_text(Role role) {
  for (const auto& [known, name] : kRoles)
    if (known == role) return name;
  return {};
}

std::optional<Permission> parse_permission(std::string_view text) {
  for (const auto& [permission, name] : kPermissions)
    if (name == text) return permission;
  return {};
}

std::string_view to_text(Permission permission) {
  for (const auto& [known, name] : kPermissions)
    if (known == permission) return name;
  return {};
}

bool may(const Principal& who, Permission permission, std::string_view project) {
  if (permission == Permission::everyone) return true;
  if (!who.signed_in()) return false;
  if (who.scopes && !who.scopes->contains(permission)) return false;
  switch (permission) {
    case Permission::self:
      return true;
    case Permission::engine:
      return who.role >= Role::operate;
    case Permission::audit:
    case Permission::users:
    case Permission::settings:
      return who.role == Role::admin;
    default:
      return may_in_project(who, permission, project);
  }
}

}  // namespace berth::auth
