// Changes of the broker's grants, with their entries in the audit log.
#pragma once

#include "app/store_verb.h"
#include "broker/policy.h"

namespace berth::app {

struct GrantChange {
  std::string verb{};             ///< "grant" or "revoke"
  broker::Exception exception{};  ///< what is granted or taken back
  std::vector<broker::Exception> before{}, after{};
};

/// Writes FOLDER/grants.json and, in one transaction with it, an entry ("broker.grant", who, the project's grants
/// before and after) into the store of `flags`. False: there is no store yet, and so no entry. When the store cannot be
/// written, nothing is changed.
Result<bool> keep_grants(const std::string& folder, const GrantChange& change, const StoreFlags& flags,
                         const Environment& environment);

}  // namespace berth::app
