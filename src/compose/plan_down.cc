// Taking a project down.
#include <algorithm>

#include "base/text.h"
#include "compose/plan_parts.h"
#include "plan/risk.h"

namespace berth::compose {
namespace {

using detail::Names;
using plan::Container;

// plan_down on its way.
struct Down {
  const Project& project;
  const plan::Observed& observed;
  const DownOptions& options;
  plan::PlanBuilder builder;
  std::map<std::string, std::vector<const Container*>> containers{};  ///< that go, by service
  std::map<std::string, Names, std::less<>> dependents{};             ///< by what they depend on
  std::map<std::string, std::vector<int>> gone{};                     ///< service -> removal nodes
  std::map<const Container*, int> removed{};
  detail::Containers known{};
  // What uses an object by name (an image: by id), of all containers of the project.
  std::map<std::string_view, std::vector<const Container*>> on_network{}, on_volume{}, of_image{};
};

void index_users(Down& down) {
  for (const Container& container : down.observed.containers) {
    for (const plan::Attachment& one : container.networks) down.on_network[one.network].push_back(&container);
    for (const plan::Mount& mount : container.mounts)
      if (mount.type == "volume") down.on_volume[mount.name].push_back(&container);
    down.of_image[container.image_id].push_back(&container);
  }
}

// The removals of those that go.
std::vector<int> removals_of(const Down& down, const std::vector<const Container*>& users) {
  std::vector<int> nodes;
  for (const Container* container : users)
    if (const auto found = down.removed.find(container); found != down.removed.end()) nodes.push_back(found->second);
  return nodes;
}

void choose(Down& down, const Names& services) {
  const auto found = detail::orphans_of(down.project, down.observed);
  const std::set<const Container*> orphans(found.begin(), found.end());
  std::string left;
  for (const Container& container : down.observed.containers) {
    const bool orphan = orphans.contains(&container);
    const bool chosen = down.options.by_label || services.contains(container.service) ||
                        (orphan && down.options.remove_orphans && down.options.services.empty());
    if (chosen) down.containers[container.service].push_back(&container);
    if (chosen || !orphan || container.oneoff) continue;
    left += (left.empty() ? "" : ", ") + container.name;
    down.builder.plan().foreign.push_back({"container:" + container.name, container.id,
                                           "orphan: the project has no service \"" + container.service + '"'});
  }
  if (!left.empty() && down.options.services.empty())
    down.builder.plan().warnings.push_back("found orphan containers (" + left +
                                           ") of services that this project does not have; remove them too with "
                                           "--remove-orphans");
}

plan::Node node_of(const Container& container, plan::Op op, std::vector<int> after) {
  return {.op = std::move(op),
          .after = std::move(after),
          .subject = detail::subject_of(container),
          .cause = "down",
          .group = container.service};
}

// Dependents first: a container stops when all that depend on its service are gone.
std::vector<int> dependents_gone(const Down& down, const std::string& service) {
  std::vector<int> nodes;
  const auto dependents = down.dependents.find(service);
  if (dependents == down.dependents.end()) return nodes;
  for (const std::string& other : dependents->second)
    if (const auto gone = down.gone.find(other); gone != down.gone.end())
      nodes.insert(nodes.end(), gone->second.begin(), gone->second.end());
  return nodes;
}

void emit_containers(Down& down) {
  // The names in start order, so that the last to start is the first to stop.
  auto services = detail::label_order(down.project, down.observed);
  std::reverse(services.begin(), services.end());
  down.dependents = detail::dependents_of_all(down.project, down.observed);
  for (const std::string& service : services) {
    const std::vector<int> before = dependents_gone(down, service);
    std::vector<int> removals;
    for (const Container* container : down.containers[service]) {
      int stopped = 0;
      if (plan::is_up(container->state))
        stopped = detail::add_stop(
            down.builder, down.project.find(service), *container,
            node_of(*container,
                    plan::StopContainer{.container = detail::ref_of(*container),
                                        .grace = detail::grace_of(down.project.find(service), down.options.timeout)},
                    before));
      std::vector<int> after = before;
      after.push_back(stopped);
      removals.push_back(detail::add_removal(
          down.builder, *container,
          node_of(*container,
                  plan::RemoveContainer{
                      .container = detail::ref_of(*container), .volumes = down.options.volumes, .force = true},
                  std::move(after))));
      down.removed[container] = removals.back();
    }
    down.gone[service] = std::move(removals);
  }
}

bool has_label(const plan::Labels& labels, std::string_view name, std::string_view value) {
  const auto found = labels.find(name);
  return found != labels.end() && found->second == value;
}

std::string key_of(const plan::Labels& labels, std::string_view name, const std::string& fallback) {
  const auto found = labels.find(name);
  return found == labels.end() ? fallback : found->second;
}

void keep_foreign(Down& down, std::string subject, std::string id, std::string reason) {
  down.builder.plan().foreign.push_back({std::move(subject), std::move(id), std::move(reason)});
}

// Containers on the network: those that go are waited for; any other keeps the network.
struct Users {
  std::vector<int> removals{};
  std::string stays{};
};
Users users_of(Down& down, const plan::Network& network) {
  const auto& attached = down.on_network[network.name];
  Users users{.removals = removals_of(down, attached)};
  for (const Container* container : attached)
    if (!down.removed.contains(container) && plan::is_up(container->state)) users.stays = container->name;
  for (const std::string& id : network.containers)
    if (!detail::find(down.known, id)) users.stays = "container " + id.substr(0, 12) + " of another project";
  return users;
}

void emit_network(Down& down, const plan::Network& network) {
  const std::string subject = "network:" + key_of(network.labels, plan::label::kNetwork, network.name);
  if (!has_label(network.labels, plan::label::kProject, down.project.name))
    return keep_foreign(down, subject, network.name, "external or not made for this project");
  Users users = users_of(down, network);
  if (!users.stays.empty()) {
    down.builder.plan().warnings.push_back("network \"" + network.name + "\" stays: " + users.stays + " is on it");
    return keep_foreign(down, subject, network.name, "in use by " + users.stays);
  }
  // Engines have been seen to refuse for an endpoint that is no more; the next down tries again.
  down.builder.add({.op = plan::RemoveNetwork{.id = network.id, .name = network.name},
                    .after = std::move(users.removals),
                    .subject = subject,
                    .cause = "down",
                    .best_effort = true});
}

void emit_volume(Down& down, const plan::Volume& volume) {
  const std::string subject = "volume:" + key_of(volume.labels, plan::label::kVolume, volume.name);
  if (!has_label(volume.labels, plan::label::kProject, down.project.name))
    return keep_foreign(down, subject, volume.name, "external or not made for this project");
  if (volume.name.starts_with(plan::kLockPrefix) || volume.labels.contains(plan::kFilesLabel)) return;
  if (!down.options.volumes) {
    down.builder.plan().keeps.push_back({subject, volume.name, "volumes stay without -v"});
    return;
  }
  down.builder.add({.op = plan::RemoveVolume{.name = volume.name},
                    .after = removals_of(down, down.on_volume[volume.name]),
                    .subject = subject,
                    .cause = "down with volumes",
                    .risk = plan::Risk::data,
                    .best_effort = true});
}

// Anonymous volumes that a recreation handed on have a name for the engine, so that it keeps them with the container.
void emit_inherited_volumes(Down& down) {
  for (const auto& [container, removal] : down.removed)
    for (const Json& mount : container->inspect["HostConfig"]["Mounts"].items()) {
      const std::string name(mount["Source"].text());
      if (mount["Type"].text() != "volume" || !plan::is_generated_name(name)) continue;
      down.builder.add({.op = plan::RemoveVolume{.name = name},
                        .after = {removal},
                        .subject = "volume:" + name.substr(0, 12),
                        .cause = "down with volumes: anonymous, of " + container->name,
                        .risk = plan::Risk::data,
                        .group = container->service,
                        .best_effort = true});
    }
}

void emit_images(Down& down, const Names& services) {
  if (down.options.images == RemoveImages::none) return;
  Names seen;
  for (const Service& service : down.project.services) {
    const std::string image = image_name(down.project, service);
    const bool local = service.config["image"].text().empty();
    if (!services.contains(service.name) || (down.options.images == RemoveImages::local && !local)) continue;
    const plan::Image* found = down.observed.image(image);
    if (!found || !seen.insert(image).second) continue;
    down.builder.add({.op = plan::RemoveImage{.reference = image},
                      .after = removals_of(down, down.of_image[found->id]),
                      .subject = "image:" + image,
                      .cause = "down with images",
                      .group = service.name,
                      .best_effort = true});
  }
}

}  // namespace

Result<plan::Plan> plan_down(const Project& project, const plan::Observed& observed, const DownOptions& options) {
  TRY(detail::check_ownership(project, observed, options.adopt || options.by_label));
  Names services;
  for (const Service* service : TRY(detail::start_order(project, options.services, false)))
    services.insert(service->name);
  Down down{.project = project, .observed = observed, .options = options, .builder = plan::PlanBuilder(project.name)};
  // What was started under a profile that is not active now is the project's all the same.
  if (options.services.empty())
    for (const Service& service : project.disabled) services.insert(service.name);
  down.known = detail::index_of(observed);
  index_users(down);
  choose(down, services);
  emit_containers(down);
  if (options.volumes) emit_inherited_volumes(down);
  if (options.services.empty()) {
    for (const plan::Network& network : observed.networks) emit_network(down, network);
    for (const plan::Volume& volume : observed.volumes) emit_volume(down, volume);
    detail::add_leftover_files(down.builder, project.name, observed, {});
  }
  emit_images(down, services);
  plan::Plan plan = TRY(down.builder.take());
  plan::mark_risks(plan, observed, {});
  return plan;
}

}  // namespace berth::compose
