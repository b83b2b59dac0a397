// The part of a snapshot about TCP and UDP as JSON; it holds no secret.
#pragma once

#include "base/json.h"
#include "edge/tcp_route.h"

namespace berth::edge {

Json encode_tcp(const TcpConfig& config);
/// Code::invalid naming the member that is missing or wrong.
Result<TcpConfig> decode_tcp(const Json& json);

/// Entry points alone, as the options of the edge's process hold them too.
Json encode_entry_points(const std::vector<EntryPoint>& points);
Result<std::vector<EntryPoint>> decode_entry_points(const Json& json);

}  // namespace berth::edge
