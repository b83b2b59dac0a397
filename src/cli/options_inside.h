// Flags of the verbs that work inside containers.
#pragma once

#include "cli/texts.h"

namespace berth::cli {

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
  Texts env_files{};
  std::string pull{};
  std::optional<std::string> entrypoint{};
  std::string name{};
  std::string user{};
  std::string working_dir{};
};

struct CopyFlags {
  bool archive = false;
  bool follow_link = false;
  std::int64_t index = 0;
};

/// attach, commit and export: verbs on one container of a service.
struct OneFlags {
  std::int64_t index = 0;
  bool no_stdin = false;
  bool sig_proxy = true;
  std::string detach_keys{};
  std::string author{};
  Texts changes{};
  std::string message{};
  bool pause = true;
  std::string output{};
};

struct DebugFlags {
  std::string user{};
  std::string working_dir{};
  Texts environment{};
};

}  // namespace berth::cli
