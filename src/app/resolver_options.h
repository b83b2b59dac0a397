// Certificate resolvers and TLS options in Traefik's static shape: flags, a file and the environment -> edge::Resolver.
#pragma once

#include <string>
#include <vector>

#include "app/serve.h"
#include "base/json.h"
#include "edge/acme_policy.h"
#include "edge/snapshot.h"

namespace berth::app {

/// `tls.options` of the file. Code::invalid naming the key that is unknown or wrong, also where a file of roots cannot
/// be read: a route must not be open because its file is missing.
Result<std::vector<edge::TlsOptions>> read_tls_options(const Json& tree);

/// Keys without case. `caCertificates` are files. Of lego's environment EXEC_PATH, RFC2136_NAMESERVER,
/// RFC2136_TSIG_KEY, _SECRET and _ALGORITHM, and LEGO_CA_CERTIFICATES are read. Code::invalid naming the key that is
/// unknown or wrong, never a secret.
Result<std::vector<edge::Resolver>> read_resolvers(const Json& tree, const Environment& environment);

}  // namespace berth::app
