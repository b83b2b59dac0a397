#include "plan/lock.h"

#include <unistd.h>

#include <charconv>
#include <chrono>
#include <cstdio>
#include <random>

#include "base/hash.h"
#include "base/text.h"
#include "engine/network.h"
#include "io/ownership.h"
#include "plan/observed.h"

namespace berth::plan {
namespace {

constexpr std::string_view kOwner = "berth.lock.owner";
constexpr std::string_view kHost = "berth.lock.host";
constexpr std::string_view kPid = "berth.lock.pid";
constexpr std::string_view kTime = "berth.lock.time";
constexpr std::string_view kStart = "berth.lock.start";
constexpr std::string_view kToken = "berth.lock.token";
constexpr std::string_view kFile = "berth.lock.file";
constexpr int kAttempts = 3;

std::int64_t number_of(std::string_view text) {
  std::int64_t out = 0;
  std::from_chars(text.data(), text.data() + text.size(), out);
  return out;
}

// Field 22 of /proc/PID/stat, counted behind the name, which may hold blanks and parentheses; "" for a dead process.
std::string start_of(const std::string& pid) {
  const auto stat = io::read_file("/proc/" + pid + "/stat", 1 << 16);
  if (!stat) return "";
  const std::size_t name_end = stat->rfind(')');
  if (name_end == std::string::npos) return "";
  const auto fields = split(trim(std::string_view(*stat).substr(name_end + 1)), ' ');
  return fields.size() > 19 ? std::string(fields[19]) : "";
}

std::string host_name() {
  const auto name = io::read_file("/proc/sys/kernel/hostname", 1 << 12);
  return name ? std::string(trim(*name)) : "";
}

std::string random_token() {
  std::random_device random;
  std::string out;
  for (int i = 0; i < 4; ++i) out += std::to_string(random());
  return sha256_hex(out).substr(0, 32);
}

Owner myself(const LockOptions& options, std::string file) {
  const auto stat = io::read_file("/proc/self/stat", 1 << 16);
  const std::string pid = stat ? stat->substr(0, stat->find(' ')) : "0";
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  return {.owner = options.owner,
          .host = host_name(),
          .pid = number_of(pid),
          .time = now.time_since_epoch().count(),
          .start = start_of(pid),
          .token = random_token(),
          .file = std::move(file)};
}

Json labels_of(const Owner& owner) {
  return Json::object({{std::string(kOwner), owner.owner},
                       {std::string(kHost), owner.host},
                       {std::string(kPid), std::to_string(owner.pid)},
                       {std::string(kTime), std::to_string(owner.time)},
                       {std::string(kStart), owner.start},
                       {std::string(kToken), owner.token},
                       {std::string(kFile), owner.file}});
}

Owner owner_of(const Json& labels) {
  return {.owner = std::string(labels[kOwner].text()),
          .host = std::string(labels[kHost].text()),
          .pid = number_of(labels[kPid].text()),
          .time = number_of(labels[kTime].text()),
          .start = std::string(labels[kStart].text()),
          .token = std::string(labels[kToken].text()),
          .file = std::string(labels[kFile].text())};
}

// `own` holds its lock file: an owner with the same file on the same host cannot be alive.
bool is_dead(const Owner& owner, const Owner& own) {
  if (owner.host != own.host) return false;
  if (owner.file == own.file) return true;
  const std::string start = start_of(std::to_string(owner.pid));
  return start.empty() || start != owner.start;
}

Error busy(const std::string& project, const Owner& owner, const std::string& volume, bool elsewhere) {
  std::string message =
      "project \"" + project + "\" is being changed by " + owner.text() + "; try again when it is done";
  if (elsewhere) message += ", or, when that host is gone for good: docker volume rm " + volume;
  return Error{Code::busy, std::move(message)};
}

}  // namespace

std::string runtime_folder(const std::string& xdg_runtime_dir) {
  if (::geteuid() == 0) return "/run/berth";
  return xdg_runtime_dir.empty() ? "/tmp/berth-" + std::to_string(::geteuid()) : xdg_runtime_dir + "/berth";
}

std::string Owner::text() const {
  const std::chrono::sys_seconds when{std::chrono::seconds(time)};
  const auto day = std::chrono::floor<std::chrono::days>(when);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{when - day};
  char text[64];
  std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02dZ", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()));
  return owner + " (pid " + std::to_string(pid) + " on " + host + ", since " + text + ")";
}

io::Task<Result<void>> Lock::release(engine::Client& client) {
  auto removed = co_await engine::remove_volume(client, volume_);
  for (const auto pause : {100, 400, 1000, 2500}) {
    if (removed || removed.error().code != Code::unavailable ||
        !co_await io::sleep_for(std::chrono::milliseconds(pause)))
      break;
    removed = co_await engine::remove_volume(client, volume_);
  }
  if (!removed && removed.error().code != Code::not_found) co_return removed;
  co_return Result<void>{};
}

io::Task<Result<Lock>> lock_project(engine::Client& client, LockOptions options) {
  CO_TRY(io::make_folder(options.folder, 0700));
  const std::string engine = sha256_hex(client.address().text()).substr(0, 12);
  const std::string path = options.folder + "/" + engine + "-" + options.project + ".lock";
  auto file = io::FileLock::take(path);
  if (!file && file.error().code == Code::busy)
    co_return fail(Code::busy, "project \"" + options.project + "\" is being changed by another berth on this host (" +
                                   file.error().message + "); try again when it is done");
  if (!file) co_return fail(std::move(file).error());
  CO_TRY(io::settle_file(path));  // berth serve may run as another account than root, which made it
  const Owner own = myself(options, path);
  CO_TRY(file->describe(own.text()));
  Lock lock(std::move(*file), std::string(kLockPrefix) + options.project);
  // Creating a volume that exists answers with the first creator's labels: an atomic test of who was first.
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const Json volume = CO_TRY(co_await engine::create_volume(
        client, Json::object({{"Name", lock.volume_}, {"Driver", "local"}, {"Labels", labels_of(own)}})));
    const Owner holder = owner_of(volume["Labels"]);
    if (holder.token == own.token) co_return lock;
    if (!is_dead(holder, own)) co_return fail(busy(options.project, holder, lock.volume_, holder.host != own.host));
    lock.message_ = "took over the lock of " + holder.text() + ", which is gone";
    auto removed = co_await engine::remove_volume(client, lock.volume_);
    if (!removed && removed.error().code != Code::not_found) co_return fail(std::move(removed).error());
  }
  co_return fail(Code::busy, "project \"" + options.project + "\" is being changed by several others; try again");
}

io::Task<Result<std::string>> clear_dead_lock(engine::Client& client, LockOptions options) {
  const auto volume = co_await engine::inspect_volume(client, std::string(kLockPrefix) + options.project);
  if (!volume && volume.error().code == Code::not_found) co_return std::string();
  if (!volume) co_return fail(volume.error());
  auto lock = co_await lock_project(client, std::move(options));
  if (!lock && lock.error().code == Code::busy) co_return std::string();
  if (!lock) co_return fail(std::move(lock).error());
  CO_TRY(co_await lock->release(client));
  co_return lock->message();
}

}  // namespace berth::plan
