// Our terminal connected to a process in a container: exec and run share it.
#pragma once

#include <functional>

#include "cli/session.h"
#include "engine/output.h"

namespace berth::cli {

struct Terminal {
  bool tty = false;    ///< raw mode, and the size follows our terminal's
  bool input = false;  ///< our standard input goes to the process
  std::function<io::Task<Result<void>>(int width, int height)> resize{};
};

/// Copies both ways until the process closes its output. The terminal's old mode is back when it returns.
io::Task<Result<void>> connect_terminal(Session& session, engine::Attachment& attachment, Terminal how);

}  // namespace berth::cli
