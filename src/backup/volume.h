// Volumes of an engine as files, and back. No image is pulled and no program runs in a container: the engine reads and
// writes the volume of a container that is never started.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "backup/copies.h"
#include "engine/client.h"

namespace berth::backup {

/// What users of the volume do meanwhile.
enum class Meanwhile {
  run,    ///< they write on: a program that keeps several files in step may find them out of step
  pause,  ///< they stand still; what they hold in memory only is not in the copy
  stop,   ///< they are stopped as they wish to be, and started again
};

/// A line for people about what happens.
using Note = std::function<void(const std::string& line)>;

/// Told how many bytes went through, and of how many; 0: not known.
using Moved = std::function<void(std::uint64_t done, std::uint64_t of)>;

struct BackUpVolume {
  std::string volume{};
  std::string folder{};   ///< exists; gets VOLUME-TIME.tar.zst and the same with .json
  std::string runtime{};  ///< folder of the lock that keeps two copies of one volume apart
  std::string time{};     ///< "20261122T220100Z"
  Meanwhile meanwhile = Meanwhile::run;
  std::size_t keep = 0;  ///< copies of this volume in the folder, this one too: older ones go then; 0: all stay
  std::string owner{};   ///< as Carrier has it
  Moved moved{};
};
struct VolumeBackup {
  std::string file{};
  std::string volume{};
  Stream stream{};
  std::vector<std::string> running{};  ///< names of containers that used it and ran
  std::vector<std::string> gone{};     ///< names of older copies that `keep` had removed
};
/// Code::not_found without such a volume or folder, busy when another copy of it is made, unavailable when the disk is
/// full; nothing is left behind then, and what was paused or stopped goes on, also after a cancellation. An older copy
/// that cannot be removed is an error too, which says that the new one is made.
io::Task<Result<VolumeBackup>> back_up(engine::Client& client, BackUpVolume what, Note note);

struct RestoreVolume {
  std::string file{};     ///< ".tar.zst" of a backup, with its ".json" beside it
  std::string volume{};   ///< a new one; "": the name that it had
  std::string runtime{};  ///< as above
  std::string owner{};
  Moved moved{};
};
struct Restored {
  std::string volume{};
  Stream stream{};
};
/// Reads the whole file first: Code::invalid when it is damaged. A volume of its old name gets its labels and driver
/// options back. Code::conflict when the volume exists. On failure the new volume is removed again; one that a killed
/// restore left half written is made anew.
io::Task<Result<Restored>> restore(engine::Client& client, RestoreVolume what, Note note);

}  // namespace berth::backup
