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
/// `berth upgrade [--data DIR]`.
int run_upgrade(const std::vector<std::string>& arguments, const Environment& environment);

}  // namespace berth::app
