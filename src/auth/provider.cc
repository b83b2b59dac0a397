#include "auth/provider.h"

#include <algorithm>
#include <array>

#include "auth/kerberos_text.h"
#include "base/text.h"
#include "http/url.h"

namespace berth::auth {
namespace {

constexpr std::array<std::pair<ProviderKind, std::string_view>, 4> kKinds = {{{ProviderKind::oidc, "oidc"},
                                                                              {ProviderKind::oauth2, "oauth2"},
                                                                              {ProviderKind::ldap, "ldap"},
                                                                              {ProviderKind::kerberos, "kerberos"}}};

struct Preset {
  std::string_view name, issuer, authorize, token, user, id, login, scope, member;
  // Where groups are that are not in the user's data, what they are called there, and what has to be asked for then.
  std::string_view groups, group, groups_scope;
};
constexpr std::array<Preset, 3> kPresets = {{
    {"github", "https://github.com/login/oauth", "https://github.com/login/oauth/authorize",
     "https://github.com/login/oauth/access_token", "https://api.github.com/user", "id", "login", "read:user", "groups",
     "https://api.github.com/user/orgs?per_page=100", "login", "read:org"},
    {"gitlab", "", "https://gitlab.com/oauth/authorize", "https://gitlab.com/oauth/token",
     "https://gitlab.com/api/v4/user", "id", "username", "read_user", "groups", "https://gitlab.com/oauth/userinfo",
     "groups", "openid"},
    {"42", "", "https://api.intra.42.fr/oauth/authorize", "https://api.intra.42.fr/oauth/token",
     "https://api.intra.42.fr/v2/me", "id", "login", "public", "groups.name", "", "", ""},
}};

constexpr std::string_view kCommon[] = {"kind", "name", "provision", "role", "roles", "projects", "onlyGroups"};
constexpr std::string_view kOidc[] = {"issuer", "clientId", "scopes", "nameMember", "groupsMember", "ca"};
constexpr std::string_view kOAuth[] = {"preset", "issuer",   "authorizeUrl", "tokenUrl",     "userUrl",   "clientId",
                                       "scopes", "idMember", "nameMember",   "groupsMember", "groupsUrl", "ca"};
constexpr std::string_view kLdap[] = {
    "url", "ca", "userDn", "bindDn", "base", "filter", "subjectAttribute", "nameAttribute", "groupsAttribute"};
constexpr std::string_view kKerberos[] = {"keytab", "principal", "realm", "directory"};

bool is_id(std::string_view id) {
  const auto allowed = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; };
  return !id.empty() && id.size() <= 40 && std::ranges::all_of(id, allowed);
}

std::span<const std::string_view> members_of(ProviderKind kind) {
  if (kind == ProviderKind::oidc) return kOidc;
  if (kind == ProviderKind::oauth2) return kOAuth;
  return kind == ProviderKind::ldap ? std::span<const std::string_view>(kLdap) : kKerberos;
}

Result<void> check_members(ProviderKind kind, const Json& settings) {
  std::vector<std::string_view> known(std::begin(kCommon), std::end(kCommon));
  std::ranges::copy(members_of(kind), std::back_inserter(known));
  for (const auto& [name, value] : settings.members()) {
    if (std::ranges::find(known, name) != known.end()) continue;
    return fail(Code::invalid, "provider: \"" + name + "\" is not known" + suggestion(name, known));
  }
  return {};
}

Result<std::string> needed(const Json& settings, std::string_view name) {
  const std::string_view text = settings[name].text();
  if (text.empty()) return fail(Code::invalid, "provider: " + std::string(name) + " is missing");
  return std::string(text);
}

void take(std::string& into, const Json& settings, std::string_view name) {
  if (!settings[name].text().empty()) into = settings[name].text();
}

Result<Role> role_of(const Json& value) {
  const auto role = parse_role(value.text());
  if (!role) return fail(Code::invalid, "provider: a role is viewer, developer, operator or admin");
  return *role;
}

Result<Admission> admission_of(const Json& settings) {
  Admission admission;
  const std::string_view provision = settings["provision"].text("none");
  if (provision != "none" && provision != "create")
    return fail(Code::invalid, "provider: provision is none (only linked users come in) or create");
  admission.creates = provision == "create";
  if (!settings["role"].is_null()) admission.role = TRY(role_of(settings["role"]));
  for (const auto& group : settings["onlyGroups"].items()) admission.only.insert(std::string(group.text()));
  for (const auto& [group, role] : settings["roles"].members()) admission.roles[group] = TRY(role_of(role));
  for (const auto& [group, projects] : settings["projects"].members()) {
    for (const auto& [project, role] : projects.members()) {
      const Role wanted = TRY(role_of(role));
      if (wanted > Role::developer) return fail(Code::invalid, "provider: within a project one is viewer or developer");
      admission.projects[group][project] = wanted;
    }
  }
  return admission;
}

bool has_any(const Json& settings, std::initializer_list<std::string_view> names) {
  return std::ranges::any_of(names, [&](std::string_view name) { return !settings[name].is_null(); });
}

Result<void> apply_preset(OAuthSettings& oauth, const Json& settings) {
  const std::string_view name = settings["preset"].text();
  const auto found = std::ranges::find(kPresets, name, &Preset::name);
  if (found == kPresets.end())
    return fail(Code::invalid, "provider: preset \"" + std::string(name) + "\" is not known; use github, gitlab or 42");
  oauth.issuer = found->issuer;
  oauth.authorize = found->authorize;
  oauth.token = found->token;
  oauth.user = found->user;
  oauth.id_member = found->id;
  oauth.name_member = found->login;
  oauth.groups_members = {std::string(found->member)};
  oauth.scopes = {std::string(found->scope)};
  // Asked for where something depends on them, and never at another installation, which must not get its token there.
  const bool own = has_any(settings, {"authorizeUrl", "tokenUrl", "userUrl", "groupsUrl", "groupsMember"});
  if (found->groups.empty() || own || !has_any(settings, {"roles", "projects", "onlyGroups"})) return {};
  oauth.groups = found->groups;
  oauth.groups_members = {std::string(found->group)};
  oauth.scopes.emplace_back(found->groups_scope);
  return {};
}

Result<void> take_groups_members(OAuthSettings& oauth, const Json& wanted) {
  if (wanted.is_null()) return {};
  oauth.groups_members.clear();
  if (wanted.is_text()) oauth.groups_members.emplace_back(wanted.text());
  for (const auto& path : wanted.items()) oauth.groups_members.emplace_back(path.text());
  const auto is_wrong = [](const std::string& path) { return path.empty() || path.size() > 256; };
  if (oauth.groups_members.empty() || oauth.groups_members.size() > 10 ||
      std::ranges::any_of(oauth.groups_members, is_wrong))
    return fail(Code::invalid, "provider: groupsMember is a name, or a list of at most ten");
  return {};
}

Result<OAuthSettings> oauth_of(ProviderKind kind, const Json& settings) {
  OAuthSettings oauth;
  if (!settings["preset"].is_null()) TRY(apply_preset(oauth, settings));
  if (kind == ProviderKind::oidc) oauth.scopes = {"openid", "email", "profile"};
  oauth.client = TRY(needed(settings, "clientId"));
  // Another installation of what a preset names calls itself otherwise.
  if (!settings["authorizeUrl"].is_null()) oauth.issuer.clear();
  take(oauth.issuer, settings, "issuer");
  take(oauth.authorize, settings, "authorizeUrl");
  take(oauth.token, settings, "tokenUrl");
  take(oauth.user, settings, "userUrl");
  take(oauth.id_member, settings, "idMember");
  take(oauth.name_member, settings, "nameMember");
  take(oauth.groups, settings, "groupsUrl");
  TRY(take_groups_members(oauth, settings["groupsMember"]));
  take(oauth.ca, settings, "ca");
  if (settings["scopes"].is_array()) oauth.scopes.clear();
  for (const auto& scope : settings["scopes"].items()) oauth.scopes.emplace_back(scope.text());
  if (kind == ProviderKind::oidc) {
    if (std::ranges::find(oauth.scopes, "openid") == oauth.scopes.end())
      return fail(Code::invalid, "provider: the scopes of an OIDC provider need openid");
    TRY(check_endpoint("issuer", oauth.issuer));
    return oauth;
  }
  TRY(check_endpoint("authorizeUrl", oauth.authorize));
  TRY(check_endpoint("tokenUrl", oauth.token));
  TRY(check_endpoint("userUrl", oauth.user));
  if (!oauth.groups.empty()) TRY(check_endpoint("groupsUrl", oauth.groups));
  return oauth;
}

Result<LdapSettings> ldap_of(const Json& settings) {
  LdapSettings ldap{.url = TRY(needed(settings, "url"))};
  if (!ldap.url.starts_with("ldaps://") && !ldap.url.starts_with("ldap://"))
    return fail(Code::invalid, "provider: url begins with ldaps:// or ldap:// (which is upgraded by StartTLS)");
  take(ldap.ca, settings, "ca");
  take(ldap.user_dn, settings, "userDn");
  take(ldap.bind_dn, settings, "bindDn");
  take(ldap.base, settings, "base");
  take(ldap.filter, settings, "filter");
  take(ldap.subject, settings, "subjectAttribute");
  take(ldap.name, settings, "nameAttribute");
  take(ldap.groups, settings, "groupsAttribute");
  const std::string_view pattern = ldap.user_dn.empty() ? ldap.filter : ldap.user_dn;
  if (!pattern.contains("{name}"))
    return fail(Code::invalid, "provider: userDn (direct bind) or filter (search bind) needs {name}");
  if (ldap.user_dn.empty() && ldap.base.empty()) return fail(Code::invalid, "provider: base is missing");
  return ldap;
}

Result<KerberosSettings> kerberos_of(const Json& settings) {
  KerberosSettings kerberos{.keytab = TRY(needed(settings, "keytab")), .principal = TRY(needed(settings, "principal"))};
  if (!kerberos.keytab.starts_with('/')) return fail(Code::invalid, "provider: keytab is an absolute path");
  TRY(check_service(kerberos.principal));
  kerberos.realm = realm_of(kerberos.principal);
  take(kerberos.realm, settings, "realm");
  take(kerberos.directory, settings, "directory");
  // A ticket says who, and no groups: with a directory, they and what follows from them are the directory's.
  for (const std::string_view name : {"roles", "projects", "onlyGroups"})
    if (!settings[name].is_null())
      return fail(Code::invalid, "provider: a ticket has no groups; " + std::string(name) + " is the directory's");
  if (!kerberos.directory.empty() && (!settings["provision"].is_null() || !settings["role"].is_null()))
    return fail(Code::invalid, "provider: with a directory, provision and role are the directory's");
  return kerberos;
}

bool is_loopback(std::string_view host) {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

}  // namespace

std::string_view to_text(ProviderKind kind) {
  for (const auto& [known, name] : kKinds)
    if (known == kind) return name;
  return {};
}

Result<void> check_endpoint(std::string_view what, std::string_view url) {
  const auto parsed = http::parse_url(url);
  if (!parsed)
    return fail(Code::invalid, "provider: " + std::string(what) + " is no address: " + parsed.error().message);
  if (parsed->scheme == "https" || is_loopback(parsed->host)) return {};
  return fail(Code::invalid, "provider: " + std::string(what) + " is not https");
}

Result<Provider> parse_provider(std::string_view id, const Json& settings) {
  if (!is_id(id)) return fail(Code::invalid, "provider: its id has 1 to 40 lower case letters, digits and -");
  if (!settings.is_object()) return fail(Code::invalid, "provider: its settings are no object");
  const auto kind =
      std::ranges::find(kKinds, settings["kind"].text(), &std::pair<ProviderKind, std::string_view>::second);
  if (kind == kKinds.end()) return fail(Code::invalid, "provider: kind is oidc, oauth2, ldap or kerberos");
  TRY(check_members(kind->first, settings));
  Provider provider{.id = std::string(id), .name = std::string(settings["name"].text(id)), .kind = kind->first};
  provider.admission = TRY(admission_of(settings));
  if (provider.kind == ProviderKind::ldap)
    provider.ldap = TRY(ldap_of(settings));
  else if (provider.kind == ProviderKind::kerberos)
    provider.kerberos = TRY(kerberos_of(settings));
  else
    provider.oauth = TRY(oauth_of(provider.kind, settings));
  return provider;
}

Result<Admitted> admit(const Admission& admission, const Identity& identity) {
  const auto& groups = identity.groups;
  const auto is_member = [&](const std::string& group) { return groups.contains(group); };
  if (!admission.only.empty() && std::ranges::none_of(admission.only, is_member))
    return fail(Code::denied, "none of the groups that may sign in has this user");
  Admitted admitted;
  if (!admission.roles.empty()) admitted.role = admission.role;
  for (const auto& [group, role] : admission.roles)
    if (groups.contains(group)) admitted.role = std::max(*admitted.role, role);
  for (const auto& [group, projects] : admission.projects) {
    if (!groups.contains(group)) continue;
    for (const auto& [project, role] : projects) {
      Role& held = admitted.projects.emplace(project, role).first->second;
      held = std::max(held, role);
    }
  }
  return admitted;
}

std::string user_name_from(std::string_view wish) {
  const auto plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); };
  std::string name;
  for (const char c : wish) {
    if (plain(c) || (!name.empty() && std::string_view("._-@+").contains(c))) {
      name += c;
    } else if (!name.empty() && name.back() != '-') {
      name += '-';
    }
  }
  name.resize(std::min<std::size_t>(name.size(), 50));
  while (name.ends_with('-')) name.pop_back();
  return name;
}

}  // namespace berth::auth
