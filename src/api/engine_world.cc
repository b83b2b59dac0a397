#include "api/engine_world.h"

#include <algorithm>

#include "engine/container.h"
#include "engine/image.h"
#include "engine/registry.h"

namespace berth::api {
namespace {

constexpr std::size_t kShortId = 12;

std::string_view engine_of(const Call& call) {
  return call.option("engine", "local");
}
bool is_local(const Call& call) {
  return engine_of(call) == "local";
}

// The engine of a server, with everything that is berth's own as it is here.
EngineWorld world_of(const EngineWorld& world, const OtherEngine& other) {
  return {.desk = *other.desk,
          .jobs = world.jobs,
          .events = other.events,
          .log = world.log,
          .sampler = world.sampler,
          .database = world.database,
          .terminals = world.terminals,
          .volumes = world.volumes,
          .logs = world.logs,
          .elsewhere = true};
}

// Memberships are of projects on the local engine: one of the same name elsewhere is another project.
io::Task<Result<OtherEngine>> find_engine(EngineWorld& world, Call& call) {
  const std::string name(engine_of(call));
  if (!auth::may(call.who, Permission::view)) co_return hide(call, "engine \"" + name + "\"");
  if (!world.other_engine) co_return fail(Code::not_found, "there is no engine \"" + name + "\"");
  auto other = CO_TRY(co_await world.other_engine(name));
  if (call.method != "GET")
    co_return fail(Code::conflict, "berth only looks at engine \"" + name + "\"; change it there, or from here by " +
                                       "`berth --host " + other.desk->address() + "`");
  co_return other;
}

template <class Got, class Handler>
io::Task<Result<Got>> handle_elsewhere(EngineWorld& world, Handler handler, Call& call) {
  const OtherEngine other = CO_TRY(co_await find_engine(world, call));
  EngineWorld there = world_of(world, other);
  co_return co_await handler(there, call);
}

template <class Got>
io::Task<Result<Got>> refuse_elsewhere(EngineWorld& world, Call& call) {
  const OtherEngine other = CO_TRY(co_await find_engine(world, call));
  co_return fail(Code::conflict, "berth keeps and does this only on the engine beside it, not on \"" +
                                     std::string(engine_of(call)) + "\"; leave `engine` away");
}

template <class Got, class Handler>
auto elsewhere_too(EngineWorld& world, Handler handler) {
  return [&world, handler](Call& call) {
    return is_local(call) ? handler(world, call) : handle_elsewhere<Got>(world, handler, call);
  };
}

template <class Got, class Handler>
auto only_here(EngineWorld& world, Handler handler) {
  return [&world, handler](Call& call) {
    return is_local(call) ? handler(world, call) : refuse_elsewhere<Got>(world, call);
  };
}

bool is_named(const ContainerItem& item, std::string_view name) {
  return item.id == name || item.name == name || (name.size() >= kShortId && item.id.starts_with(name));
}

// What a message of a pull says as a line; "" for the many that only count bytes.
std::string pull_line(const Json& message) {
  if (!message.at("progressDetail.total").is_null()) return {};
  const std::string id(message["id"].text()), status(message["status"].text());
  return id.empty() ? status : id + ": " + status;
}

Json pull_progress(const Json& message) {
  const Json& detail = message["progressDetail"];
  if (detail["total"].is_null()) return {};
  return Json::object({{"what", message["id"].text()}, {"done", detail["current"]}, {"of", detail["total"]}});
}

// Lives as long as `tell`.
engine::ProgressSink transfer_sink(const TellLine& tell) {
  return [&tell](const Json& message) {
    const std::string line = pull_line(message);
    const Json progress = pull_progress(message);
    if (!line.empty() || !progress.is_null()) tell(line.empty() ? message["status"].text() : line, progress);
  };
}

io::Task<Result<std::string>> auth_of(EngineWorld& world, std::string reference) {
  if (!world.registry_auth) co_return std::string();
  co_return co_await world.registry_auth(std::move(reference));
}

Result<void> outcome_of(Result<void> done, const std::string& reference) {
  if (done) return {};
  Error error = std::move(done.error()).within(reference);
  error.message += engine::login_advice(error, reference, "berth registry login");
  return fail(std::move(error));
}

}  // namespace

Answer at_engine(EngineWorld& world, EngineAnswer answer) {
  return elsewhere_too<Reply>(world, answer);
}
Stream at_engine(EngineWorld& world, EngineStream stream) {
  return elsewhere_too<void>(world, stream);
}
Answer at_local(EngineWorld& world, EngineAnswer answer) {
  return only_here<Reply>(world, answer);
}
Stream at_local(EngineWorld& world, EngineStream stream) {
  return only_here<void>(world, stream);
}

std::string project_of(const Json& labels) {
  return std::string(labels["com.docker.compose.project"].text());
}

std::unexpected<Error> hide(Call& call, std::string_view what) {
  call.denied = true;
  return fail(Code::not_found, "there is no " + std::string(what));
}

std::unexpected<Error> lacks(const Call& call, Permission needs) {
  return fail(Code::denied, "this needs the permission \"" + std::string(auth::to_text(needs)) + "\", which " +
                                (call.who.name.empty() ? "this caller" : call.who.name) + " does not have");
}

io::Task<Result<ContainerItem>> load_container(EngineWorld& world, Call& call, Permission needs) {
  const std::string name(call.parameter("id"));
  const auto containers = CO_TRY(co_await world.desk.containers());
  const auto found = std::ranges::find_if(*containers, [&](const ContainerItem& item) { return is_named(item, name); });
  const std::string what = "container \"" + name + "\"";
  if (found == containers->end()) co_return fail(Code::not_found, "there is no " + what);
  call.record.subject = "container:" + found->name;
  call.record.project = found->project;
  if (!may_view(call, found->project)) co_return hide(call, what);
  if (!auth::may(call.who, needs, found->project)) co_return lacks(call, needs);
  co_return *found;
}

io::Task<Result<Reply>> order(EngineWorld& world, Call& call, std::string kind, job::Work work) {
  auto id = CO_TRY(co_await world.jobs.submit({.kind = std::move(kind),
                                               .subject = call.record.subject,
                                               .project = call.record.project,
                                               .actor = call.who.id,
                                               .name = call.who.name,
                                               .work = std::move(work)}));
  co_return accepted(std::move(id));
}

io::Task<Result<void>> pull_told(EngineWorld& world, std::string reference, TellLine tell) {
  const auto client = CO_TRY(world.desk.client());
  std::string auth = CO_TRY(co_await auth_of(world, reference));
  tell("pulling " + reference, {});
  auto pulled = co_await engine::pull_image(*client, {.name = reference, .auth = std::move(auth)}, transfer_sink(tell));
  world.desk.changed(Kind::image);
  co_return outcome_of(std::move(pulled), reference);
}

io::Task<Result<void>> push_told(EngineWorld& world, std::string reference, TellLine tell) {
  const auto client = CO_TRY(world.desk.client());
  std::string auth = CO_TRY(co_await auth_of(world, reference));
  tell("pushing " + reference, {});
  co_return outcome_of(co_await engine::push_image(*client, reference, std::move(auth), transfer_sink(tell)),
                       reference);
}

io::Task<Result<std::string>> create_and_start(EngineWorld& world, CreateOrder order, TellLine tell) {
  const auto client = CO_TRY(world.desk.client());
  const auto present = co_await engine::inspect_image(*client, order.image);
  if (!present && present.error().code != Code::not_found) co_return fail(present.error());
  if (!present && order.pull) CO_TRY(co_await pull_told(world, order.image, tell));
  tell("creating container " + order.name, {});
  const auto created = CO_TRY(co_await engine::create_container(*client, {.name = order.name, .body = order.body}));
  for (const auto& warning : created.warnings) tell("warning: " + warning, {});
  world.desk.changed(Kind::container);
  tell("starting container " + created.id.substr(0, kShortId), {});
  auto started = co_await engine::start_container(*client, created.id);
  world.desk.changed(Kind::container);
  if (started) {
    tell("started", {});
    co_return created.id;
  }
  const auto removed = co_await io::shielded(engine::remove_container(*client, created.id, {.force = true}));
  tell(removed ? "it did not start and was removed" : "it did not start and is left behind", {});
  co_return fail(std::move(started).error());
}

}  // namespace berth::api
