// Flags of the verbs that look at what runs.
#pragma once

#include "cli/texts.h"

namespace berth::cli {

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

/// Verbs that show something: events, images, top, port, ls, stats, version, volumes.
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
  bool no_trunc = false;
  bool no_stream = false;  ///< stats
  bool live = false;       ///< top
};

struct DoctorFlags {
  bool memory = false;
  std::string format = "text";
  std::string data = "/var/lib/berth";
};

/// alpha viz.
struct VizFlags {
  bool image = false;
  bool networks = false;
  bool ports = false;
  bool spaces = false;
  std::int64_t indentation = 1;
};

}  // namespace berth::cli
