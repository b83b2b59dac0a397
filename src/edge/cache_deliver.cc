#include "edge/cache_deliver.h"

#include <algorithm>

namespace berth::edge {
namespace {

std::string_view text_of(const CacheNote& note) {
  switch (note.kind) {
    case CacheNote::Kind::hit:
      return note.collapsed ? "collapsed" : "hit";
    case CacheNote::Kind::stale:
      return "stale";
    case CacheNote::Kind::miss:
      return "miss";
    case CacheNote::Kind::expired:
      return "expired";
    case CacheNote::Kind::bypass:
      return "bypass";
  }
  return {};
}

class Delivery {
 public:
  Delivery(CacheCase& one, ReplySink& sink, const Parcel& parcel)
      : case_(one), sink_(sink), stored_(*parcel.stored), flight_(parcel.flight.get()), note_(parcel.note) {
    if (flight_) flight_->readers.push_back(&at_);
  }
  Delivery(const Delivery&) = delete;
  ~Delivery() {
    if (!flight_) return;
    std::erase(flight_->readers, &at_);
    flight_->progress.set();
  }

  io::Task<Outcome> run() {
    Request& request = case_.request;
    http::ResponseHead& head = request.work.reply;
    const CacheMoment now = case_.now();
    const CacheAnswer answer = answer_for(request.head, stored_, now.wall);
    AnswerText text;
    fill_answer(head, answer, {stored_, case_.policy, now.ticks, note_}, text);
    apply_reply_headers(request.entry->route, head);
    const bool has_body = http::body_of(head, request.head.method).end != http::BodyKind::End::none;
    head.framing.chunked = false;  // what has no length is marked as the client's end does
    at_ = answer.from;
    end_ = answer.length ? answer.from + *answer.length : ~std::uint64_t{0};
    Outcome outcome{.cache = text_of(note_)};
    auto sent = co_await sink_.begin(head, has_body);
    if (sent && has_body) sent = co_await send_body();
    if (sent) sent = co_await sink_.end(nullptr);
    if (!sent) outcome.detail = sent.error().message;
    co_return outcome;
  }

 private:
  io::Task<Result<void>> send_body() {
    while (at_ < end_) {
      std::string_view piece = stored_.body->piece(at_);
      piece = piece.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(piece.size(), end_ - at_)));
      if (piece.empty()) {
        if (stored_.body->is_complete()) break;
        CO_TRY(co_await await_more());
        continue;
      }
      CO_TRY(co_await sink_.data(piece));
      at_ += piece.size();
      if (flight_) flight_->progress.set();
    }
    co_return Result<void>{};
  }

  io::Task<Result<void>> await_more() {
    CO_TRY(co_await sink_.flush());
    // It may have grown while that was sent.
    if (stored_.body->size() > at_ || stored_.body->is_complete()) co_return Result<void>{};
    if (!flight_ || flight_->state != CacheFlight::State::arriving)
      co_return fail(Code::unavailable, "the upstream closed in the middle of its reply");
    co_return co_await flight_->changed.wait();
  }

  CacheCase& case_;
  ReplySink& sink_;
  const CacheObject& stored_;
  CacheFlight* flight_;
  const CacheNote& note_;
  std::uint64_t at_ = 0, end_ = 0;
};

}  // namespace

io::Task<Outcome> deliver(CacheCase& one, ReplySink& sink, Parcel parcel) {
  Delivery delivery(one, sink, parcel);
  co_return co_await delivery.run();
}

}  // namespace berth::edge
