#include "cli/flags.h"

#include <algorithm>
#include <functional>
#include <map>

namespace berth::cli {
namespace {

constexpr std::string_view kRun = "Bring up and down";
constexpr std::string_view kSee = "Look";
constexpr std::string_view kThink = "Preview and explain";
constexpr std::string_view kLife = "Control what runs";
constexpr std::string_view kInside = "Work inside containers";
constexpr std::string_view kImages = "Images";
constexpr std::string_view kHost = "Host";

constexpr std::string_view kServices = "[SERVICE...]";

constexpr Grammar kGrammars[] = {
    {"up", kRun, kServices, "Create and start what the project says, and change what differs"},
    {"down", kRun, kServices, "Stop and remove containers and networks"},
    {"create", kRun, kServices, "Create containers without starting them"},
    {"plan", kThink, kServices, "Show what `up` (or `down`) would do and why, changing nothing"},
    {"explain", kThink, "SUBJECT", "Say why a service, container, network or volume is as it is", 1, 1},
    {"config", kThink, kServices, "Print the project after merging, interpolation and defaults"},
    {"ps", kSee, kServices, "List the project's containers"},
    {"logs", kSee, kServices, "Show the output of containers"},
    {"events", kSee, kServices, "Stream what happens to the project's containers"},
    {"images", kSee, kServices, "List the images that containers use"},
    {"port", kSee, "SERVICE PORT", "Print the public address of a service's port", 2, 2},
    {"top", kSee, kServices, "Show the processes of containers"},
    {"ls", kSee, "", "List the projects of this engine", 0, 0},
    {"start", kLife, kServices, "Start stopped containers"},
    {"stop", kLife, kServices, "Stop containers, keeping them"},
    {"restart", kLife, kServices, "Stop and start containers"},
    {"kill", kLife, kServices, "Send a signal to containers"},
    {"pause", kLife, kServices, "Freeze the processes of containers"},
    {"unpause", kLife, kServices, "Let frozen containers go on"},
    {"wait", kLife, "SERVICE...", "Wait until the first of the services' containers stops", 1},
    {"rm", kLife, kServices, "Remove stopped containers"},
    {"exec", kInside, "SERVICE COMMAND [ARG...]", "Run a command in a running container", 2, -1, true},
    {"run", kInside, "SERVICE [COMMAND] [ARG...]", "Run a one-off container of a service", 1, -1, true},
    {"cp", kInside, "SOURCE TARGET", "Copy files between a container and this machine (SERVICE:PATH)", 2, 2},
    {"build", kImages, kServices, "Build the images of services that have a build section"},
    {"pull", kImages, kServices, "Pull the images of services"},
    {"doctor", kHost, "", "Check the engine, network, disk, clock and ports of this machine", 0, 0},
    {"version", kHost, "", "Print the version", 0, 0},
    {"compose-vectors", "", "", "Answer the Compose grammar vectors on standard input", 0, 0},
    {"docker-cli-plugin-metadata", "", "", "Describe this program to docker", 0, 0},
};

using Bind = std::vector<Flag> (*)(Options&);

Flag timeout_flag(Seconds& target) {
  return {"-t,--timeout", "SECONDS", "Seconds until a container that does not stop is killed", &target};
}
Flag scale_flag(Texts& target) {
  return {"--scale", "SERVICE=N", "Run N containers of a service", &target};
}

std::vector<Flag> create_part(UpFlags& up) {
  return {
      {"--build", "", "Build images before starting", &up.build},
      {"--no-build", "", "Never build; a missing image is an error", &up.no_build},
      {"--force-recreate", "", "Recreate containers although nothing differs", &up.force_recreate},
      {"--no-recreate", "", "Leave containers that exist as they are", &up.no_recreate},
      {"--always-recreate-deps", "", "Recreate the services that others depend on too", &up.always_recreate_deps},
      {"--no-deps", "", "Leave the services that the named ones depend on alone", &up.no_deps},
      {"--no-start", "", "Create containers without starting them", &up.no_start},
      {"--pull", "POLICY", "Pull images first: always, missing, never or policy", &up.pull},
      {"--quiet-pull", "", "Pull without showing progress", &up.quiet_pull},
      {"--remove-orphans", "", "Remove containers of services that the project no longer has", &up.remove_orphans},
      {"-V,--renew-anon-volumes", "", "Give recreated containers new anonymous volumes", &up.renew_anon_volumes},
      scale_flag(up.scale),
      timeout_flag(up.timeout),
      {"-y,--yes", "", "Answer yes to every question", &up.yes},
  };
}

std::vector<Flag> up_flags(Options& o) {
  std::vector<Flag> flags = {
      {"-d,--detach", "", "Return when everything is started; without it, follow the logs", &o.up.detach},
      {"--wait", "", "Return when everything is running and healthy (implies -d)", &o.up.wait},
      {"--wait-timeout", "SECONDS", "How long --wait waits at most", &o.up.wait_timeout},
  };
  std::ranges::move(create_part(o.up), std::back_inserter(flags));
  std::ranges::move(
      std::vector<Flag>{
          {"--abort-on-container-exit", "", "Stop everything when a container stops", &o.up.abort_on_exit},
          {"--abort-on-container-failure", "", "Stop everything when a container fails", &o.up.abort_on_failure},
          {"--exit-code-from", "SERVICE", "Exit with that service's status (implies --abort-on-container-exit)",
           &o.up.exit_code_from},
          {"--attach", "SERVICE", "Follow the logs of these services only", &o.up.attach},
          {"--attach-dependencies", "", "Follow the logs of what the named services depend on too",
           &o.up.attach_dependencies},
          {"--no-attach", "SERVICE", "Do not follow the logs of these services", &o.up.no_attach},
          {"--no-log-prefix", "", "Print logs without the container's name", &o.up.no_log_prefix},
          {"--no-color", "", "Print logs without colours", &o.up.no_color},
          {"--timestamps", "", "Print logs with times", &o.up.timestamps},
      },
      std::back_inserter(flags));
  return flags;
}

std::vector<Flag> down_flags(Options& o) {
  return {
      {"-v,--volumes", "", "Remove the project's volumes and anonymous volumes too", &o.down.volumes},
      {"--remove-orphans", "", "Remove containers of services that the project no longer has", &o.down.remove_orphans},
      {"--rmi", "WHICH", "Remove images too: all, or local for those that berth named", &o.down.rmi},
      timeout_flag(o.down.timeout),
  };
}

std::vector<Flag> create_flags(Options& o) {
  return {
      {"--build", "", "Build images first", &o.create.build},
      {"--no-build", "", "Never build; a missing image is an error", &o.create.no_build},
      {"--force-recreate", "", "Recreate containers although nothing differs", &o.create.force_recreate},
      {"--no-recreate", "", "Leave containers that exist as they are", &o.create.no_recreate},
      {"--pull", "POLICY", "Pull images first: always, missing, never or policy", &o.create.pull},
      {"--remove-orphans", "", "Remove containers of services that the project no longer has",
       &o.create.remove_orphans},
      scale_flag(o.create.scale),
  };
}

std::vector<Flag> plan_flags(Options& o) {
  std::vector<Flag> flags = {
      {"--verb", "VERB", "What to plan: up or down", &o.plan.verb},
      {"--detailed-exitcode", "", "Exit with 0 when there is nothing to do, 2 when there is",
       &o.plan.detailed_exitcode},
      {"--format", "FORMAT", "text or json", &o.plan.format},
  };
  std::ranges::move(create_part(o.up), std::back_inserter(flags));
  flags.push_back({"-v,--volumes", "", "With --verb down: volumes too", &o.down.volumes});
  flags.push_back({"--rmi", "WHICH", "With --verb down: images too (all, local)", &o.down.rmi});
  return flags;
}

std::vector<Flag> config_flags(Options& o) {
  auto& c = o.config;
  return {
      {"--format", "FORMAT", "yaml or json", &c.format},
      {"--services", "", "Print the names of services, one a line", &c.services},
      {"--volumes", "", "Print the names of volumes", &c.volumes},
      {"--networks", "", "Print the names of networks", &c.networks},
      {"--profiles", "", "Print the names of profiles", &c.profiles},
      {"--images", "", "Print the images of services", &c.images},
      {"--hash", "SERVICES", "Print the hash of services: * or names with commas", &c.hash},
      {"--environment", "", "Print the variables that interpolation sees", &c.environment},
      {"--variables", "", "Print the variables that the files use, with their defaults", &c.variables},
      {"-q,--quiet", "", "Only check; print nothing", &c.quiet},
      {"-o,--output", "FILE", "Write to a file", &c.output},
      {"--no-interpolate", "", "Leave variables as they are written", &c.no_interpolate},
      {"--no-normalize", "", "Leave the model as it is written", &c.no_normalize},
      {"--no-path-resolution", "", "Leave relative paths relative", &c.no_path_resolution},
      {"--no-env-resolution", "", "Leave env_file unread", &c.no_env_resolution},
      {"--no-consistency", "", "Skip the checks across services", &c.no_consistency},
  };
}

std::vector<Flag> ps_flags(Options& o) {
  return {
      {"-a,--all", "", "Stopped and one-off containers too", &o.ps.all},
      {"-q,--quiet", "", "Print ids only", &o.ps.quiet},
      {"--format", "FORMAT", "table or json (one object a line)", &o.ps.format},
      {"--services", "", "Print the names of services", &o.ps.services},
      {"--status", "STATUS", "Only these: paused, restarting, removing, running, dead, created, exited", &o.ps.status},
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

std::vector<Flag> exec_flags(Options& o) {
  auto& e = o.exec;
  return {
      {"-d,--detach", "", "Return at once", &e.detach},
      {"-T,--no-tty", "", "Without a terminal (default when standard input is none)", &e.no_tty},
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
      {"--entrypoint", "COMMAND", "Replace the entrypoint", &r.entrypoint},
      {"--name", "NAME", "Name the container", &r.name},
      {"--no-deps", "", "Do not start what the service depends on", &r.no_deps},
      {"-T,--no-TTY", "", "Without a terminal (default when standard input is none)", &r.no_tty},
      {"-i,--interactive", "", "", &r.interactive},
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
      {"--quiet-pull", "", "Pull without showing progress", &r.quiet_pull},
      {"--remove-orphans", "", "Remove containers of services that the project no longer has", &r.remove_orphans},
  };
}

std::vector<Flag> build_flags(Options& o) {
  return {
      {"--no-cache", "", "Build every step anew", &o.build.no_cache},
      {"--pull", "", "Pull newer base images", &o.build.pull},
      {"--build-arg", "NAME=VALUE", "Set a build argument", &o.build.arguments},
      {"-q,--quiet", "", "Print nothing but errors", &o.build.quiet},
      {"--with-dependencies", "", "What the services depend on too", &o.build.with_dependencies},
  };
}

std::vector<Flag> pull_flags(Options& o) {
  return {
      {"-q,--quiet", "", "Print nothing but errors", &o.pull.quiet},
      {"--ignore-buildable", "", "Leave out images that can be built", &o.pull.ignore_buildable},
      {"--include-deps", "", "What the services depend on too", &o.pull.include_deps},
      {"--ignore-pull-failures", "", "Go on when an image cannot be pulled", &o.pull.ignore_failures},
      {"--policy", "POLICY", "missing: only those that are absent; always", &o.pull.policy},
  };
}

std::vector<Flag> start_flags(Options& o) {
  return {
      {"--wait", "", "Return when everything is running and healthy", &o.life.wait},
      {"--wait-timeout", "SECONDS", "How long --wait waits at most", &o.life.wait_timeout},
  };
}
std::vector<Flag> stop_flags(Options& o) {
  return {timeout_flag(o.life.timeout)};
}
std::vector<Flag> restart_flags(Options& o) {
  return {timeout_flag(o.life.timeout),
          {"--no-deps", "", "Leave the services that depend on the named ones alone", &o.life.no_deps}};
}
std::vector<Flag> kill_flags(Options& o) {
  return {
      {"-s,--signal", "SIGNAL", "The signal (SIGKILL)", &o.life.signal},
      {"--remove-orphans", "", "Containers of services that the project no longer has, too", &o.life.remove_orphans},
  };
}
std::vector<Flag> rm_flags(Options& o) {
  return {
      {"-f,--force", "", "Do not ask", &o.life.force},
      {"-s,--stop", "", "Stop the containers first", &o.life.stop},
      {"-v,--volumes", "", "Anonymous volumes too", &o.life.volumes},
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
      {"--format", "FORMAT", "table or json", &o.show.format},
  };
}
std::vector<Flag> port_flags(Options& o) {
  return {
      {"--protocol", "NAME", "tcp or udp", &o.show.protocol},
      {"--index", "N", "The service's container of that number", &o.show.index},
  };
}
std::vector<Flag> ls_flags(Options& o) {
  return {
      {"-a,--all", "", "Projects without a running container too", &o.show.all},
      {"-q,--quiet", "", "Print names only", &o.show.quiet},
      {"--format", "FORMAT", "table or json", &o.show.format},
      {"--filter", "NAME=VALUE", "Only name=VALUE", &o.show.filter},
  };
}
std::vector<Flag> version_flags(Options& o) {
  return {
      {"--short", "", "Print the number only", &o.show.brief},
      {"-f,--format", "FORMAT", "pretty or json", &o.show.format},
  };
}
std::vector<Flag> cp_flags(Options& o) {
  return {
      {"-a,--archive", "", "Keep owners", &o.copy.archive},
      {"-L,--follow-link", "", "Copy what a symbolic link points to", &o.copy.follow_link},
      {"--index", "N", "The service's container of that number", &o.copy.index},
  };
}
std::vector<Flag> wait_flags(Options& o) {
  return {{"--down-project", "", "Take the project down afterwards", &o.show.down_project}};
}
std::vector<Flag> doctor_flags(Options& o) {
  return {
      {"--memory", "", "Print the memory of the processes of `berth serve` (sum of Pss)", &o.doctor.memory},
      {"--format", "FORMAT", "text or json", &o.doctor.format},
  };
}

struct FlagRow {
  std::string_view verb;
  Bind bind;
};
constexpr FlagRow kFlags[] = {
    {"up", up_flags},           {"down", down_flags},       {"create", create_flags}, {"plan", plan_flags},
    {"config", config_flags},   {"ps", ps_flags},           {"logs", logs_flags},     {"exec", exec_flags},
    {"run", run_flags},         {"build", build_flags},     {"pull", pull_flags},     {"start", start_flags},
    {"stop", stop_flags},       {"restart", restart_flags}, {"kill", kill_flags},     {"rm", rm_flags},
    {"events", events_flags},   {"images", images_flags},   {"port", port_flags},     {"ls", ls_flags},
    {"version", version_flags}, {"cp", cp_flags},           {"wait", wait_flags},     {"doctor", doctor_flags},
};

}  // namespace

std::span<const Grammar> grammars() {
  return kGrammars;
}

const Grammar* find_grammar(std::string_view verb) {
  const auto found = std::ranges::find(kGrammars, verb, &Grammar::name);
  return found == std::end(kGrammars) ? nullptr : found;
}

std::vector<Flag> global_flags(Options& options) {
  auto& g = options.global;
  return {
      {"-f,--file", "FILE", "Compose file; repeatable, later ones win; - reads standard input", &g.files},
      {"-p,--project-name", "NAME", "Name of the project", &g.project_name},
      {"--project-directory", "PATH", "Folder that relative paths start from", &g.project_directory},
      {"--env-file", "FILE", "Variables for interpolation; repeatable (.env)", &g.env_files},
      {"--profile", "NAME", "Enable a profile; repeatable, * for all", &g.profiles},
      {"-H,--host", "ADDRESS", "Engine to talk to (unix:///var/run/docker.sock)", &g.host},
      {"-c,--context", "NAME", "Docker context to use", &g.context},
      {"--parallel", "N", "Effects at a time, -1 for no bound", &g.parallel},
      {"--progress", "KIND", "auto, tty, plain, json or quiet", &g.progress},
      {"--ansi", "WHEN", "Control characters: auto, always or never", &g.ansi},
      {"--dry-run", "", "Show what would be done, changing nothing", &g.dry_run},
      {"--adopt", "", "Take over containers that were made from another folder", &g.adopt},
      {"--compatibility", "", "Accepted for docker compose; without effect", &g.compatibility},
      {"--all-resources", "", "Include networks and volumes that no service uses", &g.all_resources},
      {"-h,--help", "", "Show this help", &g.help},
      {"-v,--version", "", "Show the version", &g.version},
  };
}

std::vector<Flag> verb_flags(std::string_view verb, Options& options) {
  const auto found = std::ranges::find(kFlags, verb, &FlagRow::verb);
  return found == std::end(kFlags) ? std::vector<Flag>{} : found->bind(options);
}

}  // namespace berth::cli
