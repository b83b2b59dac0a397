#include "edge/cache_fresh.h"

#include <algorithm>

#include "edge/cache_date.h"
#include "http/text.h"

namespace berth::edge {
namespace {

constexpr std::int64_t kMostHeuristic = 86400;

/// RFC 9110 15.1, as far as a reply without explicit freshness may be reused.
bool is_heuristic(int status) {
  static constexpr int kStatuses[] = {200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501};
  return std::ranges::find(kStatuses, status) != std::end(kStatuses);
}

std::int64_t date_of(const StoreFacts& facts) {
  return parse_http_date(facts.reply.fields.get("date"), facts.now.wall).value_or(facts.now.wall);
}

/// RFC 9111 5.1: of a list the first member counts, and what is no number is ignored.
std::int64_t age_field(const http::Fields& fields) {
  std::string_view list = fields.get("age");
  return parse_delta(http::next_item(list)).value_or(0);
}

std::int64_t initial_age(const StoreFacts& facts) {
  const std::int64_t apparent = std::max<std::int64_t>(0, facts.now.wall - date_of(facts));
  const std::int64_t corrected = age_field(facts.reply.fields) + std::max<std::int64_t>(0, facts.delay);
  return std::min(std::max(apparent, corrected), kMostDelta);
}

std::optional<std::int64_t> explicit_lifetime(const StoreFacts& facts, const ReplyControl& control) {
  if (control.shared_max_age) return control.shared_max_age;
  if (control.max_age) return control.max_age;
  if (control.targeted) return std::nullopt;
  const auto expires = facts.reply.fields.find("expires");
  if (!expires) return std::nullopt;
  const auto date = parse_http_date(*expires, facts.now.wall);
  return date ? std::clamp<std::int64_t>(*date - date_of(facts), 0, kMostDelta) : 0;
}

std::int64_t heuristic_lifetime(const StoreFacts& facts, const ReplyControl& control) {
  const auto modified = parse_http_date(facts.reply.fields.get("last-modified"), facts.now.wall);
  const bool allowed = facts.policy.heuristic && (is_heuristic(facts.reply.status) || control.is_public) &&
                       // Nobody said that this is for everybody.
                       (control.is_public || !facts.request.fields.find("cookie"));
  if (!modified || !allowed) return 0;
  return std::clamp<std::int64_t>((date_of(facts) - *modified) / 10, 0, kMostHeuristic);
}

bool has_validator(const http::Fields& fields) {
  return fields.find("etag") || fields.find("last-modified");
}

bool varies_on_all(const http::Fields& fields) {
  return fields.has_token("vary", "*");
}

/// Why no reply to this request is stored; "" when it may be.
std::string_view forbidden_by(const http::RequestHead& request, const CachePolicy& policy, bool for_all) {
  if (request.method != "GET") return "method";
  if (request.fields.find("range")) return "range";
  if (request.fields.find("authorization") && !for_all) return "authorization";
  const bool cookies = policy.cookies == CachePolicy::Cookies::pass && request.fields.find("cookie");
  return cookies ? "cookie" : std::string_view();
}

/// Why the reply must not be stored whatever its lifetime; "" when it may. `forced`: its lifetime is ours.
std::string_view forbidden_by(const http::ResponseHead& reply, const ReplyControl& control, const CachePolicy& policy,
                              bool forced) {
  if (reply.status < 200 || reply.status == 206 || reply.status == 304) return "status";
  if (varies_on_all(reply.fields)) return "vary";
  const bool understood = !http::reason_of(reply.status).empty();
  if (control.must_understand && !understood) return "must-understand";
  if (!policy.set_cookie && reply.fields.find("set-cookie")) return "set-cookie";
  if (forced && policy.override_private) return {};
  if (control.no_store && !control.must_understand) return "no-store";
  if (control.is_private) return "private";
  return forced && control.no_cache ? "no-cache" : std::string_view();
}

}  // namespace

std::int64_t Freshness::age(std::int64_t ticks) const {
  return std::min(initial_age + std::max<std::int64_t>(0, ticks - received) / 1000, kMostDelta);
}

std::int64_t Freshness::left(std::int64_t ticks) const {
  return (lifetime - initial_age) * 1000 - std::max<std::int64_t>(0, ticks - received);
}

bool Freshness::within(std::int64_t window, std::int64_t ticks) const {
  return !never_stale && window > 0 && left(ticks) + window * 1000 > 0;
}

StoreVerdict may_store(const StoreFacts& facts, const ReplyControl& control) {
  const auto forced = facts.policy.ttl_of(facts.reply.status);
  const bool for_all = control.is_public || control.must_revalidate || control.shared_max_age.has_value();
  std::string_view why = forbidden_by(facts.request, facts.policy, for_all);
  if (why.empty()) why = forbidden_by(facts.reply, control, facts.policy, forced.has_value());
  if (!why.empty()) return {.why = why};
  StoreVerdict verdict{.store = true, .why = {}, .freshness = {}};
  Freshness& fresh = verdict.freshness;
  fresh.received = facts.now.ticks;
  if (forced) {
    fresh.lifetime = *forced;
  } else {
    const auto told = explicit_lifetime(facts, control);
    fresh.lifetime = told ? *told : heuristic_lifetime(facts, control);
    fresh.initial_age = initial_age(facts);
    fresh.validate_always = control.no_cache;
    fresh.never_stale =
        control.no_cache || control.must_revalidate || control.proxy_revalidate || control.shared_max_age.has_value();
  }
  fresh.stale_while_revalidate = control.stale_while_revalidate.value_or(facts.policy.grace.value_or(0));
  fresh.stale_if_error = control.stale_if_error.value_or(0);
  fresh.stale_if_unreachable = control.stale_if_error.value_or(facts.policy.stale_if_error);
  if (!has_validator(facts.reply.fields) && (fresh.lifetime == 0 || fresh.validate_always))
    return {.why = "no lifetime"};
  return verdict;
}

CacheUse decide_use(const Freshness* stored, const RequestControl& request, const CachePolicy& policy,
                    std::int64_t ticks) {
  const auto or_refuse = [&](CacheUse use) { return request.only_if_cached ? CacheUse::refuse : use; };
  if (!stored) return or_refuse(CacheUse::fetch);
  if (stored->validate_always) return or_refuse(CacheUse::revalidate);
  const bool asks_origin = policy.obey_client && request.no_cache;
  if (asks_origin) return or_refuse(CacheUse::revalidate);
  const bool too_old = policy.obey_client && request.max_age && stored->age(ticks) > *request.max_age;
  const bool too_soon = policy.obey_client && request.min_fresh && stored->left(ticks) < *request.min_fresh * 1000;
  if (stored->is_fresh(ticks) && !too_old && !too_soon) return CacheUse::serve;
  if (too_old || too_soon) return or_refuse(CacheUse::revalidate);
  if (policy.obey_client && request.max_stale && stored->within(*request.max_stale, ticks)) return CacheUse::serve;
  if (stored->within(stored->stale_while_revalidate, ticks)) return CacheUse::serve_stale;
  return or_refuse(CacheUse::revalidate);
}

bool may_stand_in(const Freshness& stored, bool unreachable, std::int64_t ticks) {
  return stored.within(unreachable ? stored.stale_if_unreachable : stored.stale_if_error, ticks);
}

bool is_unsafe(std::string_view method) {
  return method != "GET" && method != "HEAD" && method != "OPTIONS" && method != "TRACE";
}

}  // namespace berth::edge
