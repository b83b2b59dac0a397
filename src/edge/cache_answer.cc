#include "edge/cache_answer.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "base/text.h"
#include "edge/cache_date.h"
#include "http/text.h"

namespace berth::edge {
namespace {

using http::Field;
using http::same_name;

/// Text in a fixed buffer; what does not fit is left out.
class Writer {
 public:
  template <std::size_t Size>
  explicit Writer(char (&buffer)[Size]) : begin_(buffer), end_(buffer + Size), at_(buffer) {}
  Writer& text(std::string_view text) {
    if (static_cast<std::size_t>(end_ - at_) >= text.size()) at_ = std::ranges::copy(text, at_).out;
    return *this;
  }
  Writer& number(std::int64_t value) {
    if (const auto written = std::to_chars(at_, end_, value); written.ec == std::errc{}) at_ = written.ptr;
    return *this;
  }
  std::string_view view() const { return {begin_, static_cast<std::size_t>(at_ - begin_)}; }

 private:
  char *begin_, *end_, *at_;
};

std::string_view opaque(std::string_view tag) {
  return tag.starts_with("W/") ? tag.substr(2) : tag;
}

/// Takes the next entity tag off the front of a list; tags may hold commas.
std::string_view next_tag(std::string_view& rest) {
  const std::size_t open = rest.find('"');
  const std::size_t close = open == std::string_view::npos ? open : rest.find('"', open + 1);
  const std::size_t end = std::min(close == std::string_view::npos ? rest.find(',') : close + 1, rest.size());
  const std::string_view tag = http::trim_ows(rest.substr(0, end));
  rest.remove_prefix(end);
  while (!rest.empty() && (rest.front() == ',' || rest.front() == ' ' || rest.front() == '\t')) rest.remove_prefix(1);
  return tag;
}

/// RFC 9110 8.8.3.2, the weak comparison, over all lines of If-None-Match.
bool lists_tag(const http::Fields& request, std::string_view etag) {
  for (const Field& field : request) {
    if (!same_name(field.name, "if-none-match")) continue;
    if (field.value == "*") return true;
    std::string_view rest = field.value;
    while (!rest.empty()) {
      if (opaque(next_tag(rest)) == opaque(etag) && !etag.empty()) return true;
    }
  }
  return false;
}

bool is_unmodified(const http::RequestHead& request, const CacheObject& stored, std::int64_t wall) {
  if (request.fields.find("if-none-match")) return lists_tag(request.fields, stored.get("etag"));
  const auto since = parse_http_date(request.fields.get("if-modified-since"), wall);
  if (!since) return false;
  // RFC 9111 4.3.2: without Last-Modified the date of the reply stands for it.
  auto modified = parse_http_date(stored.get("last-modified"), wall);
  if (!modified) modified = parse_http_date(stored.get("date"), wall);
  return modified && *modified <= *since;
}

struct Range {
  std::uint64_t first = 0, last = 0;
};
enum class Asked { nothing, range, unsatisfiable };

std::optional<std::uint64_t> position(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = !text.empty() && end == text.data() + text.size();
  if (error == std::errc::result_out_of_range && whole) return ~std::uint64_t{0};
  return whole && error == std::errc{} ? std::optional(value) : std::nullopt;
}

/// RFC 9110 14.1.2. What is no single byte range is as if it was not there.
Asked read_range(std::string_view text, std::uint64_t size, Range& range) {
  if (text.size() < 6 || !equal_fold(text.substr(0, 6), "bytes=")) return Asked::nothing;
  text = http::trim_ows(text.substr(6));
  const Cut parts = cut(text, '-');
  if (!parts.found || text.contains(',')) return Asked::nothing;
  const auto first = position(parts.before), last = position(parts.after);
  if (parts.before.empty()) {
    if (!last) return Asked::nothing;
    if (*last == 0 || size == 0) return Asked::unsatisfiable;
    range = {size - std::min(size, *last), size - 1};
    return Asked::range;
  }
  if (!first || (!last && !parts.after.empty()) || (last && *last < *first)) return Asked::nothing;
  if (*first >= size) return Asked::unsatisfiable;
  range = {*first, std::min(last.value_or(size - 1), size - 1)};
  return Asked::range;
}

/// RFC 9110 13.1.5: only the strong comparison, or the same date.
bool still_same(const http::Fields& request, const CacheObject& stored) {
  const auto condition = request.find("if-range");
  if (!condition) return true;
  if (condition->starts_with('"')) return *condition == stored.get("etag");
  return !condition->starts_with("W/") && *condition == stored.get("last-modified") && !condition->empty();
}

/// What a 304 does not repeat (RFC 9110 15.4.5).
bool is_left_out(std::string_view name, bool tagged) {
  if (!same_name(name.substr(0, 8), "content-")) return tagged && same_name(name, "last-modified");
  return same_name(name, "content-type") || same_name(name, "content-encoding") ||
         same_name(name, "content-language") || same_name(name, "content-range") || same_name(name, "content-md5");
}

void add_debug(http::ResponseHead& head, const CacheObject& stored, AnswerText& text, std::int64_t ticks,
               const CacheNote& note) {
  const bool hit = note.kind == CacheNote::Kind::hit || note.kind == CacheNote::Kind::stale;
  head.fields.add({"V-Cache", hit || note.collapsed ? "HIT" : "MISS"});
  const std::int64_t left = stored.freshness.left(ticks) / 1000;
  head.fields.add({"V-Cache-TTL", Writer(text.ttl).number(left).view()});
  head.fields.add({"Served-By", stored.origin});
  head.fields.add({"V-Cache-Grace", Writer(text.grace).number(stored.freshness.stale_while_revalidate).view()});
}

/// `replaced`: the route has a Cache-Control of its own.
void add_stored(http::ResponseHead& head, const CacheObject& stored, bool replaced) {
  const bool tagged = !stored.get("etag").empty();
  for (const Field& field : stored.fields) {
    if (head.status == 304 && is_left_out(field.name, tagged)) continue;
    if (head.status == 416 && same_name(field.name, "content-type")) continue;
    if (replaced && (same_name(field.name, "cache-control") || same_name(field.name, "expires"))) continue;
    head.fields.add(field);
  }
}

void add_range(http::ResponseHead& head, const CacheObject& stored, const CacheAnswer& answer, AnswerText& text) {
  if (answer.status != 206 && answer.status != 416) return;
  Writer range(text.range);
  range.text("bytes ");
  if (answer.status == 206) {
    const auto first = static_cast<std::int64_t>(answer.from);
    range.number(first).text("-").number(first + static_cast<std::int64_t>(answer.length.value_or(1)) - 1);
  } else {
    range.text("*");
  }
  range.text("/").number(static_cast<std::int64_t>(stored.body->length().value_or(0)));
  head.fields.add({"Content-Range", range.view()});
}

}  // namespace

bool needs_origin(const http::Fields& request) {
  return request.find("if-match") || request.find("if-unmodified-since");
}

CacheAnswer answer_for(const http::RequestHead& request, const CacheObject& stored, std::int64_t wall) {
  CacheAnswer answer{.status = stored.status, .from = 0, .length = stored.body->length()};
  const bool conditional = stored.status == 200 || stored.status == 203;
  if (conditional && is_unmodified(request, stored, wall)) return {.status = 304, .from = 0, .length = 0};
  const auto asked = request.method == "GET" ? request.fields.find("range") : std::nullopt;
  if (!asked || stored.status != 200 || !answer.length || !still_same(request.fields, stored)) return answer;
  Range range;
  switch (read_range(*asked, *answer.length, range)) {
    case Asked::nothing:
      return answer;
    case Asked::unsatisfiable:
      return {.status = 416, .from = 0, .length = 0};
    case Asked::range:
      return {.status = 206, .from = range.first, .length = range.last - range.first + 1};
  }
  return answer;
}

std::string_view cache_status(AnswerText& text, const CacheNote& note, std::optional<std::int64_t> ttl) {
  using Kind = CacheNote::Kind;
  Writer out(text.status);
  out.text("berth");
  if (note.kind == Kind::hit || note.kind == Kind::stale) out.text("; hit");
  if (note.kind == Kind::miss) out.text("; fwd=miss");
  if (note.kind == Kind::expired) out.text("; fwd=stale");
  if (note.kind == Kind::bypass) out.text("; fwd=bypass");
  if (note.forwarded_status != 0) out.text("; fwd-status=").number(note.forwarded_status);
  if (note.stored) out.text("; stored");
  if (note.collapsed) out.text("; collapsed");
  if (ttl) out.text("; ttl=").number(*ttl);
  if (!note.detail.empty()) out.text("; detail=\"").text(note.detail).text("\"");
  return out.view();
}

void fill_answer(http::ResponseHead& head, const CacheAnswer& answer, const AnswerFacts& facts, AnswerText& text) {
  const auto& [stored, policy, ticks, note] = facts;
  head.status = answer.status;
  head.upgrade = {};
  head.keep_alive = true;
  head.fields.clear();
  head.framing = {.chunked = !answer.length, .length = answer.length};
  if (answer.status == 304) head.framing = {};
  const bool replaced = !policy.cache_control.empty() && policy.ttl_of(stored.status);
  add_stored(head, stored, replaced);
  if (replaced) head.fields.add({"Cache-Control", policy.cache_control});
  add_range(head, stored, answer, text);
  if (policy.debug) add_debug(head, stored, text, ticks, note);
  // RFC 9111 5.1: Age says that the origin did not make or confirm this reply for this request.
  const std::int64_t age = stored.freshness.age(ticks);
  const bool asked = note.kind == CacheNote::Kind::miss || note.kind == CacheNote::Kind::expired;
  if (age > 0 || !asked) head.fields.add({"Age", Writer(text.age).number(age).view()});
  head.fields.add({"Cache-Status", cache_status(text, note, stored.freshness.left(ticks) / 1000)});
}

}  // namespace berth::edge
