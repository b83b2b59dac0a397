// Copies of volumes in a folder: VOLUME-TIME.tar.zst with a description VOLUME-TIME.json beside it. Blocking.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "backup/archive_file.h"
#include "base/json.h"

namespace berth::backup {

inline constexpr std::string_view kCopySuffix = ".tar.zst";

/// "20261122T220100Z" of seconds since 1970.
std::string time_text(std::int64_t seconds);

/// What a copy is called.
struct CopyName {
  std::string volume{};
  std::int64_t time = 0;  ///< seconds since 1970
};
/// Of "shop_data-20261122T220100Z"; nothing for anything else, so that what it takes never leads out of a folder.
std::optional<CopyName> parse_copy(std::string_view name);

/// The path of the description of a copy.
std::string manifest_path(const std::string& file);
/// What it says. Code::not_found, invalid.
Result<Json> read_manifest(const std::string& file);
/// Reads all of a copy and compares sums. Code::invalid says what differs.
Result<Stream> verify(const std::string& file);

struct Copies {
  std::vector<Json> whole{};          ///< descriptions with "file" and "name", the newest first
  std::vector<std::string> broken{};  ///< why others are none
};
/// Those in `folder` that have a description, of `volume` only unless that is "". Code::not_found, denied.
Result<Copies> list_copies(const std::string& folder, std::string_view volume = {});
/// What `file` holds by name and description. Code::not_found, invalid and conflict for what is no whole copy.
Result<Json> load_copy(const std::string& file);
/// Removes a copy with its description; nothing that load_copy() refuses. A kill meanwhile leaves a description at
/// most, which is no copy. Code::denied.
Result<void> remove_copy(const std::string& file);
/// Removes copies of the same volume in the same folder that are older than `file`, but the newest ones, until `keep`
/// are there with it. Halves and what has no description stay, and do not count. The names of those that went, the
/// oldest last. REQUIRES: keep > 0, the volume's lock.
Result<std::vector<std::string>> thin_out(const std::string& file, std::size_t keep);
/// As root: a copy in a folder of `account` becomes that account's, to list and to restore. In another one's folder
/// nothing happens: nobody gets what they could not read.
Result<void> give_copy(const std::string& file, const std::string& account);
/// Seconds since 1970 of the newest copy of `volume`, by names alone; 0: there is none.
std::int64_t newest_copy(const std::string& folder, std::string_view volume);
/// Removes what killed copies of `volume` began. REQUIRES: its lock.
Result<void> drop_parts(const std::string& folder, std::string_view volume);

}  // namespace berth::backup
