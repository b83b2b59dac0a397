// Signing in by an LDAP directory (RFC 4511, 4513).
#pragma once

#include <string>

#include "auth/provider.h"
#include "io/scope.h"

namespace berth::auth {

/// Who `name` is when the directory takes `password` for it. Always over TLS with a verified certificate: ldaps://, or
/// StartTLS on ldap://. An empty password is refused before anything is sent: servers take it as an anonymous bind that
/// succeeds. Exactly one entry may match. Code::denied for a wrong name or password, unavailable when the directory
/// does not answer (5 s a step) or its certificate does not hold, invalid for a configuration that it refuses.
/// `secret`: of the searching bind.
io::Task<Result<Identity>> ldap_identity(LdapSettings settings, std::string secret, std::string name,
                                         std::string password);

/// Who `name` is in the directory, found as the searching bind: for a user who was proved otherwise. Code::denied for
/// none or several, invalid where the provider has no filter.
io::Task<Result<Identity>> ldap_entry(LdapSettings settings, std::string secret, std::string name);

}  // namespace berth::auth
