// The container that lends its mount of a volume to the engine's archive calls. It is made of an empty image of berth's
// own and never started: no program of anybody runs.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/json.h"
#include "engine/client.h"

namespace berth::backup {

/// Where a carrier has its volume.
inline constexpr std::string_view kMount = "volume";

struct Carrier {
  std::string name{};
  std::string volume{};  ///< "": none
  std::string owner{};   ///< who makes it: "" by hand; a core names itself by its data folder
  std::string deed{};    ///< "backup", "restore", "restoring", "browse"
  bool writes = false;
  bool bare = false;  ///< it has no mount: it only says that `volume` is being restored
};
/// "berth-backup-shop_data". Names of containers may hold what names of volumes may.
std::string carrier_name(std::string_view deed, const std::string& volume);

/// Made anew where one of the same owner and host was left over. Code::conflict for a foreign container of its name,
/// busy for one of another owner.
io::Task<Result<void>> make_carrier(engine::Client& client, Carrier carrier);
/// Also the image, unless another carrier needs it. Done even when the caller is cancelled.
io::Task<void> drop_carrier(engine::Client& client, std::string name);
/// Whether a carrier of this name, host and owner is there, which whoever holds its lock knows to be left over. Errors
/// as of make_carrier.
io::Task<Result<bool>> is_left_over(engine::Client& client, std::string name, std::string owner);

struct LeftOver {
  std::string volume{}, deed{};
};
/// Removes what carriers a killed program of `owner` on this host left, and volumes that it had half restored.
/// REQUIRES: no other program of that owner runs here.
io::Task<Result<std::vector<LeftOver>>> sweep(engine::Client& client, std::string owner);

}  // namespace berth::backup
