#include "compose/plan.h"

#include <algorithm>

#include "base/text.h"
#include "base/units.h"
#include "compose/plan_parts.h"
#include "plan/risk.h"

namespace berth::compose {
namespace detail {
namespace {

using plan::Container;

// Depth first over dependencies, without recursion: a chain may be as long as a file allows.
struct Walk {
  struct Step {
    const Service* service = nullptr;
    std::size_t next = 0;  // of its dependencies
  };
  const Project& project;
  std::map<const Service*, bool> left{};  // entered; true once it is in `order`
  std::vector<Step> path{};               // entered and not left
  std::vector<const Service*> order{};

  Result<void> walk(const Service& from) {
    enter(from);
    while (!path.empty()) {
      const Service& service = *path.back().service;
      if (path.back().next == service.dependencies.size()) {
        left[&service] = true;
        order.push_back(&service);
        path.pop_back();
        continue;
      }
      const Service* next = project.find(service.dependencies[path.back().next++].service);
      if (next && !enter(*next) && !left[next]) return cycle(*next);
    }
    return {};
  }

  // False when it was entered before.
  bool enter(const Service& service) {
    if (!left.emplace(&service, false).second) return false;
    path.push_back({.service = &service});
    return true;
  }

  std::unexpected<Error> cycle(const Service& service) const {
    std::string text;
    for (auto at = std::ranges::find(path, &service, &Step::service); at != path.end(); ++at)
      text += at->service->name + " -> ";
    return fail(Code::invalid, place(project, "services." + path.back().service->name + ".depends_on." + service.name) +
                                   "services depend on each other in a circle: " + text + service.name);
  }
};

std::unexpected<Error> unknown_service(const Project& project, const std::string& name) {
  for (const Service& service : project.disabled)
    if (service.name == name)
      return fail(Code::not_found, "service \"" + name + "\" is in no active profile; enable it with --profile");
  std::vector<std::string_view> known;
  for (const Service& service : project.services) known.push_back(service.name);
  return fail(Code::not_found, "no such service: \"" + name + "\"" + suggestion(name, known));
}

}  // namespace

std::string place(const Project& project, const std::string& path) {
  const std::string text = project.origin(path).text();
  return text.empty() ? text : text + ": ";
}

Result<std::vector<const Service*>> start_order(const Project& project, const std::vector<std::string>& names,
                                                bool with_dependencies) {
  Walk walk{.project = project};
  for (const Service& service : project.services) TRY(walk.walk(service));
  if (names.empty()) return std::move(walk.order);
  Names wanted;
  std::vector<std::string> open;
  for (const std::string& name : names) {
    if (!project.find(name)) return unknown_service(project, name);
    open.push_back(name);
  }
  while (!open.empty()) {
    const std::string name = std::move(open.back());
    open.pop_back();
    const Service* service = project.find(name);
    if (!service || !wanted.insert(name).second || !with_dependencies) continue;
    for (const Dependency& dependency : service->dependencies) open.push_back(dependency.service);
  }
  std::erase_if(walk.order, [&](const Service* service) { return !wanted.contains(service->name); });
  return std::move(walk.order);
}

Result<void> check_ownership(const Project& project, const plan::Observed& observed, bool adopt) {
  if (adopt || project.working_dir.empty()) return {};
  for (const Container& container : observed.containers) {
    const std::string_view folder = container.label(plan::label::kWorkingDir);
    const bool other_commit = !project.repository.empty() && folder.starts_with(project.repository + '/');
    if (folder.empty() || folder == project.working_dir || other_commit) continue;
    return fail(Code::conflict, "project \"" + project.name + "\" is in use from " + std::string(folder) +
                                    " (container " + container.name + ") and not from " + project.working_dir +
                                    "; take it over with --adopt, or choose another name with -p");
  }
  return {};
}

Names named_namespaces(const Service& service) {
  Names names;
  for (const std::string_view attribute : {"network_mode", "pid", "ipc"}) {
    const std::string_view value = service.config[attribute].text();
    if (value.starts_with("container:")) names.insert(std::string(value.substr(10)));
  }
  return names;
}

Names one_shots_of(const Project& project) {
  Names names;
  for (const Service& service : project.services)
    for (const Dependency& dependency : service.dependencies)
      if (dependency.condition == Condition::completed_successfully) names.insert(dependency.service);
  return names;
}

Containers index_of(const plan::Observed& observed) {
  Containers containers;
  for (const auto* list : {&observed.containers, &observed.foreign})
    for (const Container& container : *list) {
      containers.emplace(container.id, &container);
      containers.emplace(container.name, &container);
    }
  return containers;
}

const Container* find(const Containers& containers, std::string_view id_or_name) {
  const auto found = containers.find(id_or_name);
  return found == containers.end() ? nullptr : found->second;
}

std::span<const Container> containers_of(const plan::Observed& observed, std::string_view service) {
  return std::ranges::equal_range(observed.containers, service, {}, &Container::service);
}

bool is_temporary_name(std::string_view name) {
  return name.size() > 13 && name[12] == '_' && name.find_first_not_of("0123456789abcdef") == 12;
}

std::string temporary_name(const Container& old, std::string_view name) {
  return std::string(old.short_id()) + '_' + std::string(name);
}

plan::ContainerRef ref_of(const Container& container) {
  return {.id = container.id, .name = container.name, .seen = container.state};
}

std::string subject_of(std::string_view service, int number) {
  return "service:" + std::string(service) + ':' + std::to_string(number);
}

std::string subject_of(const Container& container) {
  return container.oneoff ? "oneoff:" + container.name : subject_of(container.service, container.number);
}

std::string state_text(const Container& container) {
  std::string text(to_text(container.state));
  if (container.state == plan::State::exited) text += " with status " + std::to_string(container.exit_code);
  if (container.state == plan::State::running && container.health != plan::Health::none)
    text += " (" + std::string(to_text(container.health)) + ')';
  return text;
}

std::vector<const Container*> orphans_of(const Project& project, const plan::Observed& observed) {
  Names known;
  for (const auto* list : {&project.services, &project.disabled})
    for (const Service& service : *list) known.insert(service.name);
  std::vector<const Container*> orphans;
  for (const Container& container : observed.containers) {
    const bool over = container.oneoff && !plan::is_up(container.state);
    if (over || (!container.oneoff && !known.contains(container.service))) orphans.push_back(&container);
  }
  return orphans;
}

std::optional<std::int64_t> grace_of(const Service* service, std::optional<std::int64_t> timeout) {
  if (timeout || !service || service->config["stop_grace_period"].is_null()) return timeout;
  const auto period = parse_duration(service->config["stop_grace_period"].text());
  if (!period) return {};
  return std::chrono::ceil<std::chrono::seconds>(*period).count();
}

Names claimed_volumes(const Project& project) {
  Names names;
  for (const auto& member : project.volumes.members()) names.insert(volume_name(project, member.first));
  // Of switched off services only the key is known, and a name that follows from it.
  for (const Service& service : project.disabled)
    for (const Json& mount : service.config["volumes"].items())
      if (mount["type"].text() == "volume") names.insert(volume_name(project, mount["source"].text()));
  return names;
}

std::string cause_of(const std::vector<plan::Difference>& differences) {
  constexpr std::size_t kShown = 4;
  std::string text;
  for (std::size_t i = 0; i < differences.size() && i < kShown; ++i)
    text += (i ? "; " : "") + plan::to_text(differences[i]);
  if (differences.size() > kShown) text += "; and " + std::to_string(differences.size() - kShown) + " more";
  return text;
}

std::span<Decision> Up::of(std::string_view service) {
  const auto found = places.find(service);
  if (found == places.end()) return {};
  const auto [first, end] = found->second;
  return std::span(decisions).subspan(first, end - first);
}

std::span<const Decision> Up::of(std::string_view service) const {
  return const_cast<Up*>(this)->of(service);
}

std::vector<int> Up::image_nodes() const {
  if (images_there != 0) return {images_there};
  std::vector<int> nodes;
  for (const auto& image : images) nodes.push_back(image.second);
  return nodes;
}

}  // namespace detail

plan::Wanted wanted(const Project& project) {
  plan::Wanted out{.project = project.name};
  for (const auto& member : project.networks.members()) out.networks.push_back(network_name(project, member.first));
  for (const auto& member : project.volumes.members()) out.volumes.push_back(volume_name(project, member.first));
  for (const Service& service : project.services) {
    out.images.push_back(image_name(project, service));
    for (const std::string& name : detail::named_namespaces(service)) out.containers.push_back(name);
    for (int number = 1; number <= std::max(service.scale, 1); ++number)
      out.containers.push_back(container_name(project, service, number));
  }
  for (auto* list : {&out.networks, &out.volumes, &out.images, &out.containers}) {
    std::sort(list->begin(), list->end());
    list->erase(std::unique(list->begin(), list->end()), list->end());
  }
  return out;
}

Result<plan::Plan> plan_up(const Project& project, const plan::Observed& observed, const UpOptions& options) {
  detail::Up up{
      .project = project, .observed = observed, .options = options, .builder = plan::PlanBuilder(project.name)};
  TRY(detail::check_ownership(project, observed, options.adopt));
  up.services = TRY(detail::start_order(project, options.services, !options.no_deps));
  up.named.insert(options.services.begin(), options.services.end());
  if (options.services.empty())
    for (const Service* service : up.services) up.named.insert(service->name);
  up.one_shots = detail::one_shots_of(project);
  up.containers = detail::index_of(observed);
  TRY(detail::decide_networks(up));
  TRY(detail::decide_volumes(up));
  TRY(detail::decide_services(up));
  detail::decide_orphans(up);
  TRY(detail::decide_rollouts(up));
  TRY(detail::emit_images(up));
  TRY(detail::emit_networks(up));
  detail::emit_volumes(up);
  TRY(detail::emit_containers(up));
  detail::remove_leftover_hooks(up);
  detail::add_leftover_files(up.builder, project.name, observed, detail::wanted_mounts(up));
  detail::note_keeps(up);
  plan::Plan plan = TRY(up.builder.take());
  plan::mark_risks(plan, observed, detail::claimed_volumes(project), options.renew_anon_volumes);
  return plan;
}

}  // namespace berth::compose
