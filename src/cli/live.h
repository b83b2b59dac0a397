// A picture that is drawn again and again: stats and top --live.
#pragma once

#include <functional>
#include <string>

#include "cli/session.h"

namespace berth::cli {

/// Makes the next picture.
using Frame = std::function<io::Task<Result<std::string>>(Session& session)>;

/// Draws until Ctrl-C (Code::cancelled) or an error: in place on a terminal, else one picture after the other.
io::Task<Result<int>> draw_live(Session& session, io::Duration pause, Frame frame);

}  // namespace berth::cli
