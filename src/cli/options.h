// What a command line says, as plain values: one struct for the global flags and one for each verb with flags.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace berth::cli {

using Texts = std::vector<std::string>;
using Seconds = std::optional<std::int64_t>;

inline bool contains(std::span<const std::string> texts, std::string_view text) {
  return std::ranges::find(texts, text) != texts.end();
}

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
  bool dry_run = false;
  bool compatibility = false;
  bool all_resources = false;
  bool adopt = false;
  bool help = false;
  bool version = false;
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
};

struct DownFlags {
  bool volumes = false;
  bool remove_orphans = false;
  std::string rmi{};
  Seconds timeout{};
};

struct PlanFlags {
  std::string verb = "up";
  bool detailed_exitcode = false;
  std::string format = "text";
};

struct PsFlags {
  bool all = false;
  bool quiet = false;
  std::string format = "table";
  bool services = false;
  Texts status{};
  Texts filter{};
  bool no_trunc = false;
  bool orphans = true;
};

struct LogsFlags {
  bool follow = false;
  std::string tail{};
  std::string since{};
  std::string until{};
  bool timestamps = false;
  bool no_color = false;
  bool no_log_prefix = false;
  std::optional<std::int64_t> index{};
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
};

struct ExecFlags {
  bool detach = false;
  bool no_tty = false;
  bool interactive = true;
  bool tty = true;
  Texts environment{};
  std::string user{};
  std::string working_dir{};
  std::int64_t index = 0;
  bool privileged = false;
};

struct RunFlags {
  bool detach = false;
  bool remove = false;
  bool no_tty = false;
  bool interactive = true;
  bool tty = true;
  bool no_deps = false;
  bool build = false;
  bool quiet_pull = false;
  bool service_ports = false;
  bool use_aliases = false;
  bool remove_orphans = false;
  Texts environment{};
  Texts labels{};
  Texts publish{};
  Texts volumes{};
  Texts cap_add{};
  Texts cap_drop{};
  std::optional<std::string> entrypoint{};
  std::string name{};
  std::string user{};
  std::string working_dir{};
};

struct BuildFlags {
  bool no_cache = false;
  bool pull = false;
  bool quiet = false;
  bool with_dependencies = false;
  Texts arguments{};
};

struct PullFlags {
  bool quiet = false;
  bool ignore_buildable = false;
  bool include_deps = false;
  bool ignore_failures = false;
  std::string policy{};
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
  bool remove_orphans = false;
  Texts scale{};
};

/// Verbs that show something: events, images, top, port, ls, version.
struct ShowFlags {
  bool json = false;
  bool quiet = false;
  bool all = false;
  bool brief = false;
  std::string format{};
  std::string protocol = "tcp";
  std::int64_t index = 0;
  Texts filter{};
  std::string since{};
  std::string until{};
  bool down_project = false;  ///< wait
};

struct CopyFlags {
  bool archive = false;
  bool follow_link = false;
  std::int64_t index = 0;
};

struct DoctorFlags {
  bool memory = false;
  std::string format = "text";
};

/// A whole command line. `arguments` are the verb's, in order, without flags; for exec and run everything from the
/// service on.
struct Options {
  GlobalFlags global{};
  std::string verb{};  ///< "" when only flags were given
  Texts arguments{};
  UpFlags up{};
  DownFlags down{};
  PlanFlags plan{};
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
};

}  // namespace berth::cli
