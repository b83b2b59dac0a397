// What a client that may only look gets of the engine's replies: known members that hold no secret; all others, new
// ones included, stay behind.
#pragma once

#include <string>
#include <string_view>

#include "broker/operation.h"
#include "broker/policy.h"

namespace berth::broker {

/// Whether replies of `operation` to a client of `policy` go through redact() or EventRedactor.
bool is_redacted(const Policy& policy, const Operation& operation);
/// The reply without environment, arguments, commands, options, paths of the host, output of health checks, and, for
/// Replies::redacted, labels of others than Compose, berth and images' own.
Json redact(const Policy& policy, const Operation& operation, const Json& reply);

/// The same for the stream of /events, one JSON object a line.
class EventRedactor {
 public:
  explicit EventRedactor(const Policy& policy) : policy_(policy) {}
  /// What may be passed on of everything so far. Code::internal for a line that is no JSON or longer than 1 MiB.
  Result<std::string> feed(std::string_view bytes);

 private:
  const Policy& policy_;
  std::string line_;
};

}  // namespace berth::broker
