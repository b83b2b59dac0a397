// What a command line says, as plain values: one struct for the global flags and one for each verb with flags.
#pragma once

#include "cli/options_inside.h"
#include "cli/options_look.h"
#include "cli/plan_flags.h"

namespace berth::cli {

struct GlobalFlags {
  Texts files{};
  std::string project_name{};
  std::string project_directory{};
  Texts env_files{};
  Texts profiles{};
  std::optional<std::int64_t> parallel{};
  std::string progress{};
  std::string ansi{};
  std::string host{};
  std::string context{};
  std::string data{};  ///< folder of generations and keys; "" for the usual ones
  bool dry_run = false;
  bool compatibility = false;
  bool all_resources = false;
  bool adopt = false;
  bool allow_remote = false;
  bool help = false;
  bool version = false;
  std::string docker_config{};  ///< `docker --config DIR compose ...`: its folder
  bool accepted = false;        ///< what docker and docker compose pass on and berth has no use for
  std::string accepted_text{};
};

struct UpFlags {
  bool detach = false;
  bool wait = false;
  std::int64_t wait_timeout = 0;  ///< seconds, 0 for no bound
  bool build = false;
  bool no_build = false;
  bool force_recreate = false;
  bool no_recreate = false;
  bool always_recreate_deps = false;
  bool no_deps = false;
  bool no_start = false;
  std::string pull{};
  bool quiet_pull = false;
  bool remove_orphans = false;
  bool renew_anon_volumes = false;
  bool no_rolling = false;
  Texts scale{};
  Seconds timeout{};
  bool yes = false;
  bool abort_on_exit = false;
  bool abort_on_failure = false;
  std::string exit_code_from{};
  bool no_log_prefix = false;
  bool no_color = false;
  bool timestamps = false;
  Texts attach{};
  bool attach_dependencies = false;
  Texts no_attach{};
  bool watch = false;
};

struct DownFlags {
  bool volumes = false;
  bool remove_orphans = false;
  std::string rmi{};
  Seconds timeout{};
};

struct ConfigFlags {
  std::string format = "yaml";
  bool services = false;
  bool volumes = false;
  bool networks = false;
  bool profiles = false;
  bool images = false;
  std::string hash{};
  bool environment = false;
  bool variables = false;
  bool quiet = false;
  std::string output{};
  bool no_interpolate = false;
  bool no_normalize = false;
  bool no_path_resolution = false;
  bool no_env_resolution = false;
  bool no_consistency = false;
  bool resolve_image_digests = false;
  bool lock_image_digests = false;
};

struct BuildFlags {
  bool no_cache = false;
  bool pull = false;
  bool quiet = false;
  bool with_dependencies = false;
  bool push = false;
  Texts arguments{};
  std::string builder{};
  std::string memory{};
  Texts ssh{};
  bool ignored = false;  ///< flags of older programs that mean nothing here
};

struct PullFlags {
  bool quiet = false;
  bool ignore_buildable = false;
  bool include_deps = false;
  bool ignore_failures = false;
  std::string policy{};
};

struct PushFlags {
  bool quiet = false;
  bool include_deps = false;
  bool ignore_failures = false;
};

/// start, stop, restart, kill and rm.
struct LifeFlags {
  Seconds timeout{};
  std::string signal{};
  bool no_deps = false;
  bool remove_orphans = false;
  bool force = false;
  bool stop = false;
  bool volumes = false;
  bool wait = false;
  std::int64_t wait_timeout = 0;
};

struct CreateFlags {
  bool build = false;
  bool no_build = false;
  bool force_recreate = false;
  bool no_recreate = false;
  std::string pull{};
  bool quiet_pull = false;
  bool remove_orphans = false;
  bool yes = false;
  Texts scale{};
};

struct WatchFlags {
  bool no_up = false;
  bool quiet = false;
  bool prune = true;
};

/// A whole command line. `arguments` are the verb's, in order, without flags; for exec and run everything from the
/// service on.
struct Options {
  GlobalFlags global{};
  std::string verb{};  ///< "" when only flags were given
  Texts arguments{};
  Texts words{};  ///< the command line as it was given
  UpFlags up{};
  DownFlags down{};
  PlanFlags plan{};
  HistoryFlags history{};
  PsFlags ps{};
  LogsFlags logs{};
  ConfigFlags config{};
  ExecFlags exec{};
  RunFlags run{};
  BuildFlags build{};
  PullFlags pull{};
  LifeFlags life{};
  CreateFlags create{};
  ShowFlags show{};
  CopyFlags copy{};
  DoctorFlags doctor{};
  PushFlags push{};
  OneFlags one{};
  DebugFlags debug{};
  WatchFlags watch{};
  VizFlags viz{};
  bool scale_no_deps = false;
};

}  // namespace berth::cli
