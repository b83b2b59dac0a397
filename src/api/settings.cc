#include "api/settings.h"

namespace berth::api {
namespace {

constexpr const char* kMemory = "default_memory";
constexpr const char* kCpus = "default_cpus";
constexpr const char* kBackupFolder = "backup_folder";

Result<void> keep(store::Transaction& transaction, const char* name, double value) {
  const auto done = transaction.run(
      "INSERT INTO setting (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
      {name, value});
  if (!done) return fail(done.error());
  return {};
}

}  // namespace

Result<CreateLimits> load_limits(store::Transaction& transaction) {
  CreateLimits limits;
  for (const store::Row& row : TRY(transaction.query("SELECT name, value FROM setting", {}))) {
    if (row.text(0) == kMemory) limits.memory = static_cast<std::int64_t>(row.number(1));
    if (row.text(0) == kCpus) limits.cpus = row.number(1);
  }
  return limits;
}

Result<void> keep_limits(store::Transaction& transaction, const CreateLimits& limits) {
  TRY(check_limits(limits));
  TRY(keep(transaction, kMemory, static_cast<double>(limits.memory)));
  return keep(transaction, kCpus, limits.cpus);
}

Result<std::string> load_backup_folder(store::Transaction& transaction) {
  const auto row = TRY(transaction.first("SELECT value FROM setting_text WHERE name = ?", {kBackupFolder}));
  return row ? row->text(0) : std::string();
}

Result<void> keep_backup_folder(store::Transaction& transaction, const std::string& folder) {
  const bool leads = ("/" + folder + "/").contains("/../");
  if (!folder.empty() && (!folder.starts_with('/') || leads || folder.size() > 4096 || folder.contains('\0')))
    return fail(Code::invalid, "backupFolder: write an absolute path, or \"\" for the data folder");
  const auto done = transaction.run(
      "INSERT INTO setting_text (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
      {kBackupFolder, folder});
  if (!done) return fail(done.error());
  return {};
}

}  // namespace berth::api
