#include "store/sealed.h"

namespace berth::store {
namespace {

constexpr char kFormat = 1;  // the first byte, so that another cipher can come

std::string place(const Cell& cell) {
  std::string out("berth store 1");
  for (const std::string_view part : {cell.table, cell.column, cell.row})
    out += '\0' + std::to_string(part.size()) + ':' + std::string(part);
  return out;
}

}  // namespace

Blob seal(const io::SealKey& key, std::string_view secret, const Cell& cell) {
  return Blob{kFormat + key.seal(secret, place(cell))};
}

Result<std::string> unseal(const io::SealKey& key, const Row& row, std::size_t column, const Cell& cell) {
  const std::string name = std::string(cell.table) + "." + std::string(cell.column) + " of " + std::string(cell.row);
  if (row.is_null(column)) return fail(Code::not_found, name + ": no secret is kept");
  const std::string sealed = row.bytes(column);
  if (sealed.empty() || sealed[0] != kFormat) return fail(Code::invalid, name + ": it was not sealed by this berth");
  auto opened = key.open(std::string_view(sealed).substr(1), place(cell));
  if (!opened) return fail(std::move(opened.error()).within(name));
  return opened;
}

}  // namespace berth::store
