// What berth knows and does about volumes beyond the engine's list: their sizes, what lies in them, and their copies.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>

#include "api/engine_desk.h"
#include "api/files.h"
#include "backup/copies.h"
#include "backup/volume.h"

namespace berth::api {

/// Works on the local engine alone. Thread: its loop's.
class VolumeDesk {
 public:
  struct Options {
    EngineDesk& desk;
    std::string folder{};                 ///< of copies, unless an admin named another; made when it is first needed
    std::string runtime{};                ///< of locks
    std::string owner{};                  ///< of this core's carriers: no other core of this host has the same
    std::function<std::int64_t()> now{};  ///< milliseconds since 1970
    std::function<void(const std::string&)> say = [](const std::string&) {};
  };
  explicit VolumeDesk(Options options) : options_(std::move(options)) {}

  /// Takes away what a killed core left on the engine, then measures when it is wanted; until cancelled.
  io::Task<void> run();

  struct Sizes {
    std::map<std::string, std::uint64_t, std::less<>> bytes{};  ///< by name; those not known are left out
    std::int64_t at = 0;                                        ///< when they were measured; 0: never
  };
  const Sizes& sizes() const { return sizes_; }
  /// A page shows them: they are measured soon, where they are older than 15 minutes and a while. Never waits.
  void want_sizes();
  /// Measures now: the engine sums up all files of all volumes, which may take minutes. Once for all who ask meanwhile.
  io::Task<Result<void>> measure();

  /// A folder of a volume, and a file of it, through a container that is never started and goes at once.
  io::Task<Result<Json>> list(std::string volume, PathParts path);
  io::Task<Result<void>> send(Call& call, std::string volume, PathParts path);

  /// Waits until no look into this volume holds it, for at most 25 seconds: before it is removed.
  io::Task<void> until_let_go(std::string volume);

  struct BackUp {
    std::string volume{}, folder{};
    backup::Meanwhile meanwhile = backup::Meanwhile::run;
    std::size_t keep = 0;
  };
  /// As backup::back_up and restore, with this core's locks; `tell` is told of lines and of bytes.
  using Tell = std::function<void(const std::string& line, const Json& progress)>;
  io::Task<Result<backup::VolumeBackup>> back_up(BackUp what, Tell tell);
  io::Task<Result<backup::Restored>> restore(std::string file, std::string volume, Tell tell);
  const std::string& folder() const { return options_.folder; }

 private:
  io::Task<Result<void>> sweep();
  io::Task<Result<std::shared_ptr<engine::Client>>> ready();
  template <class T, class Work>
  io::Task<Result<T>> carried(std::string volume, Work work);

  Options options_;
  Sizes sizes_;
  io::Event wanted_, swept_;
  io::Semaphore measuring_{1};
  io::Semaphore carriers_{8};
  std::uint64_t carried_ = 0;
  std::multiset<std::string, std::less<>> lent_;  ///< volumes that are looked into now
  io::Duration took_{};
};

}  // namespace berth::api
