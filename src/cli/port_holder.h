// Who holds a port of the engine's host, and where a project asks for it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/session.h"
#include "compose/project.h"
#include "plan/plan.h"

namespace berth::cli {

/// A listening socket as /proc/net/tcp tells it.
struct Listening {
  std::string address{};  ///< "0.0.0.0", "127.0.0.1", "::"
  int port = 0;
  std::uint64_t inode = 0;
};
/// The listening sockets in the text of /proc/net/tcp or tcp6. Pure.
std::vector<Listening> parse_listening(std::string_view text);
/// The host port that an engine's message says is taken. Pure.
std::optional<int> taken_port(std::string_view message);
/// Whether a listener on `have` keeps `want` from binding ("" and "0.0.0.0" are every address). Pure.
bool overlap(std::string_view have, std::string_view want);

/// "nginx (pid 123)" for what listens on `port` in the network namespace of process `pid` ("self": ours); "" when
/// nothing does, "another process" when it may not be seen.
std::string port_holder(int port, const std::string& pid = "self");

/// The pid behind an engine's unix socket, "" when it is none or hidden.
io::Task<std::string> engine_pid(const engine::Address& address);

/// Where a service publishes `port`: "compose.yaml:14:7", "" when unknown.
std::string port_origin(const compose::Project& project, const std::string& service, int port);

/// The error of a node whose cause is a taken port, with the place in the file and the holder; another one
/// with what the node does before it.
io::Task<Error> explain_port(Session& session, const compose::Project& project, const plan::Node& node, Error error);

/// Fails before anything is changed when a port that the plan's new containers publish is held by someone else. An
/// engine on another host is not looked at.
io::Task<Result<void>> check_ports(Session& session, const compose::Project& project, const plan::Plan& plan,
                                   const plan::Observed& observed);

}  // namespace berth::cli
