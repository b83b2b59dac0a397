// Certificate resolvers in Traefik's static shape: flags, a file and the environment -> edge::Resolver.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "app/entry_points.h"
#include "app/serve.h"
#include "base/json.h"
#include "edge/acme_policy.h"
#include "edge/snapshot.h"

namespace berth::app {

inline constexpr std::string_view kResolvers = "certificatesResolvers";

/// Sets what `--certificatesresolvers.NAME.acme.KEY=VALUE` says in `tree`, as a file would. `path` is without "--".
/// Code::invalid for a key that does not begin so, or is empty in the middle.
Result<void> set_resolver(Json& tree, std::string_view path, std::string_view value);

/// certificatesResolvers, entryPoints and tls.options of a YAML or JSON file over those of `tree`. Other keys are not
/// looked at. Code::invalid with file:line:column for what is no YAML.
Result<void> merge_static_file(Json& tree, const std::string& path);

/// `tls.options` of the file. Code::invalid naming the key that is unknown or wrong, also where a file of roots cannot
/// be read: a route must not be open because its file is missing.
Result<std::vector<edge::TlsOptions>> read_tls_options(const Json& tree);

/// Keys without case. `caCertificates` are files. Of lego's environment EXEC_PATH, RFC2136_NAMESERVER,
/// RFC2136_TSIG_KEY, _SECRET and _ALGORITHM, and LEGO_CA_CERTIFICATES are read. Code::invalid naming the key that is
/// unknown or wrong, never a secret.
Result<std::vector<edge::Resolver>> read_resolvers(const Json& tree, const Environment& environment);

}  // namespace berth::app
