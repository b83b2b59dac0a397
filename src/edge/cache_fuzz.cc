// A reply and a request, any bytes: whatever the cache makes of them stays within bounds and keeps its promises.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "edge/cache_answer.h"
#include "edge/cache_date.h"
#include "edge/cache_key.h"
#include "edge/cache_record.h"

namespace {

using namespace berth;
using namespace berth::edge;

void require(bool held) {
  if (!held) __builtin_trap();
}

void try_date(std::string_view text) {
  const auto date = parse_http_date(text, 1'767'225'600);
  if (!date) return;
  std::string again;
  append_http_date(again, *date);
  require(*date < 0 || parse_http_date(again, 1'767'225'600) == date);
}

void try_key(std::string_view text) {
  const std::string key = cache_key_of(text, "https://a.test/b/c?d");
  // A key names itself.
  require(key.empty() || cache_key_of(key) == key || cache_key_of(key).empty());
}

void answer(const http::RequestHead& request, const http::ResponseHead& reply) {
  const CachePolicy policy;
  const StoreFacts facts{request, reply, policy, {1'767'225'600, 5000}, 1};
  const ReplyControl control = reply_control(reply.fields);
  const StoreVerdict verdict = may_store(facts, control);
  require(verdict.store == verdict.why.empty());
  if (control.no_store && !control.must_understand) require(!verdict.store);
  if (!verdict.store) return;
  require(verdict.freshness.lifetime >= 0 && verdict.freshness.lifetime <= kMostDelta);
  require(verdict.freshness.age(1'000'000'000) <= kMostDelta);
  const auto object = make_object(facts, control, verdict.freshness, "r");
  object->body->append("0123456789");
  object->body->complete();
  std::string scratch;
  require(selects(*object, "r", request.fields, scratch));
  const CacheAnswer part = answer_for(request, *object, 1'767'225'600);
  require(part.from + part.length.value_or(0) <= 10);
  http::ResponseHead head;
  AnswerText text;
  fill_answer(head, part, {*object, policy, 9000, {}}, text);
  require(head.fields.find("cache-status").has_value());
  const http::ResponseHead merged = freshened(*object, reply);
  require(merged.status == object->status);
  static_cast<void>(decide_use(&verdict.freshness, request_control(request.fields), policy, 9000));
}

void append_number(std::string& out, std::uint64_t number) {
  for (int i = 0; i < 8; ++i) out.push_back(static_cast<char>(number >> (8 * i)));
}

/// A file whose checksums are right, whatever else it says.
void try_record(std::string_view head, std::string_view replies) {
  std::string bytes = "berth-cache 1\n";
  for (const std::string_view part : {head, replies}) {
    append_number(bytes, part.size());
    append_number(bytes, cache_hash(part, 0));
  }
  bytes.append(head).append(replies);
  const CacheMoment now{1'767'225'600, 5000};
  const auto known = decode_record_head(bytes);
  const auto record = decode_record(bytes, now);
  if (!record) return;
  require(known.has_value() && known->size == bytes.size() && known->key == record->key);
  const std::string again = encode_record(record->key, *record->variants, now);
  const auto same = decode_record(again, now);
  require(same.has_value() && same->variants->size() == record->variants->size());
  require(encode_record(same->key, *same->variants, now) == again);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t middle = text.find('\0');
  const std::string_view first = text.substr(0, middle);
  try_date(first);
  try_key(first);
  if (size > 2) {
    const std::size_t split = std::min<std::size_t>(1 + data[0], size);
    try_record(text.substr(1, split - 1), text.substr(split));
  }
  if (middle == std::string_view::npos) return 0;
  const std::string request = "GET /a HTTP/1.1\r\nHost: a.test\r\n" + std::string(first) + "\r\n";
  const std::string reply = "HTTP/1.1 200 OK\r\n" + std::string(text.substr(middle + 1)) + "\r\n";
  http::RequestHead asked;
  http::ResponseHead told;
  if (http::parse_request(request, asked).state != http::Parsed::State::complete) return 0;
  if (http::parse_response(reply, told).state != http::Parsed::State::complete) return 0;
  answer(asked, told);
  return 0;
}
