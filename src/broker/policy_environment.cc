// The variables of docker-socket-proxy, so that the broker can stand where it stood.
#include <algorithm>
#include <cctype>

#include "broker/policy.h"

namespace berth::broker {
namespace {

struct Variable {
  std::string_view name;
  bool by_default;
};
constexpr Variable kOnByDefault[] = {{"EVENTS", true}, {"PING", true}, {"VERSION", true}};

struct Also {
  std::string_view operation, variable;
};
// These open single operations, whatever POST and CONTAINERS say.
constexpr Also kAlso[] = {{"containers.start", "ALLOW_START"},    {"containers.stop", "ALLOW_STOP"},
                          {"containers.stop", "ALLOW_RESTARTS"},  {"containers.restart", "ALLOW_RESTARTS"},
                          {"containers.kill", "ALLOW_RESTARTS"},  {"containers.pause", "ALLOW_PAUSE"},
                          {"containers.unpause", "ALLOW_UNPAUSE"}};

// A GET that reads files of containers or images, or makes the engine connect somewhere, needs POST=1 too.
constexpr std::string_view kHazards[] = {
    "containers.archive-get", "containers.archive-info", "containers.export",  "images.save",
    "images.save-all",        "images.search",           "images.distribution"};

using Environment = std::map<std::string, std::string>;

Result<bool> read(const Environment& environment, const std::string& name, bool fallback) {
  const auto found = environment.find(name);
  if (found == environment.end() || found->second.empty()) return fallback;
  if (found->second == "0" || found->second == "1") return found->second == "1";
  return fail(Code::invalid, name + ": \"" + found->second + "\" is neither 0 nor 1");
}

// The first part of the path in capitals: "_ping" is PING.
std::string section_of(const Operation& operation) {
  std::string_view path = operation.path.substr(1);
  path = path.substr(0, path.find('/'));
  if (path.starts_with('_')) path.remove_prefix(1);
  std::string out(path);
  std::transform(out.begin(), out.end(), out.begin(), [](unsigned char c) { return std::toupper(c); });
  return out;
}

Result<bool> allows(const Environment& environment, const Operation& operation, bool post) {
  const std::string section = section_of(operation);
  const bool usual = std::any_of(std::begin(kOnByDefault), std::end(kOnByDefault),
                                 [&](const Variable& each) { return each.name == section; });
  const bool hazard = std::find(std::begin(kHazards), std::end(kHazards), operation.name) != std::end(kHazards);
  bool allowed = TRY(read(environment, section, usual)) && (post || (operation.reads() && !hazard));
  for (const Also& also : kAlso)
    if (also.operation == operation.name)
      allowed = TRY(read(environment, std::string(also.variable), false)) || allowed;
  return allowed && operation.needs != Needs::refusal;
}

}  // namespace

Result<Policy> policy_of_environment(const Environment& environment) {
  Policy policy;
  policy.name = "environment";
  const bool post = TRY(read(environment, "POST", false));
  for (const Operation& operation : operations())
    policy.operations.push_back(TRY(allows(environment, operation, post)));
  return policy;
}

}  // namespace berth::broker
