#include "cli/flag_groups.h"

#include <algorithm>
#include <iterator>

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
constexpr std::string_view kPullPolicies = "always|missing|never|policy|build|if_not_present";

constexpr Grammar kGrammars[] = {
    {"up", kRun, kServices, "Create and start what the project says, and change what differs", "berth up -d --wait"},
    {"down", kRun, kServices, "Stop and remove containers and networks", "berth down --remove-orphans"},
    {"create", kRun, kServices, "Create containers without starting them", "berth create --build"},
    {"scale", kRun, "SERVICE=N...", "Run so many containers of services", "berth scale web=3 worker=0", 1},
    {"watch", kRun, kServices, "Sync files, rebuild or restart when sources change (develop.watch)", "berth watch web"},
    {"plan", kThink, kServices, "Show what `up` (or `down`) would do and why, changing nothing",
     "berth plan --detailed-exitcode"},
    {"apply", kThink, "FILE", "Carry out a saved plan; refuse when something moved since", "berth apply next.plan", 1,
     1},
    {"adopt", kThink, "[PROJECT]", "Show what taking over a running project would change, and keep it as a generation",
     "berth adopt shop", 0, 1},
    {"explain", kThink, "SUBJECT", "Say why a service, container, network or volume is as it is", "berth explain web",
     1, 1},
    {"history", kThink, "", "List the project's generations: what was brought up, when, by whom", "berth history", 0,
     0},
    {"diff", kThink, "GENERATION [GENERATION]", "Show what changed between generations, or since one", "berth diff 3",
     1, 2},
    {"rollback", kThink, "[GENERATION]", "Bring the whole project back to an earlier generation", "berth rollback 3", 0,
     1},
    {"config", kThink, kServices, "Print the project after merging, interpolation and defaults",
     "berth config --format json"},
    {"alpha", kThink, "viz", "Draw the services and their dependencies as a Graphviz graph", "berth alpha viz --ports",
     1, 1},
    {"ps", kSee, kServices, "List the project's containers", "berth ps --format json"},
    {"logs", kSee, kServices, "Show the output of containers, in order of time", "berth logs -f --tail 20 web"},
    {"events", kSee, kServices, "Stream what happens to the project's containers", "berth events --json"},
    {"stats", kSee, kServices, "Show CPU, memory, network and disk use of containers, live", "berth stats --no-stream"},
    {"top", kSee, kServices, "Show the processes of containers", "berth top --live web"},
    {"images", kSee, kServices, "List the images that containers use", "berth images --format json"},
    {"volumes", kSee, kServices, "List the project's volumes", "berth volumes web"},
    {"port", kSee, "SERVICE PORT", "Print the public address of a service's port", "berth port web 80", 2, 2},
    {"ls", kSee, "", "List the projects of this engine", "berth ls --all", 0, 0},
    {"start", kLife, kServices, "Start stopped containers", "berth start --wait web"},
    {"stop", kLife, kServices, "Stop containers, keeping them", "berth stop -t 5 web"},
    {"restart", kLife, kServices, "Stop and start containers", "berth restart --no-deps web"},
    {"kill", kLife, kServices, "Send a signal to containers", "berth kill -s HUP proxy"},
    {"pause", kLife, kServices, "Freeze the processes of containers", "berth pause db"},
    {"unpause", kLife, kServices, "Let frozen containers go on", "berth unpause db"},
    {"wait", kLife, "SERVICE...", "Wait until the first of the services' containers stops", "berth wait migrate", 1},
    {"rm", kLife, kServices, "Remove stopped containers", "berth rm -f web"},
    {"exec", kInside, "SERVICE [COMMAND] [ARG...]", "Run a command, or a shell, in a running container",
     "berth exec -u root web", 1, -1, true},
    {"attach", kInside, "SERVICE", "Connect this terminal to the main process of a container",
     "berth attach --sig-proxy=false web", 1, 1},
    {"debug", kInside, "SERVICE [COMMAND] [ARG...]",
     "Open a shell beside a service: its image, environment, mounts and networks", "berth debug web", 1, -1, true},
    {"run", kInside, "SERVICE [COMMAND] [ARG...]", "Run a one-off container of a service",
     "berth run --rm web ./manage.py migrate", 1, -1, true},
    {"cp", kInside, "SOURCE TARGET", "Copy files between a container and this machine (SERVICE:PATH, - is a tar)",
     "berth cp web:/etc/hosts .", 2, 2},
    {"build", kImages, kServices, "Build the images of services that have a build section", "berth build --pull web"},
    {"pull", kImages, kServices, "Pull the images of services", "berth pull --ignore-buildable"},
    {"push", kImages, kServices, "Push the images of services that have a build section", "berth push web"},
    {"commit", kImages, "SERVICE [IMAGE]", "Make an image of what a container has become",
     "berth commit -m \"after the upgrade\" db shop/db:fixed", 1, 2},
    {"export", kImages, "SERVICE", "Write the files of a container as a tar", "berth export -o web.tar web", 1, 1},
    {"doctor", kHost, "", "Check the engine, network, disk, clock and ports of this machine", "berth doctor", 0, 0},
    {"version", kHost, "", "Print the version", "berth version --short", 0, 0},
    {"completion", kHost, "SHELL", "Print the completion script of bash, zsh or fish", "berth completion bash", 1, 1},
    {"man", kHost, "[VERB]", "Print the manual page of berth, or of one of its verbs", "berth man up", 0, 1},
    {"convert", "", kServices, "As config", "", 0},
    {"__complete", "", "WORD...", "Say what may stand in place of the last word", "", 0},
    {"compose-vectors", "", "", "Answer the Compose grammar vectors on standard input", "", 0, 0},
    {"docker-cli-plugin-metadata", "", "", "Describe this program to docker", "", 0, 0},
};

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
      {"--pull", "POLICY", "Pull images first: always, missing, never or policy", &up.pull, kPullPolicies},
      {"--quiet-pull", "", "Pull without showing progress", &up.quiet_pull},
      {"--remove-orphans", "", "Remove containers of services that the project no longer has", &up.remove_orphans},
      {"-V,--renew-anon-volumes", "", "Give recreated containers new anonymous volumes", &up.renew_anon_volumes},
      {"--no-rolling", "", "Stop the old container before the new one starts, also behind the edge", &up.no_rolling},
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
          {"-w,--watch", "", "Sync, rebuild or restart when sources change, as berth watch does", &o.up.watch},
      },
      std::back_inserter(flags));
  return flags;
}

