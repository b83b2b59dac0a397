// Copies of a whole store, and the way back.
#pragma once

#include <string>

#include "base/error.h"
#include "io/task.h"

namespace berth::store {

/// The store `where` (as in Database::open) as of one moment, in the new file `to` (0600), while others work with it.
/// Of PostgreSQL it is pg_dump's custom format: Code::unavailable with what to install where that program is missing.
io::Task<Result<void>> copy_store(std::string where, std::string to);

/// The copy `from` takes the place of all that is in the store, in one transaction: whatever happens, the store is the
/// old or the new one. REQUIRES: nobody else has it open. Code::not_found, invalid for a file that is damaged or
/// another database's.
io::Task<Result<void>> restore_store(std::string where, std::string from);

}  // namespace berth::store
