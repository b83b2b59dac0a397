// Which shell a container has.
#pragma once

#include <string>

#include "cli/session.h"

namespace berth::cli {

/// "/bin/bash" where the container (an id) has one, else "/bin/sh"; Code::not_found when it has neither.
io::Task<Result<std::string>> find_shell(Session& session, std::string container);

}  // namespace berth::cli
