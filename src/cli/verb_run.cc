#include <fmt/format.h>

#include "base/hash.h"
#include "cli/carry_out.h"
#include "cli/oneoff.h"
#include "cli/terminal_session.h"
#include "cli/up_options.h"
#include "cli/verbs.h"
#include "compose/create.h"
#include "engine/container.h"
#include "io/file.h"
#include "plan/apply.h"

namespace berth::cli {
namespace {

// What a one-off run needs from its beginning to its end.
struct OneOff {
  compose::Project project;
  std::string service;
  std::string id{};
  std::string name{};
  bool tty = false;
  bool input = false;
};

std::string fresh_slug() {
  const auto random = io::read_file("/proc/sys/kernel/random/uuid");
  return random ? sha256_hex(*random).substr(0, 12) : std::string("000000000000");
}

// Networks, volumes, the image, and unless --no-deps what the service depends on.
io::Task<Result<void>> prepare(Session& session, const OneOff& run) {
  const auto& flags = session.options.run;
  compose::UpOptions options{.services = {run.service},
                             .no_deps = flags.no_deps,
                             .build = flags.build ? compose::Build::always : compose::Build::missing,
                             .remove_orphans = flags.remove_orphans,
                             .adopt = session.options.global.adopt,
                             .ignore_orphans = true};
  const CarryOut what{.project = run.project,
                      .planner = [&](const plan::Observed& observed, bool settled) -> Result<plan::Plan> {
                        return without_service(TRY(plan_of_round(run.project, observed, options, settled)),
                                               run.service);
                      },
                      .owner = "run",
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
                                                 .use_aliases = session.options.run.use_aliases}));
  if (session.options.run.remove && session.options.run.detach) request.body.slot("HostConfig").set("AutoRemove", true);
  // The end of our input is the end of the process's.
  if (run.input)
    for (const char* key : {"AttachStdin", "StdinOnce"}) request.body.set(key, true);
  if (!session.options.run.name.empty()) request.name = session.options.run.name;
  run.name = request.name;
  const auto plan = CO_TRY(plan_oneoff(request, run.service));
  const auto outcome = CO_TRY(co_await plan::apply(client, plan, {}));
  if (!outcome.ok()) co_return fail(outcome.error());
  run.id = outcome.results.at(1);
  co_return Result<void>{};
}

io::Task<Result<int>> run_attached(Session& session, const OneOff& run) {
  auto& client = *CO_TRY(co_await session.engine());
  auto attachment = CO_TRY(co_await engine::attach_container(client, run.id, {.in = run.input, .tty = run.tty}));
  CO_TRY(co_await engine::start_container(client, run.id));
  const Terminal how{.tty = run.tty, .input = run.input, .resize = [&](int width, int height) {
                       return engine::resize_container(client, run.id, width, height);
                     }};
  CO_TRY(co_await connect_terminal(session, attachment, how));
  co_return static_cast<int>(CO_TRY(co_await engine::wait_container(client, run.id)));
}

// After an end or a Ctrl-C: nothing of a --rm run stays, and a container without its terminal does not run on.
io::Task<Result<void>> clean_up(Session& session, const OneOff& run) {
  auto& client = *CO_TRY(co_await session.engine());
  if (session.cancel.requested()) CO_TRY(co_await engine::stop_container(client, run.id));
  if (session.options.run.remove)
    CO_TRY(co_await engine::remove_container(client, run.id, {.force = true, .volumes = true}));
  co_return Result<void>{};
}

}  // namespace

io::Task<Result<int>> verb_run(Session& session) {
  const auto& flags = session.options.run;
  const auto& arguments = session.options.arguments;
  OneOff run{.project = {}, .service = arguments.front()};
  run.project = CO_TRY(session.load({.targets = {run.service}, .with_dependencies = !flags.no_deps}));
  run.input = flags.interactive && !flags.detach;
  run.tty = flags.tty && !flags.no_tty && !flags.detach && session.console.in_terminal;
  const Texts command(arguments.begin() + 1, arguments.end());
  auto service = oneoff_service(*run.project.find(run.service), flags, command, run.tty);
  if (!service) co_return session.usage(service.error().message);
  CO_TRY(co_await prepare(session, run));
  CO_TRY(co_await create(session, run, *service));
  if (flags.detach) {
    CO_TRY(co_await engine::start_container(*CO_TRY(co_await session.engine()), run.id));
    session.console.print(run.name + "\n");
    co_return kDone;
  }
  auto status = co_await run_attached(session, run);
  const auto cleaned = co_await io::shielded(clean_up(session, run), std::chrono::seconds(30));
  if (!cleaned) session.console.warning(cleaned.error().text());
  co_return status;
}

}  // namespace berth::cli
