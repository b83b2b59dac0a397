#include "edge/cache_object.h"

#include <algorithm>
#include <cstring>

#include "base/text.h"
#include "edge/cache_date.h"
#include "edge/cache_key.h"
#include "http/text.h"

namespace berth::edge {
namespace {

using http::Field;
using http::same_name;

constexpr std::size_t kFirst = 4u << 10, kMost = 64u << 10;
constexpr std::size_t kMostTags = 64;
constexpr std::size_t kOverhead = 512;  // of an object and its place in the store, roughly

bool any_of(std::string_view name, std::initializer_list<std::string_view> names) {
  return std::ranges::any_of(names, [&](std::string_view each) { return same_name(name, each); });
}

/// RFC 9111 3.1, and what is made anew for every answer.
bool is_never_kept(std::string_view name) {
  return any_of(name,
                {"connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
                 "proxy-authenticate", "proxy-authorization", "proxy-authentication-info", "age", "content-length"});
}

/// What a 304 does not change: it is about the stored bytes (RFC 9111 3.2).
bool is_of_content(std::string_view name) {
  return any_of(name, {"content-encoding", "content-length", "content-md5", "content-range", "etag"});
}

bool is_kept(const Field& field, const http::ResponseHead& reply, const ReplyControl& control) {
  if (is_never_kept(field.name) || reply.fields.has_token("connection", field.name)) return false;
  return std::ranges::none_of(control.hidden, [&](const std::string& name) { return same_name(name, field.name); });
}

std::vector<std::string> tags_of(const http::Fields& fields, std::string_view header) {
  std::vector<std::string> tags;
  for (const Field& field : fields) {
    if (!same_name(field.name, header)) continue;
    std::string_view rest = field.value;
    while (!rest.empty()) {
      const std::size_t end = rest.find_first_of(", \t");
      if (end != 0 && tags.size() < kMostTags) tags.emplace_back(rest.substr(0, end));
      rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    }
  }
  return tags;
}

/// Fields with their text in `object`. The size is known before, so that nothing moves.
void keep_fields(CacheObject& object, const StoreFacts& facts, const ReplyControl& control) {
  std::string date;
  const bool dated = parse_http_date(facts.reply.fields.get("date"), facts.now.wall).has_value();
  if (!dated) append_http_date(date, facts.now.wall);
  std::size_t size = date.size();
  for (const Field& field : facts.reply.fields) size += field.name.size() + field.value.size();
  object.text.reserve(size + 1);
  const auto put = [&](std::string_view text) {
    const std::size_t at = object.text.size();
    object.text.append(text);
    return std::string_view(object.text).substr(at);
  };
  for (const Field& field : facts.reply.fields) {
    if (!is_kept(field, facts.reply, control) || (!dated && same_name(field.name, "date"))) continue;
    const std::string_view name = put(field.name);
    object.fields.push_back({name, put(field.value)});
  }
  // RFC 9110 6.6.1: who receives a reply without a date says when it came.
  if (!dated) object.fields.push_back({"Date", put(date)});
}

}  // namespace

CacheBody::Segment& CacheBody::grow() {
  std::size_t capacity = segments_.empty() ? kFirst : std::min(segments_.back().capacity * 4, kMost);
  if (expected_ && *expected_ > size_) {
    const std::uint64_t left = *expected_ - size_;
    capacity = left <= 4 * kMost ? static_cast<std::size_t>(left) : kMost;
  }
  segments_.push_back(
      {.begin = size_, .capacity = capacity, .used = 0, .bytes = std::make_unique_for_overwrite<char[]>(capacity)});
  footprint_ += capacity;
  return segments_.back();
}

void CacheBody::append(std::string_view bytes) {
  while (!bytes.empty()) {
    const bool full = segments_.empty() || segments_.back().used == segments_.back().capacity;
    Segment& last = full ? grow() : segments_.back();
    const std::size_t count = std::min(bytes.size(), last.capacity - last.used);
    std::memcpy(last.bytes.get() + last.used, bytes.data(), count);
    last.used += count;
    size_ += count;
    bytes.remove_prefix(count);
  }
}

void CacheBody::discard(std::uint64_t before) {
  for (Segment& segment : segments_) {
    if (segment.begin + segment.capacity > before) break;
    segment.bytes.reset();
  }
}

std::string_view CacheBody::piece(std::uint64_t at) const {
  if (at >= size_) return {};
  const auto behind = std::ranges::upper_bound(segments_, at, {}, &Segment::begin);
  const Segment& segment = *std::prev(behind);
  const auto offset = static_cast<std::size_t>(at - segment.begin);
  return {segment.bytes.get() + offset, segment.used - offset};
}

std::string_view CacheObject::get(std::string_view name) const {
  const auto found = std::ranges::find_if(fields, [&](const Field& field) { return same_name(field.name, name); });
  return found == fields.end() ? std::string_view() : found->value;
}

std::size_t CacheObject::footprint() const {
  return kOverhead + text.capacity() + fields.capacity() * sizeof(Field) + selecting.size() + body->footprint();
}

std::shared_ptr<CacheObject> make_object(const StoreFacts& facts, const ReplyControl& control,
                                         const Freshness& freshness, std::string_view route) {
  auto object = std::make_shared<CacheObject>();
  object->route = route;
  object->status = facts.reply.status;
  object->freshness = freshness;
  object->for_all = control.is_public || control.must_revalidate || control.shared_max_age.has_value();
  object->tags = tags_of(facts.reply.fields, facts.policy.tags_header);
  object->vary = vary_names(facts.reply.fields);
  append_selecting(object->selecting, object->vary, facts.request.fields);
  object->fields.reserve(facts.reply.fields.size() + 1);
  keep_fields(*object, facts, control);
  const bool bodiless = facts.reply.status == 204;
  object->body = std::make_shared<CacheBody>(bodiless ? std::optional<std::uint64_t>(0) : facts.reply.framing.length);
  return object;
}

http::ResponseHead freshened(const CacheObject& stored, const http::ResponseHead& not_modified) {
  http::ResponseHead head;
  head.status = stored.status;
  const auto replaced = [&](const Field& field) {
    // A 304 without a date was made when it came.
    if (same_name(field.name, "date")) return true;
    return !is_of_content(field.name) && !is_never_kept(field.name) && not_modified.fields.find(field.name);
  };
  for (const Field& field : stored.fields) {
    if (!replaced(field)) head.fields.add(field);
  }
  for (const Field& field : not_modified.fields) {
    const bool taken = same_name(field.name, "age") || (!is_of_content(field.name) && !is_never_kept(field.name));
    if (taken && !not_modified.fields.has_token("connection", field.name)) head.fields.add(field);
  }
  return head;
}

bool selects(const CacheObject& stored, std::string_view route, const http::Fields& request, std::string& scratch) {
  if (stored.route != route) return false;
  if (stored.vary.empty()) return true;
  scratch.clear();
  append_selecting(scratch, stored.vary, request);
  if (scratch == stored.selecting) return true;
  return stored.vary == "accept-language" &&
         prefers_language(request.get("accept-language"), stored.get("content-language"));
}

http::RequestHead request_for(const http::RequestHead& request, const CacheObject* stored, const CachePolicy& policy) {
  http::RequestHead head = request;
  head.fields.clear();
  const bool strip = policy.cookies == CachePolicy::Cookies::strip;
  for (const Field& field : request.fields) {
    if (any_of(field.name, {"if-none-match", "if-modified-since", "if-range", "range"})) continue;
    if (strip && same_name(field.name, "cookie")) continue;
    head.fields.add(field);
  }
  if (!stored) return head;
  const std::string_view etag = stored->get("etag"), modified = stored->get("last-modified");
  if (!etag.empty()) head.fields.add({"If-None-Match", etag});
  if (!modified.empty()) head.fields.add({"If-Modified-Since", modified});
  return head;
}

}  // namespace berth::edge
