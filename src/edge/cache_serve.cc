#include "edge/cache_serve.h"

#include <algorithm>

#include "edge/cache_deliver.h"
#include "edge/cache_key.h"
#include "edge/cache_refresh.h"

namespace berth::edge {
namespace {

using State = CacheFlight::State;
using Kind = CacheNote::Kind;

constexpr auto kMostWait = std::chrono::seconds(5);  // for another one's reply; then everybody asks for himself
constexpr int kMostRounds = 3;

/// Until another loop is done with what it fetches. Any thread may tell; the event is the loop's.
struct OtherLoop {
  io::Event done;
};

io::Task<Result<void>> wait_for_loop(std::shared_ptr<OtherLoop> other) {
  co_return co_await other->done.wait();
}

io::Task<Result<void>> wait_for_head(Flight flight) {
  while (flight->state == State::asking) CO_TRY(co_await flight->changed.wait());
  co_return Result<void>{};
}

/// Whoever leaves a flight without a reply lets the others take over.
class Lead {
 public:
  Lead(Shared& shared, CacheFlight& flight) : shared_(shared), flight_(flight) {}
  Lead(const Lead&) = delete;
  ~Lead() {
    if (flight_.state == State::asking) fail_flight(shared_, flight_, State::abandoned);
  }

 private:
  Shared& shared_;
  CacheFlight& flight_;
};

class CacheServe {
 public:
  CacheServe(CacheCase& one, ReplySink& sink, const RequestControl& control)
      : case_(one),
        sink_(sink),
        request_(one.request),
        store_(*one.shared.store),
        control_(control),
        authorized_(one.request.head.fields.find("authorization").has_value()) {}

  io::Task<Outcome> run() {
    if (must_bypass()) co_return co_await ask(nullptr);
    for (int round = 0; round < kMostRounds; ++round) {
      look();
      if (!found_.variants && store_.is_on_disk(case_.key, case_.hash)) co_await recall();
      const Freshness* fresh = stored_ ? &stored_->freshness : nullptr;
      const CacheUse use = decide_use(fresh, control_, case_.policy, case_.now().ticks);
      if (use == CacheUse::refuse) co_return refusal();
      if (use == CacheUse::serve) {
        keep_on_disk();
        co_return co_await hit(Kind::hit);
      }
      if (use == CacheUse::serve_stale) {
        refresh();
        co_return co_await hit(Kind::stale);
      }
      if (auto answered = co_await fetch()) co_return std::move(*answered);
    }
    co_return co_await lead();
  }

 private:
  bool must_bypass() const {
    const http::RequestHead& head = request_.head;
    const bool reads = head.method == "GET" || head.method == "HEAD";
    if (!reads || !head.upgrade.empty() || request_.body->state() != BodySource::State::none) return true;
    if (case_.policy.cookies == CachePolicy::Cookies::pass && head.fields.find("cookie")) return true;
    return needs_origin(head.fields) || (case_.policy.obey_client && control_.no_store);
  }
  /// A part of what is not stored is not worth the whole.
  bool is_partial() const { return !stored_ && request_.head.fields.find("range"); }

  void look() {
    found_ = store_.find(case_.key, case_.hash);
    passes_ = passes_ || found_.passed_until > case_.now().ticks;
    stored_ = nullptr;
    if (!found_.variants) return;
    // The newest that fits (RFC 9111 4.1).
    for (auto each = found_.variants->rbegin(); each != found_.variants->rend() && !stored_; ++each) {
      if (fits(**each)) stored_ = *each;
    }
  }
  bool fits(const CacheObject& object) const {
    return selects(object, request_.entry->route.name, request_.head.fields, request_.work.scratch) &&
           (object.for_all || !authorized_);
  }

