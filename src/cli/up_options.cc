#include "cli/up_options.h"

#include "base/text.h"

namespace berth::cli {
namespace {

// Two flags that cannot stand together.
struct Clash {
  bool first, second;
  std::string_view names;
};
Result<void> check(Session& session, std::initializer_list<Clash> clashes) {
  for (const auto& clash : clashes)
    if (clash.first && clash.second) return session.usage(std::string(clash.names) + " exclude each other");
  return {};
}

compose::Build build_of(bool build, bool no_build) {
  return build ? compose::Build::always : no_build ? compose::Build::never : compose::Build::missing;
}

}  // namespace

compose::Pull pull_policy(std::string_view text) {
  if (text == "always") return compose::Pull::always;
  if (text == "missing" || text == "if_not_present") return compose::Pull::missing;
  return text == "never" ? compose::Pull::never : compose::Pull::policy;
}

Result<compose::UpOptions> up_options(Session& session) {
  const auto& up = session.options.up;
  TRY(check(session, {{up.build, up.no_build, "--build and --no-build"},
                      {up.force_recreate, up.no_recreate, "--force-recreate and --no-recreate"},
                      {up.no_recreate, up.renew_anon_volumes, "--no-recreate and --renew-anon-volumes"},
                      {up.always_recreate_deps, up.no_recreate, "--always-recreate-deps and --no-recreate"},
                      {up.wait, !up.exit_code_from.empty(), "--wait and --exit-code-from"},
                      {up.wait || up.detach, up.watch, "--detach or --wait and --watch"},
                      {up.wait || up.detach, up.abort_on_exit || up.abort_on_failure,
                       "--detach or --wait and --abort-on-container-exit"}}));
  compose::UpOptions out{
      .services = session.options.arguments,
      .force_recreate = up.force_recreate,
      .no_recreate = up.no_recreate,
      .always_recreate_deps = up.always_recreate_deps,
      .no_deps = up.no_deps,
      .no_start = up.no_start,
      .build = build_of(up.build || up.pull == "build", up.no_build),
      .pull = pull_policy(up.pull),
      .remove_orphans = up.remove_orphans || compose::is_on(session.setting("COMPOSE_REMOVE_ORPHANS")),
      .renew_anon_volumes = up.renew_anon_volumes,
      .timeout = up.timeout,
      .wait = up.wait,
      .wait_timeout = up.wait_timeout,
      .adopt = session.options.global.adopt};
  out.rolling = !up.no_rolling;
  out.ignore_orphans = compose::is_on(session.setting("COMPOSE_IGNORE_ORPHANS"));
  auto scale = parse_scale(up.scale);
  if (!scale) return session.usage(scale.error().message);
  out.scale = std::move(*scale);
  return out;
}

Result<compose::UpOptions> create_options(Session& session) {
  const auto& create = session.options.create;
  TRY(check(session, {{create.build, create.no_build, "--build and --no-build"},
                      {create.force_recreate, create.no_recreate, "--force-recreate and --no-recreate"}}));
  compose::UpOptions out{.services = session.options.arguments,
                         .force_recreate = create.force_recreate,
                         .no_recreate = create.no_recreate,
                         .no_start = true,
                         .build = build_of(create.build || create.pull == "build", create.no_build),
                         .pull = pull_policy(create.pull),
                         .remove_orphans = create.remove_orphans,
                         .adopt = session.options.global.adopt};
  auto scale = parse_scale(create.scale);
  if (!scale) return session.usage(scale.error().message);
  out.scale = std::move(*scale);
  return out;
}

Result<compose::DownOptions> down_options(Session& session) {
  const auto& down = session.options.down;
  compose::DownOptions out{
      .services = session.options.arguments,
      .remove_orphans = down.remove_orphans || compose::is_on(session.setting("COMPOSE_REMOVE_ORPHANS")),
      .volumes = down.volumes,
      .timeout = down.timeout,
      .adopt = session.options.global.adopt};
  if (down.rmi == "all")
    out.images = compose::RemoveImages::all;
  else if (down.rmi == "local")
    out.images = compose::RemoveImages::local;
  else if (!down.rmi.empty())
    return session.usage("--rmi " + down.rmi + ": all or local");
  return out;
}

LoadWish up_wish(const compose::UpOptions& options) {
  return {.targets = options.services, .with_dependencies = !options.no_deps, .scale = options.scale};
}

}  // namespace berth::cli
