// Sealed columns: secrets that the store keeps and that neither its file nor its backup tells.
#pragma once

#include <string>
#include <string_view>

#include "io/seal.h"
#include "store/database.h"

namespace berth::store {

/// Where a sealed value lies. It opens nowhere else: whoever can write to the store cannot move a secret to another
/// row.
struct Cell {
  std::string_view table, column;
  std::string_view row;  ///< the row's id, never reused
};

/// What to keep in a {blob} column. Thread: any.
Blob seal(const io::SealKey& key, std::string_view secret, const Cell& cell);
/// Code::invalid for what was changed, moved or sealed with another key, not_found for NULL. Thread: any.
Result<std::string> unseal(const io::SealKey& key, const Row& row, std::size_t column, const Cell& cell);

}  // namespace berth::store
