// Signing in with name and password of a directory.
#pragma once

#include "auth/desk.h"
#include "auth/provider_table.h"

namespace berth::auth {

/// As Desk::sign_in(), with the LDAP provider `provider`. Code::not_found for an unknown one, unavailable when the
/// directory does not answer.
io::Task<Result<SignInResult>> directory_sign_in(Desk& desk, std::string provider, Credentials credentials,
                                                 Visitor visitor);

}  // namespace berth::auth
