#include "cli/flag_groups.h"

namespace berth::cli {
namespace {

std::vector<Flag> exec_flags(Options& o) {
  auto& e = o.exec;
  return {
      {"-d,--detach", "", "Return at once", &e.detach},
      {"-T,--no-TTY,--no-tty", "", "Without a terminal (default when standard input is none)", &e.no_tty},
      {"-i,--interactive", "", "", &e.interactive},
      {"-t,--tty", "", "", &e.tty},
      {"-e,--env", "NAME=VALUE", "Set an environment variable", &e.environment},
      {"-u,--user", "USER", "Run as this user", &e.user},
      {"-w,--workdir", "PATH", "Run in this folder", &e.working_dir},
      {"--index", "N", "The service's container of that number", &e.index},
      {"--privileged", "", "Give the process every privilege", &e.privileged},
  };
}

std::vector<Flag> run_flags(Options& o) {
  auto& r = o.run;
  return {
      {"-d,--detach", "", "Print the container's name and return", &r.detach},
      {"--rm", "", "Remove the container when it ends", &r.remove},
      {"-e,--env", "NAME=VALUE", "Set an environment variable", &r.environment},
      {"--env-from-file", "FILE", "Set the variables of a file", &r.env_files},
      {"--entrypoint", "COMMAND", "Replace the entrypoint", &r.entrypoint},
      {"--name", "NAME", "Name the container", &r.name},
      {"--no-deps", "", "Do not start what the service depends on", &r.no_deps},
      {"-T,--no-TTY,--no-tty", "", "Without a terminal (default when standard input is none)", &r.no_tty},
      {"-i,--interactive", "", "Hand on standard input (on by default)", &r.interactive},
      {"-t,--tty", "", "", &r.tty},
      {"-p,--publish", "PORT", "Publish a port", &r.publish},
      {"-P,--service-ports", "", "Publish the service's ports", &r.service_ports},
      {"-u,--user", "USER", "Run as this user", &r.user},
      {"-v,--volume", "VOLUME", "Mount a volume or folder", &r.volumes},
      {"-w,--workdir", "PATH", "Run in this folder", &r.working_dir},
      {"-l,--label", "NAME=VALUE", "Set a label", &r.labels},
      {"--cap-add", "NAME", "Add a capability", &r.cap_add},
      {"--cap-drop", "NAME", "Drop a capability", &r.cap_drop},
      {"--use-aliases", "", "Answer to the service's names in its networks", &r.use_aliases},
      {"--build", "", "Build the image first", &r.build},
      {"--pull", "POLICY", "Pull the image first: always, missing, never or policy", &r.pull,
       "always|missing|never|policy"},
      {"--quiet-pull", "", "Pull without showing progress", &r.quiet_pull},
      {"--remove-orphans", "", "Remove containers of services that the project no longer has", &r.remove_orphans},
  };
}

std::vector<Flag> cp_flags(Options& o) {
  return {
      {"-a,--archive", "", "Keep owners", &o.copy.archive},
      {"-L,--follow-link", "", "Copy what a symbolic link points to", &o.copy.follow_link},
      {"--index", "N", "The service's container of that number", &o.copy.index},
  };
}

Flag index_flag(Options& o) {
  return {"--index", "N", "The service's container of that number", &o.one.index};
}

std::vector<Flag> attach_flags(Options& o) {
  return {
      {"--detach-keys", "KEYS", "Keys that detach from a terminal, such as ctrl-p,ctrl-q", &o.one.detach_keys},
      index_flag(o),
      {"--no-stdin", "", "Leave standard input alone", &o.one.no_stdin},
      {"--sig-proxy", "", "Hand signals on to the process (on by default)", &o.one.sig_proxy},
  };
}

std::vector<Flag> debug_flags(Options& o) {
  auto& d = o.debug;
  return {
      {"-e,--env", "NAME=VALUE", "Set an environment variable", &d.environment},
      {"-u,--user", "USER", "Run as this user", &d.user},
      {"-w,--workdir", "PATH", "Run in this folder", &d.working_dir},
  };
}

std::vector<Flag> commit_flags(Options& o) {
  return {
      {"-a,--author", "NAME", "Who made it", &o.one.author},
      {"-c,--change", "INSTRUCTION", "Apply a Dockerfile instruction; repeatable", &o.one.changes},
      index_flag(o),
      {"-m,--message", "TEXT", "What was done", &o.one.message},
      {"-p,--pause", "", "Freeze the container meanwhile (on by default)", &o.one.pause},
  };
}

std::vector<Flag> export_flags(Options& o) {
  return {
      index_flag(o),
      {"-o,--output", "FILE", "Write to a file", &o.one.output},
  };
}

constexpr FlagRow kRows[] = {
    {"exec", exec_flags},   {"run", run_flags},       {"cp", cp_flags},         {"attach", attach_flags},
    {"debug", debug_flags}, {"commit", commit_flags}, {"export", export_flags},
};

}  // namespace

std::span<const FlagRow> inside_flags() {
  return kRows;
}

}  // namespace berth::cli
