// What newer engines no longer show, for clients that ask by an older version: all requests go on as one version, whose
// replies have lost members that those clients read. Pure.
#pragma once

#include <optional>

#include "base/json.h"
#include "broker/operation.h"
#include "broker/version.h"

namespace berth::broker {

/// Whether replies to a client that asked by 1.`client` (absent: by none, so as the newest) lack something of then.
bool lacks(const Operation& operation, std::optional<int> client, const Versions& versions);
/// The reply with it: VirtualSize of images (until 1.43), and the address in the default network beside the networks of
/// a container (until 1.51), all told by other members of the same reply. What the reply has stays.
Json as_older(const Operation& operation, int client, Json reply);

}  // namespace berth::broker
