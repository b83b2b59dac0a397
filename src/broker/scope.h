// A policy with labels: its client sees and touches only what carries them.
#pragma once

#include "broker/decide.h"

namespace berth::broker {

/// What the engine cannot narrow to labels, and names others' containers: refused where a policy has labels.
bool leaks_others(const Policy& policy, const Operation& operation);
/// Adds the labels to the filters of lists and prunes, and the object in the path to `verdict.references`.
void scope_head(const Policy& policy, Verdict& verdict);
/// Puts the labels into the body of what is created, and adds what the body names to `verdict.references`.
void scope_body(const Policy& policy, Json& body, Verdict& verdict);
/// Whether an object's labels (null for none) hold all of the policy's.
bool in_scope(const Policy& policy, const Json& labels);

}  // namespace berth::broker
