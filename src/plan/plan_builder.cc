#include <algorithm>
#include <set>

#include "plan/plan.h"

namespace berth::plan {
namespace {

// Topological order by provisional ids (1-based); shorter than `nodes` when there is a cycle.
std::vector<int> sorted(const std::vector<Node>& nodes) {
  std::vector<std::size_t> waiting(nodes.size());
  std::vector<std::vector<int>> next(nodes.size());
  std::set<int> ready;
  for (const Node& node : nodes) {
    const auto at = static_cast<std::size_t>(node.id) - 1;
    waiting[at] = node.after.size();
    if (node.after.empty()) ready.insert(node.id);
    for (const int before : node.after) next[static_cast<std::size_t>(before) - 1].push_back(node.id);
  }
  std::vector<int> order;
  while (!ready.empty()) {
    const int id = *ready.begin();
    ready.erase(ready.begin());
    order.push_back(id);
    for (const int after : next[static_cast<std::size_t>(id) - 1])
      if (--waiting[static_cast<std::size_t>(after) - 1] == 0) ready.insert(after);
  }
  return order;
}

void renumber(Node& node, const std::vector<int>& number) {
  const auto renamed = [&](int& id) {
    if (id != 0) id = number[static_cast<std::size_t>(id)];
  };
  renamed(node.id);
  for (int& id : node.after) renamed(id);
  std::sort(node.after.begin(), node.after.end());
  std::visit(
      [&](auto& op) {
        if constexpr (requires { op.container.created_by; }) renamed(op.container.created_by);
        if constexpr (requires { op.fills; })
          for (Fill& fill : op.fills) renamed(fill.from);
        if constexpr (requires { op.digests; })
          for (Digest& digest : op.digests)
            for (auto& mark : digest.marks) renamed(mark.second);
      },
      node.op);
}

}  // namespace

int PlanBuilder::add(Node node) {
  node.id = static_cast<int>(plan_.nodes.size()) + 1;
  std::erase(node.after, 0);
  std::sort(node.after.begin(), node.after.end());
  node.after.erase(std::unique(node.after.begin(), node.after.end()), node.after.end());
  plan_.nodes.push_back(std::move(node));
  return plan_.nodes.back().id;
}

void PlanBuilder::order(int before, int id) {
  if (before == 0 || before == id) return;
  std::vector<int>& after = node(id).after;
  const auto at = std::lower_bound(after.begin(), after.end(), before);
  if (at == after.end() || *at != before) after.insert(at, before);
}

Result<Plan> PlanBuilder::take() {
  const std::vector<int> order = sorted(plan_.nodes);
  if (order.size() != plan_.nodes.size())
    return fail(Code::internal, "project \"" + plan_.project + "\": the planned operations wait for each other");
  std::vector<int> number(order.size() + 1);
  for (std::size_t i = 0; i < order.size(); ++i) number[static_cast<std::size_t>(order[i])] = static_cast<int>(i) + 1;
  std::vector<Node> nodes;
  nodes.reserve(order.size());
  for (const int id : order) {
    nodes.push_back(std::move(node(id)));
    renumber(nodes.back(), number);
  }
  plan_.nodes = std::move(nodes);
  return std::move(plan_);
}

}  // namespace berth::plan
