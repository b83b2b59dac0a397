// A plan for people.
#pragma once

#include <string>

#include "cli/console.h"
#include "plan/observed.h"
#include "plan/plan.h"

namespace berth::cli {

/// A tree: what is shared, then each service with how long it would be away, its containers and why; below each the
/// fields that differ and what data is at risk. Then the summary. In colours where `sink` has them.
std::string plan_text(const plan::Plan& plan, const plan::Observed& observed, const Sink& sink);

}  // namespace berth::cli
