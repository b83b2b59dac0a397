#include "auth/provider_table.h"

namespace berth::auth {
namespace {

std::string context_of(std::string_view id) {
  return "provider:" + std::string(id);
}

Result<StoredProvider> provider_of(const store::Row& row) {
  StoredProvider stored{.settings = TRY(parse_json(row.text(1)))};
  stored.provider = TRY(parse_provider(row.text(0), stored.settings));
  stored.provider.enabled = row.integer(2) != 0;
  return stored;
}

Result<std::optional<store::Row>> row_of(store::Transaction& transaction, std::string_view id) {
  return transaction.first("SELECT id, settings, enabled, secret FROM auth_provider WHERE id = ?", {std::string(id)});
}

/// A free name like the one that is wanted.
Result<std::string> free_name(store::Transaction& transaction, const Identity& identity) {
  std::string wish = user_name_from(identity.name);
  if (wish.empty()) wish = "user";
  std::string name = wish;
  for (int i = 2; i < 1000; ++i) {
    const auto taken = user_named(transaction, name);
    if (!taken && taken.error().code == Code::not_found) return name;
    if (!taken) return fail(taken.error());
    name = wish + "-" + std::to_string(i);
  }
  return fail(Code::conflict, "there are too many users named " + wish);
}

Result<std::optional<User>> known_user(store::Transaction& transaction, const Provider& provider,
                                       const Identity& identity) {
  const auto row = TRY(transaction.first("SELECT user_id FROM auth_identity WHERE provider = ? AND subject = ?",
                                         {provider.id, identity.subject}));
  if (!row) return std::optional<User>();
  return std::optional(TRY(find_user(transaction, row->text(0))));
}

Result<void> keep_identity(store::Transaction& transaction, const Deed& by, const Provider& provider,
                           std::pair<const Identity&, const User&> link) {
  return execute(transaction,
                 "INSERT INTO auth_identity (provider, subject, user_id, created_at, name) VALUES (?, ?, ?, ?, ?)",
                 {provider.id, link.first.subject, link.second.id, by.now, user_name_from(link.first.name)});
}

/// For people who look at what is linked; a user is never found by it.
Result<void> keep_name(store::Transaction& transaction, const Provider& provider, const Identity& identity) {
  const std::string name = user_name_from(identity.name);
  return execute(transaction,
                 "UPDATE auth_identity SET name = ? WHERE provider = ? AND subject = ? AND COALESCE(name, '') <> ?",
                 {name, provider.id, identity.subject, name});
}

Result<User> provision(store::Transaction& transaction, const Deed& by, const Provider& provider,
                       const Identity& identity) {
  if (!provider.admission.creates)
    return fail(Code::denied, "nobody here is linked with this identity; ask an admin, or link it when signed in");
  const NewUser wanted{.name = TRY(free_name(transaction, identity)), .role = provider.admission.role};
  User user = TRY(create_user(transaction, by, wanted));
  TRY(keep_identity(transaction, by, provider, {identity, user}));
  return user;
}

/// For the projects that the configuration speaks of, the groups decide alone.
Result<void> apply_projects(store::Transaction& transaction, const Deed& by, const User& user,
                            std::pair<const Admission&, const Admitted&> rules) {
  std::set<std::string> mentioned;
  for (const auto& [group, projects] : rules.first.projects)
    for (const auto& [project, role] : projects) mentioned.insert(project);
  for (const auto& project : mentioned) {
    const auto wanted = rules.second.projects.find(project);
    const auto held = user.projects.find(project);
    const bool has = held != user.projects.end();
    if (wanted == rules.second.projects.end()) {
      if (has && !remove_membership(transaction, by, user.id, project))
        return fail(Code::internal, "the membership cannot be removed");
    } else if (!has || held->second != wanted->second) {
      const auto set = set_membership(transaction, by, user.id, {project, wanted->second});
      if (!set) return fail(set.error());
    }
  }
  return {};
}

Result<void> apply_role(store::Transaction& transaction, const Deed& by, const User& user, const Admitted& admitted) {
  if (!admitted.role || *admitted.role == user.role) return {};
  const auto changed = change_user(transaction, by, user.id, {.role = admitted.role});
  // The last admin stays one, whatever the groups say.
  if (!changed && changed.error().code != Code::conflict) return fail(changed.error());
  return {};
}

}  // namespace

Result<std::vector<StoredProvider>> list_providers(store::Transaction& transaction) {
  std::vector<StoredProvider> providers;
  for (const auto& row : TRY(transaction.query("SELECT id, settings, enabled FROM auth_provider ORDER BY id", {})))
    providers.push_back(TRY(provider_of(row)));
  return providers;
}

Result<StoredProvider> find_provider(store::Transaction& transaction, std::string_view id, const io::SealKey& key) {
  const auto row = TRY(row_of(transaction, id));
  if (!row || row->integer(2) == 0)
    return fail(Code::not_found, "there is no provider \"" + std::string(id) + "\" to sign in with");
  auto stored = TRY(provider_of(*row));
  if (!row->is_null(3)) stored.secret = TRY(key.open(row->bytes(3), context_of(id)));
  return stored;
}

Result<StoredProvider> add_provider(store::Transaction& transaction, const Deed& by, const std::string& id,
                                    const ProviderChange& change, const io::SealKey& key) {
  StoredProvider stored{.provider = TRY(parse_provider(id, change.settings)), .settings = change.settings};
  stored.provider.enabled = change.enabled.value_or(true);
  const auto made = transaction.run(
      "INSERT INTO auth_provider (id, kind, name, settings, secret, enabled) VALUES (?, ?, ?, ?, ?, ?)",
      {id, std::string(to_text(stored.provider.kind)), stored.provider.name, change.settings.dump(),
       change.secret ? store::Value(store::Blob{key.seal(*change.secret, context_of(id))}) : store::Value(),
       std::int64_t{stored.provider.enabled ? 1 : 0}});
  if (!made && made.error().code == Code::conflict)
    return fail(Code::conflict, "provider \"" + id + "\" exists already");
  if (!made) return fail(made.error());
  TRY(record(transaction, by, {.verb = "provider.create", .subject = "provider:" + id, .difference = change.settings}));
  return stored;
}

Result<StoredProvider> change_provider(store::Transaction& transaction, const Deed& by, const std::string& id,
                                       const ProviderChange& change, const io::SealKey& key) {
  const auto row = TRY(row_of(transaction, id));
  if (!row) return fail(Code::not_found, "there is no provider \"" + id + "\"");
  StoredProvider stored = TRY(provider_of(*row));
  const bool enabled = change.enabled.value_or(stored.provider.enabled);
  Json difference = Json::object({{"enabled", enabled}});
  if (!change.settings.is_null()) {
    difference.set("settings", Json::object({{"old", stored.settings}, {"new", change.settings}}));
    stored = {.provider = TRY(parse_provider(id, change.settings)), .settings = change.settings};
  }
  stored.provider.enabled = enabled;
  TRY(execute(transaction, "UPDATE auth_provider SET kind = ?, name = ?, settings = ?, enabled = ? WHERE id = ?",
              {std::string(to_text(stored.provider.kind)), stored.provider.name, stored.settings.dump(),
               std::int64_t{enabled ? 1 : 0}, id}));
  if (change.secret) {
    TRY(execute(transaction, "UPDATE auth_provider SET secret = ? WHERE id = ?",
                {store::Blob{key.seal(*change.secret, context_of(id))}, id}));
    difference.set("secret", "changed");
  }
  TRY(record(transaction, by,
             {.verb = "provider.change", .subject = "provider:" + id, .difference = std::move(difference)}));
  return stored;
}

Result<void> remove_provider(store::Transaction& transaction, const Deed& by, const std::string& id) {
  const auto gone = TRY(transaction.run("DELETE FROM auth_provider WHERE id = ?", {id}));
  if (gone == 0) return fail(Code::not_found, "there is no provider \"" + id + "\"");
  return record(transaction, by, {.verb = "provider.remove", .subject = "provider:" + id});
}

Result<User> user_of(store::Transaction& transaction, const Deed& by, const Provider& provider,
                     const Identity& identity) {
  const Admitted admitted = TRY(admit(provider.admission, identity));
  const auto known = TRY(known_user(transaction, provider, identity));
  const User user = known ? *known : TRY(provision(transaction, by, provider, identity));
  if (known) TRY(keep_name(transaction, provider, identity));
  TRY(apply_role(transaction, by, user, admitted));
  TRY(apply_projects(transaction, by, user, {provider.admission, admitted}));
  return find_user(transaction, user.id);
}

Result<void> link_identity(store::Transaction& transaction, const Deed& by, const Provider& provider,
                           std::pair<const Identity&, const User&> link) {
  const auto known = TRY(known_user(transaction, provider, link.first));
  if (known && known->id == link.second.id) return {};
  if (known) return fail(Code::conflict, "this identity belongs to another user here");
  TRY(keep_identity(transaction, by, provider, link));
  return record(transaction, by,
                {.verb = "identity.link",
                 .subject = "user:" + link.second.name,
                 .difference = Json::object({{"provider", provider.id}})});
}

Result<std::vector<std::string>> providers_of(store::Transaction& transaction, std::string_view user) {
  std::vector<std::string> providers;
  for (const auto& row : TRY(transaction.query(
           "SELECT DISTINCT provider FROM auth_identity WHERE user_id = ? ORDER BY provider", {std::string(user)})))
    providers.push_back(row.text(0));
  return providers;
}

Json to_json(const StoredProvider& stored) {
  return Json::object({{"id", stored.provider.id},
                       {"name", stored.provider.name},
                       {"kind", to_text(stored.provider.kind)},
                       {"enabled", stored.provider.enabled},
                       {"settings", stored.settings}});
}

}  // namespace berth::auth
