// What stands between a service in trouble and its clients: asking again, not asking, and pages for errors.
#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "edge/breaker.h"
#include "edge/middlewares.h"
#include "edge/shared.h"
#include "edge/sink.h"
#include "edge/step.h"
#include "edge/subrequest.h"
#include "io/scope.h"

namespace berth::edge {
namespace {

using std::chrono::milliseconds;

bool any_holds(const std::vector<StatusRange>& ranges, int status) {
  return std::ranges::any_of(ranges, [&](const StatusRange& range) { return range.holds(status); });
}

/// Lets no reply through whose status is one of these; of the others it remembers the status.
class StatusGate final : public ThroughSink {
 public:
  StatusGate(ReplySink& to, const std::vector<StatusRange>& stopped) : ThroughSink(to), stopped_(stopped) {}
  int status = 0;        ///< of the last reply
  bool stopped = false;  ///< it was not let through, and nothing was sent
  bool open = false;     ///< lets all through

  io::Task<Result<void>> begin(http::ResponseHead& head, bool has_body) override {
    status = head.status;
    stopped = !open && any_holds(stopped_, status);
    if (stopped) return stop();
    return to_.begin(head, has_body);
  }
  io::Task<Result<void>> upgrade(http::ResponseHead& head) override {
    status = 101;
    return to_.upgrade(head);
  }

 private:
  static io::Task<Result<void>> stop() { co_return fail(Code::cancelled, "another reply is sent instead"); }
  const std::vector<StatusRange>& stopped_;
};

/// A fifth of the requests may be asked again, and ten beyond: else a service that is down gets a multiple of its load.
struct Budget final : MiddlewareState {
  double left = 10;
};

class Again final : public Handler {
 public:
  Again(Retry action, Place place) : action_(std::move(action)), name_(place.name), next_(std::move(place.next)) {}

  io::Task<Outcome> handle(Request& request, ReplySink& reply) const override {
    earn(request);
    const io::Time begun = request.shared.loop.now();
    StatusGate gate(reply, action_.status);
    const Rewritten rewritten = request.rewritten;
    const http::Fields fields = request.head.fields;  // what comes next may take the password out, or add to them
    const Service* service = request.service;
    milliseconds pause = action_.interval;
    for (std::uint32_t attempt = 1;; ++attempt) {
      const bool last = attempt >= action_.attempts || !may_repeat(request);
      gate.open = last;
      Outcome outcome = co_await next_->handle(request, gate);
      const bool network = outcome.own_status >= 502 && outcome.own_status <= 504 && !action_.not_on_network_error;
      if (last || !(network || gate.stopped) || !may_repeat(request)) co_return given_up(gate, std::move(outcome));
      const bool late = action_.timeout.count() > 0 && request.shared.loop.now() - begun > action_.timeout;
      if (late || !spend(request)) co_return given_up(gate, std::move(outcome));
      if (pause.count() > 0 && !co_await io::sleep_for(pause)) co_return given_up(gate, std::move(outcome));
      pause *= 2;
      request.rewritten = rewritten;
      request.head.fields = fields;
      request.service = service;
      gate.stopped = false;
    }
  }

 private:
  static Outcome given_up(const StatusGate& gate, Outcome outcome) {
    if (!gate.stopped || outcome.own_status != 0) return outcome;
    outcome.own_status = gate.status;
    outcome.message = "The service did not answer as it should.";
    return outcome;
  }
  bool may_repeat(const Request& request) const {
    const auto state = request.body->state();
    const bool untouched = state == BodySource::State::none || state == BodySource::State::pending;
    return untouched && (action_.not_idempotent || is_idempotent(request.head.method));
  }
  void earn(Request& request) const {
    double& left = request.shared.state<Budget>(name_).left;
    left = std::min(left + 0.2, 100.0);
  }
  bool spend(Request& request) const {
    double& left = request.shared.state<Budget>(name_).left;
    if (left < 1) return false;
    left -= 1;
    return true;
  }

  Retry action_;
  std::string name_;
  HandlerPtr next_;
};

struct BreakerState final : MiddlewareState {
  enum class Is { closed, open, recovering } is = Is::closed;
  Window window;
  io::Time checked{}, since{};
  std::uint64_t turn = 0;
};

class Breaker final : public Handler {
 public:
  Breaker(CircuitBreaker action, Place place)
      : action_(std::move(action)),
        condition_(parse_condition(action_.expression).value_or(Condition{})),
        name_(place.name),
        next_(std::move(place.next)) {}

  io::Task<Outcome> handle(Request& request, ReplySink& reply) const override {
    const io::Time begun = request.shared.loop.now();
    if (!lets(request.shared.state<BreakerState>(name_), begun)) {
      co_return Outcome{.own_status = static_cast<int>(action_.status),
                        .message = "The service is overloaded right now. Try again in a moment.",
                        .detail = "the circuit breaker \"" + name_ + "\" is open"};
    }
    static const std::vector<StatusRange> kNone;
    StatusGate gate(reply, kNone);
    Outcome outcome = co_await next_->handle(request, gate);
    const io::Time now = request.shared.loop.now();
    const bool failed = gate.status == 0 && outcome.own_status >= 502;
    // A client that went away says nothing about the service.
    if (gate.status != 0 || failed) {
      const auto took = std::chrono::duration_cast<milliseconds>(now - begun);
      BreakerState& state = request.shared.state<BreakerState>(name_);
      state.window.add(now, gate.status, took);
      watch(state, now);
    }
    co_return outcome;
  }

