// The platform's store: one database for all rooms, and the key of its sealed columns.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "io/seal.h"
#include "store/database.h"

namespace berth::app {

struct PlatformStore {
  std::unique_ptr<store::Database> database;
  io::SealKey key;
  bool shared = false;  ///< other cores may have it too
};

/// What this core is called in a store that others share: the same as long as the data folder, which has one core at a
/// time, stays on this machine. DATA/core.id is made when there is none, and anew in a copy on another machine.
Result<std::string> core_of(const std::string& data);

/// Where the store of the data folder is: what DATA/store.url says (0600), else DATA/berth.db.
Result<std::string> store_of(const std::string& data);
/// Remembers what `--store` said: a URL of PostgreSQL, or "sqlite" for the file. "" leaves it as it is. Code::invalid
/// for anything else.
Result<void> remember_store(const std::string& data, const std::string& store);

/// The schema of all rooms, in order.
std::vector<store::Migration> all_migrations();
/// Opens it and runs what its schema lacks; the key is in DATA/keys (made when there is none). A server that does not
/// answer is waited for until cancelled, and told of once for each reason.
io::Task<Result<PlatformStore>> open_platform_store(std::string data, std::function<void(const std::string&)> say);

}  // namespace berth::app
