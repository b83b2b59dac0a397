// Traefik's static configuration for `berth serve`, from flags and files, as one tree that the readers of its parts
// take: resolver_options.h, entry_points.h, provider_options.h.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "app/serve.h"
#include "app/transport_files.h"
#include "base/json.h"
#include "edge/acme_policy.h"
#include "edge/label.h"
#include "edge/snapshot.h"

namespace berth::app {

inline constexpr std::string_view kResolvers = "certificatesResolvers", kEntryPoints = "entryPoints",
                                  kProviders = "providers";

/// Whether `argument` is a flag of Traefik's own, whose name holds names of the user: --certificatesresolvers.,
/// --entrypoints., --providers.
bool is_static_flag(std::string_view argument);
/// Sets what `--certificatesresolvers.NAME.acme.KEY=VALUE` and the like say in `tree`, as a file would. Names of keys
/// have no case. Code::invalid for a path that is too short, has an empty part or names another provider than docker.
Result<void> set_static(Json& tree, std::string_view path, std::string_view value);

/// certificatesResolvers, entryPoints, providers.docker, tls.options and serversTransports of a YAML or JSON file over
/// those of `tree`; other keys are not looked at. Code::invalid with file:line:column for what is no YAML, and for what
/// is wrong in providers.docker and tls.options.
Result<void> merge_static_file(Json& tree, const std::string& path);

/// What the tree says.
struct Statics {
  std::vector<edge::Resolver> resolvers;
  std::vector<edge::TlsOptions> tls_options;
  Transports transports;
  edge::LabelOptions labels;  ///< of the provider, with the names of those above, and with the entry points
};
/// Entry points are opened at each of `hosts`. Code::invalid as the readers of the parts say.
Result<Statics> read_statics(const Json& tree, const std::vector<std::string>& hosts, const Environment& environment);

}  // namespace berth::app
