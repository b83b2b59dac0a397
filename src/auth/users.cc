#include "auth/users.h"

#include <algorithm>

#include "base/text.h"
#include "io/ident.h"

namespace berth::auth {
namespace {

constexpr std::string_view kColumns =
    "SELECT id, name, role, disabled, password IS NOT NULL, totp_confirmed, created_at FROM auth_user ";

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

User user_of(const store::Row& row) {
  return {.id = row.text(0),
          .name = row.text(1),
          .role = parse_role(row.text(2)).value_or(Role::viewer),
          .disabled = row.integer(3) != 0,
          .has_password = row.integer(4) != 0,
          .totp = row.integer(5) != 0,
          .created_at = row.integer(6)};
}

Result<User> with_projects(store::Transaction& transaction, User user) {
  const auto rows = TRY(transaction.query("SELECT project, role FROM auth_membership WHERE user_id = ?", {user.id}));
  for (const auto& row : rows)
    if (const auto role = parse_role(row.text(1))) user.projects.emplace(row.text(0), *role);
  return user;
}

Result<User> one_user(store::Transaction& transaction, std::string_view where, const std::string& value) {
  const auto row = TRY(transaction.first(std::string(kColumns) + std::string(where), {value}));
  if (!row) return fail(Code::not_found, "user \"" + value + "\" does not exist");
  return with_projects(transaction, user_of(*row));
}

/// Code::conflict when `user` is the only admin who can sign in.
Result<void> keep_an_admin(store::Transaction& transaction, const User& user) {
  if (user.role != Role::admin || user.disabled) return {};
  const auto row = TRY(
      transaction.first("SELECT COUNT(*) FROM auth_user WHERE role = 'admin' AND disabled = 0 AND id <> ?", {user.id}));
  if (row && row->integer(0) > 0) return {};
  return fail(Code::conflict, "user \"" + user.name + "\" is the last admin; make another one first");
}

Result<void> apply_change(store::Transaction& transaction, const User& user, const UserChange& change) {
  if (change.role)
    TRY(execute(transaction, "UPDATE auth_user SET role = ? WHERE id = ?",
                {std::string(to_text(*change.role)), user.id}));
  if (change.disabled) {
    TRY(execute(transaction, "UPDATE auth_user SET disabled = ? WHERE id = ?",
                {std::int64_t{*change.disabled ? 1 : 0}, user.id}));
  }
  if (change.password)
    TRY(execute(transaction, "UPDATE auth_user SET password = ? WHERE id = ?", {*change.password, user.id}));
  return {};
}

Json difference_of(const User& user, const UserChange& change) {
  Json difference = Json::object();
  const auto put = [&](std::string_view field, Json old_value, Json new_value) {
    difference.set(field, Json::object({{"old", std::move(old_value)}, {"new", std::move(new_value)}}));
  };
  if (change.role && *change.role != user.role) put("role", to_text(user.role), to_text(*change.role));
  if (change.disabled && *change.disabled != user.disabled) put("disabled", user.disabled, *change.disabled);
  if (change.password) difference.set("password", "changed");
  return difference;
}

}  // namespace

Result<void> check_user_name(std::string_view name) {
  const auto allowed = [](char c) { return is_letter_or_digit(c) || std::string_view("._-@+").contains(c); };
  if (!name.empty() && name.size() <= 64 && is_letter_or_digit(name.front()) && std::ranges::all_of(name, allowed))
    return {};
  return fail(Code::invalid, "a user's name has 1 to 64 letters, digits and . _ - @ +, a letter or digit first");
}

Result<void> check_project_name(std::string_view project) {
  const auto plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  const auto allowed = [&](char c) { return plain(c) || c == '_' || c == '-'; };
  if (!project.empty() && project.size() <= 128 && plain(project.front()) && std::ranges::all_of(project, allowed))
    return {};
  return fail(Code::invalid, "a project's name has lower case letters, digits, _ and -, a letter or digit first");
}

Result<std::vector<User>> list_users(store::Transaction& transaction, std::string_view after, std::size_t limit) {
  const auto rows = TRY(transaction.query(std::string(kColumns) + "WHERE folded > ? ORDER BY folded LIMIT ?",
                                          {lower(after), static_cast<std::int64_t>(limit)}));
  std::vector<User> users;
  for (const auto& row : rows) users.push_back(TRY(with_projects(transaction, user_of(row))));
  return users;
}

Result<std::map<std::string, SignInMeans>> sign_in_means(store::Transaction& transaction) {
  std::map<std::string, SignInMeans> means;
  for (const auto& row : TRY(transaction.query("SELECT user_id, COUNT(*) FROM auth_passkey GROUP BY user_id", {})))
    means[row.text(0)].passkeys = row.integer(1);
  for (const auto& row :
       TRY(transaction.query("SELECT DISTINCT user_id, provider FROM auth_identity ORDER BY user_id, provider", {})))
    means[row.text(0)].providers.push_back(row.text(1));
  return means;
}

Result<User> find_user(store::Transaction& transaction, std::string_view id) {
  return one_user(transaction, "WHERE id = ?", std::string(id));
}

Result<User> user_named(store::Transaction& transaction, std::string_view name) {
  return one_user(transaction, "WHERE folded = ?", lower(name));
}

Result<bool> needs_setup(store::Transaction& transaction) {
  const auto row = TRY(transaction.first("SELECT COUNT(*) FROM auth_user WHERE role = 'admin'", {}));
  return !row || row->integer(0) == 0;
}

Result<User> create_user(store::Transaction& transaction, const Deed& by, const NewUser& user) {
  TRY(check_user_name(user.name));
  const std::string id = io::new_id("user");
  const auto made = transaction.run(
      "INSERT INTO auth_user (id, name, folded, role, password, disabled, created_at, totp_confirmed, totp_step)"
      " VALUES (?, ?, ?, ?, ?, 0, ?, 0, 0)",
      {id, user.name, lower(user.name), std::string(to_text(user.role)),
       user.password ? store::Value(*user.password) : store::Value(), by.now});
  if (!made && made.error().code == Code::conflict)
    return fail(Code::conflict, "user \"" + user.name + "\" exists already");
  if (!made) return fail(made.error());
  TRY(record(transaction, by,
             {.verb = "user.create",
              .subject = "user:" + user.name,
              .difference = Json::object({{"id", id}, {"role", to_text(user.role)}})}));
  return find_user(transaction, id);
}

Result<User> change_user(store::Transaction& transaction, const Deed& by, std::string_view id,
                         const UserChange& change) {
  const User user = TRY(find_user(transaction, id));
  const bool less = (change.role && *change.role != Role::admin) || change.disabled.value_or(false);
  if (less) TRY(keep_an_admin(transaction, user));
  Json difference = difference_of(user, change);
  if (difference.size() == 0) return user;
  TRY(apply_change(transaction, user, change));
  TRY(execute(transaction, "DELETE FROM auth_session WHERE user_id = ? AND id <> ?", {user.id, change.keep_session}));
  TRY(record(transaction, by,
             {.verb = "user.change", .subject = "user:" + user.name, .difference = std::move(difference)}));
  return find_user(transaction, id);
}

Result<void> remove_user(store::Transaction& transaction, const Deed& by, std::string_view id) {
  const User user = TRY(find_user(transaction, id));
  TRY(keep_an_admin(transaction, user));
  TRY(execute(transaction, "DELETE FROM auth_user WHERE id = ?", {user.id}));
  return record(transaction, by,
                {.verb = "user.remove", .subject = "user:" + user.name, .difference = Json::object({{"id", user.id}})});
}

Result<User> set_membership(store::Transaction& transaction, const Deed& by, std::string_view id,
                            std::pair<std::string, Role> membership) {
  const auto& [project, role] = membership;
  TRY(check_project_name(project));
  if (role > Role::developer)
    return fail(Code::invalid, "within a project one is viewer or developer; operator and admin are for the whole");
  const User user = TRY(find_user(transaction, id));
  TRY(execute(transaction,
              "INSERT INTO auth_membership (user_id, project, role) VALUES (?, ?, ?)"
              " ON CONFLICT (user_id, project) DO UPDATE SET role = excluded.role",
              {user.id, project, std::string(to_text(role))}));
  TRY(record(transaction, by,
             {.verb = "member.set",
              .subject = "user:" + user.name,
              .difference = Json::object({{"role", to_text(role)}}),
              .project = project}));
  return find_user(transaction, id);
}

Result<User> remove_membership(store::Transaction& transaction, const Deed& by, std::string_view id,
                               std::string_view project) {
  const User user = TRY(find_user(transaction, id));
  const auto gone = TRY(transaction.run("DELETE FROM auth_membership WHERE user_id = ? AND project = ?",
                                        {user.id, std::string(project)}));
  if (gone == 0)
    return fail(Code::not_found, "user \"" + user.name + "\" is no member of \"" + std::string(project) + "\"");
  TRY(record(transaction, by,
             {.verb = "member.remove", .subject = "user:" + user.name, .project = std::string(project)}));
  return find_user(transaction, id);
}

Result<std::optional<std::string>> password_of(store::Transaction& transaction, std::string_view id) {
  const auto row = TRY(transaction.first("SELECT password FROM auth_user WHERE id = ?", {std::string(id)}));
  if (!row || row->is_null(0)) return std::optional<std::string>();
  return std::optional(row->text(0));
}

Result<void> keep_new_hash(store::Transaction& transaction, std::string_view id, const std::string& hash) {
  TRY(execute(transaction, "UPDATE auth_user SET password = ? WHERE id = ?", {hash, std::string(id)}));
  return {};
}

Principal principal_of(const User& user) {
  Principal who;
  who.id = user.id;
  who.name = user.name;
  who.role = user.role;
  who.projects = user.projects;
  return who;
}

Json to_json(const User& user) {
  Json projects = Json::object();
  for (const auto& [project, role] : user.projects) projects.set(project, to_text(role));
  return Json::object({{"id", user.id},
                       {"name", user.name},
                       {"role", to_text(user.role)},
                       {"disabled", user.disabled},
                       {"password", user.has_password},
                       {"totp", user.totp},
                       {"projects", std::move(projects)},
                       {"createdAt", user.created_at / 1000}});
}

Json to_json(const User& user, const SignInMeans& means) {
  Json json = to_json(user);
  json.set("passkeys", means.passkeys);
  json.set("providers", Json::array());
  for (const auto& provider : means.providers) json.slot("providers").push(provider);
  return json;
}

}  // namespace berth::auth
