#include "api/volume_desk.h"

#include "backup/carrier.h"
#include "base/hash.h"
#include "engine/system.h"
#include "io/file.h"
#include "io/seal.h"

namespace berth::api {
namespace {

using std::chrono::seconds;

constexpr auto kOld = std::chrono::minutes(15);
constexpr std::uint64_t kStep = 16u << 20;  // bytes between two lines of progress

/// A line for each step of bytes, and for each hundredth where all are known.
backup::Moved told(const VolumeDesk::Tell& tell, std::string what) {
  auto next = std::make_shared<std::uint64_t>(0);
  return [&tell, what = std::move(what), next](std::uint64_t done, std::uint64_t of) {
    if (done < *next && (of == 0 || done < of)) return;
    *next = done + std::max(kStep, of / 100);
    const std::string so_far = std::to_string(done >> 20) + (of > 0 ? " of " + std::to_string(of >> 20) : "") + " MiB";
    tell(so_far, Json::object({{"what", what}, {"done", done}, {"of", of > 0 ? Json(of) : Json()}}));
  };
}

std::string deed_text(const backup::LeftOver& left) {
  if (left.deed == "restoring") return "volume " + left.volume + ": half restored, removed";
  return "volume " + left.volume + ": what a killed " + left.deed + " left on the engine is removed";
}

}  // namespace

io::Task<void> VolumeDesk::run() {
  const io::Context context = co_await io::here();
  while (!context.cancel->requested()) {
    const auto done = co_await sweep();
    // What the engine refuses once it refuses again; a core must work all the same.
    if (!done && done.error().code != Code::unavailable) options_.say("volumes: " + done.error().message);
    if (done || done.error().code != Code::unavailable) break;
    if (!co_await io::sleep_for(std::chrono::milliseconds(200))) co_return;
  }
  swept_.set();
  while (co_await wanted_.wait()) {
    const auto done = co_await measure();
    wanted_.reset();
    if (!done && !co_await io::sleep_for(seconds(30))) co_return;
  }
}

io::Task<Result<void>> VolumeDesk::sweep() {
  const auto client = CO_TRY(options_.desk.client());
  const auto left = CO_TRY(co_await backup::sweep(*client, options_.owner));
  for (const auto& each : left) options_.say(deed_text(each));
  if (!left.empty()) options_.desk.changed(Kind::volume);
  co_return Result<void>{};
}

io::Task<Result<std::shared_ptr<engine::Client>>> VolumeDesk::ready() {
  auto client = CO_TRY(options_.desk.client());
  CO_TRY(co_await swept_.wait());
  co_return client;
}

void VolumeDesk::want_sizes() {
  const auto age = std::chrono::milliseconds(options_.now() - sizes_.at);
  // At most a twentieth of the time goes into it.
  if (sizes_.at == 0 || age > std::max<io::Duration>(kOld, took_ * 20)) wanted_.set();
}

io::Task<Result<void>> VolumeDesk::measure() {
  const auto client = CO_TRY(options_.desk.client());
  const std::int64_t before = sizes_.at;
  CO_TRY(co_await measuring_.acquire());
  if (sizes_.at != before) {
    measuring_.release();
    co_return Result<void>{};
  }
  io::Loop& loop = *(co_await io::here()).loop;
  const io::Time start = loop.now();
  const auto usage = co_await engine::volume_usage(*client);
  took_ = loop.now() - start;
  measuring_.release();
  if (!usage) co_return fail(usage.error());
  Sizes sizes{.at = options_.now()};
  for (const Json& volume : (*usage).items()) {
    const std::int64_t size = volume.at("UsageData.Size").integer(-1);
    if (size >= 0) sizes.bytes[std::string(volume["Name"].text())] = static_cast<std::uint64_t>(size);
  }
  sizes_ = std::move(sizes);
  co_return Result<void>{};
}

/// `work` gets the engine and where in a carrier the volume is.
template <class T, class Work>
io::Task<Result<T>> VolumeDesk::carried(std::string volume, Work work) {
  const auto client = CO_TRY(co_await ready());
  CO_TRY(co_await carriers_.acquire());
  const std::string name =
      backup::carrier_name("browse", volume) + "-" + std::to_string(++carried_) + to_hex(io::random_bytes(4));
  const auto lent = lent_.insert(volume);
  const auto made = co_await backup::make_carrier(
      *client, {.name = name, .volume = volume, .owner = options_.owner, .deed = "browse"});
  Result<T> result = made ? co_await work(*client, FilePlace{.container = name,
                                                             .root = {std::string(backup::kMount)},
                                                             .shown = "volume " + volume})
                          : Result<T>(fail(made.error()));
  co_await backup::drop_carrier(*client, name);
  lent_.erase(lent);
  carriers_.release();
  co_return result;
}

io::Task<Result<Json>> VolumeDesk::list(std::string volume, PathParts path) {
  const auto work = [&path](engine::Client& client, FilePlace place) {
    return list_folder(client, std::move(place), path);
  };
  co_return co_await carried<Json>(std::move(volume), work);
}

io::Task<Result<void>> VolumeDesk::send(Call& call, std::string volume, PathParts path) {
  const auto work = [&](engine::Client& client, FilePlace place) {
    return send_content(call, client, std::move(place), path);
  };
  co_return co_await carried<void>(std::move(volume), work);
}

io::Task<void> VolumeDesk::until_let_go(std::string volume) {
  constexpr int kTries = 250;
  for (int i = 0; i < kTries && lent_.contains(volume); ++i)
    if (!co_await io::sleep_for(std::chrono::milliseconds(100))) co_return;
}

io::Task<Result<backup::VolumeBackup>> VolumeDesk::back_up(BackUp what, Tell tell) {
  const auto client = CO_TRY(co_await ready());
  const backup::Note note = [&tell](const std::string& line) { tell(line, {}); };
  co_return co_await backup::back_up(*client,
                                     {.volume = what.volume,
                                      .folder = what.folder,
                                      .runtime = options_.runtime,
                                      .time = backup::time_text(options_.now() / 1000),
                                      .meanwhile = what.meanwhile,
                                      .keep = what.keep,
                                      .owner = options_.owner,
                                      .moved = told(tell, "volume " + what.volume)},
                                     note);
}

io::Task<Result<backup::Restored>> VolumeDesk::restore(std::string file, std::string volume, Tell tell) {
  const auto client = CO_TRY(co_await ready());
  const backup::Note note = [&tell](const std::string& line) { tell(line, {}); };
  auto restored = co_await backup::restore(*client,
                                           {.file = std::move(file),
                                            .volume = volume,
                                            .runtime = options_.runtime,
                                            .owner = options_.owner,
                                            .moved = told(tell, "volume " + volume)},
                                           note);
  options_.desk.changed(Kind::volume);
  co_return restored;
}

}  // namespace berth::api
