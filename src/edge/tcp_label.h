// Inside of edge/label: the labels traefik.tcp and traefik.udp.
#pragma once

#include <vector>

#include "edge/label_parse.h"

namespace berth::edge {

/// What all labels together are read against.
struct LabelWorld {
  const std::vector<Target>& targets;
  const HostLinks& links;
  const LabelOptions& options;
};

/// Adds TCP and UDP routers and services to `out.tcp`, and notes. A router with an error has no route. `declared` is
/// sorted by the container's name.
void read_tcp_labels(const std::vector<Declared>& declared, const LabelWorld& world, Labelled& out);

}  // namespace berth::edge
