// Generations on the command line: where a project's lie, and what they say of who made them.
#pragma once

#include <string>

#include "cli/session.h"
#include "compose/keep.h"

namespace berth::cli {

using compose::History;
using compose::Source;

/// Of the project that `session` loaded; without the targets that were named, for a generation is of the whole.
Result<Source> source_of(const Session& session, LoadWish wish);
/// Where this command keeps generations, and what they say of it.
compose::Keeping keeping_of(const Session& session);
/// The project's generations, opened: Code::not_found where the engine is not known to berth.
io::Task<Result<History>> open_history(Session& session, std::string project);
/// -p, else what the files say, else (they cannot be read) the last project that was brought up from this folder.
io::Task<Result<std::string>> history_project(Session& session);
/// "3" as a number; Code::invalid for anything else.
Result<int> generation_number(std::string_view text);

}  // namespace berth::cli
