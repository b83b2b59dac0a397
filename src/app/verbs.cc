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
      {"backup", "Platform", "Copy a volume into a file; list, verify and remove copies", run_backup},
      {"restore", "Platform", "Make a volume of a copy", run_restore},
      {"broker", "Platform", "Pass on to an engine what a policy allows", run_broker_verb},
      {"migrate", "Platform", "Bring the store to the schema of this program", run_migrate},
      {"store", "Platform", "Copy the store while it is used, or put a copy back", run_store},
      {"audit", "Platform", "List, check and export who did what", run_audit},
      {"setup-token", "Platform", "Print a link that makes the first admin", run_setup_token},
      {"user", "Platform", "Create, list, change and remove users", run_user},
      {"token", "Platform", "Create, list and revoke API tokens", run_token},
      {"provider", "Platform", "Let others vouch for users: OpenID Connect, OAuth 2, LDAP", run_provider},
      {"registry", "Platform", "Log in to registries of images: login, logout, list", run_registry},
      {"image", "Platform", "Remove unused images of projects: prune", run_image},
      {"server", "Platform", "Look at engines on other machines: add, list, check, remove", run_server},
      {"api-docs", "Platform", "Print the OpenAPI of the API of berth serve", run_api_docs},
      {"upgrade", "Platform", "Replace the running berth serve by a newer program", run_upgrade},
      {"core", "", "The core role; started by serve", run_core},
      {"edge", "Platform", "Serve what Traefik's files say", run_edge},
  };
  return table;
}

}  // namespace berth::app
