// Connections to a SQLite file. Within this room.
#pragma once

#include <memory>
#include <string>

#include "store/connection.h"

namespace berth::store {

/// The file is made (0600) when there is none: write-ahead log, synchronous FULL, foreign keys kept, LIKE with case as
/// PostgreSQL has it. Another process that writes is waited for, at most 10 s. Code::invalid for a file that is no
/// database, denied, not_found for a missing folder.
Result<std::unique_ptr<Connection>> connect_sqlite(const std::string& path, bool writes);

/// Copies the store at `path` as of one moment into the new file `to` (0600) while others work with it.
Result<void> copy_sqlite(const std::string& path, const std::string& to);
/// What is in the file `from` takes the place of all that is in the store at `path`, in one transaction. The file is
/// looked through first: Code::invalid for one that is damaged or no store of berth's.
Result<void> replace_sqlite(const std::string& path, const std::string& from);

}  // namespace berth::store
