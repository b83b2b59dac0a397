#include "edge/shared.h"

#include <set>

#include "edge/limits.h"

namespace berth::edge {
namespace {

constexpr std::size_t kMostWorkspaces = 256;        // that wait for a request
constexpr std::size_t kMostKeptBytes = 256u << 10;  // of one that waits

}  // namespace

Shared::Shared(io::Loop& loop, UpstreamPool::Left left)
    : loop(loop), pool(loop, std::move(left)), limits(std::make_shared<Limits>()) {}

RouteCounts& Shared::counts_of(const Request& request) {
  const auto by_name = [&]() -> RouteCounts& {
    return metrics.of(request.entry->route.name, request.entry->service->name);
  };
  if (&request.live != counted_) {
    if (&request.live != live.get()) return by_name();  // it began before the table was swapped
    counted_ = live.get();
    counts_.assign(live->routes().entries().size(), nullptr);
  }
  if (request.rank >= counts_.size()) return by_name();
  RouteCounts*& known = counts_[request.rank];
  if (!known) known = &by_name();
  return *known;
}

void Shared::forget_unnamed() {
  counted_ = nullptr;
  if (states_.empty() && metrics.routes.empty()) return;
  const Routes& routes = live->routes();
  if (!states_.empty()) {
    std::set<std::string_view> named;
    for (const auto& entry : routes.entries())
      for (const Middleware& middleware : entry->route.middlewares) named.insert(middleware.name);
    std::erase_if(states_, [&](const auto& each) { return !named.contains(each.first); });
  }
  std::erase_if(metrics.routes, [&](const auto& each) {
    return !each.first.empty() && each.first != "other" && !routes.has_route(each.first);
  });
}

std::unique_ptr<Workspace> Shared::take_workspace() {
  if (workspaces_.empty()) return std::make_unique<Workspace>();
  auto work = std::move(workspaces_.back());
  workspaces_.pop_back();
  return work;
}

void Shared::put_workspace(std::unique_ptr<Workspace> work) {
  const std::size_t bytes = work->to_upstream.capacity() + work->upload.capacity() + work->to_client.capacity();
  if (workspaces_.size() >= kMostWorkspaces || bytes > kMostKeptBytes) return;
  work->clear();
  workspaces_.push_back(std::move(work));
}

}  // namespace berth::edge