 private:
  /// Whether a request may pass, with the state's changes that only time brings.
  bool lets(BreakerState& state, io::Time now) const {
    using Is = BreakerState::Is;
    if (state.is == Is::open && now - state.since >= action_.fallback) {
      state = {};
      state.is = Is::recovering;
      state.since = now;
    }
    if (state.is == Is::recovering && now - state.since >= action_.recovery) {
      state.is = Is::closed;
    }
    if (state.is != Is::recovering) return state.is == Is::closed;
    const double share = action_.recovery.count() == 0 ? 1
                                                       : std::chrono::duration<double>(now - state.since) /
                                                             std::chrono::duration<double>(action_.recovery);
    const auto turn = static_cast<double>(state.turn++);
    return std::floor(turn * share) != std::floor((turn + 1) * share) || turn == 0;
  }
  void watch(BreakerState& state, io::Time now) const {
    if (state.is == BreakerState::Is::open || now - state.checked < action_.check) return;
    state.checked = now;
    if (!holds(condition_, state.window.sums(now))) return;
    state.is = BreakerState::Is::open;
    state.since = now;
    state.window.clear();
  }

  CircuitBreaker action_;
  Condition condition_;
  std::string name_;
  HandlerPtr next_;
};

constexpr std::size_t kMostPage = 1u << 20;

class Pages final : public Handler {
 public:
  Pages(ErrorPages action, Place place)
      : action_(std::move(action)), entry_(entry_for(place.routes, action_.service)), next_(std::move(place.next)) {}

  io::Task<Outcome> handle(Request& request, ReplySink& reply) const override {
    StatusGate gate(reply, action_.status);
    gate.open = request.wants_websocket();
    Outcome outcome = co_await next_->handle(request, gate);
    const bool own = outcome.own_status != 0 && any_holds(action_.status, outcome.own_status);
    if (!gate.stopped && !own) co_return outcome;
    const int status = own ? outcome.own_status : gate.status;
    request.body->abandon_running();
    const auto page = co_await fetch(request, status);
    if (!page) {
      outcome.own_status = status;
      outcome.message = "The service did not answer as it should.";
      co_return outcome;
    }
    co_await send(request, reply, status, *page);
    outcome.own_status = 0;
    if (outcome.detail.empty() || !own) outcome.detail = "answered " + std::to_string(status) + " by a page of errors";
    co_return outcome;
  }

 private:
  io::Task<std::unique_ptr<KeptReply>> fetch(Request& request, int status) const {
    if (!entry_) co_return nullptr;
    const Cut parts = cut(action_.query, '?');
    const auto fill = [&](std::string_view text) {
      const std::string with = replace_all(text, "{status}", std::to_string(status));
      return replace_all(with, "{url}", escape(request));
    };
    const std::string path = fill(parts.before), query = fill(parts.after);
    SubRequest ask(request, {*entry_, "GET", path, query});
    auto page = std::make_unique<KeptReply>(kMostPage);
    const Outcome outcome = co_await io::within(std::chrono::seconds(10), ask.run(*page));
    if (outcome.own_status != 0 || page->status >= 500 || page->status == 0 || page->cut) co_return nullptr;
    co_return page;
  }

  /// The request's URL for use inside of another one.
  static std::string escape(const Request& request) {
    static constexpr std::string_view kDigits = "0123456789ABCDEF";
    std::string url = std::string(request.hop.scheme()) + "://" + std::string(request.host) + std::string(request.path);
    std::string out;
    for (const char c : url) {
      const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                         c == '.' || c == '_' || c == '~';
      const auto value = static_cast<unsigned char>(c);
      if (plain)
        out += c;
      else
        out.append("%").append(1, kDigits[value >> 4]).append(1, kDigits[value & 15]);
    }
    return out;
  }

  static io::Task<void> send(Request& request, ReplySink& reply, int status, const KeptReply& page) {
    http::ResponseHead& head = request.work.reply;
    head.status = status;
    head.framing = {.chunked = false, .length = page.body.size()};
    head.fields.clear();
    for (const auto& [name, value] : page.fields) head.fields.add({name, value});
    const bool has_body = request.head.method != "HEAD";
    auto sent = co_await reply.begin(head, has_body);
    if (sent && has_body) sent = co_await reply.data(page.body);
    if (sent) static_cast<void>(co_await reply.end(nullptr));
  }

  ErrorPages action_;
  std::optional<Routes::Entry> entry_;
  HandlerPtr next_;
};

}  // namespace

HandlerPtr make_handler(const Retry& action, Place place) {
  return std::make_shared<Again>(action, std::move(place));
}
HandlerPtr make_handler(const CircuitBreaker& action, Place place) {
  return std::make_shared<Breaker>(action, std::move(place));
}
HandlerPtr make_handler(const ErrorPages& action, Place place) {
  return std::make_shared<Pages>(action, std::move(place));
}

}  // namespace berth::edge