  /// Brings what the disk has into the memory, once for all who ask.
  io::Task<void> recall() {
    const std::string name = "disk\n" + std::string(case_.key);
    const auto other = std::make_shared<OtherLoop>();
    const auto claim = store_.claims().take(name, waker_of(other));
    if (claim) {
      const CacheMoment now = case_.now();
      co_await io::on_pool([&] { store_.load(case_.key, case_.hash, now); });
    } else {
      const auto waited = co_await io::within(kMostWait, wait_for_loop(other));
      static_cast<void>(waited);  // what is not there then is fetched
    }
    look();
  }
  CacheClaims::Waker waker_of(const std::shared_ptr<OtherLoop>& other) const {
    return [other, loop = &case_.shared.loop] { loop->post([other] { other->done.set(); }); };
  }
  /// What is asked for again is worth a place on the disk.
  void keep_on_disk() {
    Shared& shared = case_.shared;
    if (!found_.again || !store_.disk() || !shared.background) return;
    shared.background->spawn(save(shared.store, std::string(case_.key), found_.variants, case_.now()));
  }
  static io::Task<void> save(std::shared_ptr<CacheStore> store, std::string key, SharedVariants variants,
                             CacheMoment now) {
    co_await io::on_pool([&] { store->save(key, store->hash(key), variants, now); });
  }

  /// What differs by a Vary that is known is fetched at the same time.
  std::string flight_name() const {
    std::string name(case_.key);
    name.append("\n").append(request_.entry->route.name);
    if (found_.variants && !found_.variants->empty())
      append_selecting(name.append("\n"), found_.variants->back()->vary, request_.head.fields);
    return name;
  }

  Flight new_flight() const {
    auto flight = std::make_shared<CacheFlight>();
    flight->name = flight_name();
    flight->key = case_.key;
    flight->hash = case_.hash;
    flight->ticket = store_.ticket(case_.hash);
    return flight;
  }

  static Outcome refusal() {
    Outcome outcome;
    outcome.own_status = 504;
    outcome.message = "Nothing is stored for this request, and it forbids to ask.";
    outcome.cache = "refused";
    return outcome;
  }

  io::Task<Outcome> hit(Kind kind) {
    store_.count(kind == Kind::hit ? CacheCount::hit : CacheCount::stale);
    return deliver(case_, sink_, {.stored = stored_, .note = {.kind = kind}});
  }
  io::Task<Outcome> stand_in() {
    store_.count(CacheCount::stand_in);
    return deliver(case_, sink_,
                   {.stored = stored_, .note = {.kind = Kind::stale, .detail = "the service does not answer"}});
  }
  bool can_stand_in() const { return stored_ && may_stand_in(stored_->freshness, true, case_.now().ticks); }

  io::Task<Outcome> go(CacheTap& tap) {
    request_.tap = &tap;
    Outcome outcome = co_await case_.next.handle(request_, sink_);
    request_.tap = nullptr;
    co_return outcome;
  }

  /// Asks the service for this client alone, and keeps nothing.
  io::Task<Outcome> ask(Flight flight) {
    CacheTap tap(case_, std::move(flight), nullptr);
    Outcome outcome = co_await go(tap);
    outcome.cache = "bypass";
    co_return outcome;
  }

  /// Asks the service for everybody who wants the same.
  io::Task<Outcome> lead(CacheClaims::Claim claim = {}) {
    const Flight flight = new_flight();
    flight->claim = std::move(claim);
    const Lead guard(case_.shared, *flight);
    if (!authorized_ && !passes_) case_.shared.flights->add(flight);
    CacheTap tap(case_, flight, stored_);
    Outcome outcome = co_await go(tap);
    if (tap.stands_in) {
      fail_flight(case_.shared, *flight, State::failed);
      co_return co_await stand_in();
    }
    if (flight->object) co_return co_await deliver(case_, sink_, {flight->object, flight, tap.note});
    if (outcome.own_status >= 500 && flight->state == State::asking) {
      // RFC 9111 5.2.2.2: what must be confirmed, and cannot be, is a 504.
      if (stored_ && stored_->freshness.never_stale) outcome.own_status = 504;
      flight->status = outcome.own_status;
      flight->message = outcome.message;
      fail_flight(case_.shared, *flight, State::failed);
      if (can_stand_in()) co_return co_await stand_in();
    }
    outcome.cache = stored_ ? "expired" : "miss";
    co_return outcome;
  }

