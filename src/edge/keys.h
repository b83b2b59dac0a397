// The one list of what can be said about middlewares and services: labels, files, the snapshot and doc/labels.md are
// all read from it or written by it.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "edge/service.h"
#include "edge/tcp_route.h"

namespace berth::edge {

/// The kinds of middlewares in lower case, sorted: "addprefix", "basicauth", ...
std::vector<std::string_view> middleware_kinds();

/// A middleware's options from a tree whose keys are in lower case and whose values are texts (labels) or typed (files,
/// snapshots). A list may be a text with commas. Code::invalid: "ratelimit.average: "x" is not a number"; also for a
/// key that is not known. What passes has been checked: expressions compile, paths are plain, fields can be sent.
Result<Action> read_action(std::string_view kind, const Json& tree);
/// {kind: {key: value}} with what differs from the defaults; read_action reads it back.
Json write_action(const Action& action);

/// The options of a load balancer (all but its servers) into `service`.
Result<void> read_balancing(const Json& tree, Service& service);
Json write_balancing(const Service& service);

/// "weighted", "mirroring" or "failover" into `service.group`.
Result<void> read_group(std::string_view kind, const Json& tree, Service& service);
/// {kind: {...}}, or null for a service that has upstreams of its own.
Json write_group(const Service& service);

/// The same three for TCP: middlewares by kind ("ipallowlist"), and a load balancer without its servers.
Result<TcpMiddleware::Action> read_tcp_action(std::string_view kind, const Json& tree);
Json write_tcp_action(const TcpMiddleware::Action& action);
Result<void> read_tcp_balancing(const Json& tree, TcpService& service);
Json write_tcp_balancing(const TcpService& service);

/// A serversTransport without its name, for HTTP or TCP.
Result<void> read_transport(const Json& tree, Transport& transport);
Result<void> read_transport(const Json& tree, TcpTransport& transport);
Json write_transport(const Transport& transport);
Json write_transport(const TcpTransport& transport);

/// All of them, for the snapshot.
template <class T>
Json encode_transports(const std::vector<T>& transports) {
  Json json = Json::array();
  for (const T& each : transports) json.push(Json::object({{"name", each.name}, {"options", write_transport(each)}}));
  return json;
}
template <class T>
Result<std::vector<T>> decode_transports(const Json& json) {
  std::vector<T> out;
  for (const Json& item : json.items()) {
    out.emplace_back().name = item["name"].text();
    TRY(read_transport(item["options"], out.back()));
  }
  return out;
}

/// Fields of labels below a name ("ratelimit.average" -> "100") as a tree. "a[0].b" are items of a list; a value beside
/// deeper ones ("compress" = "true") is dropped.
Json tree_of(const std::map<std::string, std::string, std::less<>>& fields);
/// The same tree with keys in lower case.
Json lower_keys(const Json& tree);

/// Markdown: for each kind a table of keys, types, defaults and meanings.
std::string describe_keys();

}  // namespace berth::edge
