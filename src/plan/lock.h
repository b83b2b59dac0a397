// Who may change a project on an engine right now: one writer at a time, over processes and over hosts.
#pragma once

#include <optional>
#include <string>

#include "engine/client.h"
#include "io/file.h"

namespace berth::plan {

/// Who holds a lock, as its labels say.
struct Owner {
  std::string owner{};  ///< "up", "reconciler", ...: what it does
  std::string host{};
  std::int64_t pid = 0;
  std::int64_t time = 0;  ///< when it was taken, seconds since 1970
  std::string start{};    ///< start time of the process in clock ticks (Linux), tells a reused pid apart
  std::string token{};    ///< random, tells two takers of one process apart
  std::string file{};     ///< the lock file that it holds besides
  /// "up (pid 123 on web1, since 2026-11-22T05:30:00Z)".
  std::string text() const;
};

/// Of locks and control sockets: /run/berth for root, else below `xdg_runtime_dir` or /tmp.
std::string runtime_folder(const std::string& xdg_runtime_dir);

struct LockOptions {
  std::string project{};
  std::string owner = "berth";
  std::string folder{};  ///< runtime folder: /run/berth, or $XDG_RUNTIME_DIR/berth; made 0700 when missing
};

/// A lock that is held: a flock on `<runtime folder>/<engine>-<project>.lock` and the engine volume
/// `berth-lock_<project>`. release() gives the volume back, to writers of other hosts; dropping it unlocks the file.
/// The next taker with that file takes over a volume that is left, because nobody alive can own it.
class Lock {
 public:
  /// Set when a dead owner's lock was taken over: for the user.
  const std::string& message() const { return message_; }
  /// An engine (or a broker before it) that starts anew is waited for, some seconds. Code::unavailable after that.
  io::Task<Result<void>> release(engine::Client& client);

 private:
  friend io::Task<Result<Lock>> lock_project(engine::Client& client, LockOptions options);
  Lock(io::FileLock file, std::string volume) : file_(std::move(file)), volume_(std::move(volume)) {}
  std::optional<io::FileLock> file_;
  std::string volume_;
  std::string message_{};
};

/// Takes the lock or fails at once: Code::busy names the owner. A lock whose owner is on this host and dead is taken
/// over; one of another host never is: the message says how to remove the volume by hand.
io::Task<Result<Lock>> lock_project(engine::Client& client, LockOptions options);

/// For who finds nothing to change: takes away the lock that a dead owner of this host left. Returns what was done, for
/// the user; "" when there is no lock, or one whose owner may live.
io::Task<Result<std::string>> clear_dead_lock(engine::Client& client, LockOptions options);

}  // namespace berth::plan
