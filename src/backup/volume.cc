#include "backup/volume.h"

#include <algorithm>
#include <chrono>

#include "backup/carrier.h"
#include "base/hash.h"
#include "engine/container.h"
#include "engine/network.h"
#include "io/file.h"
#include "io/ownership.h"
#include "io/scope.h"

namespace berth::backup {
namespace {

using std::chrono::seconds;

constexpr std::size_t kBatch = 1u << 20;

/// Blocking work on the pool of threads; `work` returns a Result.
template <class Work>
io::Task<std::invoke_result_t<Work>> away(Work work) {
  std::optional<std::invoke_result_t<Work>> result;
  co_await io::on_pool([&] { result = work(); });
  co_return std::move(*result);
}

/// Running containers that have the volume mounted.
io::Task<Result<std::vector<std::pair<std::string, std::string>>>> users_of(engine::Client& client,
                                                                            std::string volume) {
  const Json all = CO_TRY(co_await engine::list_containers(client, {.all = false, .filters = {{"volume", volume}}}));
  std::vector<std::pair<std::string, std::string>> out;
  for (const Json& one : all.items()) {
    if (one["State"].text() != "running") continue;
    std::string name(one["Names"].items().empty() ? one["Id"].text() : one["Names"].items()[0].text());
    if (name.starts_with('/')) name.erase(0, 1);
    out.emplace_back(one["Id"].text(), std::move(name));
  }
  co_return out;
}

using Held = std::vector<std::pair<std::string, std::string>>;

io::Task<Result<void>> hold(engine::Client& client, Meanwhile how, Held users, Held& held) {
  for (const auto& user : users) {
    held.push_back(user);  // before the call: one that was cut off may have had its effect
    if (how == Meanwhile::pause) CO_TRY(co_await engine::pause_container(client, user.first));
    if (how == Meanwhile::stop) CO_TRY(co_await engine::stop_container(client, user.first));
  }
  co_return Result<void>{};
}

io::Task<Result<void>> let_go_now(engine::Client& client, Meanwhile how, Held held) {
  Result<void> result;
  for (const auto& [id, name] : held) {
    auto done = how == Meanwhile::pause ? co_await engine::unpause_container(client, id)
                                        : co_await engine::start_container(client, id);
    if (!done) result = fail(std::move(done.error()).within("container " + name + " does not go on"));
  }
  co_return result;
}

io::Task<Result<void>> let_go(engine::Client& client, Meanwhile how, Held held) {
  if (how == Meanwhile::run || held.empty()) co_return Result<void>{};
  co_return co_await io::shielded(let_go_now(client, how, std::move(held)), seconds(60));
}

io::Task<Result<Stream>> copy_out(engine::Client& client, std::string carrier, std::string path, Moved moved) {
  auto writer = CO_TRY(co_await away([&] { return ArchiveWriter::create(path); }));
  auto archive = CO_TRY(co_await engine::get_archive(client, carrier, "/" + std::string(kMount)));
  std::string batch;
  std::uint64_t done = 0;
  for (bool more = true; more;) {
    const auto piece = CO_TRY(co_await archive.body.next());
    more = !piece.empty();
    batch += piece;
    if (more && batch.size() < kBatch) continue;
    CO_TRY(co_await away([&] { return writer->write(batch); }));
    done += batch.size();
    if (moved) moved(done, 0);
    batch.clear();
  }
  co_return co_await away([&] { return writer->finish(); });
}

// The head of a tar is 512 bytes, its end two empty blocks: an archive of even an empty folder is longer.
struct CopyIn {
  ArchiveReader& reader;
  const Moved& moved;
  std::uint64_t of = 0;
};
io::Task<Result<std::string_view>> read_told(const CopyIn& from) {
  auto piece = co_await away([&] { return from.reader.next(); });
  if (from.moved) from.moved(from.reader.read().bytes, from.of);
  co_return piece;
}
io::Task<Result<void>> copy_in(engine::Client& client, std::string carrier, CopyIn from) {
  co_return co_await engine::put_archive(client, carrier, "/", [&] { return read_told(from); });
}

Json manifest_of(const BackUpVolume& what, const Json& volume, const VolumeBackup& made) {
  Json running = Json::array();
  for (const std::string& name : made.running) running.push(name);
  return Json::object({{"version", 1},
                       {"volume", what.volume},
                       {"driver", volume["Driver"].text()},
                       {"options", volume["Options"].is_object() ? volume["Options"] : Json::object()},
                       {"labels", volume["Labels"].is_object() ? volume["Labels"] : Json::object()},
                       {"time", what.time},
                       {"meanwhile", what.meanwhile == Meanwhile::run     ? "run"
                                     : what.meanwhile == Meanwhile::pause ? "pause"
                                                                          : "stop"},
                       {"running", std::move(running)},
                       {"bytes", made.stream.bytes},
                       {"stored", made.stream.stored},
                       {"sha256", made.stream.sha256}});
}

Result<io::FileLock> lock_of(const std::string& runtime, const std::string& volume) {
  TRY(io::make_folder(runtime, 0700));
  const std::string path = runtime + "/backup-" + sha256_hex(volume).substr(0, 16) + ".lock";
  auto lock = io::FileLock::take(path);
  if (!lock && lock.error().code == Code::busy)
    return fail(Code::busy, "volume " + volume + ": another backup or restore of it runs; try again when it is done");
  if (lock) TRY(io::settle_file(path));  // core takes it too, as its own account
  return lock;
}

Result<void> keep_some(const BackUpVolume& what, VolumeBackup& made) {
  if (what.keep == 0) return {};
  auto gone = thin_out(made.file, what.keep);
  if (!gone) return fail(std::move(gone.error()).within(made.file + " is made, but older copies of it are left"));
  made.gone = std::move(*gone);
  return {};
}

io::Task<Result<Stream>> copy_while_held(engine::Client& client, BackUpVolume what, std::string path, Note note) {
  const auto users = CO_TRY(co_await users_of(client, what.volume));
  Held held;
  auto stopped = what.meanwhile == Meanwhile::run ? Result<void>{} : co_await hold(client, what.meanwhile, users, held);
  for (const auto& [id, name] : users)
    if (what.meanwhile == Meanwhile::run) note("container " + name + " runs and may write to it meanwhile");
  Result<Stream> copied = stopped ? co_await copy_out(client, carrier_name("backup", what.volume), path, what.moved)
                                  : Result<Stream>(fail(stopped.error()));
  auto released = co_await let_go(client, what.meanwhile, held);
  if (!released) note(released.error().text());
  co_return copied;
}

}  // namespace

io::Task<Result<VolumeBackup>> back_up(engine::Client& client, BackUpVolume what, Note note) {
  const auto lock = CO_TRY(lock_of(what.runtime, what.volume));
  const Json volume = CO_TRY(co_await engine::inspect_volume(client, what.volume));
  CO_TRY(co_await away([&] { return drop_parts(what.folder, what.volume); }));
  VolumeBackup made{.file = what.folder + "/" + what.volume + "-" + what.time + std::string(kCopySuffix),
                    .volume = what.volume};
  for (auto& [id, name] : CO_TRY(co_await users_of(client, what.volume))) made.running.push_back(std::move(name));
  const std::string carrier = carrier_name("backup", what.volume);
  CO_TRY(
      co_await make_carrier(client, {.name = carrier, .volume = what.volume, .owner = what.owner, .deed = "backup"}));
  auto copied = co_await copy_while_held(client, what, made.file, note);
  co_await drop_carrier(client, carrier);
  if (!copied) co_return fail(std::move(copied.error()).within("volume " + what.volume));
  made.stream = std::move(*copied);
  const std::string text = manifest_of(what, volume, made).dump(2) + "\n";
  CO_TRY(co_await away([&] { return io::write_file(manifest_path(made.file), text, 0600); }));
  CO_TRY(co_await away([&] { return keep_some(what, made); }));
  co_return made;
}

namespace {

// While this container stands, the volume is nobody's data yet: a restore that was killed left both.
std::string mark_name(const std::string& volume) {
  return carrier_name("restoring", volume);
}

io::Task<Result<void>> fill(engine::Client& client, RestoreVolume what, std::uint64_t bytes) {
  const std::string carrier = carrier_name("restore", what.volume);
  auto made = co_await make_carrier(
      client, {.name = carrier, .volume = what.volume, .owner = what.owner, .deed = "restore", .writes = true});
  Result<void> filled = made;
  if (made) {
    auto reader = co_await away([&] { return ArchiveReader::open(what.file); });
    filled =
        reader ? co_await copy_in(client, carrier, {**reader, what.moved, bytes}) : Result<void>(fail(reader.error()));
  }
  co_await drop_carrier(client, carrier);
  co_return filled;
}

io::Task<Result<void>> make_and_fill(engine::Client& client, RestoreVolume what, Json volume, std::uint64_t bytes) {
  CO_TRY(co_await engine::create_volume(client, volume));
  auto filled = co_await fill(client, what, bytes);
  if (!filled) (void)co_await io::shielded(engine::remove_volume(client, what.volume), seconds(30));
  co_return filled;
}

io::Task<Result<void>> must_be_new(engine::Client& client, std::string volume, std::string owner) {
  const std::string carrier = carrier_name("restore", volume);
  const bool carried = CO_TRY(co_await is_left_over(client, carrier, owner));
  if (carried) CO_TRY(co_await engine::remove_container(client, carrier, {.force = true}));
  const bool marked = CO_TRY(co_await is_left_over(client, mark_name(volume), owner));
  const auto found = co_await engine::inspect_volume(client, volume);
  if (!found && found.error().code != Code::not_found) co_return fail(found.error());
  if (found && !marked)
    co_return fail(Code::conflict, "volume " + volume +
                                       " exists and nothing of it was touched; restore to another name, or remove it "
                                       "first");
  if (found) CO_TRY(co_await engine::remove_volume(client, volume));
  if (marked) CO_TRY(co_await engine::remove_container(client, mark_name(volume), {.force = true}));
  co_return Result<void>{};
}

Json wanted_volume(const Json& manifest, const std::string& name) {
  Json body = Json::object({{"Name", name}});
  const bool same = manifest["volume"].text() == name;
  Json labels = same ? manifest["labels"] : Json::object();
  if (!same) labels.set("berth.restored-from", manifest["volume"].text());
  if (same) body.set("Driver", manifest["driver"].text());
  if (same && manifest["options"].size() > 0) body.set("DriverOpts", manifest["options"]);
  body.set("Labels", std::move(labels));
  return body;
}

}  // namespace

io::Task<Result<Restored>> restore(engine::Client& client, RestoreVolume what, Note note) {
  const Json manifest = CO_TRY(co_await away([&] { return read_manifest(what.file); }));
  if (what.volume.empty()) what.volume = manifest["volume"].text();
  const auto lock = CO_TRY(lock_of(what.runtime, what.volume));
  CO_TRY(co_await must_be_new(client, what.volume, what.owner));
  note("reading " + what.file + " once to see that it is whole");
  Restored out{.volume = what.volume, .stream = CO_TRY(co_await away([&] { return verify(what.file); }))};
  CO_TRY(co_await make_carrier(
      client,
      {.name = mark_name(what.volume), .volume = what.volume, .owner = what.owner, .deed = "restoring", .bare = true}));
  auto filled = co_await make_and_fill(client, what, wanted_volume(manifest, what.volume), out.stream.bytes);
  co_await drop_carrier(client, mark_name(what.volume));
  if (!filled) co_return fail(std::move(filled.error()).within("volume " + what.volume));
  co_return out;
}

}  // namespace berth::backup
