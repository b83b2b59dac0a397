// Inside of edge/file_config: entry points, and the keys `tcp` and `udp` of files.
#pragma once

#include <string>
#include <vector>

#include "edge/file_config.h"
#include "edge/tcp_entry.h"
#include "edge/tls_option_names.h"

namespace berth::edge {

/// One of `entryPoints`, keys in lower case: address, proxyProtocol and udp.timeout; other keys are not looked at.
/// ":5432" stands for that port at each of `hosts`. Code::invalid naming the key.
Result<EntryPoint> read_entry_point(std::string_view name, const Json& entry, const std::vector<std::string>& hosts);

/// What the `tls` of a router names, or "".
Result<std::string> tls_options_of(const Json& tls, TlsOptionNames& names, const Rule& rule);

/// Adds what the files say of TCP and UDP to `out.tcp`, which has the entry points, and notes. `trees` with keys in
/// lower case.
void read_tcp_files(const std::vector<Json>& trees, const std::vector<std::string>& tls_options, FileConfig& out);

}  // namespace berth::edge