std::vector<Flag> down_flags(Options& o) {
  return {
      {"-v,--volumes", "", "Remove the project's volumes and anonymous volumes too", &o.down.volumes},
      {"--remove-orphans", "", "Remove containers of services that the project no longer has", &o.down.remove_orphans},
      {"--rmi", "WHICH", "Remove images too: all, or local for those that berth named", &o.down.rmi, "all|local"},
      timeout_flag(o.down.timeout),
  };
}

std::vector<Flag> create_flags(Options& o) {
  return {
      {"--build", "", "Build images first", &o.create.build},
      {"--no-build", "", "Never build; a missing image is an error", &o.create.no_build},
      {"--force-recreate", "", "Recreate containers although nothing differs", &o.create.force_recreate},
      {"--no-recreate", "", "Leave containers that exist as they are", &o.create.no_recreate},
      {"--pull", "POLICY", "Pull images first: always, missing, never or policy", &o.create.pull, kPullPolicies},
      {"--quiet-pull", "", "Pull without showing progress", &o.create.quiet_pull},
      {"-y,--yes", "", "Answer yes to every question", &o.create.yes},
      {"--remove-orphans", "", "Remove containers of services that the project no longer has",
       &o.create.remove_orphans},
      scale_flag(o.create.scale),
  };
}

std::vector<Flag> plan_flags(Options& o) {
  std::vector<Flag> flags = {
      {"--verb", "VERB", "What to plan: up or down", &o.plan.verb, "up|down"},
      {"--detailed-exitcode", "", "Exit with 0 when there is nothing to do, 2 when there is",
       &o.plan.detailed_exitcode},
      {"--format", "FORMAT", "text or json", &o.plan.format, "text|json"},
      {"--out", "FILE", "Save the plan, for `berth apply FILE`", &o.plan.out},
  };
  std::ranges::move(create_part(o.up), std::back_inserter(flags));
  flags.push_back({"-v,--volumes", "", "With --verb down: volumes too", &o.down.volumes});
  flags.push_back({"--rmi", "WHICH", "With --verb down: images too (all, local)", &o.down.rmi, "all|local"});
  return flags;
}

