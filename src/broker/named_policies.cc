#include "broker/policy.h"

// Each is what a file could say; `extends` takes one of them as it stands here.
namespace berth::broker {
namespace {

constexpr NamedPolicy kPolicies[] = {
    {"monitor", "look at everything, see no secret: for dashboards and metrics", R"({
  "allow": ["system.ping", "system.ping-head", "system.version", "system.info", "system.events", "system.df",
            "containers.list", "containers.inspect", "containers.stats", "images.list", "images.inspect",
            "networks.list", "networks.inspect", "volumes.list", "volumes.inspect", "services.list", "services.inspect",
            "tasks.list", "tasks.inspect", "nodes.list", "nodes.inspect"],
  "replies": "redacted"})"},
    {"traefik", "what Traefik's Docker and Swarm providers read, with labels and without environments", R"({
  "allow": ["system.ping", "system.ping-head", "system.version", "system.info", "system.events", "containers.list",
            "containers.inspect", "networks.list", "networks.inspect", "services.list", "services.inspect",
            "tasks.list", "tasks.inspect", "nodes.list"],
  "replies": "labelled"})"},
    {"deploy", "run and replace containers of images that exist in a registry; no way into a running one", R"({
  "allow": ["system.ping", "system.ping-head", "system.version", "system.info", "system.events", "system.auth",
            "containers.list", "containers.inspect", "containers.create", "containers.start", "containers.stop",
            "containers.restart", "containers.kill", "containers.rename", "containers.update", "containers.wait",
            "containers.remove", "containers.logs", "containers.pause", "containers.unpause",
            "images.list", "images.inspect", "images.create", "images.tag", "images.remove",
            "networks.*", "volumes.list", "volumes.inspect", "volumes.create", "volumes.remove"],
  "deny": ["networks.prune"]})"},
    {"ci", "build, test and push images; run containers, enter them, copy files in and out", R"({
  "allow": ["system.ping", "system.ping-head", "system.version", "system.info", "system.events", "system.auth",
            "build.build", "images.*", "containers.*", "exec.*", "networks.*", "volumes.*"],
  "deny": ["images.search", "images.distribution", "images.prune", "containers.prune", "networks.prune",
           "volumes.prune", "containers.update"]})"},
    {"operate", "day-to-day work with all containers, images, networks, volumes and services of the engine", R"({
  "allow": ["system.*", "containers.*", "exec.*", "images.*", "build.*", "networks.*", "volumes.*", "swarm.inspect",
            "nodes.list", "nodes.inspect", "services.*", "tasks.*", "secrets.*", "configs.*", "plugins.list",
            "plugins.inspect"],
  "deny": ["images.search", "images.distribution"],
  "grants": ["container-namespaces"]})"},
    {"core", "what berth's own features use", R"({
  "allow": ["system.*", "containers.*", "exec.*", "images.*", "build.*", "networks.*", "volumes.*"],
  "deny": ["images.search", "containers.prune", "containers.export"],
  "grants": ["container-namespaces"]})"},
};

}  // namespace

std::span<const NamedPolicy> named_policies() {
  return kPolicies;
}

}  // namespace berth::broker
