// One line an object for verbs that act without a plan: what was done to what, as progress says it.
#pragma once

#include <string>

#include "cli/session.h"

namespace berth::cli {

/// "image shop/web:1  pushed", or as JSON with --progress json; nothing with --progress quiet.
void note_step(const Session& session, std::string kind, std::string name, std::string text,
               plan::Phase phase = plan::Phase::done);

}  // namespace berth::cli
