// The verbs: each is one function in a file of its own (verb_<name>.cc).
#pragma once

#include <string_view>

#include "cli/session.h"

namespace berth::cli {

/// Does the verb and returns the exit status; an error is printed by the caller.
using Verb = io::Task<Result<int>> (*)(Session& session);

/// nullptr for a name without a verb.
Verb find_verb(std::string_view name);

io::Task<Result<int>> verb_adopt(Session& session);
io::Task<Result<int>> verb_apply(Session& session);
io::Task<Result<int>> verb_attach(Session& session);
io::Task<Result<int>> verb_build(Session& session);
io::Task<Result<int>> verb_commit(Session& session);
io::Task<Result<int>> verb_complete(Session& session);
io::Task<Result<int>> verb_completion(Session& session);
io::Task<Result<int>> verb_compose_vectors(Session& session);
io::Task<Result<int>> verb_config(Session& session);
io::Task<Result<int>> verb_cp(Session& session);
io::Task<Result<int>> verb_create(Session& session);
io::Task<Result<int>> verb_debug(Session& session);
io::Task<Result<int>> verb_diff(Session& session);
io::Task<Result<int>> verb_doctor(Session& session);
io::Task<Result<int>> verb_down(Session& session);
io::Task<Result<int>> verb_events(Session& session);
io::Task<Result<int>> verb_exec(Session& session);
io::Task<Result<int>> verb_explain(Session& session);
io::Task<Result<int>> verb_export(Session& session);
io::Task<Result<int>> verb_history(Session& session);
io::Task<Result<int>> verb_images(Session& session);
io::Task<Result<int>> verb_kill(Session& session);
io::Task<Result<int>> verb_logs(Session& session);
io::Task<Result<int>> verb_ls(Session& session);
io::Task<Result<int>> verb_man(Session& session);
io::Task<Result<int>> verb_pause(Session& session);
io::Task<Result<int>> verb_plan(Session& session);
io::Task<Result<int>> verb_plugin_metadata(Session& session);
io::Task<Result<int>> verb_port(Session& session);
io::Task<Result<int>> verb_ps(Session& session);
io::Task<Result<int>> verb_pull(Session& session);
io::Task<Result<int>> verb_push(Session& session);
io::Task<Result<int>> verb_restart(Session& session);
io::Task<Result<int>> verb_rm(Session& session);
io::Task<Result<int>> verb_rollback(Session& session);
io::Task<Result<int>> verb_run(Session& session);
io::Task<Result<int>> verb_scale(Session& session);
io::Task<Result<int>> verb_start(Session& session);
io::Task<Result<int>> verb_stats(Session& session);
io::Task<Result<int>> verb_stop(Session& session);
io::Task<Result<int>> verb_top(Session& session);
io::Task<Result<int>> verb_unpause(Session& session);
io::Task<Result<int>> verb_up(Session& session);
io::Task<Result<int>> verb_version(Session& session);
io::Task<Result<int>> verb_volumes(Session& session);
io::Task<Result<int>> verb_viz(Session& session);
io::Task<Result<int>> verb_wait(Session& session);
io::Task<Result<int>> verb_watch(Session& session);

}  // namespace berth::cli
