// The accepting end of a Kerberos authentication. Within this room.
#pragma once

#include <string>

#include "auth/provider.h"

namespace berth::auth {

struct Accepted {
  std::string principal{};  ///< of the client, "ada@EXAMPLE.COM"
  std::string answer{};     ///< token for the client; may be ""
};
/// Judges one token for the provider's own principal and no other of its keytab; in one round, since the next request
/// may come over another connection. `replays` is the file of tokens that were seen; "": the library's own.
/// Code::denied for a token that does not count, unavailable when the keytab cannot be used. Blocks: it reads files.
/// Thread: any.
Result<Accepted> accept_token(const KerberosSettings& settings, const std::string& replays, const std::string& token);

}  // namespace berth::auth
