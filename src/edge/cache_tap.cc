#include "edge/cache_tap.h"

#include <algorithm>

#include "edge/cache_key.h"

namespace berth::edge {
namespace {

using Kind = CacheNote::Kind;

/// Reasons that are the request's: another one may well be stored.
bool is_of_request(std::string_view why) {
  return why == "authorization" || why == "cookie" || why == "range" || why == "method";
}

}  // namespace

CacheMoment CacheCase::now() const {
  const auto wall = std::chrono::system_clock::now().time_since_epoch();
  const auto ticks = shared.loop.now().time_since_epoch();
  return {.wall = std::chrono::duration_cast<std::chrono::seconds>(wall).count(),
          .ticks = std::chrono::duration_cast<std::chrono::milliseconds>(ticks).count()};
}

CacheTap::CacheTap(CacheCase& one, Flight flight, StoredReply stored)
    : case_(one), flight_(std::move(flight)), stored_(std::move(stored)), asked_(one.now().ticks) {
  note.kind = !flight_ ? Kind::bypass : stored_ ? Kind::expired : Kind::miss;
}

const http::RequestHead& CacheTap::request(const http::RequestHead& head) {
  const bool strips = case_.policy.cookies == CachePolicy::Cookies::strip && head.fields.find("cookie");
  if (!flight_ && !strips) return head;
  if (flight_) return head_.emplace(request_for(head, stored_.get(), case_.policy));
  head_.emplace(head).fields.clear();
  for (const http::Field& field : head.fields) {
    if (!http::same_name(field.name, "cookie")) head_->fields.add(field);
  }
  return *head_;
}

ReplyTap::Then CacheTap::on_head(http::ResponseHead& reply) {
  note.forwarded_status = reply.status;
  if (is_unsafe(case_.request.head.method) && reply.status < 400) forget(reply);
  if (!flight_) return pass(reply, {});
  if (stored_ && reply.status == 304) return freshen(reply);
  stands_in = stored_ && reply.status >= 500 && may_stand_in(stored_->freshness, false, case_.now().ticks);
  return stands_in ? Then::drop : keep(reply);
}

/// RFC 9111 4.4: what a change was made to is not what it was.
void CacheTap::forget(const http::ResponseHead& reply) {
  CacheStore& store = *case_.shared.store;
  store.erase(case_.key);
  for (const std::string_view name : {"location", "content-location"}) {
    const auto value = reply.fields.find(name);
    const std::string other = value ? cache_key_of(*value, case_.key) : std::string();
    if (!other.empty() && same_origin(other, case_.key)) store.erase(other);
  }
}

ReplyTap::Then CacheTap::freshen(const http::ResponseHead& reply) {
  const http::ResponseHead merged = freshened(*stored_, reply);
  const ReplyControl control = reply_control(merged.fields);
  const CacheMoment now = case_.now();
  const StoreFacts facts{case_.request.head, merged, case_.policy, now, (now.ticks - asked_) / 1000};
  const StoreVerdict verdict = may_store(facts, control);
  auto object = make_object(facts, control, verdict.freshness, case_.request.entry->route.name);
  object->origin = stored_->origin;
  object->body = stored_->body;
  CacheStore& store = *case_.shared.store;
  store.count(CacheCount::revalidated);
  if (verdict.store)
    store.replace(case_.key, case_.hash, stored_, object, flight_->ticket);
  else
    store.erase(case_.key);
  note.stored = verdict.store;
  flight_->object = std::move(object);
  flight_->state = CacheFlight::State::done;
  case_.shared.flights->remove(*flight_);
  flight_->tell();
  return Then::drop;
}

ReplyTap::Then CacheTap::keep(const http::ResponseHead& reply) {
  http::ResponseHead& passed = case_.request.work.reply;
  const ReplyControl control = reply_control(reply.fields);
  const CacheMoment now = case_.now();
  const StoreFacts facts{case_.request.head, reply, case_.policy, now, (now.ticks - asked_) / 1000};
  const StoreVerdict verdict = may_store(facts, control);
  if (!verdict.store) {
    if (stored_) case_.shared.store->erase(case_.key);
    return pass(passed, verdict.why);
  }
  flight_->most = std::min(case_.policy.max_size, case_.shared.store->largest());
  const std::uint64_t length = http::body_of(reply, "GET").length;
  if (length > flight_->most) return pass(passed, "size");
  if (!case_.shared.background) return pass(passed, "draining");
  flight_->object = make_object(facts, control, verdict.freshness, case_.request.entry->route.name);
  flight_->object->origin = case_.request.entry->service->name;
  flight_->state = CacheFlight::State::arriving;
  note.stored = true;
  case_.shared.store->count(CacheCount::miss);
  if (http::body_of(reply, "GET").end == http::BodyKind::End::none) {
    finish_flight(case_.shared, *flight_);
    return Then::drop;
  }
  flight_->tell();
  return Then::take;
}

void CacheTap::take(ReplyRest rest) {
  case_.shared.background->spawn(fill_flight(case_.shared, flight_, std::move(rest), case_.live));
}

/// The reply is its own client's. Whoever waits may go.
ReplyTap::Then CacheTap::pass(http::ResponseHead& reply, std::string_view why) {
  CacheStore& store = *case_.shared.store;
  store.count(CacheCount::passed);
  note.detail = why;
  if (flight_) {
    fail_flight(case_.shared, *flight_, CacheFlight::State::passed);
    if (!is_of_request(why) && case_.policy.hit_for_miss > 0)
      store.pass(case_.key, case_.hash, case_.now().ticks + case_.policy.hit_for_miss * 1000);
  }
  reply.fields.add({"Cache-Status", cache_status(text_, note, std::nullopt)});
  if (case_.policy.debug) {
    reply.fields.add({"V-Cache", "MISS"});
    reply.fields.add({"Served-By", case_.request.entry->service->name});
  }
  return Then::relay;
}

}  // namespace berth::edge
