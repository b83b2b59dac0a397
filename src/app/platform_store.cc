#include "app/platform_store.h"

#include "api/event_log.h"
#include "api/registry.h"
#include "api/server.h"
#include "auth/schema.h"
#include "base/text.h"
#include "io/file.h"
#include "io/ident.h"
#include "job/journal.h"

namespace berth::app {
namespace {

constexpr const char* kRemembered = "/store.url";

io::Task<Result<PlatformStore>> open_once(const std::string& data) {
  const auto steps = all_migrations();
  auto key = CO_TRY(io::SealKey::load_or_make(data + "/keys/store.key"));
  const std::string where = CO_TRY(store_of(data));
  auto database = CO_TRY(co_await store::Database::open(where, {.migrations = steps}));
  co_return PlatformStore{.database = std::move(database), .key = std::move(key), .shared = where.contains("://")};
}

}  // namespace

std::vector<store::Migration> all_migrations() {
  std::vector<store::Migration> steps;
  for (const auto& of_room :
       {job::migrations(), auth::migrations(), api::migrations(), api::server_migrations(), api::registry_migrations()})
    steps.insert(steps.end(), of_room.begin(), of_room.end());
  return steps;
}

Result<std::string> core_of(const std::string& data) {
  const std::string path = data + "/core.id";
  const auto machine = io::read_file("/etc/machine-id", 256);
  const std::string here = machine ? std::string(trim(*machine)) : std::string();
  const auto known = io::read_file(path, 256);
  if (!known && known.error().code != Code::not_found) return known;
  const Cut words = cut(known ? trim(*known) : std::string_view(), ' ');
  if (!words.before.empty() && words.after == here) return std::string(words.before);
  std::string made = io::new_id("core");
  TRY(io::write_file(path, made + " " + here + "\n", 0600));
  return made;
}

Result<std::string> store_of(const std::string& data) {
  auto text = io::read_file(data + kRemembered, 1 << 12);
  if (text) return std::string(trim(*text));
  if (text.error().code == Code::not_found) return data + "/berth.db";
  return text;
}

Result<void> remember_store(const std::string& data, const std::string& store) {
  if (store.empty()) return {};
  const std::string path = data + kRemembered;
  if (store == "sqlite") return io::exists(path) ? io::remove_file(path) : Result<void>{};
  if (!store.starts_with("postgresql://") && !store.starts_with("postgres://"))
    return fail(Code::invalid, "--store: write postgresql://USER@HOST/DATABASE, or sqlite for the file");
  return io::write_file(path, store + "\n", 0600);
}

io::Task<Result<PlatformStore>> open_platform_store(std::string data, std::function<void(const std::string&)> say) {
  std::string told;
  while (true) {
    auto opened = co_await open_once(data);
    if (opened || opened.error().code != Code::unavailable) co_return opened;
    if (opened.error().message != told) say("no API yet: " + (told = opened.error().message));
    CO_TRY(co_await io::sleep_for(std::chrono::seconds(1)));
  }
}

}  // namespace berth::app
