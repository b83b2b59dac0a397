#include "app/verbs.h"

namespace berth::app {

const std::vector<Verb>& verbs() {
  static const std::vector<Verb> table = {
      {"serve", "Platform", "Publish labelled containers over TLS until stopped", run_serve},
      {"route", "Platform", "Show what berth serve routes where", run_route},
      {"cert", "Platform", "List and renew certificates, trust the local CA", run_cert},
      {"cache", "Platform", "Purge what the edge stored, or show its counters", run_cache},
      {"core", "", "The core role; started by serve", run_core},
      {"edge", "", "The edge role; started by serve", run_edge_role},
  };
  return table;
}

}  // namespace berth::app
