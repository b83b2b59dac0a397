// What one client of the broker may do, as data.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "broker/operation.h"
#include "broker/shape.h"

namespace berth::broker {

/// What of a reply the client gets to see.
enum class Replies {
  whole,
  labelled,  ///< redacted, but with all labels
  redacted,  ///< without environment, arguments, command, foreign labels, mount sources and health output
};

/// `berth broker grant PROJECT FIELD`: what one Compose project may have beyond its policy.
struct Exception {
  std::string project;
  std::string field;  ///< a rule, or RULE=VALUE: "privileged", "capabilities=NET_ADMIN", "binds=/srv/media"
  friend bool operator==(const Exception&, const Exception&) = default;
};

struct Policy {
  std::string name{};
  std::vector<bool> operations{};     ///< by place in operations()
  std::vector<std::string> grants{};  ///< rules, or RULE=VALUE, for every body
  std::vector<Exception> exceptions{};
  std::vector<std::string> roots{};   ///< folders that containers may bind, with what is below
  std::vector<std::string> hidden{};  ///< paths that none may, beside always_hidden(): the engine's socket
  /// What is created gets these labels; nothing without them can be named or is listed.
  std::map<std::string, std::string> labels{};
  std::vector<std::string> registries{};  ///< hosts that images may come from; empty: any
  Replies replies = Replies::whole;
  std::size_t body_limit = 4u << 20;  ///< bytes of a body that is parsed; more is answered with 413

  bool allows(const Operation& operation) const;
};

/// monitor, operate, deploy, traefik, ci, core: names and what they are for.
struct NamedPolicy {
  std::string_view name, purpose;
  std::string_view text;  ///< as a file would say it, JSON
};
std::span<const NamedPolicy> named_policies();
/// Code::not_found lists those that there are.
Result<Policy> named_policy(std::string_view name);

/// A policy from a file's value:
///   extends: operate               # a named policy; none: nothing is allowed
///   allow: [containers.logs, networks.*]
///   deny: [images.remove]
///   grants: [host-network, "capabilities=NET_ADMIN"]
///   binds: [/srv/media]
///   labels: {team: blue}
///   registries: [docker.io]
///   replies: whole | labelled | redacted
///   body-limit: 4194304
/// Code::invalid for any other key, an operation or rule that does not exist, or a path that is not absolute.
Result<Policy> parse_policy(const Json& value, std::string name);

/// Every rule that a body can break.
std::span<const std::string_view> rules();
/// "RULE" or "RULE=VALUE" of a known rule. Code::invalid otherwise.
Result<void> check_grant(std::string_view field);
/// Whether `grant` covers the finding. Paths of binds cover what is below them.
bool covers(std::string_view grant, const Finding& finding);

/// {"grants": [{"project": "shop", "field": "privileged"}]}, the file of `berth broker grant`.
Result<std::vector<Exception>> parse_exceptions(std::string_view text);
std::string exceptions_text(const std::vector<Exception>& exceptions);

/// The policy that docker-socket-proxy's variables describe. Code::invalid for a value that is neither 0 nor 1.
Result<Policy> policy_of_environment(const std::map<std::string, std::string>& environment);

}  // namespace berth::broker
