#include "cli/oneoff_life.h"

#include <fmt/format.h>

#include "base/hash.h"
#include "cli/carry_out.h"
#include "cli/oneoff.h"
#include "cli/up_options.h"
#include "compose/create.h"
#include "engine/container.h"
#include "io/file.h"
#include "plan/apply.h"

namespace berth::cli {
namespace {

std::string fresh_slug() {
  const auto random = io::read_file("/proc/sys/kernel/random/uuid");
  return random ? sha256_hex(*random).substr(0, 12) : std::string("000000000000");
}

// Networks, volumes, the image, and unless --no-deps what the service depends on.
io::Task<Result<void>> prepare(Session& session, const OneOff& run) {
  const auto& flags = run.flags;
  compose::UpOptions options{.services = {run.service},
                             .no_deps = flags.no_deps,
                             .build = flags.build ? compose::Build::always : compose::Build::missing,
                             .pull = pull_policy(flags.pull),
                             .remove_orphans = flags.remove_orphans,
                             .adopt = session.options.global.adopt,
                             .ignore_orphans = true};
  const CarryOut what{.project = run.project,
                      .planner = [&](const plan::Observed& observed, bool settled) -> Result<plan::Plan> {
                        return without_service(TRY(plan_of_round(run.project, observed, options, settled)),
                                               run.service);
                      },
                      .owner = session.options.verb,
                      .quiet_images = flags.quiet_pull};
  CO_TRY(co_await carry_out(session, what));
  co_return Result<void>{};
}

std::map<std::string, std::string> containers_by_service(const plan::Observed& observed) {
  std::map<std::string, std::string> out;
  for (const auto& container : observed.containers)
    if (!container.oneoff) out.try_emplace(container.service, container.id);
  return out;
}

Result<plan::Plan> plan_oneoff(const compose::CreateRequest& request, const std::string& service) {
  if (!request.references.empty())
    return fail(Code::not_found, "service \"" + service + "\" shares something with service \"" +
                                     request.references.front().service + "\", which has no container");
  plan::PlanBuilder builder("");
  const auto node = [&](plan::Op op, std::vector<int> after) {
    return builder.add({.op = std::move(op),
                        .after = std::move(after),
                        .subject = "service:" + service + ":run",
                        .cause = "one-off",
                        .group = service});
  };
  const int create =
      node(plan::CreateContainer{.name = request.name, .body = request.body, .platform = request.platform}, {});
  const plan::ContainerRef ref{.name = request.name, .created_by = create};
  for (const auto& connection : request.connections)
    node(plan::ConnectNetwork{ref, connection.network, connection.endpoint}, {create});
  if (!request.files.empty()) node(plan::CopyIn{ref, request.files}, {create});
  return builder.take();
}

io::Task<Result<void>> create(Session& session, OneOff& run, const compose::Service& service) {
  auto& client = *CO_TRY(co_await session.engine());
  const auto observed = CO_TRY(co_await observe_project(session, run.project));
  const auto* image = observed.image(compose::image_name(run.project, service));
  auto request = CO_TRY(compose::create_request({.project = run.project,
                                                 .service = service,
                                                 .version = client.version(),
                                                 .containers = containers_by_service(observed),
                                                 .image_id = image ? image->id : "",
                                                 .slug = fresh_slug(),
                                                 .use_aliases = run.flags.use_aliases}));
  if (run.flags.remove && run.flags.detach) request.body.slot("HostConfig").set("AutoRemove", true);
  // The end of our input is the end of the process's.
  if (run.input)
    for (const char* key : {"AttachStdin", "StdinOnce"}) request.body.set(key, true);
  if (!run.flags.name.empty()) request.name = run.flags.name;
  run.name = request.name;
  const auto plan = CO_TRY(plan_oneoff(request, run.service));
  const auto outcome = CO_TRY(co_await plan::apply(client, plan, {}));
  if (!outcome.ok()) co_return fail(outcome.error());
  run.id = outcome.results.at(1);
  co_return Result<void>{};
}

}  // namespace

io::Task<Result<void>> make_oneoff(Session& session, OneOff& run, compose::Service service) {
  CO_TRY(co_await prepare(session, run));
  if (session.options.global.dry_run) co_return Result<void>{};
  co_return co_await create(session, run, service);
}

io::Task<Result<void>> end_oneoff(Session& session, const OneOff& run) {
  auto& client = *CO_TRY(co_await session.engine());
  if (session.cancel.requested()) CO_TRY(co_await engine::stop_container(client, run.id));
  if (run.flags.remove) CO_TRY(co_await engine::remove_container(client, run.id, {.force = true, .volumes = true}));
  co_return Result<void>{};
}

}  // namespace berth::cli
