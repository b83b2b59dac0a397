#include "plan/tree.h"

#include <algorithm>

#include "base/text.h"

namespace berth::plan {
namespace {

// Ops on one subject, and what they amount to.
struct Seen {
  bool create = false, remove = false, start = false, stop = false, restart = false, pull = false, build = false;
  bool replacing = false, only_waits = true;
};

void see(Seen& seen, const Node& node) {
  const auto is = [&]<class... T>(std::variant<T...>*) { return (std::holds_alternative<T>(node.op) || ...); };
  seen.create |= is(static_cast<std::variant<CreateContainer, CreateNetwork, CreateVolume>*>(nullptr));
  seen.remove |= is(static_cast<std::variant<RemoveContainer, RemoveNetwork, RemoveVolume, RemoveImage>*>(nullptr));
  seen.start |= std::holds_alternative<StartContainer>(node.op);
  seen.stop |= std::holds_alternative<StopContainer>(node.op);
  seen.restart |= std::holds_alternative<RestartContainer>(node.op);
  seen.pull |= std::holds_alternative<PullImage>(node.op);
  seen.build |= std::holds_alternative<BuildImage>(node.op);
  seen.replacing |= node.replacing;
  seen.only_waits &= std::holds_alternative<WaitContainer>(node.op);
}

Deed deed_of(const Seen& seen) {
  if (seen.pull || seen.build) return seen.pull ? Deed::pull : Deed::build;
  if (seen.create) return seen.replacing || seen.remove ? Deed::recreate : Deed::create;
  if (seen.remove) return Deed::remove;
  if (seen.restart || (seen.start && seen.stop)) return Deed::restart;
  if (seen.start) return Deed::start;
  if (seen.stop) return Deed::stop;
  return seen.only_waits ? Deed::wait : Deed::change;
}

bool is_container(std::string_view subject) {
  return subject.starts_with("service:") || subject.starts_with("oneoff:");
}

// The container's name in the end: a recreation makes it under another one first.
std::string name_of_container(const Node& node, const std::string& before) {
  if (const auto* rename = std::get_if<RenameContainer>(&node.op)) return rename->name;
  const auto* create = std::get_if<CreateContainer>(&node.op);
  if (create && !node.replacing) return create->name;
  const ContainerRef* ref = container_of(node.op);
  return before.empty() && ref ? ref->name : before;
}

struct Growing {
  Leaf leaf;
  Seen seen;
  std::string subject, name;
};

std::string object_text(const Growing& one) {
  if (is_container(one.subject)) return "container " + (one.name.empty() ? one.subject : one.name);
  const auto [kind, rest, found] = cut(one.subject, ':');
  return found ? std::string(kind) + ' ' + std::string(rest) : one.subject;
}

std::string service_of(const Node& node) {
  if (node.subject.starts_with("hook:")) return node.group;
  if (!is_container(node.subject)) return {};
  return node.group.empty() ? std::string(cut(cut(node.subject, ':').after, ':').before) : node.group;
}

struct GrowingBranch {
  std::string service;
  std::vector<Growing> leaves;
};

GrowingBranch& branch_of(std::vector<GrowingBranch>& branches, const std::string& service) {
  const auto found =
      std::find_if(branches.begin(), branches.end(), [&](const GrowingBranch& one) { return one.service == service; });
  return found == branches.end() ? branches.emplace_back(GrowingBranch{service, {}}) : *found;
}

Growing& leaf_of(GrowingBranch& branch, const std::string& subject) {
  const auto found = std::find_if(branch.leaves.begin(), branch.leaves.end(),
                                  [&](const Growing& one) { return one.subject == subject; });
  return found == branch.leaves.end() ? branch.leaves.emplace_back(Growing{{}, {}, subject, {}}) : *found;
}

// Its cause says why this op is needed, not why the object changes.
bool is_aside(const Node& node) {
  return std::holds_alternative<WaitContainer>(node.op) || std::holds_alternative<RouteContainer>(node.op) ||
         std::holds_alternative<DrainContainer>(node.op) || std::holds_alternative<ExecHook>(node.op);
}

void grow(Growing& one, const Node& node) {
  see(one.seen, node);
  one.name = name_of_container(node, one.name);
  if (one.leaf.cause.empty() || !is_aside(node)) one.leaf.cause = node.cause;
  if (!node.differences.empty()) one.leaf.differences = node.differences;
  one.leaf.risk = std::max(one.leaf.risk, node.risk);
  if (node.risk == Risk::none) return;
  const std::string note = node.risk_note.empty() ? "what it holds is lost" : node.risk_note;
  if (std::find(one.leaf.risks.begin(), one.leaf.risks.end(), note) == one.leaf.risks.end())
    one.leaf.risks.push_back(note);
}

void keep(std::vector<GrowingBranch>& branches, const Keep& kept, const Observed& observed) {
  const bool container = is_container(kept.subject);
  const auto [kind, rest, found] = cut(kept.subject, ':');
  GrowingBranch& branch = branch_of(branches, container ? std::string(cut(rest, ':').before) : std::string());
  Growing& one = leaf_of(branch, kept.subject);
  if (!one.leaf.cause.empty() && !one.seen.only_waits) return;
  one.seen = {};
  one.leaf.cause = kept.reason;
  one.leaf.deed = Deed::keep;
  if (const Container* stays = container ? observed.container(kept.id) : nullptr) one.name = stays->name;
}

}  // namespace

std::string_view to_text(Deed deed) {
  static constexpr std::string_view kWords[] = {"keep",   "create", "recreate", "start", "restart", "stop",
                                                "remove", "change", "pull",     "build", "wait"};
  return kWords[static_cast<std::size_t>(deed)];
}

std::vector<Branch> tree_of(const Plan& plan, const Observed& observed) {
  std::vector<GrowingBranch> branches(1);
  for (const Node& node : plan.nodes)
    if (!node.rescue && !std::holds_alternative<Pause>(node.op))
      grow(leaf_of(branch_of(branches, service_of(node)), node.subject), node);
  for (GrowingBranch& branch : branches)
    for (Growing& one : branch.leaves) one.leaf.deed = deed_of(one.seen);
  for (const Keep& kept : plan.keeps) keep(branches, kept, observed);
  std::vector<Branch> out;
  for (GrowingBranch& branch : branches) {
    if (branch.leaves.empty()) continue;
    Branch& done = out.emplace_back(Branch{std::move(branch.service), {}});
    for (Growing& one : branch.leaves) {
      one.leaf.object = object_text(one);
      done.leaves.push_back(std::move(one.leaf));
    }
  }
  return out;
}

}  // namespace berth::plan
