#include "edge/cache_flight.h"

#include <algorithm>

namespace berth::edge {
namespace {

using End = http::BodyKind::End;
using Step = http::BodyDecoder::Next;

constexpr std::uint64_t kWindow = 256u << 10;

/// Fills one flight's body.
class Filler {
 public:
  Filler(Shared& shared, CacheFlight& flight, ReplyRest& rest, io::Duration stall)
      : shared_(shared), flight_(flight), rest_(rest), stall_(stall), decoder_(rest.body) {}
  Filler(const Filler&) = delete;
  ~Filler() { shared_.store->release(reserved_); }

  io::Task<Result<void>> run() {
    CO_TRY(reserve(rest_.body.length));
    if (rest_.wire->session) co_return co_await run_session(*rest_.wire->session);
    http::Wire& wire = *rest_.wire;
    while (true) {
      std::string_view input = wire.unread();
      const std::size_t before = input.size();
      const auto step = decoder_.next(input);
      if (step.what == Step::data) CO_TRY(co_await keep(step.data));
      wire.consume(before - input.size());
      if (step.what == Step::refused) co_return fail(Code::internal, "malformed body: " + std::string(step.reason));
      if (step.what == Step::end) co_return Result<void>{};
      if (step.what != Step::need_more) continue;
      flight_.tell();
      const auto more = co_await io::within(stall_, wire.fill());
      if (more && *more) continue;
      if (more && decoder_.may_close()) co_return Result<void>{};
      co_return fail(Code::unavailable, "the upstream closed in the middle of its reply");
    }
  }

 private:
  io::Task<Result<void>> run_session(UpstreamSession& session) {
    while (true) {
      if (!session.unread().empty()) CO_TRY(co_await keep(session.unread()));
      session.consume();
      CO_TRY(co_await session.flush());  // the upstream may send more
      if (session.waits()) flight_.tell();
      if (!CO_TRY(co_await io::within(stall_, session.more()))) co_return Result<void>{};
    }
  }

  /// Room for `bytes` more; without it the body is passed on and not kept.
  Result<void> reserve(std::uint64_t bytes) {
    if (flight_.windowed || bytes == 0) return {};
    const bool fits = reserved_ + bytes <= flight_.most && shared_.store->reserve(static_cast<std::size_t>(bytes));
    if (fits) {
      reserved_ += static_cast<std::size_t>(bytes);
      return {};
    }
    flight_.windowed = true;
    shared_.flights->remove(flight_);
    return {};
  }

  io::Task<Result<void>> keep(std::string_view data) {
    CacheBody& body = *flight_.object->body;
    const std::uint64_t after = body.size() + data.size();
    if (after > reserved_) CO_TRY(reserve(std::max<std::uint64_t>(after - reserved_, std::min(after, kWindow))));
    body.append(data);
    while (flight_.windowed) {
      if (flight_.readers.empty()) co_return fail(Code::cancelled, "nobody reads it any more");
      const std::uint64_t* slowest = *std::ranges::min_element(flight_.readers, {}, [](auto* at) { return *at; });
      body.discard(*slowest);
      if (body.size() - *slowest <= kWindow) break;
      flight_.tell();
      flight_.progress.reset();
      CO_TRY(co_await io::within(stall_, wait_for_readers()));
    }
    co_return Result<void>{};
  }

  io::Task<Result<void>> wait_for_readers() { co_return co_await flight_.progress.wait(); }

  Shared& shared_;
  CacheFlight& flight_;
  ReplyRest& rest_;
  io::Duration stall_;
  http::BodyDecoder decoder_;
  std::size_t reserved_ = 0;
};

}  // namespace

Flight CacheFlights::find(const std::string& name) const {
  const auto found = table_.find(name);
  return found == table_.end() ? nullptr : found->second;
}

void CacheFlights::remove(CacheFlight& flight) {
  flight.claim.drop();
  const auto found = table_.find(flight.name);
  if (found != table_.end() && found->second.get() == &flight) table_.erase(found);
}

void finish_flight(Shared& shared, CacheFlight& flight) {
  flight.object->body->complete();
  flight.state = CacheFlight::State::done;
  if (!flight.windowed) shared.store->put(flight.key, flight.hash, flight.object, flight.ticket);
  shared.flights->remove(flight);
  flight.tell();
}

void fail_flight(Shared& shared, CacheFlight& flight, CacheFlight::State state) {
  flight.state = state;
  shared.flights->remove(flight);
  flight.tell();
}

io::Task<void> fill_flight(Shared& shared, Flight flight, ReplyRest rest, std::shared_ptr<const Live> live) {
  Result<void> filled;
  {
    Filler filler(shared, *flight, rest, live->settings().stall_timeout);
    filled = co_await filler.run();
  }
  if (!filled) {
    fail_flight(shared, *flight, CacheFlight::State::failed);
    co_return;
  }
  finish_flight(shared, *flight);
  const bool reusable =
      !rest.wire->session && rest.keep_alive && rest.body.end != End::close && rest.wire->unread().empty();
  if (reusable) shared.pool.put(*rest.target, std::move(rest.wire));
}

}  // namespace berth::edge
