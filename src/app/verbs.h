// The verbs of berth's own nouns; the Compose verbs are the cli room's.
#pragma once

#include <string>
#include <vector>

#include "app/serve.h"

namespace berth::app {

/// A verb that reads its own arguments (those after the verb) and returns the exit status.
struct Verb {
  std::string_view name;
  std::string_view group;    ///< heading in `berth --help`; "" hides it
  std::string_view summary;  ///< one line
  int (*run)(const std::vector<std::string>& arguments, const Environment& environment);
};
/// serve, route, edge, cert, and the hidden role core.
const std::vector<Verb>& verbs();

/// `berth cert list|renew [--data DIR] ...`, `berth cert root [--data DIR]`, `berth cert trust [--data DIR] [-y]`.
int run_cert(const std::vector<std::string>& arguments, const Environment& environment);
/// `berth edge --config FILE|FOLDER...`: the edge fed by files, until SIGTERM.
int run_edge_files(const std::vector<std::string>& arguments);
/// `berth import traefik FILE [--data DIR] [--resolver NAME] [--ca-server URL] [-y]`.
int run_import(const std::vector<std::string>& arguments, const Environment& environment);
/// `berth route list [--data DIR] [--format table|json]`, `berth route explain URL [--data DIR] [--method METHOD]`.
int run_route(const std::vector<std::string>& arguments, const Environment& environment);

/// `berth route pause|stop|resume SERVICE|ROUTER|HOST [FLAGS]`; the verb is the first argument.
int run_hold(const std::vector<std::string>& arguments, const Environment& environment);

/// `berth cache purge URL|--prefix URL|--tag TAG|--all` and `berth cache stats`, [--data DIR] [--format table|json].
int run_cache(const std::vector<std::string>& arguments, const Environment& environment);
/// `berth metrics [--data DIR]`.
int run_metrics(const std::vector<std::string>& arguments, const Environment& environment);
/// `berth requests [--follow] [--route NAME] [--host HOST] [--status CODE] [--data DIR] [--format table|json]`.
int run_requests(const std::vector<std::string>& arguments, const Environment& environment);
/// `berth backup run VOLUME --to FOLDER`, `berth backup list FOLDER`, `berth backup verify FILE`,
/// `berth backup remove FILE... [-y]`.
int run_backup(const std::vector<std::string>& arguments, const Environment& environment);
/// `berth restore FILE [--to VOLUME]`.
int run_restore(const std::vector<std::string>& arguments, const Environment& environment);
/// `berth broker ...`: doc/broker.md; with one JSON text, the role that the supervisor starts.
int run_broker_verb(const std::vector<std::string>& arguments, const Environment& environment);
/// `berth migrate [--data DIR|--store URL]`.
int run_migrate(const std::vector<std::string>& arguments, const Environment& environment);
/// `berth store backup FILE`, `berth store restore FILE [-y]`, [--data DIR|--store URL].
int run_store(const std::vector<std::string>& arguments, const Environment& environment);
/// `berth audit list|verify|export [FLAGS]`.
int run_audit(const std::vector<std::string>& arguments, const Environment& environment);
/// `berth registry login HOST|logout HOST|list [FLAGS]`.
int run_registry(const std::vector<std::string>& arguments, const Environment& environment);
/// `berth image prune [--dry-run] [-y] [FLAGS]`.
int run_image(const std::vector<std::string>& arguments, const Environment& environment);
/// `berth server add NAME ADDRESS|list|check NAME|remove NAME [FLAGS]`.
int run_server(const std::vector<std::string>& arguments, const Environment& environment);
/// `berth api-docs`.
int run_api_docs(const std::vector<std::string>& arguments, const Environment& environment);
/// `berth upgrade [--data DIR]`.
int run_upgrade(const std::vector<std::string>& arguments, const Environment& environment);

/// `berth setup-token`, `berth user ...`, `berth token ...`, `berth provider ...`, over DATA/api.sock.
int run_setup_token(const std::vector<std::string>& arguments, const Environment& environment);
int run_user(const std::vector<std::string>& arguments, const Environment& environment);
int run_token(const std::vector<std::string>& arguments, const Environment& environment);
int run_provider(const std::vector<std::string>& arguments, const Environment& environment);

}  // namespace berth::app
