// Copies of volumes. They hold whatever a volume holds, secrets too: they are for those who have the whole engine.
#include <chrono>

#include "api/engine_world.h"
#include "api/settings.h"
#include "api/volume_desk.h"
#include "io/file.h"

namespace berth::api {
namespace {

constexpr auto kLongest = std::chrono::hours(24);

/// Blocking work on the pool of threads.
template <class Work>
io::Task<std::invoke_result_t<Work>> away(Work work) {
  std::optional<std::invoke_result_t<Work>> result;
  co_await io::on_pool([&] { result = work(); });
  co_return std::move(*result);
}

io::Task<Result<std::string>> folder_of(EngineWorld& world) {
  auto named = CO_TRY(co_await world.database.read<std::string>(load_backup_folder));
  co_return named.empty() ? world.volumes.folder() : std::move(named);
}

Json shown(const Json& copy) {
  const auto name = backup::parse_copy(copy["name"].text());
  return Json::object({{"name", copy["name"]},
                       {"volume", copy["volume"]},
                       {"at", name ? Json(name->time * 1000) : Json()},
                       {"size", copy["bytes"]},
                       {"stored", copy["stored"]},
                       {"meanwhile", copy["meanwhile"]},
                       {"running", copy["running"]},
                       {"sha256", copy["sha256"]}});
}

io::Task<Result<Reply>> list_of(EngineWorld& world, Call& call, std::string volume) {
  const std::string folder = CO_TRY(co_await folder_of(world));
  auto copies = co_await away([&] { return backup::list_copies(folder, volume); });
  if (!copies && copies.error().code != Code::not_found) co_return fail(copies.error());
  std::vector<Json> items;
  Json broken = Json::array();
  if (copies) {
    for (const Json& copy : copies->whole) items.push_back(shown(copy));
    for (const std::string& why : copies->broken) broken.push(why);
  }
  Reply reply = page(call, std::move(items));
  reply.body.set("folder", folder);
  reply.body.set("broken", std::move(broken));
  co_return reply;
}

io::Task<Result<Reply>> list_all(EngineWorld& world, Call& call) {
  return list_of(world, call, std::string(call.option("volume")));
}

io::Task<Result<Reply>> list_one(EngineWorld& world, Call& call) {
  return list_of(world, call, std::string(call.parameter("name")));
}

VolumeDesk::Tell tell_to(job::Log& log) {
  return [&log](const std::string& line, const Json& progress) { log.say(line, job::Level::info, progress); };
}

/// Of a project's own jobs none waits for it: copying takes long and changes nothing of the project.
io::Task<Result<Reply>> order_long(EngineWorld& world, Call& call, std::string kind, job::Work work) {
  auto id = CO_TRY(co_await world.jobs.submit({.kind = std::move(kind),
                                               .subject = call.record.subject,
                                               .actor = call.who.id,
                                               .name = call.who.name,
                                               .deadline = kLongest,
                                               .work = std::move(work)}));
  co_return accepted(std::move(id));
}

std::string mebibytes(const backup::Stream& stream) {
  return std::to_string(stream.bytes) + " bytes, " + std::to_string(stream.stored) + " compressed";
}

io::Task<Result<void>> back_up_job(EngineWorld& world, VolumeDesk::BackUp what, job::Log& log) {
  what.folder = CO_TRY(co_await folder_of(world));
  CO_TRY(co_await away([&] { return io::make_folder(what.folder, 0700); }));
  const auto made = CO_TRY(co_await world.volumes.back_up(what, tell_to(log)));
  log.say(made.file + " (" + mebibytes(made.stream) + ")");
  for (const std::string& older : made.gone) log.say("removed " + older);
  co_return Result<void>{};
}

Result<backup::Meanwhile> meanwhile_of(std::string_view word) {
  if (word.empty() || word == "run") return backup::Meanwhile::run;
  if (word == "pause") return backup::Meanwhile::pause;
  if (word == "stop") return backup::Meanwhile::stop;
  return fail(Code::invalid, "body: \"meanwhile\" is run, pause or stop");
}

Result<std::size_t> keep_of(const Json& wish) {
  constexpr std::int64_t kMost = 10'000;
  if (wish.is_null()) return 0;
  const std::int64_t keep = wish.integer();
  if (keep > 0 && keep <= kMost) return static_cast<std::size_t>(keep);
  return fail(Code::invalid, "body: \"keep\" is a number of copies from 1 to " + std::to_string(kMost));
}

io::Task<Result<Reply>> back_up(EngineWorld& world, Call& call) {
  const Json volume = CO_TRY(co_await load_volume(world, call, Permission::engine));
  const VolumeDesk::BackUp what{.volume = std::string(volume["Name"].text()),
                                .meanwhile = CO_TRY(meanwhile_of(call.body["meanwhile"].text())),
                                .keep = CO_TRY(keep_of(call.body["keep"]))};
  call.record.difference = Json::object({{"meanwhile", call.body["meanwhile"].text("run")}});
  if (what.keep > 0) call.record.difference.set("keep", static_cast<std::int64_t>(what.keep));
  co_return co_await order_long(world, call, "volume.backup",
                                [&world, what](job::Log& log) { return back_up_job(world, what, log); });
}

struct Copy {
  std::string file{};
  Json description{};
};
/// The copy that {backup} names. Code::not_found: also for a name that is none, so that nothing leads out of the
/// folder.
io::Task<Result<Copy>> load_copy(EngineWorld& world, Call& call) {
  const std::string name(call.parameter("backup"));
  call.record.subject = "backup:" + name;
  if (!backup::parse_copy(name)) co_return fail(Code::not_found, "there is no backup \"" + name + "\"");
  Copy copy{.file = CO_TRY(co_await folder_of(world)) + "/" + name + std::string(backup::kCopySuffix)};
  if (!io::exists(copy.file)) co_return fail(Code::not_found, "there is no backup \"" + name + "\"");
  copy.description = CO_TRY(co_await away([&] { return backup::read_manifest(copy.file); }));
  co_return copy;
}

io::Task<Result<Reply>> remove(EngineWorld& world, Call& call) {
  const Copy copy = CO_TRY(co_await load_copy(world, call));
  call.record.difference = Json::object({{"volume", copy.description["volume"]},
                                         {"bytes", copy.description["bytes"]},
                                         {"sha256", copy.description["sha256"]}});
  CO_TRY(co_await away([&] { return backup::remove_copy(copy.file); }));
  co_return Reply{.status = 204};
}

io::Task<Result<void>> verify_job(std::string file, job::Log& log) {
  log.say("reading " + file);
  const auto stream = CO_TRY(co_await away([&] { return backup::verify(file); }));
  log.say("it is whole (" + mebibytes(stream) + ")");
  co_return Result<void>{};
}

io::Task<Result<Reply>> verify(EngineWorld& world, Call& call) {
  const Copy copy = CO_TRY(co_await load_copy(world, call));
  co_return co_await order_long(world, call, "backup.verify",
                                [file = copy.file](job::Log& log) { return verify_job(file, log); });
}

io::Task<Result<void>> restore_job(EngineWorld& world, std::string file, std::string volume, job::Log& log) {
  const auto restored = CO_TRY(co_await world.volumes.restore(std::move(file), std::move(volume), tell_to(log)));
  log.say("volume " + restored.volume + " is restored (" + mebibytes(restored.stream) + ")");
  co_return Result<void>{};
}

io::Task<Result<Reply>> restore(EngineWorld& world, Call& call) {
  const Copy copy = CO_TRY(co_await load_copy(world, call));
  const std::string volume(call.body["volume"].text(copy.description["volume"].text()));
  call.record.difference = Json::object({{"volume", volume}});
  const auto volumes = CO_TRY(co_await world.desk.list(Kind::volume));
  for (const Json& each : volumes->items())
    if (each["Name"].text() == volume)
      co_return fail(Code::conflict, "volume " + volume + " exists; restore to another name, or remove it first");
  co_return co_await order_long(world, call, "backup.restore", [&world, file = copy.file, volume](job::Log& log) {
    return restore_job(world, file, volume, log);
  });
}

}  // namespace

io::Task<std::int64_t> newest_backup(EngineWorld& world, std::string volume) {
  const auto folder = co_await folder_of(world);
  std::int64_t newest = 0;
  if (folder) co_await io::on_pool([&] { newest = backup::newest_copy(*folder, volume); });
  co_return newest;
}

Routes backup_routes(EngineWorld& world) {
  const auto route = [](std::string_view method, std::string_view path, std::string_view summary, Answer answer) {
    return Route{.method = method,
                 .path = path,
                 .needs = Permission::engine,
                 .where = Where::whole,
                 .summary = summary,
                 .handler = std::move(answer)};
  };
  Route all = route("GET", "/api/v1/backups", "Copies of volumes, the newest first", at_local(world, list_all));
  all.query = {kLimit, kCursor, {.name = "volume", .meaning = "of this one only"}};
  Route one = route("GET", "/api/v1/volumes/{name}/backups", "Copies of a volume, also of one that is gone",
                    at_local(world, list_one));
  one.query = {kLimit, kCursor};
  Route make = route("POST", "/api/v1/volumes/{name}/backups", "Copy a volume; a job", at_local(world, back_up));
  make.fields = {{.name = "meanwhile", .meaning = "what its users do: run (unless said), pause or stop"},
                 {.name = "keep", .type = "integer", .meaning = "copies of this volume that stay; older ones go"}};
  make.verb = "volume.backup";
  Route check = route("POST", "/api/v1/backups/{backup}/verify", "Read a copy whole; a job", at_local(world, verify));
  check.verb = "backup.verify";
  Route back =
      route("POST", "/api/v1/backups/{backup}/restore", "Make a new volume of a copy; a job", at_local(world, restore));
  back.fields = {{.name = "volume", .meaning = "name of the new one; the one that it had unless said"}};
  back.verb = "backup.restore";
  Route gone =
      route("DELETE", "/api/v1/backups/{backup}", "Remove a copy with its description; 204", at_local(world, remove));
  gone.verb = "backup.remove";
  return {std::move(all), std::move(one), std::move(make), std::move(check), std::move(back), std::move(gone)};
}

}  // namespace berth::api
