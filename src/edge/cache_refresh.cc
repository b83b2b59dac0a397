#include "edge/cache_refresh.h"

namespace berth::edge {
namespace {

/// A client that is not there: it takes everything, and never says a word.
class Nobody final : public ReplySink, public BodySource {
 public:
  io::Task<Result<void>> begin(http::ResponseHead&, bool) override { return done(); }
  io::Task<Result<void>> data(std::string_view) override { return done(); }
  io::Task<Result<void>> flush() override { return done(); }
  io::Task<Result<void>> end(const http::Fields*) override { return done(); }
  io::Task<Result<void>> upgrade(http::ResponseHead&) override { return done(); }

  Piece take() override { return {.what = Piece::end}; }
  io::Task<Result<void>> more() override { return done(); }
  io::Task<bool> gone() override { co_return (co_await never_.wait()).has_value(); }

 private:
  static io::Task<Result<void>> done() { co_return Result<void>{}; }
  io::Event never_;
};

/// Owns what a request views.
struct Owned {
  explicit Owned(const CacheCase& one) : hop(one.request.hop), host(one.request.host), path(one.request.path) {
    http::append_head(text, one.request.head);
    parsed = http::parse_request(text, work.head).state == http::Parsed::State::complete;
    work.rewritten = one.request.rewritten;
  }
  Hop hop;
  std::string host, path, text;
  Workspace work;
  Tally tally;
  Nobody nobody;
  bool parsed = false;
};

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

io::Task<void> run(std::unique_ptr<Owned> own, Refresh all) {
  Request request{.shared = all.shared,
                  .live = *all.live,
                  .hop = own->hop,
                  .work = own->work,
                  .head = own->work.head,
                  .rewritten = own->work.rewritten,
                  .body = &own->nobody,
                  .tally = own->tally,
                  .host = own->host,
                  .path = own->path,
                  .entry = all.entry,
                  .service = all.entry->service};
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
  return run(std::make_unique<Owned>(one), {.shared = one.shared,
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