std::vector<Flag> config_flags(Options& o) {
  auto& c = o.config;
  return {
      {"--format", "FORMAT", "yaml or json", &c.format, "yaml|json"},
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
      {"--resolve-image-digests", "", "Pin images to the digests that their registries name now",
       &c.resolve_image_digests},
      {"--lock-image-digests", "", "Print an override file with those digests alone", &c.lock_image_digests},
      {"--no-interpolate", "", "Leave variables as they are written", &c.no_interpolate},
      {"--no-normalize", "", "Leave the model as it is written", &c.no_normalize},
      {"--no-path-resolution", "", "Leave relative paths relative", &c.no_path_resolution},
      {"--no-env-resolution", "", "Leave env_file unread", &c.no_env_resolution},
      {"--no-consistency", "", "Skip the checks across services", &c.no_consistency},
  };
}

std::vector<Flag> build_flags(Options& o) {
  return {
      {"--no-cache", "", "Build every step anew", &o.build.no_cache},
      {"--pull", "", "Pull newer base images", &o.build.pull},
      {"--build-arg", "NAME=VALUE", "Set a build argument", &o.build.arguments},
      {"-q,--quiet", "", "Print nothing but errors", &o.build.quiet},
      {"--with-dependencies", "", "What the services depend on too", &o.build.with_dependencies},
      {"--push", "", "Push what was built and has an image name", &o.build.push},
      {"--builder", "NAME", "default, or classic for the engine's builder without BuildKit", &o.build.builder},
      {"-m,--memory", "SIZE", "Bound the memory of a build step (classic builder)", &o.build.memory},
      {"--ssh", "KEY", "", &o.build.ssh},
      {"--parallel", "", "", &o.build.ignored},
      {"--compress", "", "", &o.build.ignored},
      {"--force-rm", "", "", &o.build.ignored},
      {"--no-rm", "", "", &o.build.ignored},
  };
}

std::vector<Flag> pull_flags(Options& o) {
  return {
      {"-q,--quiet", "", "Print nothing but errors", &o.pull.quiet},
      {"--ignore-buildable", "", "Leave out images that can be built", &o.pull.ignore_buildable},
      {"--include-deps", "", "What the services depend on too", &o.pull.include_deps},
      {"--ignore-pull-failures", "", "Go on when an image cannot be pulled", &o.pull.ignore_failures},
      {"--policy", "POLICY", "missing: only those that are absent; always", &o.pull.policy, "missing|always"},
      {"--parallel", "", "", &o.global.accepted},
      {"--no-parallel", "", "", &o.global.accepted},
  };
}

std::vector<Flag> push_flags(Options& o) {
  return {
      {"-q,--quiet", "", "Print nothing but errors", &o.push.quiet},
      {"--include-deps", "", "What the services depend on too", &o.push.include_deps},
      {"--ignore-push-failures", "", "Go on when an image cannot be pushed", &o.push.ignore_failures},
  };
}
std::vector<Flag> scale_flags(Options& o) {
  return {{"--no-deps", "", "Leave the services that the named ones depend on alone", &o.scale_no_deps}};
}
std::vector<Flag> watch_flags(Options& o) {
  return {
      {"--no-up", "", "Do not bring the services up first", &o.watch.no_up},
      {"--prune", "", "Remove the image that a rebuild replaced (on by default)", &o.watch.prune},
      {"--quiet", "", "Show no progress of builds", &o.watch.quiet},
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
      {"-a,--all", "", "", &o.global.accepted},
  };
}

