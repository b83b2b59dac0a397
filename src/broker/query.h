// The parameters of a request in one spelling, each known to its operation.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "broker/operation.h"
#include "broker/policy.h"

namespace berth::broker {

using Query = std::vector<std::pair<std::string, std::string>>;

/// `text` behind the '?'. Code::invalid for a parameter that the operation has not, one that comes twice and may not,
/// or a value of the wrong kind; what needs a grant is added to `findings`.
Result<Query> read_query(const Operation& operation, std::string_view text, Findings& findings);
/// The host that an image comes from: "docker.io" when the reference names none.
std::string registry_of(std::string_view image);

}  // namespace berth::broker
