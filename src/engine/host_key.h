// The key by which an ssh host is known.
#pragma once

#include <string>
#include <string_view>

#include "engine/address.h"
#include "io/task.h"

namespace berth::engine {

/// "ssh-ed25519" and its base64, as in known_hosts.
struct HostKey {
  std::string type{};
  std::string key{};
};

/// "SHA256:...", as ssh and ssh-keygen print it. REQUIRES: a key that came from parse_host_keys().
std::string fingerprint_of(const HostKey& key);
/// The best of the keys that ssh-keyscan printed: ed25519, ecdsa, then rsa. Code::unavailable when there is none.
Result<HostKey> parse_host_keys(std::string_view scan);
/// Asks the host for its keys, by ssh-keyscan; what comes may be anybody's until somebody compared the fingerprint.
/// Code::unavailable with the reason when it does not answer.
io::Task<Result<HostKey>> scan_host_key(Address address, std::string program = "ssh-keyscan");

}  // namespace berth::engine
