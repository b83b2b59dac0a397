// The broker's files: policies and grants, which only root may write.
#pragma once

#include <string>
#include <vector>

#include "broker/policy.h"

namespace berth::app {

inline constexpr std::string_view kBrokerFolder = "/etc/berth/broker.d";

/// FOLDER/grants.json.
std::string grants_file(const std::string& folder);
/// What a listener's policy is made of.
struct PolicySource {
  std::string policy{};              ///< a name or a file
  std::string folder{};              ///< of policies and grants
  std::vector<std::string> roots{};  ///< folders that may be bound beside the policy's own
  std::string engine_socket{};       ///< "": the engine has none
};
/// Grants, roots and what is hidden added to `policy`. Roots and granted folders count as written and where their links
/// lead, if nobody but root or this account could have put the links there. Codes as load_policy.
Result<broker::Policy> complete_policy(broker::Policy policy, const PolicySource& source);
/// The same of the policy that `source` names.
Result<broker::Policy> policy_from(const PolicySource& source);
/// A policy by the path of its file, by the name of FOLDER/NAME.yaml, .yml or .json, or else one of berth's own.
/// Code::denied for a file (or its folder) that another account than root and ours owns or may write.
Result<broker::Policy> load_policy(const std::string& name, const std::string& folder);
/// None where there is no file. Codes as load_policy.
Result<std::vector<broker::Exception>> load_grants(const std::string& folder);
/// Makes the folder where it is missing.
Result<void> save_grants(const std::string& folder, const std::vector<broker::Exception>& grants);

}  // namespace berth::app
