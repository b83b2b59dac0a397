// What becomes of each container of the wanted services.
#include <algorithm>
#include <array>

#include "compose/extension.h"
#include "compose/plan_parts.h"

namespace berth::compose::detail {
namespace {

using plan::Container;
using plan::State;

// The containers of one service, sorted out.
struct Found {
  std::map<int, const Container*> by_number{};
  std::vector<const Container*> surplus{};    ///< a second one of a number
  std::vector<const Container*> leftovers{};  ///< made by a recreation that never got to remove the old one
};

// The one that holds the proper name is the container of its number; a temporary one only where there is no other.
bool is_better(const Container& a, const Container& b, const std::string& name) {
  if ((a.name == name) != (b.name == name)) return a.name == name;
  return !is_temporary_name(a.name) && is_temporary_name(b.name);
}

Found sort_out(const Up& up, const Service& service) {
  Found found;
  for (const Container& container : containers_of(up.observed, service.name)) {
    if (container.oneoff || container.state == State::removing) continue;
    const Container*& place = found.by_number[container.number];
    const Container* loser = &container;
    if (!place || is_better(container, *place, container_name(up.project, service, container.number)))
      loser = std::exchange(place, &container);
    if (loser) (is_temporary_name(loser->name) ? found.leftovers : found.surplus).push_back(loser);
  }
  return found;
}

int scale_of(const Up& up, const Service& service) {
  if (is_build_only(service)) return 0;
  const auto asked = up.options.scale.find(service.name);
  return asked == up.options.scale.end() ? service.scale : asked->second;
}

Result<void> check_scale(const Up& up, const Service& service, int scale) {
  const std::string_view name = service.config["container_name"].text();
  if (scale < 0)
    return fail(Code::invalid,
                "service \"" + service.name + "\": a scale of " + std::to_string(scale) + " is not possible");
  if (scale > 1 && !name.empty())
    return fail(Code::invalid, place(up.project, "services." + service.name + ".container_name") + "service \"" +
                                   service.name + "\" has the container_name \"" + std::string(name) +
                                   "\" and so cannot have " + std::to_string(scale) + " containers; remove the name");
  return {};
}

// The container that others refer to as this service; null when it is made anew and so has no id yet.
const Container* standing_of(const Up& up, const std::string& service) {
  const auto decisions = up.of(service);
  for (const Decision& decision : decisions)
    if (decision.fate != Fate::remove) return decision.makes_new() ? nullptr : decision.old;
  if (!decisions.empty()) return nullptr;
  for (const Container& container : containers_of(up.observed, service))
    if (!container.oneoff) return &container;
  return nullptr;
}

std::map<std::string, std::string> known_ids(const Up& up, const Service& service) {
  std::map<std::string, std::string> ids;
  for (const std::string& name : named_namespaces(service))
    if (const Container* container = find(up.containers, name)) ids["container:" + name] = container->id;
  for (const Dependency& dependency : service.dependencies)
    if (const Container* container = standing_of(up, dependency.service)) ids[dependency.service] = container->id;
  return ids;
}

Result<CreateRequest> request_for(const Up& up, const Service& service, int number) {
  const plan::Image* image = up.observed.image(image_name(up.project, service));
  return create_request({.project = up.project,
                         .service = service,
                         .number = number,
                         .version = up.observed.version,
                         .containers = known_ids(up, service),
                         .image_id = image ? image->id : std::string()});
}

// A container belongs to a network by its id: one of the same name that was made anew, or is to be made, is another.
void compare_network_ids(const Up& up, const Decision& decision, std::vector<plan::Difference>& out) {
  const Json& wanted = decision.request.desired["NetworkingConfig"]["EndpointsConfig"];
  for (const plan::Attachment& attachment : decision.old->networks) {
    const plan::Network* network = up.observed.network(attachment.network);
    const auto named = std::ranges::equal_range(up.observed.networks, attachment.network, {}, &plan::Network::name);
    const bool same = std::ranges::any_of(named, [&](const auto& one) { return one.id == attachment.network_id; });
    if (same || attachment.network_id.empty() || !wanted.contains(attachment.network)) continue;
    out.push_back({.path = "Networks." + attachment.network + ".NetworkID",
                   .before = attachment.network_id.substr(0, 12),
                   .after = network ? network->id.substr(0, 12) : "new"});
  }
}

std::vector<plan::Difference> differences_of(const Up& up, const Decision& decision) {
  const Json& desired = decision.request.desired;
  auto out = plan::diff_container({.body = desired,
                                   .container = *decision.old,
                                   .name = decision.name,
                                   .image = up.observed.image(desired["Image"].text()),
                                   .image_of = up.observed.image(decision.old->image_id)});
  compare_network_ids(up, decision, out);
  return out;
}

const Doomed* doomed_network_of(const Up& up, const Container& container) {
  for (const Doomed& one : up.doomed)
    if (is_attached(container, *one.network)) return &one;
  return nullptr;
}

// A creation is several calls. The files and connections of one that did not come to its end are no difference, they
// are made before the start; of any other container they are as they are.
void complete_creation(const Container& old, CreateRequest& request, std::vector<plan::Difference>& differences) {
  if (old.state != State::created) {
    request.files.clear();
    request.connections.clear();
    return;
  }
  std::erase_if(request.connections, [&](const Connection& connection) {
    return std::any_of(old.networks.begin(), old.networks.end(),
                       [&](const plan::Attachment& one) { return one.network == connection.network; });
  });
  for (const Connection& connection : request.connections) {
    const std::string path = "Networks." + connection.network;
    std::erase_if(differences,
                  [&](const plan::Difference& one) { return one.path == path || one.path.starts_with(path + '.'); });
  }
}

bool is_forced(const Up& up, const Service& service) {
  return (up.options.force_recreate && up.named.contains(service.name)) ||
         (up.options.always_recreate_deps && !up.named.contains(service.name));
}

// Why it must be made anew; "" when it need not.
std::string why_new(const Up& up, const Decision& decision) {
  if (up.options.no_recreate) return {};
  if (!decision.differences.empty()) return cause_of(decision.differences);
  if (is_forced(up, *decision.service)) return "recreation was asked for";
  return decision.old->state == State::dead ? "its container is dead" : "";
}

void decide_existing(const Up& up, Decision& decision) {
  const Container& old = *decision.old;
  auto remaining = decision.differences;
  CreateRequest completion = decision.request;
  complete_creation(old, completion, remaining);
  if (remaining.empty()) decision.differences.clear();
  decision.cause = why_new(up, decision);
  const Doomed* doomed = doomed_network_of(up, old);
  if (!decision.cause.empty()) {
    decision.fate = doomed ? Fate::replace : Fate::recreate;
    return;
  }
  decision.request = std::move(completion);
  if (doomed) {
    decision.fate = Fate::rejoin;
    decision.cause = "its network \"" + doomed->key + "\" " + (doomed->remade ? "is recreated" : "is there twice");
    return;
  }
  const std::string kept = decision.differences.empty()
                               ? ", nothing differs"
                               : ", differs and is kept (--no-recreate): " + cause_of(decision.differences);
  const bool done = old.state == State::exited && old.exit_code == 0 && up.one_shots.contains(decision.service->name);
  const bool runs = old.state == State::running || old.state == State::restarting;
  if (runs || done || up.options.no_start) {
    decision.cause = (done ? "completed with status 0" : state_text(old)) + kept;
    return;
  }
  decision.fate = Fate::start;
  decision.cause = old.state == State::created ? "created and never started" : state_text(old);
}

}  // namespace

Result<Decision> decide_container(const Up& up, const Service& service, int number, const Container* old) {
  Decision decision{.service = &service,
                    .number = number,
                    .name = container_name(up.project, service, number),
                    .old = old,
                    .request = TRY(request_for(up, service, number))};
  if (!old) {
    decision.fate = Fate::create;
    decision.cause = "no container yet";
    return decision;
  }
  // Another Compose generation's default name stays; only a name that somebody chose is enforced.
  const bool chosen = !service.config["container_name"].text().empty() || is_temporary_name(old->name);
  if (!chosen) decision.name = old->name;
  decision.differences = differences_of(up, decision);
  decide_existing(up, decision);
  return decision;
}

namespace {

// Where an interrupted start-first replacement got as far as the end of the old one, the new one is the container.
void settle_leftovers(Found& found) {
  for (const Container*& leftover : found.leftovers) {
    const auto old = found.by_number.find(leftover->number);
    if (leftover->state != State::running || old == found.by_number.end() || plan::is_up(old->second->state)) continue;
    std::swap(leftover, old->second);
  }
}

// Where it did not, the new one still takes over, if it is what the project says.
void find_successors(const Up& up, Found& found, std::vector<Decision>& all) {
  for (Decision& decision : all) {
    if (decision.fate != Fate::recreate) continue;
    const auto leftover = std::ranges::find_if(found.leftovers, [&](const Container* one) {
      return one->number == decision.number && one->state == State::running &&
             one->label(plan::label::kReplace) == decision.old->id;
    });
    if (leftover == found.leftovers.end()) continue;
    Decision other{.service = decision.service,
                   .number = decision.number,
                   .name = decision.name,
                   .old = *leftover,
                   .request = decision.request};
    if (!differences_of(up, other).empty()) continue;
    decision.successor = *leftover;
    found.leftovers.erase(leftover);
  }
}

// Obsolete ones go first, then the highest numbers.
void shrink(std::vector<Decision>& all, std::size_t scale) {
  const auto rank = [](const Decision& one) { return std::pair(one.makes_new() ? 1 : 0, one.number); };
  std::vector<Decision*> existing;
  for (Decision& one : all)
    if (one.old) existing.push_back(&one);
  std::sort(existing.begin(), existing.end(),
            [&](const Decision* a, const Decision* b) { return rank(*a) < rank(*b); });
  const std::string cause = "scale " + std::to_string(existing.size()) + " -> " + std::to_string(scale);
  for (std::size_t i = scale; i < existing.size(); ++i) {
    existing[i]->fate = Fate::remove;
    existing[i]->cause = cause;
  }
}

Result<void> grow(const Up& up, const Service& service, std::vector<Decision>& all, std::size_t scale) {
  const std::size_t had = all.size();
  for (int number = 1; all.size() < scale; ++number) {
    const bool taken = std::any_of(all.begin(), all.end(), [&](const Decision& one) { return one.number == number; });
    if (taken) continue;
    all.push_back(TRY(decide_container(up, service, number, nullptr)));
    if (had > 0) all.back().cause = "scale " + std::to_string(had) + " -> " + std::to_string(scale);
  }
  return {};
}

Decision removal(const Service& service, const Container& container, std::string cause) {
  return {.service = &service,
          .number = container.number,
          .name = container.name,
          .old = &container,
          .fate = Fate::remove,
          .cause = std::move(cause)};
}

// Who holds a name that a new container needs.
Result<void> check_name(const Up& up, const Decision& decision) {
  if (!decision.makes_new() || (decision.old && decision.old->name == decision.name)) return {};
  const Container* holder = find(up.containers, decision.name);
  if (!holder) return {};
  const bool orphan = holder->project == up.project.name && !up.project.find(holder->service);
  if (holder->project == up.project.name && holder->service == decision.service->name) return {};
  if (orphan && up.options.remove_orphans) return {};
  const std::string whose = holder->project.empty() ? "no project" : "project \"" + holder->project + '"';
  const std::string what = orphan ? "remove it with --remove-orphans" : "remove or rename it, or choose another name";
  return fail(Code::conflict, place(up.project, "services." + decision.service->name + ".container_name") +
                                  "service \"" + decision.service->name + "\" needs the container name \"" +
                                  decision.name + "\", which container " + std::string(holder->short_id()) + " of " +
                                  whose + " has; " + what);
}

Result<void> decide_service(Up& up, const Service& service) {
  const int scale = scale_of(up, service);
  TRY(check_scale(up, service, scale));
  Found found = sort_out(up, service);
  settle_leftovers(found);
  std::vector<Decision> all;
  for (const auto& [number, container] : found.by_number)
    all.push_back(TRY(decide_container(up, service, number, container)));
  for (const Container* container : found.surplus)
    all.push_back(TRY(decide_container(up, service, container->number, container)));
  shrink(all, static_cast<std::size_t>(scale));
  TRY(grow(up, service, all, static_cast<std::size_t>(scale)));
  find_successors(up, found, all);
  for (const Container* container : found.leftovers)
    all.push_back(removal(service, *container, "left behind by an interrupted recreation"));
  up.places[service.name] = {up.decisions.size(), up.decisions.size() + all.size()};
  for (Decision& decision : all) {
    TRY(check_name(up, decision));
    for (std::string& warning : decision.request.warnings) up.builder.plan().warnings.push_back(std::move(warning));
    decision.request.warnings.clear();
    up.decisions.push_back(std::move(decision));
  }
  return {};
}

// The first dependency with `restart: true` that is in `those`, or null.
template <typename Those>
const Dependency* restarting_with(const Service& service, const Those& those) {
  for (const Dependency& dependency : service.dependencies)
    if (dependency.restart && those.contains(dependency.service)) return &dependency;
  return nullptr;
}

bool lives_in(const Service& service, std::string_view other) {
  return std::ranges::any_of(std::array{"network_mode", "ipc", "pid"}, [&](const char* space) {
    const std::string_view mode = service.config[space].text();
    return mode.starts_with("service:") && mode.substr(8) == other;
  });
}

// Why a running container of `service` restarts; "" when it does not.
std::string restart_cause(const Service& service, const std::map<std::string_view, std::string_view>& interrupted,
                          const std::set<std::string_view>& begun) {
  for (const Dependency& dependency : service.dependencies) {
    const std::string& other = dependency.service;
    if (begun.contains(other) && lives_in(service, other))
      return "lives in a namespace of " + other + ", which is started";
    const auto found = interrupted.find(other);
    if (dependency.restart && found != interrupted.end())
      return "depends on " + other + " (restart: true), which is " + std::string(found->second);
  }
  return "";
}

// A running dependent of something that is made anew, where depends_on says `restart: true`; and its dependents in
// turn, which may live in its namespaces. What stops before a network goes stops after those dependents: one that is
// recreated cannot wait for its new container then. Who lives in a namespace is lost as well when the other one was
// down and starts.
void decide_restarts(Up& up) {
  std::map<std::string_view, std::string_view> interrupted;  // service -> what happens to it
  Names down_first;
  std::set<std::string_view> begun;
  for (Decision& decision : up.decisions) {
    const Service& service = *decision.service;
    if (decision.fate == Fate::recreate && restarting_with(service, down_first)) decision.fate = Fate::replace;
    if (decision.fate == Fate::replace || decision.fate == Fate::rejoin) down_first.insert(service.name);
    const bool stays = decision.fate == Fate::keep && decision.old->state == State::running;
    if (const std::string why = stays ? restart_cause(service, interrupted, begun) : ""; !why.empty()) {
      decision.fate = Fate::restart;
      decision.cause = why;
    }
    if (decision.fate == Fate::start) begun.insert(service.name);
    if (decision.interrupts()) interrupted[service.name] = decision.makes_new() ? "recreated" : "restarted";
  }
}

}  // namespace

Result<void> decide_services(Up& up) {
  for (const Service* service : up.services) TRY(decide_service(up, *service));
  decide_restarts(up);
  return {};
}

void decide_orphans(Up& up) {
  std::string names;
  for (const Container* orphan : orphans_of(up.project, up.observed)) {
    if (up.options.remove_orphans) {
      const std::string cause = orphan->oneoff ? "a one-off container that ended"
                                               : "orphan: the project has no service \"" + orphan->service + '"';
      up.decisions.push_back(
          {.number = orphan->number, .name = orphan->name, .old = orphan, .fate = Fate::remove, .cause = cause});
    } else if (!orphan->oneoff) {
      names += (names.empty() ? "" : ", ") + orphan->name;
      up.builder.plan().foreign.push_back(
          {"container:" + orphan->name, orphan->id, "orphan: the project has no service \"" + orphan->service + '"'});
    }
  }
  if (!names.empty() && !up.options.ignore_orphans)
    up.builder.plan().warnings.push_back("found orphan containers (" + names +
                                         ") of services that this project does not have; if you removed or renamed "
                                         "them, clean up with --remove-orphans");
}

}  // namespace berth::compose::detail
