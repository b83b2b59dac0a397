#include "cli/verbs.h"

#include <algorithm>

namespace berth::cli {
namespace {

struct Row {
  std::string_view name;
  Verb verb;
};
constexpr Row kVerbs[] = {
    {"__complete", verb_complete},
    {"adopt", verb_adopt},
    {"alpha", verb_viz},
    {"apply", verb_apply},
    {"attach", verb_attach},
    {"commit", verb_commit},
    {"completion", verb_completion},
    {"debug", verb_debug},
    {"export", verb_export},
    {"man", verb_man},
    {"push", verb_push},
    {"scale", verb_scale},
    {"stats", verb_stats},
    {"volumes", verb_volumes},
    {"watch", verb_watch},
    {"build", verb_build},
    {"compose-vectors", verb_compose_vectors},
    {"config", verb_config},
    {"convert", verb_config},
    {"cp", verb_cp},
    {"create", verb_create},
    {"docker-cli-plugin-metadata", verb_plugin_metadata},
    {"diff", verb_diff},
    {"doctor", verb_doctor},
    {"down", verb_down},
    {"events", verb_events},
    {"exec", verb_exec},
    {"explain", verb_explain},
    {"history", verb_history},
    {"images", verb_images},
    {"kill", verb_kill},
    {"logs", verb_logs},
    {"ls", verb_ls},
    {"pause", verb_pause},
    {"plan", verb_plan},
    {"port", verb_port},
    {"ps", verb_ps},
    {"pull", verb_pull},
    {"restart", verb_restart},
    {"rm", verb_rm},
    {"rollback", verb_rollback},
    {"run", verb_run},
    {"start", verb_start},
    {"stop", verb_stop},
    {"top", verb_top},
    {"unpause", verb_unpause},
    {"up", verb_up},
    {"version", verb_version},
    {"wait", verb_wait},
};

}  // namespace

Verb find_verb(std::string_view name) {
  const auto found = std::ranges::find(kVerbs, name, &Row::name);
  return found == std::end(kVerbs) ? nullptr : found->verb;
}

}  // namespace berth::cli
