// What the requests of one loop share, with all that must survive a swap of the snapshot.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <typeinfo>
#include <unordered_map>
#include <vector>

#include "edge/access.h"
#include "edge/balance.h"
#include "edge/channel.h"
#include "edge/handler.h"
#include "edge/live.h"
#include "edge/upstream_pool.h"
#include "edge/view_metrics.h"
#include "edge/view_watch.h"
#include "io/delay.h"
#include "io/scope.h"

namespace berth::edge {

using EventSink = std::function<void(const EdgeEvent&)>;

class CacheStore;
class CacheFlights;
class Limits;

/// What one middleware of one loop remembers between requests: counts, windows, a breaker's state.
class MiddlewareState {
 public:
  virtual ~MiddlewareState() = default;
};

/// An exchange that takes longer than this watches whether its client is still there.
inline constexpr auto kLook = std::chrono::seconds(1);

/// Thread: its loop's.
struct Shared {
  explicit Shared(io::Loop& loop, UpstreamPool::Left left = {});
  io::Loop& loop;
  io::DelayQueue idle{loop, Settings().idle_timeout};      ///< clients that wait for their next request
  io::DelayQueue watched{loop, kLook};                     ///< exchanges, until their client is worth a look
  io::DelayQueue stalled{loop, Settings().stall_timeout};  ///< replies that are done, until their client took them
  UpstreamPool pool;
  std::shared_ptr<const Live> live;  ///< never null
  std::string server;                ///< this host's name
  AccessSink access;                 ///< may be empty
  EventSink event;                   ///< may be empty
  Metrics metrics;
  Running::List running;
  AccessSink watch;  ///< told of each request that ends before `watch_until`
  io::Time watch_until{};
  std::mt19937_64 random{std::random_device{}()};  ///< for ids that need not be secret
  bool draining = false;
  io::Event swapped;                                     ///< `live` is another one
  std::map<std::string, std::size_t, std::less<>> held;  ///< service -> requests that wait for its resumption
  std::shared_ptr<Limits> limits;                        ///< of the process; never null
  std::function<void(const Upstream&, bool)> health;     ///< told what a check found, for other loops; may be empty
  std::shared_ptr<CacheStore> store;                     ///< null: nothing is cached
  std::shared_ptr<CacheFlights> flights;                 ///< null as `store` is
  io::Scope* background = nullptr;                       ///< for what outlives a request; null while nothing may begin
  Balancer balancer;
  io::Time reported{};  ///< when upstream_failed was sent last
  io::Time crowded{};   ///< the same of EdgeEvent::Kind::crowded

  /// The state of the middleware `name`, made at its first use; made anew when it was of another type before.
  template <class State>
  State& state(std::string_view name) {
    const auto found = states_.find(name);
    if (found != states_.end()) {
      if (auto* known = dynamic_cast<State*>(found->second.get())) return *known;
      states_.erase(found);
    }
    auto made = std::make_unique<State>();
    State& result = *made;
    states_.emplace(name, std::move(made));
    return result;
  }
  /// The counts of the route that `request` found; REQUIRES: its entry.
  RouteCounts& counts_of(const Request& request);
  /// Forgets the states of middlewares that no route of `live` names, and the counts of routes that are gone.
  void forget_unnamed();

  std::unique_ptr<Workspace> take_workspace();
  void put_workspace(std::unique_ptr<Workspace> work);

 private:
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  std::unordered_map<std::string, std::unique_ptr<MiddlewareState>, Hash, std::equal_to<>> states_;
  std::vector<std::unique_ptr<Workspace>> workspaces_;
  const Live* counted_ = nullptr;     ///< whose table the next one is for
  std::vector<RouteCounts*> counts_;  ///< by rank; null: not asked for yet
};

/// A workspace for as long as this lives.
class WorkspaceLease {
 public:
  explicit WorkspaceLease(Shared& shared) : shared_(shared), work_(shared.take_workspace()) {}
  WorkspaceLease(const WorkspaceLease&) = delete;
  WorkspaceLease& operator=(const WorkspaceLease&) = delete;
  ~WorkspaceLease() { shared_.put_workspace(std::move(work_)); }
  Workspace& operator*() const { return *work_; }
  Workspace* operator->() const { return work_.get(); }

 private:
  Shared& shared_;
  std::unique_ptr<Workspace> work_;
};

}  // namespace berth::edge
