// Brings a store to the schema that this program wants. Within this room.
#pragma once

#include <span>

#include "store/connection.h"

namespace berth::store {

/// Those of `migrations` that the store does not have yet, by number, each in a transaction of its own together with
/// the note that it ran; of two programs that start together one runs it. How many ran here. Code::conflict when the
/// store has one that is not among them (a newer program was here) or whose text is another; then nothing is changed.
/// The first that fails ends it: its transaction is rolled back, those before it stay.
Result<std::size_t> migrate(Connection& connection, std::span<const Migration> migrations);

/// How far a store is; it changes nothing.
struct Progress {
  std::size_t applied = 0;  ///< migrations that ran, all of them among the wanted ones
  std::size_t missing = 0;
};
/// Code::conflict as migrate().
Result<Progress> progress(Connection& connection, std::span<const Migration> migrations);

}  // namespace berth::store
