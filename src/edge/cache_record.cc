#include "edge/cache_record.h"

#include <algorithm>
#include <cstring>

#include "edge/cache_key.h"

namespace berth::edge {
namespace {

constexpr std::string_view kMagic = "berth-cache 1\n";
constexpr std::size_t kNumber = sizeof(std::uint64_t);
constexpr std::size_t kFront = kMagic.size() + 4 * kNumber;  // sizes and checksums of head and replies
constexpr std::uint64_t kMostReplies = 64, kMostFields = 4096, kMostTags = 4096;

std::uint64_t checksum(std::string_view bytes) {
  return cache_hash(bytes, 0);
}

void append(std::string& out, std::uint64_t number) {
  char bytes[kNumber];
  for (std::size_t i = 0; i < kNumber; ++i) bytes[i] = static_cast<char>(number >> (8 * i));
  out.append(bytes, kNumber);
}
void append(std::string& out, std::string_view text) {
  append(out, std::uint64_t{text.size()});
  out.append(text);
}

/// Takes parts off the front; after the first that is not there everything is empty and `ok` false.
struct Reader {
  std::string_view rest;
  bool ok = true;

  std::string_view bytes(std::uint64_t count) {
    if (count > rest.size()) ok = false;
    if (!ok) return {};
    const std::string_view taken = rest.substr(0, static_cast<std::size_t>(count));
    rest.remove_prefix(taken.size());
    return taken;
  }
  std::uint64_t number() {
    const std::string_view taken = bytes(kNumber);
    std::uint64_t value = 0;
    for (std::size_t i = taken.size(); i > 0; --i) value = value << 8 | static_cast<unsigned char>(taken[i - 1]);
    return value;
  }
  /// For what may not be negative: an age, a window.
  std::int64_t seconds() {
    const std::uint64_t value = number();
    if (value > std::uint64_t{1} << 40) ok = false;
    return ok ? static_cast<std::int64_t>(value) : 0;
  }
  std::uint64_t count(std::uint64_t most) {
    const std::uint64_t value = number();
    if (value > most) ok = false;
    return ok ? value : 0;
  }
  std::string_view text() { return bytes(number()); }
};

void append_freshness(std::string& out, const Freshness& from, std::int64_t ticks) {
  append(out, static_cast<std::uint64_t>(from.lifetime));
  append(out, static_cast<std::uint64_t>(from.initial_age));
  append(out, static_cast<std::uint64_t>(std::max<std::int64_t>(ticks - from.received, 0)));
  append(out, static_cast<std::uint64_t>(from.stale_while_revalidate));
  append(out, static_cast<std::uint64_t>(from.stale_if_error));
  append(out, static_cast<std::uint64_t>(from.stale_if_unreachable));
  append(out, std::uint64_t{from.validate_always} | std::uint64_t{from.never_stale} << 1);
}

/// `away`: milliseconds since the record was written.
Freshness read_freshness(Reader& in, std::int64_t ticks, std::int64_t away) {
  Freshness made;
  made.lifetime = in.seconds();
  made.initial_age = in.seconds();
  made.received = ticks - in.seconds() - away;
  made.stale_while_revalidate = in.seconds();
  made.stale_if_error = in.seconds();
  made.stale_if_unreachable = in.seconds();
  const std::uint64_t marks = in.count(3);
  made.validate_always = (marks & 1) != 0;
  made.never_stale = (marks & 2) != 0;
  return made;
}

void append_reply(std::string& out, const CacheObject& reply, std::int64_t ticks) {
  append(out, reply.route);
  append(out, reply.origin);
  append(out, static_cast<std::uint64_t>(reply.status));
  append(out, reply.vary);
  append(out, reply.selecting);
  append(out, std::uint64_t{reply.for_all});
  append_freshness(out, reply.freshness, ticks);
  append(out, std::uint64_t{reply.tags.size()});
  for (const std::string& tag : reply.tags) append(out, tag);
  append(out, std::uint64_t{reply.fields.size()});
  for (const http::Field& field : reply.fields) {
    append(out, field.name);
    append(out, field.value);
  }
  append(out, reply.body->size());
  for (std::uint64_t at = 0; at < reply.body->size();) {
    const std::string_view piece = reply.body->piece(at);
    out.append(piece);
    at += piece.size();
  }
}

void read_fields(Reader& in, CacheObject& reply) {
  std::vector<http::Field> fields;
  const std::uint64_t count = in.count(kMostFields);
  std::size_t size = 0;
  for (std::uint64_t i = 0; i < count && in.ok; ++i) {
    const std::string_view name = in.text(), value = in.text();
    fields.push_back({name, value});
    size += name.size() + value.size();
  }
  if (!in.ok) return;
  reply.text.reserve(size);
  reply.fields.reserve(fields.size());
  const auto keep = [&](std::string_view text) {
    const std::size_t at = reply.text.size();
    reply.text.append(text);
    return std::string_view(reply.text).substr(at);
  };
  for (const http::Field& field : fields) {
    const std::string_view name = keep(field.name);
    reply.fields.push_back({name, keep(field.value)});
  }
}

StoredReply read_reply(Reader& in, std::int64_t ticks, std::int64_t away) {
  auto reply = std::make_shared<CacheObject>();
  reply->route = in.text();
  reply->origin = in.text();
  reply->status = static_cast<int>(in.count(599));
  reply->vary = in.text();
  reply->selecting = in.text();
  reply->for_all = in.count(1) != 0;
  reply->freshness = read_freshness(in, ticks, away);
  const std::uint64_t tags = in.count(kMostTags);
  for (std::uint64_t i = 0; i < tags && in.ok; ++i) reply->tags.emplace_back(in.text());
  read_fields(in, *reply);
  const std::string_view body = in.text();
  reply->body = std::make_shared<CacheBody>(body.size());
  reply->body->append(body);
  reply->body->complete();
  return in.ok && reply->status >= 200 ? reply : nullptr;
}

/// The sizes and checksums of both parts.
struct Front {
  std::uint64_t head = 0, head_sum = 0, replies = 0, replies_sum = 0;
};
Result<Front> read_front(Reader& in) {
  Front front;
  const bool known = in.bytes(kMagic.size()) == kMagic;
  front.head = in.number();
  front.head_sum = in.number();
  front.replies = in.number();
  front.replies_sum = in.number();
  if (!known || !in.ok) return fail(Code::invalid, "not a stored reply of this version");
  return front;
}

Result<std::string_view> read_part(Reader& in, std::uint64_t size, std::uint64_t sum) {
  const std::string_view part = in.bytes(size);
  if (!in.ok || checksum(part) != sum) return fail(Code::invalid, "a stored reply is damaged");
  return part;
}

struct Parts {
  RecordHead head;
  std::int64_t written = 0;  ///< wall seconds
};
Result<Parts> read_head(Reader& in, const Front& front) {
  Reader head{TRY(read_part(in, front.head, front.head_sum))};
  Parts parts;
  parts.written = head.seconds();
  parts.head.key = head.text();
  parts.head.size = kFront + front.head + front.replies;
  const std::uint64_t tags = head.count(kMostTags);
  for (std::uint64_t i = 0; i < tags && head.ok; ++i) parts.head.tags.emplace_back(head.text());
  if (!head.ok || !head.rest.empty()) return fail(Code::invalid, "a stored reply has a head that makes no sense");
  return parts;
}

}  // namespace

std::string encode_record(std::string_view key, const Variants& variants, CacheMoment now) {
  std::string head, replies;
  append(head, static_cast<std::uint64_t>(std::max<std::int64_t>(now.wall, 0)));
  append(head, key);
  std::vector<std::string_view> tags;
  for (const StoredReply& each : variants) tags.insert(tags.end(), each->tags.begin(), each->tags.end());
  std::ranges::sort(tags);
  tags.erase(std::ranges::unique(tags).begin(), tags.end());
  append(head, std::uint64_t{tags.size()});
  for (const std::string_view tag : tags) append(head, tag);
  append(replies, std::uint64_t{variants.size()});
  for (const StoredReply& each : variants) append_reply(replies, *each, now.ticks);

  std::string out(kMagic);
  out.reserve(kFront + head.size() + replies.size());
  append(out, std::uint64_t{head.size()});
  append(out, checksum(head));
  append(out, std::uint64_t{replies.size()});
  append(out, checksum(replies));
  return out.append(head).append(replies);
}

Result<RecordHead> decode_record_head(std::string_view bytes) {
  Reader in{bytes};
  const Front front = TRY(read_front(in));
  return TRY(read_head(in, front)).head;
}

Result<CacheRecord> decode_record(std::string_view bytes, CacheMoment now) {
  Reader in{bytes};
  const Front front = TRY(read_front(in));
  Parts parts = TRY(read_head(in, front));
  Reader replies{TRY(read_part(in, front.replies, front.replies_sum))};
  const std::int64_t away = std::clamp<std::int64_t>(now.wall - parts.written, 0, std::int64_t{1} << 40) * 1000;
  auto variants = std::make_shared<Variants>();
  const std::uint64_t count = replies.count(kMostReplies);
  for (std::uint64_t i = 0; i < count && replies.ok; ++i) {
    StoredReply reply = read_reply(replies, now.ticks, away);
    if (!reply) return fail(Code::invalid, "a stored reply makes no sense");
    variants->push_back(std::move(reply));
  }
  const bool whole = replies.ok && replies.rest.empty() && in.rest.empty() && !variants->empty();
  if (!whole) return fail(Code::invalid, "a stored reply makes no sense");
  return CacheRecord{std::move(parts.head.key), std::move(variants)};
}

}  // namespace berth::edge
