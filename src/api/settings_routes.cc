#include "api/engine_world.h"
#include "api/settings.h"

namespace berth::api {
namespace {

struct Settings {
  CreateLimits limits{};
  std::string backup_folder{};
};

Result<Settings> load(store::Transaction& transaction) {
  return Settings{.limits = TRY(load_limits(transaction)), .backup_folder = TRY(load_backup_folder(transaction))};
}

Json to_json(const Settings& settings) {
  return Json::object({{"defaultMemory", settings.limits.memory},
                       {"defaultCpus", settings.limits.cpus},
                       {"backupFolder", settings.backup_folder}});
}

io::Task<Result<Reply>> show(EngineWorld& world, Call&) {
  co_return Reply{.body = to_json(CO_TRY(co_await world.database.read<Settings>(load)))};
}

io::Task<Result<Reply>> change(EngineWorld& world, Call& call) {
  const Json& fields = call.body;
  const auto kept =
      CO_TRY(co_await world.database.write<Settings>([&fields](store::Transaction& transaction) -> Result<Settings> {
        Settings settings = TRY(load(transaction));
        settings.limits.memory = fields["defaultMemory"].integer(settings.limits.memory);
        settings.limits.cpus = fields["defaultCpus"].number(settings.limits.cpus);
        settings.backup_folder = fields["backupFolder"].text(settings.backup_folder);
        TRY(keep_limits(transaction, settings.limits));
        TRY(keep_backup_folder(transaction, settings.backup_folder));
        return settings;
      }));
  call.record.difference = fields;
  co_return Reply{.body = to_json(kept)};
}

}  // namespace

io::Task<Result<CreateLimits>> limits_of(EngineWorld& world) {
  co_return co_await world.database.read<CreateLimits>(load_limits);
}

Routes settings_routes(EngineWorld& world) {
  return {{"GET", "/api/v1/settings", Permission::settings, Where::whole, "What is set for the whole of berth",
           at_engine(world, show)},
          {.method = "PATCH",
           .path = "/api/v1/settings",
           .needs = Permission::settings,
           .where = Where::whole,
           .summary = "Change some of it",
           .handler = at_engine(world, change),
           .fields = {{.name = "defaultMemory", .type = "integer", .meaning = "bytes of a container that names none"},
                      {.name = "defaultCpus", .type = "number", .meaning = "of a container that names none"},
                      {.name = "backupFolder", .meaning = "of copies of volumes; empty: backups in the data folder"}},
           .verb = "settings.change"}};
}

}  // namespace berth::api
