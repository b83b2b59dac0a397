// Images, networks and volumes of the wanted services.
#include <algorithm>
#include <tuple>

#include "compose/plan_parts.h"

namespace berth::compose::detail {
namespace {

using plan::Container;

Names network_keys_of(const Service& service) {
  Names keys;
  if (service.config["network_mode"].text().empty())
    for (const auto& member : service.config["networks"].members()) keys.insert(member.first);
  return keys;
}

Names volumes_of(const Service& service) {
  Names keys;
  for (const Json& volume : service.config["volumes"].items())
    if (volume["type"].text() == "volume" && !volume["source"].is_empty())
      keys.insert(std::string(volume["source"].text()));
  return keys;
}

Names used(const Up& up, Names (*keys_of)(const Service&), const Json& declared) {
  Names keys;
  for (const Service* service : up.services)
    for (const std::string& key : keys_of(*service))
      if (declared.contains(key)) keys.insert(key);
  return keys;
}

std::unexpected<Error> missing(const Up& up, std::string_view kind, const std::string& key, const std::string& name) {
  const std::string what(kind);
  return fail(Code::not_found, place(up.project, what + "s." + key) + what + " \"" + name +
                                   "\" is external and does not exist; create it with docker " + what + " create " +
                                   name);
}

// Whether an object of that name is the project's own; another project's is an error, nobody's a warning.
Result<bool> is_ours(Up& up, std::string_view kind, const std::string& key, const plan::Labels& labels) {
  const auto found = labels.find(plan::label::kProject);
  if (found != labels.end() && found->second == up.project.name) return true;
  const std::string what(kind), at = place(up.project, what + "s." + key);
  if (found != labels.end() && !found->second.empty() && kind == "network")
    return fail(Code::conflict, at + what + " \"" + key + "\" is of project \"" + found->second +
                                    "\"; say external: true to share it, or give it another name");
  up.builder.plan().warnings.push_back(at + what + " \"" + key +
                                       "\" exists and was not made for this project; it is used as it is (say "
                                       "external: true)");
  return false;
}

bool has_label(const plan::Network& network, const Project& project) {
  const auto found = network.labels.find(plan::label::kProject);
  return found != network.labels.end() && found->second == project.name;
}

// Of several networks of a name the one stays that is in use, then the older one.
const plan::Network* chosen_network(const Up& up, const std::string& name) {
  const plan::Network* chosen = up.observed.network(name);
  const auto rank = [](const plan::Network& one) {
    return std::tuple(one.containers.empty(), one.inspect["Created"].text(), std::string_view(one.id));
  };
  for (const plan::Network& one : up.observed.networks)
    if (one.name == name && has_label(one, up.project) &&
        (!has_label(*chosen, up.project) || rank(one) < rank(*chosen)))
      chosen = &one;
  return chosen;
}

// Someone on that network whom the plan does not touch; "" for nobody.
std::string blocker_of(const Up& up, const plan::Network& network) {
  for (const std::string& id : network.containers) {
    const Container* container = find(up.containers, id);
    if (!container) return "container " + id.substr(0, 12);
    const bool wanted = std::any_of(up.services.begin(), up.services.end(),
                                    [&](const Service* service) { return service->name == container->service; });
    if (container->oneoff || !wanted) return container->name;
  }
  return {};
}

// The other networks of that name and project: two creations met, and no container can join by name any more.
void doom_others(Up& up, const std::string& key, const plan::Network& kept) {
  for (const plan::Network& one : up.observed.networks) {
    if (one.name != kept.name || one.id == kept.id || !has_label(one, up.project)) continue;
    if (const std::string blocker = blocker_of(up, one); blocker.empty())
      up.doomed.push_back({.key = key, .network = &one, .cause = "a second network of the name " + one.name});
    else
      up.builder.plan().warnings.push_back("there are several networks \"" + one.name + "\", and " + blocker +
                                           " is on one of them; take it off, then bring the project up again");
  }
}

bool only_labels(const std::vector<plan::Difference>& differences) {
  return std::all_of(differences.begin(), differences.end(),
                     [](const plan::Difference& one) { return one.path.starts_with("Labels."); });
}

Result<void> decide_network(Up& up, const std::string& key) {
  const std::string name = network_name(up.project, key);
  const plan::Network* found = chosen_network(up, name);
  up.networks[key] = 0;
  if (is_external(up.project.networks[key])) {
    if (!found) return missing(up, "network", key, name);
    return {};
  }
  if (!found) return {};
  if (!TRY(is_ours(up, "network", key, found->labels))) return {};
  doom_others(up, key, *found);
  const Json body = TRY(network_body(up.project, key, up.observed.version));
  const auto differences = plan::diff_network(body, *found);
  if (differences.empty()) return {};
  const std::string blocker = blocker_of(up, *found);
  if (blocker.empty() && !only_labels(differences)) {
    up.doomed.push_back({.key = key, .network = found, .cause = cause_of(differences), .remade = true});
    return {};
  }
  up.builder.plan().warnings.push_back("network \"" + key + "\" differs (" + cause_of(differences) +
                                       ") and stays as it is" +
                                       (only_labels(differences) ? "" : ", because " + blocker + " is on it"));
  return {};
}

Result<void> decide_volume(Up& up, const std::string& key) {
  const std::string name = volume_name(up.project, key);
  const plan::Volume* found = up.observed.volume(name);
  up.volumes[key] = 0;
  if (is_external(up.project.volumes[key])) {
    if (!found) return missing(up, "volume", key, name);
    return {};
  }
  if (!found || !TRY(is_ours(up, "volume", key, found->labels))) return {};
  const auto differences = plan::diff_volume(volume_body(up.project, key), *found);
  if (differences.empty()) return {};
  // Whoever wants it anew removes it: replacing it would lose what it holds.
  up.builder.plan().warnings.push_back("volume \"" + key + "\" differs (" + cause_of(differences) +
                                       ") and stays as it is, for its data; to make it anew, save them, then remove " +
                                       name + " by hand");
  return {};
}

}  // namespace

Result<void> decide_networks(Up& up) {
  for (const std::string& key : used(up, network_keys_of, up.project.networks)) TRY(decide_network(up, key));
  return {};
}

Result<void> decide_volumes(Up& up) {
  for (const std::string& key : used(up, volumes_of, up.project.volumes)) TRY(decide_volume(up, key));
  return {};
}

bool is_attached(const Container& container, const plan::Network& network) {
  return std::any_of(container.networks.begin(), container.networks.end(), [&](const plan::Attachment& one) {
    return one.network_id.empty() ? one.network == network.name : one.network_id == network.id;
  });
}

Result<void> emit_networks(Up& up) {
  for (Doomed& one : up.doomed) {
    one.node = up.builder.add({.op = plan::RemoveNetwork{.id = one.network->id, .name = one.network->name},
                               .after = up.image_nodes(),
                               .subject = "network:" + one.key,
                               .cause = one.cause,
                               .replacing = one.remade});
  }
  for (auto& [key, node] : up.networks) {
    std::vector<int> gone;
    std::string cause;  // of its recreation
    for (const Doomed& one : up.doomed) {
      if (one.key != key) continue;
      gone.push_back(one.node);
      if (one.remade) cause = one.cause;
    }
    if (up.observed.network(network_name(up.project, key)) && cause.empty()) {
      if (!gone.empty()) node = gone.back();
      continue;
    }
    std::vector<int> after = up.image_nodes();
    after.insert(after.end(), gone.begin(), gone.end());
    node = up.builder.add({.op = plan::CreateNetwork{TRY(network_body(up.project, key, up.observed.version))},
                           .after = std::move(after),
                           .subject = "network:" + key,
                           .cause = cause.empty() ? "no such network" : cause,
                           .replacing = !cause.empty()});
  }
  return {};
}

void emit_volumes(Up& up) {
  for (auto& [key, node] : up.volumes) {
    if (up.observed.volume(volume_name(up.project, key))) continue;
    node = up.builder.add({.op = plan::CreateVolume{volume_body(up.project, key)},
                           .after = up.image_nodes(),
                           .subject = "volume:" + key,
                           .cause = "no such volume"});
  }
}

}  // namespace berth::compose::detail
