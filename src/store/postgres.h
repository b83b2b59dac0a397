// Connections to a PostgreSQL server. Within this room.
#pragma once

#include <memory>
#include <string>

#include "io/task.h"
#include "store/connection.h"

namespace berth::store {

bool is_postgres(std::string_view where);
/// `url`: "postgresql://..." or "postgres://...", as libpq reads it. One that is lost is made anew at the next
/// transaction. Code::unavailable for a server that does not answer, is too old (before 13) or has no such database,
/// denied for a wrong password, invalid for a wrong URL. No error holds the URL.
Result<std::unique_ptr<Connection>> connect_postgres(const std::string& url);

/// A dump (pg_dump's custom format) as of one moment in the new file `to` (0600). Code::unavailable with what to
/// install where pg_dump is missing.
io::Task<Result<void>> dump_postgres(std::string url, std::string to);
/// What the dump `from` holds takes the place of what it has a name for, in one transaction.
io::Task<Result<void>> undump_postgres(std::string url, std::string from);

}  // namespace berth::store
