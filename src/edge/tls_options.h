// TLS options in Traefik's terms -> what OpenSSL is told.
#pragma once

#include <string_view>

#include "edge/snapshot.h"
#include "io/tls_policy.h"

namespace berth::edge {

/// 10 to 13 for "VersionTLS10" to "VersionTLS13". Code::invalid.
Result<int> parse_tls_version(std::string_view text);

/// Code::invalid naming the options, for what OpenSSL does not know and for roots that are needed and absent.
Result<std::shared_ptr<const io::TlsPolicy>> make_policy(const TlsOptions& options);

}  // namespace berth::edge
