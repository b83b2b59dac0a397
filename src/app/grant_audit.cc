#include "app/grant_audit.h"

#include <unistd.h>

#include <chrono>

#include "app/broker_files.h"
#include "io/file.h"
#include "io/loop.h"
#include "job/journal.h"

namespace berth::app {
namespace {

Json fields_of(const std::vector<broker::Exception>& grants, const std::string& project) {
  Json out = Json::array();
  for (const auto& each : grants)
    if (each.project == project) out.push(each.field);
  return out;
}

job::Entry entry_of(const GrantChange& change) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const std::string uid = std::to_string(::getuid());
  const std::string& project = change.exception.project;
  job::Entry entry{.time = std::chrono::duration_cast<std::chrono::microseconds>(now).count(),
                   .actor = "local",
                   .name = ::getuid() == 0 ? "root" : "uid " + uid,
                   .from = "unix:uid=" + uid,
                   .verb = "broker." + change.verb,
                   .subject = "grant:" + change.exception.field,
                   .project = project};
  entry.difference =
      Json::object({{"before", fields_of(change.before, project)}, {"after", fields_of(change.after, project)}});
  return entry;
}

// The file is last: an entry whose change failed is rolled back, and no change is without its entry.
io::Task<Result<bool>> change_both(std::string where, const std::string& folder, const GrantChange& change) {
  const auto database = CO_TRY(co_await open_store(std::move(where), false));
  co_return co_await database->write<bool>([&](store::Transaction& transaction) -> Result<bool> {
    const std::int64_t number = TRY(job::append(transaction, entry_of(change)));
    TRY(save_grants(folder, change.after));
    return number > 0;
  });
}

}  // namespace

Result<bool> keep_grants(const std::string& folder, const GrantChange& change, const StoreFlags& flags,
                         const Environment& environment) {
  const std::string where = TRY(store_of(flags, environment));
  if (where.starts_with('/') && !io::exists(where)) {
    TRY(save_grants(folder, change.after));
    return false;
  }
  io::Loop loop;
  return loop.run(change_both(where, folder, change));
}

}  // namespace berth::app
