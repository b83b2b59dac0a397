// Asking before data may be lost.
#pragma once

#include "cli/session.h"
#include "plan/plan.h"

namespace berth::cli {

/// Names every node of `plan` that puts data at risk. With `yes`, or when there is none, goes on; asks on a terminal
/// (Code::cancelled for a no); Code::denied where nobody can be asked. Notices are not asked about.
Result<void> ask_for_risks(Session& session, const plan::Plan& plan, bool yes);

}  // namespace berth::cli
