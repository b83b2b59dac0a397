// Signing in with a Kerberos ticket (SPNEGO in HTTP, RFC 4178 and 4559).
#pragma once

#include <string>

#include "auth/desk.h"
#include "auth/provider_table.h"

namespace berth::auth {

struct NegotiatedSignIn {
  SignInResult result{};
  std::string answer{};  ///< the server's token, with which the client proves that we are we; for WWW-Authenticate
};
/// As Desk::sign_in(), with the Kerberos provider `provider` and the client's SPNEGO or Kerberos `token`; of
/// `credentials` only the code counts. A token counts once: the replay cache is a file in the desk's folder. With a
/// directory configured, the user is the one that the directory has by that name. Code::not_found for an unknown
/// provider, unavailable when keytab, library or directory are missing; that is in the audit too.
io::Task<Result<NegotiatedSignIn>> kerberos_sign_in(Desk& desk, std::string provider, std::string token,
                                                    Credentials credentials, Visitor visitor);

}  // namespace berth::auth