std::vector<Flag> wait_flags(Options& o) {
  return {{"--down-project", "", "Take the project down afterwards", &o.show.down_project}};
}
std::vector<Flag> apply_flags(Options& o) {
  return {{"-y,--yes", "", "Answer yes to every question", &o.history.yes}};
}
std::vector<Flag> adopt_flags(Options& o) {
  return {
      {"--detailed-exitcode", "", "Exit with 0 when nothing differs, 2 when something does", &o.plan.detailed_exitcode},
      {"--format", "FORMAT", "text or json", &o.plan.format, "text|json"},
  };
}
std::vector<Flag> history_flags(Options& o) {
  return {{"--format", "FORMAT", "text or json", &o.history.format, "text|json"}};
}
std::vector<Flag> rollback_flags(Options& o) {
  return {
      {"-y,--yes", "", "Answer yes to every question", &o.history.yes},
      {"--wait", "", "Return when everything is running and healthy", &o.history.wait},
      timeout_flag(o.history.timeout),
  };
}
std::vector<Flag> viz_flags(Options& o) {
  return {
      {"--image", "", "Show the images", &o.viz.image},
      {"--networks", "", "Show the networks", &o.viz.networks},
      {"--ports", "", "Show the ports", &o.viz.ports},
      {"--spaces", "", "Indent with spaces, not with tabs", &o.viz.spaces},
      {"--indentation-size", "N", "Indent by so many of them", &o.viz.indentation},
  };
}
std::vector<Flag> doctor_flags(Options& o) {
  return {
      {"--memory", "", "Print the memory of the processes of `berth serve` (sum of Pss)", &o.doctor.memory},
      {"--format", "FORMAT", "text or json", &o.doctor.format, "text|json"},
      {"--data", "DIR", "Data folder of berth serve (default /var/lib/berth)", &o.doctor.data},
  };
}

constexpr FlagRow kFlags[] = {
    {"up", up_flags},           {"down", down_flags},      {"create", create_flags},     {"plan", plan_flags},
    {"config", config_flags},   {"convert", config_flags}, {"build", build_flags},       {"pull", pull_flags},
    {"push", push_flags},       {"scale", scale_flags},    {"watch", watch_flags},       {"alpha", viz_flags},
    {"start", start_flags},     {"stop", stop_flags},      {"restart", restart_flags},   {"kill", kill_flags},
    {"rm", rm_flags},           {"wait", wait_flags},      {"doctor", doctor_flags},     {"apply", apply_flags},
    {"history", history_flags}, {"diff", history_flags},   {"rollback", rollback_flags}, {"explain", history_flags},
    {"adopt", adopt_flags},
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
      {"--progress", "KIND", "auto, tty, plain, json or quiet", &g.progress, "auto|tty|plain|json|quiet"},
      {"--ansi", "WHEN", "Control characters: auto, always or never", &g.ansi, "auto|always|never"},
      {"--data", "DIR", "Folder of generations and keys (/var/lib/berth)", &g.data},
      {"--dry-run", "", "Show what would be done, changing nothing", &g.dry_run},
      {"--adopt", "", "Take over containers that were made from another folder", &g.adopt},
      {"--allow-remote", "", "Read Compose files from git repositories (BERTH_ALLOW_REMOTE)", &g.allow_remote},
      {"--compatibility", "", "Name containers with _, as Compose 1 did (COMPOSE_COMPATIBILITY)", &g.compatibility},
      {"--all-resources", "", "Include networks and volumes that no service uses", &g.all_resources},
      {"-h,--help", "", "Show this help", &g.help},
      {"-v,--version", "", "Show the version", &g.version},
      {"--workdir", "PATH", "", &g.project_directory},
      {"--verbose", "", "", &g.accepted},
      {"--no-ansi", "", "", &g.accepted},
  };
}

std::vector<Flag> docker_flags(Options& options) {
  auto& g = options.global;
  return {
      {"--config", "PATH", "", &g.docker_config},        {"-D,--debug", "", "", &g.accepted},
      {"-l,--log-level", "LEVEL", "", &g.accepted_text}, {"--tls", "", "", &g.accepted},
      {"--tlscacert", "FILE", "", &g.accepted_text},     {"--tlscert", "FILE", "", &g.accepted_text},
      {"--tlskey", "FILE", "", &g.accepted_text},        {"--tlsverify", "", "", &g.accepted},
  };
}

std::vector<Flag> verb_flags(std::string_view verb, Options& options) {
  for (const auto rows : {std::span<const FlagRow>(kFlags), look_flags(), inside_flags()})
    if (const auto found = std::ranges::find(rows, verb, &FlagRow::verb); found != rows.end())
      return found->bind(options);
  return {};
}

}  // namespace berth::cli
