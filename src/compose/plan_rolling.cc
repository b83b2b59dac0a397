// Replacing containers that get requests: start-first where two copies can live side by side, else why not.
#include <algorithm>

#include "base/text.h"
#include "base/units.h"
#include "compose/plan_parts.h"

namespace berth::compose::detail {
namespace {

using plan::Container;

constexpr std::string_view kRolloutLabel = "berth.rollout";
constexpr std::string_view kDrainLabel = "berth.rollout.drain";
constexpr std::int64_t kDrain = 30;        // seconds for the requests that an old container has
constexpr std::int64_t kReady = 600;       // for a new one to be ready: its health check decides long before
constexpr std::int64_t kFirstAnswer = 60;  // from ready to the first connection that it accepts

std::string quoted(std::string_view text) {
  return '"' + std::string(text) + '"';
}

// How the containers of a service are to be replaced: deploy.update_config, or what is said of going back.
std::string_view section_of(const Up& up, const Service& service) {
  const bool back = up.options.back && service.config["deploy"]["rollback_config"].is_object();
  return back ? "rollback_config" : "update_config";
}
const Json& way_of(const Up& up, const Service& service) {
  return service.config["deploy"][section_of(up, service)];
}

// What the file says about the order.
enum class Wish { none, start_first, stop_first };
struct Asked {
  Wish wish = Wish::none;
  std::string where{};  ///< of stop-first
};

Result<Asked> asked_of(const Up& up, const Service& service) {
  const std::string_view label = service.config["labels"][kRolloutLabel].text();
  if (label == "start-first") return Asked{Wish::start_first};
  if (label == "recreate") return Asked{Wish::stop_first, "label berth.rollout is recreate"};
  if (!label.empty())
    return fail(Code::invalid, place(up.project, "services." + service.name + ".labels." + std::string(kRolloutLabel)) +
                                   "service " + quoted(service.name) + ": label berth.rollout is " + quoted(label) +
                                   "; it may be start-first or recreate");
  const std::string_view order = way_of(up, service)["order"].text();
  if (order == "start-first") return Asked{Wish::start_first};
  if (order == "stop-first")
    return Asked{Wish::stop_first, "deploy." + std::string(section_of(up, service)) + ".order is stop-first"};
  return Asked{};
}

bool is_routed(const Up& up, const Container& container) {
  return up.options.traffic.edge && up.options.traffic.routed.contains(container.id);
}

// Also when an interrupted replacement has taken the requests from it to the one beside it.
bool serves_route(const Up& up, const Container& container) {
  return is_routed(up, container) || up.handed_over.contains(container.id);
}
void note_handed_over(Up& up) {
  if (!up.options.traffic.edge) return;
  for (const Container& one : up.observed.containers)
    if (const auto old = one.label(plan::label::kReplace); !old.empty() && is_routed(up, one))
      up.handed_over.insert(old);
}

std::string why_one_network(const Service& service) {
  const std::string_view mode = service.config["network_mode"].text();
  if (mode == "host") return "both copies would listen on the ports of the host (network_mode: host)";
  if (mode.starts_with("service:") || mode.starts_with("container:"))
    return "both copies would listen in one network (network_mode: " + std::string(mode) + ')';
  for (const auto& [network, settings] : service.config["networks"].members())
    for (const std::string_view key : {"ipv4_address", "ipv6_address", "mac_address"})
      if (!settings[key].is_empty())
        return "it has the fixed address " + std::string(settings[key].text()) + " on network " + quoted(network);
  if (!service.config["mac_address"].is_empty()) return "it has a fixed mac_address";
  return {};
}

void note_shared(Up& up) {
  for (const Service& other : up.project.services) {
    for (const std::string_view key : {"network_mode", "ipc", "pid", "uts"})
      if (const std::string_view value = other.config[key].text(); value.starts_with("service:"))
        up.shared.try_emplace(std::string(value.substr(8)),
                              "service " + quoted(other.name) + " lives in its namespaces (" + std::string(key) + ')');
    for (const Json& from : other.config["volumes_from"].items())
      up.shared.try_emplace(std::string(cut(from.text(), ':').before),
                            "service " + quoted(other.name) + " has its volumes (volumes_from)");
  }
}

// Why two copies of it cannot live at the same time.
std::string why_single(const Up& up, const Service& service) {
  const Json& config = service.config;
  if (const std::string_view name = config["container_name"].text(); !name.empty())
    return "only one container can have the container_name " + quoted(name);
  for (const Json& port : config["ports"].items())
    if (!port["published"].is_empty() && port["published"].text() != "0")
      return "port " + std::string(port["published"].text()) + " of the host can be published only once";
  if (std::string why = why_one_network(service); !why.empty()) return why;
  const auto shared = up.shared.find(service.name);
  return shared == up.shared.end() ? std::string() : shared->second;
}

// A volume that two copies of a service that is meant to run once would write at the same time.
std::string why_volume(const std::vector<const Decision*>& replaced, std::size_t wanted) {
  if (wanted > 1) return {};
  for (const Decision* one : replaced)
    for (const plan::Mount& mount : one->old->mounts)
      if (mount.type == "volume" && mount.writable && !mount.name.starts_with(plan::kFilesPrefix))
        return "two copies would write to the volume at " + mount.target +
               "; where that is fine, set label berth.rollout=start-first";
  return {};
}

std::string why_network_anew(const Up& up, const std::vector<const Decision*>& replaced) {
  for (const Decision* one : replaced) {
    if (one->fate != Fate::replace) continue;
    for (const Doomed& doomed : up.doomed)
      if (is_attached(*one->old, *doomed.network))
        return "its network " + quoted(doomed.key) + (doomed.remade ? " is recreated" : " is there twice");
    return "it depends on what stops for a network that is recreated (restart: true)";
  }
  return {};
}

struct Group {
  const Service* service = nullptr;
  std::vector<const Decision*> replaced{};  ///< whose old container is up
  std::size_t wanted = 0;
  bool routed = false;
};

Group group_of(const Up& up, const Service& service) {
  Group group{.service = &service};
  for (const Decision& one : up.of(service.name)) {
    group.wanted += one.fate == Fate::remove ? 0 : 1;
    if (!one.old || !one.makes_new() || !plan::is_up(one.old->state)) continue;
    group.replaced.push_back(&one);
    group.routed = group.routed || serves_route(up, *one.old);
  }
  return group;
}

std::string why_stop_first(const Up& up, const Group& group, const Asked& asked) {
  if (!up.options.rolling) return "--no-rolling";
  if (up.options.no_start) return "--no-start";
  if (asked.wish == Wish::stop_first) return asked.where;
  if (asked.wish == Wish::none && !group.routed)
    return up.options.traffic.edge          ? "no edge sends requests to it"
           : up.options.traffic.why.empty() ? "no berth serve answers for this engine"
                                            : up.options.traffic.why;
  if (std::string why = why_single(up, *group.service); !why.empty()) return why;
  if (std::string why = why_network_anew(up, group.replaced); !why.empty()) return why;
  return asked.wish == Wish::start_first ? "" : why_volume(group.replaced, group.wanted);
}

std::int64_t drain_seconds(const Service& service) {
  const auto given = parse_duration(service.config["labels"][kDrainLabel].text());
  if (!given) return kDrain;
  return std::chrono::ceil<std::chrono::seconds>(*given).count();
}

// A leftover that cannot take over goes, as others do.
Decision removal_of(const Decision& decision) {
  return {.service = decision.service,
          .number = decision.number,
          .name = decision.successor->name,
          .old = decision.successor,
          .fate = Fate::remove,
          .cause = "left behind by an interrupted recreation"};
}

// Whether somebody of its service runs on while it goes.
bool others_stay(const Up& up, const Decision& decision) {
  return std::ranges::any_of(up.decisions, [&](const Decision& one) {
    const bool same = one.service && one.service == decision.service && one.old && one.old != decision.old;
    return same && plan::is_up(one.old->state) && (one.fate == Fate::keep || one.rolls);
  });
}

// The container of its number, when `decision` removes what an interrupted replacement put beside it.
const Container* replaced_by(const Up& up, const Decision& decision) {
  for (const Decision& one : up.decisions)
    if (one.old && one.fate != Fate::remove && decision.old->label(plan::label::kReplace) == one.old->id)
      return one.old;
  return nullptr;
}

// How the replacements of one service follow each other.
struct Pace {
  std::size_t at_once = 1;  // 0: all
  std::chrono::milliseconds delay{0};
  bool goes_on = false;  // after a failure
  bool goes_back = false;
  std::string text{};  // the delay as it was written
};

Pace pace_of(const Up& up, const Service& service) {
  const Json& way = way_of(up, service);
  const std::string_view on_failure = way["failure_action"].text();
  Pace pace{.at_once = static_cast<std::size_t>(std::max<std::int64_t>(0, way["parallelism"].integer(1))),
            .goes_on = on_failure == "continue",
            .goes_back = on_failure == "rollback",
            .text = std::string(way["delay"].text())};
  if (const auto delay = parse_duration(pace.text))
    pace.delay = std::chrono::duration_cast<std::chrono::milliseconds>(*delay);
  return pace;
}

void follow(Up& up, const Pace& pace, const Decision& before, const Decision& next) {
  if (pace.delay.count() == 0 && !pace.goes_on) return up.builder.order(before.last, next.first);
  const bool delayed = pace.delay.count() > 0;
  plan::Node node = node_of(next,
                            plan::Pause{.what = next.name + (delayed ? " in " + pace.text : " after " + before.name),
                                        .time = pace.delay,
                                        .regardless = pace.goes_on},
                            {before.last});
  node.cause = delayed ? "deploy: delay between replacements" : "deploy: failure_action is continue";
  node.differences.clear();
  up.builder.order(up.builder.add(std::move(node)), next.first);
}

struct ByName {
  bool operator()(const Service* a, const Service* b) const { return a->name < b->name; }
};

}  // namespace

Result<void> decide_rollouts(Up& up) {
  note_handed_over(up);
  note_shared(up);
  std::vector<Decision> removals;
  for (const Service* service : up.services) {
    const Asked asked = TRY(asked_of(up, *service));
    const Group group = group_of(up, *service);
    if (group.replaced.empty()) continue;
    std::string reason = why_stop_first(up, group, asked);
    const bool rolls = reason.empty();
    for (Decision& one : up.of(service->name)) {
      one.rolls = rolls && one.fate == Fate::recreate && plan::is_up(one.old->state);
      if (!one.successor || one.rolls) continue;
      removals.push_back(removal_of(one));
      one.successor = nullptr;
    }
    up.builder.plan().rollouts.push_back({.service = service->name,
                                          .start_first = rolls,
                                          .told = group.routed || asked.wish == Wish::start_first,
                                          .reason = std::move(reason)});
  }
  std::ranges::sort(up.builder.plan().rollouts, {}, &plan::Rollout::service);
  for (Decision& removal : removals) up.decisions.push_back(std::move(removal));
  return {};
}

Result<void> emit_rolling(Up& up, Decision& decision) {
  const Container& old = *decision.old;
  std::vector<int> tried;  // what may fail while the old one still serves
  const auto add = [&](plan::Op op, std::vector<int> after, std::string cause) {
    plan::Node node = node_of(decision, std::move(op), std::move(after));
    node.cause = std::move(cause);
    node.differences.clear();
    tried.push_back(up.builder.add(std::move(node)));
    return tried.back();
  };
  std::vector<int> before = up.image_nodes();
  if (!decision.successor) {
    tried = TRY(emit_creation(up, decision));
    before = tried;
    const auto gate = emit_pre_start(up, decision, gate_of(up, *decision.service));
    before.insert(before.end(), gate.begin(), gate.end());
    emit_start(up, decision, std::move(before));
    tried.push_back(decision.started);
    before = {decision.started};
  }
  int ready = add(plan::WaitContainer{.container = target_of(decision),
                                      .seconds = up.options.wait_timeout > 0 ? up.options.wait_timeout : kReady,
                                      .probe = probe_of(up.project, *decision.service)},
                  std::move(before), "start-first: ready before the old container goes");
  decision.first = decision.created != 0 ? decision.created : ready;
  if (serves_route(up, old)) {
    ready = add(plan::RouteContainer{.container = target_of(decision), .seconds = kFirstAnswer}, {ready},
                "start-first: requests reach it");
    ready = add(plan::DrainContainer{.container = ref_of(old), .seconds = drain_seconds(*decision.service)}, {ready},
                "start-first: its requests are answered first");
  }
  if (decision.created != 0) {
    plan::Node rescue = node_of(
        decision, plan::RemoveContainer{.container = target_of(decision), .volumes = true, .force = true}, tried);
    rescue.cause = "only if the new container fails: the old one stays";
    rescue.differences.clear();
    rescue.rescue = true;
    up.builder.add(std::move(rescue));
  }
  emit_stop(up, decision, {ready});
  emit_removal(up, decision, {ready});
  decision.last = up.builder.add(node_of(
      decision, plan::RenameContainer{.container = target_of(decision), .name = decision.name}, {decision.removed}));
  return {};
}

void emit_parting(Up& up, Decision& decision) {
  std::vector<int> after = up.image_nodes();
  if (is_routed(up, *decision.old) && plan::is_up(decision.old->state) && others_stay(up, decision)) {
    int routed = 0;
    // The one that it should have replaced may have been drained already.
    if (const Container* other = replaced_by(up, decision)) {
      plan::Node node = node_of(decision, plan::RouteContainer{.container = ref_of(*other), .seconds = kFirstAnswer},
                                up.image_nodes());
      node.best_effort = true;
      routed = up.builder.add(std::move(node));
    }
    const std::int64_t seconds = decision.service ? drain_seconds(*decision.service) : kDrain;
    after.push_back(routed);
    plan::Node node = node_of(decision, plan::DrainContainer{.container = ref_of(*decision.old), .seconds = seconds},
                              std::move(after));
    node.best_effort = true;
    after = {up.builder.add(std::move(node))};
  }
  emit_stop(up, decision, after);
  emit_removal(up, decision, std::move(after));
}

void order_rollouts(Up& up) {
  std::map<const Service*, std::vector<const Decision*>, ByName> rolling;
  for (const Decision& one : up.decisions)
    if (one.rolls) rolling[one.service].push_back(&one);
  for (const auto& [service, decisions] : rolling) {
    const Pace pace = pace_of(up, *service);
    for (std::size_t i = pace.at_once; pace.at_once > 0 && i < decisions.size(); ++i)
      follow(up, pace, *decisions[i - pace.at_once], *decisions[i]);
    if (pace.goes_back && decisions.size() > 1)
      up.builder.plan().warnings.push_back(
          place(up.project, "services." + service->name + ".deploy") + "service " + quoted(service->name) +
          ": failure_action rollback: a failure ends the replacement, as with pause; `berth rollback` then brings the "
          "whole project back");
  }
}

}  // namespace berth::compose::detail
