#include "cli/flag_groups.h"

namespace berth::cli {
namespace {

constexpr std::string_view kStatuses = "paused|restarting|removing|running|dead|created|exited";

std::vector<Flag> ps_flags(Options& o) {
  return {
      {"-a,--all", "", "Stopped and one-off containers too", &o.ps.all},
      {"-q,--quiet", "", "Print ids only", &o.ps.quiet},
      {"--format", "FORMAT", "table, json (one object a line), or a Go template", &o.ps.format, "table|json|..."},
      {"--services", "", "Print the names of services", &o.ps.services},
      {"--status", "STATUS", "Only these: paused, restarting, removing, running, dead, created, exited", &o.ps.status,
       kStatuses},
      {"--filter", "NAME=VALUE", "Only status=VALUE", &o.ps.filter},
      {"--no-trunc", "", "Print long values whole", &o.ps.no_trunc},
      {"--orphans", "", "Containers of services that the project no longer has (on by default)", &o.ps.orphans},
  };
}

std::vector<Flag> logs_flags(Options& o) {
  return {
      {"-f,--follow", "", "Go on with what is written from now on", &o.logs.follow},
      {"-n,--tail", "LINES", "Begin with so many lines of each container (all)", &o.logs.tail},
      {"--since", "TIME", "From a time on (2026-01-02T15:04:05Z) or an age (42m)", &o.logs.since},
      {"--until", "TIME", "Up to a time or an age", &o.logs.until},
      {"-t,--timestamps", "", "Print times", &o.logs.timestamps},
      {"--no-color", "", "Print without colours", &o.logs.no_color},
      {"--no-log-prefix", "", "Print without the container's name", &o.logs.no_log_prefix},
      {"--index", "N", "Only the service's container of that number", &o.logs.index},
  };
}

std::vector<Flag> events_flags(Options& o) {
  return {
      {"--json", "", "One JSON object a line", &o.show.json},
      {"--since", "TIME", "From a time on", &o.show.since},
      {"--until", "TIME", "Up to a time", &o.show.until},
  };
}

std::vector<Flag> images_flags(Options& o) {
  return {
      {"-q,--quiet", "", "Print ids only", &o.show.quiet},
      {"--format", "FORMAT", "table or json", &o.show.format, "table|json"},
  };
}

std::vector<Flag> port_flags(Options& o) {
  return {
      {"--protocol", "NAME", "tcp or udp", &o.show.protocol, "tcp|udp|..."},
      {"--index", "N", "The service's container of that number", &o.show.index},
  };
}

std::vector<Flag> ls_flags(Options& o) {
  return {
      {"-a,--all", "", "Projects without a running container too", &o.show.all},
      {"-q,--quiet", "", "Print names only", &o.show.quiet},
      {"--format", "FORMAT", "table or json", &o.show.format, "table|json"},
      {"--filter", "NAME=VALUE", "Only name=VALUE", &o.show.filter},
  };
}

std::vector<Flag> version_flags(Options& o) {
  return {
      {"--short", "", "Print the number only", &o.show.brief},
      {"-f,--format", "FORMAT", "pretty or json", &o.show.format, "pretty|json"},
  };
}

std::vector<Flag> stats_flags(Options& o) {
  return {
      {"-a,--all", "", "Containers that do not run, too", &o.show.all},
      {"--format", "FORMAT", "table, json (one object a line), or a Go template", &o.show.format, "table|json|..."},
      {"--no-stream", "", "One picture, then end", &o.show.no_stream},
      {"--no-trunc", "", "Print long values whole", &o.show.no_trunc},
  };
}

std::vector<Flag> top_flags(Options& o) {
  return {{"--live", "", "Draw anew every two seconds, until Ctrl-C", &o.show.live}};
}

std::vector<Flag> volumes_flags(Options& o) {
  return {
      {"-q,--quiet", "", "Print names only", &o.show.quiet},
      {"--format", "FORMAT", "table, json (one object a line), or a Go template", &o.show.format, "table|json|..."},
  };
}

constexpr FlagRow kRows[] = {
    {"ps", ps_flags},     {"logs", logs_flags},       {"events", events_flags},   {"images", images_flags},
    {"port", port_flags}, {"ls", ls_flags},           {"version", version_flags}, {"stats", stats_flags},
    {"top", top_flags},   {"volumes", volumes_flags},
};

}  // namespace

std::span<const FlagRow> look_flags() {
  return kRows;
}

}  // namespace berth::cli
