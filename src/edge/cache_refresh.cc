#include "edge/cache_refresh.h"

#include "edge/detached.h"

namespace berth::edge {
namespace {

/// What refresh_stored() takes from a request that ends.
struct Refresh {
  Shared& shared;
  std::shared_ptr<const Live> live;
  const Handler& next;
  const CachePolicy& policy;
  const Routes::Entry* entry;
  std::string key;
  std::uint64_t hash;
  Flight flight;
  StoredReply stored;
};

io::Task<void> run(std::unique_ptr<Detached> own, Refresh all) {
  Request request = own->request(all.shared, *all.live, *all.entry);
  CacheCase one{.shared = all.shared,
                .request = request,
                .live = all.live,
                .next = all.next,
                .policy = all.policy,
                .key = all.key,
                .hash = all.hash};
  CacheTap tap(one, all.flight, all.stored);
  request.tap = &tap;
  if (own->parsed) {
    const Outcome outcome = co_await all.next.handle(request, own->nobody);
    static_cast<void>(outcome);  // what failed stays stale, and the next request asks again
  }
  const bool over = all.flight->state == CacheFlight::State::asking || tap.stands_in;
  if (over) fail_flight(all.shared, *all.flight, CacheFlight::State::failed);
}

}  // namespace

io::Task<void> refresh_stored(const CacheCase& one, Flight flight, StoredReply stored) {
  return run(std::make_unique<Detached>(one.request), {.shared = one.shared,
                                                       .live = one.live,
                                                       .next = one.next,
                                                       .policy = one.policy,
                                                       .entry = one.request.entry,
                                                       .key = std::string(one.key),
                                                       .hash = one.hash,
                                                       .flight = std::move(flight),
                                                       .stored = std::move(stored)});
}

}  // namespace berth::edge