  /// By a request of its own, or another one's; nothing when that was of no use and the store is to be looked at again.
  io::Task<std::optional<Outcome>> fetch() {
    if (is_partial() || request_.head.method == "HEAD") co_return co_await ask(nullptr);
    if (authorized_ || passes_) co_return co_await lead();
    const Flight other = case_.shared.flights->find(flight_name());
    if (!other) co_return co_await lead_for_all();
    if (!store_.is_current(case_.hash, other->ticket)) co_return co_await lead();
    const auto waited = co_await io::within(kMostWait, wait_for_head(other));
    if (!waited && waited.error().code != Code::timeout) co_return Outcome{};
    passes_ = !waited || other->state == State::passed;
    co_return co_await join(other);
  }

  /// Asks for all loops; nothing when another one did so meanwhile.
  io::Task<std::optional<Outcome>> lead_for_all() {
    const auto other = std::make_shared<OtherLoop>();
    auto claim = store_.claims().take(flight_name(), waker_of(other));
    if (claim) co_return co_await lead(std::move(claim));
    const auto waited = co_await io::within(kMostWait, wait_for_loop(other));
    if (!waited && waited.error().code != Code::timeout) co_return Outcome{};
    passes_ = !waited;
    co_return std::nullopt;
  }

  /// The answer of another request's flight; nothing when that one does not fit.
  io::Task<std::optional<Outcome>> join(Flight flight) {
    if (flight->object && fits(*flight->object)) {
      store_.count(CacheCount::collapsed);
      co_return co_await deliver(case_, sink_, {flight->object, flight, {.kind = Kind::hit, .collapsed = true}});
    }
    if (flight->state != State::failed) co_return std::nullopt;
    if (can_stand_in()) co_return co_await stand_in();
    Outcome outcome;
    outcome.own_status = flight->status;
    outcome.message = flight->message.empty() ? "The service could not be reached." : flight->message;
    outcome.cache = "collapsed";
    co_return outcome;
  }

  void refresh() {
    Shared& shared = case_.shared;
    if (!shared.background || shared.flights->find(flight_name())) return;
    auto claim = store_.claims().take(flight_name(), {});
    if (!claim) return;  // another loop does
    const Flight flight = new_flight();
    flight->claim = std::move(claim);
    shared.flights->add(flight);
    shared.background->spawn(refresh_stored(case_, flight, stored_));
  }

  CacheCase& case_;
  ReplySink& sink_;
  Request& request_;
  CacheStore& store_;
  const RequestControl& control_;
  const bool authorized_;
  CacheFound found_;
  StoredReply stored_;
  bool passes_ = false;  ///< nobody waits for anybody
};

io::Task<Outcome> serve_cached(CacheCase one, ReplySink& sink) {
  const http::RequestHead& head = one.request.head;
  std::string& key = one.request.work.cache_key;
  key.clear();
  append_cache_key(key, {.scheme = one.request.hop.scheme(),
                         .host = one.request.host,
                         .authority = head.authority,
                         .path = one.request.path,
                         .query = head.query,
                         .has_query = !head.query.empty() || head.target.ends_with('?')});
  one.key = key;
  one.hash = one.shared.store->hash(one.key);
  const RequestControl control = request_control(head.fields);
  CacheServe serve(one, sink, control);
  co_return co_await serve.run();
}

class CacheHandler final : public Handler {
 public:
  CacheHandler(CachePolicy policy, std::shared_ptr<const Handler> next)
      : policy_(std::move(policy)), next_(std::move(next)) {}

  io::Task<Outcome> handle(Request& request, ReplySink& reply) const override {
    Shared& shared = request.shared;
    // What outlives the request must own its snapshot: an old one that a slow middleware brought along is not ours.
    if (!shared.store || shared.live.get() != &request.live) return next_->handle(request, reply);
    // A reply may tell of the certificate's owner.
    const auto passes = [](const Middleware& each) { return std::holds_alternative<PassTlsClientCert>(each.action); };
    if (request.hop.certificate && std::ranges::any_of(request.entry->route.middlewares, passes))
      return next_->handle(request, reply);
    return serve_cached({.shared = shared, .request = request, .live = shared.live, .next = *next_, .policy = policy_},
                        reply);
  }

 private:
  CachePolicy policy_;
  std::shared_ptr<const Handler> next_;
};

}  // namespace

std::shared_ptr<const Handler> make_cache(CachePolicy policy, std::shared_ptr<const Handler> next) {
  return std::make_shared<CacheHandler>(std::move(policy), std::move(next));
}

}  // namespace berth::edge
