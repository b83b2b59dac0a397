// Those who vouch for users: OpenID Connect, plain OAuth 2, LDAP, Kerberos. Their configuration as a value, and what it
// makes of an identity. Pure.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "auth/principal.h"
#include "base/json.h"

namespace berth::auth {

enum class ProviderKind { oidc, oauth2, ldap, kerberos };
std::string_view to_text(ProviderKind kind);

/// Whom a provider vouched for.
struct Identity {
  std::string subject{};  ///< the provider's own key, never the e-mail
  std::string name{};     ///< what it calls the user; a wish
  std::set<std::string> groups{};
};

/// What becomes of its users here.
struct Admission {
  bool creates = false;                 ///< unknown ones get an account; else only linked ones come in
  std::set<std::string> only{};         ///< groups of which one is needed; empty: none is
  Role role = Role::viewer;             ///< of those whose groups say nothing
  std::map<std::string, Role> roles{};  ///< by group; the highest counts, at every sign-in
  std::map<std::string, std::map<std::string, Role>> projects{};  ///< by group: memberships
};

struct OAuthSettings {
  std::string client{};                      ///< client id
  std::string issuer{};                      ///< OIDC: where discovery begins; OAuth 2: what it calls itself, if known
  std::string authorize{}, token{}, user{};  ///< OAuth 2: the three addresses
  std::string groups{};                      ///< OAuth 2: where the user's groups are; "": in the user's JSON
  std::string id_member = "sub";             ///< of the user's JSON, with dots
  std::string name_member = "preferred_username";
  std::vector<std::string> groups_members = {
      "groups"};  ///< of the user's JSON, or of the groups' where it has an address
  std::vector<std::string> scopes{};
  std::string ca{};  ///< PEM; "": the system's
};

struct LdapSettings {
  std::string url{};      ///< ldaps://host[:port], or ldap:// which is upgraded by StartTLS
  std::string ca{};       ///< PEM; "": the system's
  std::string user_dn{};  ///< direct bind: "uid={name},ou=people,dc=example"
  std::string bind_dn{};  ///< search bind: who searches; its password is the provider's secret
  std::string base{};     ///< where users are searched
  std::string filter{};   ///< "(uid={name})"
  std::string subject = "entryUUID";
  std::string name = "uid";
  std::string groups = "memberOf";
};

struct KerberosSettings {
  std::string keytab{};     ///< absolute path of a file that core may read
  std::string principal{};  ///< ours in it, "HTTP/host@REALM"
  std::string realm{};      ///< of the users; the principal's, where it is not said
  std::string directory{};  ///< id of the LDAP provider whose users these are; "": none
};

struct Provider {
  std::string id{};    ///< in addresses: lower case letters, digits, -
  std::string name{};  ///< for people
  ProviderKind kind = ProviderKind::oidc;
  bool enabled = true;
  Admission admission{};
  OAuthSettings oauth{};
  LdapSettings ldap{};
  KerberosSettings kerberos{};
};

/// From what an admin writes; "preset": github, gitlab or 42 fills in an OAuth 2 provider. Unknown members, missing
/// ones and addresses without TLS (but on this machine) are Code::invalid and named.
Result<Provider> parse_provider(std::string_view id, const Json& settings);

/// Https, or http to a loopback address.
Result<void> check_endpoint(std::string_view what, std::string_view url);

/// The role and memberships that an identity gets; Code::denied when it has none of the groups that are needed.
struct Admitted {
  std::optional<Role> role{};  ///< none: the groups say nothing about it, what the user has stays
  std::map<std::string, Role> projects{};
};
Result<Admitted> admit(const Admission& admission, const Identity& identity);

/// A user name from what a provider calls somebody, "" when nothing is left: "Ada Lovelace" -> "Ada-Lovelace".
std::string user_name_from(std::string_view wish);

}  // namespace berth::auth
