#include "app/verbs.h"

namespace berth::app {

namespace {

int run_edge(const std::vector<std::string>& arguments, const Environment& environment) {
  // The supervisor hands over one JSON text.
  const bool role = arguments.size() == 1 && arguments[0].starts_with('{');
  return role ? run_edge_role(arguments, environment) : run_edge_files(arguments);
}

}  // namespace

const std::vector<Verb>& verbs() {
  static const std::vector<Verb> table = {
      {"serve", "Platform", "Publish labelled containers over TLS until stopped", run_serve},
      {"route", "Platform", "Show what berth serve routes where, pause and resume it", run_route},
      {"cert", "Platform", "List and renew certificates, trust the local CA", run_cert},
      {"import", "Platform", "Take over certificates of Traefik's acme.json", run_import},
      {"cache", "Platform", "Purge what the edge stored, or show its counters", run_cache},
      {"metrics", "Platform", "Print what the edge counts, for Prometheus", run_metrics},
      {"requests", "Platform", "Show the requests that run, or each as it ends", run_requests},
      {"upgrade", "Platform", "Replace the running berth serve by a newer program", run_upgrade},
      {"core", "", "The core role; started by serve", run_core},
      {"edge", "Platform", "Serve what Traefik's files say", run_edge},
  };
  return table;
}

}  // namespace berth::app
