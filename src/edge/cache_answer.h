// A stored reply as the answer to one request: conditions, ranges, Age and Cache-Status. Pure.
#pragma once

#include <cstdint>
#include <string_view>

#include "edge/cache_object.h"
#include "http/head.h"

namespace berth::edge {

/// Which part of the stored body goes out under which status.
struct CacheAnswer {
  int status = 200;
  std::uint64_t from = 0;                 ///< of the body
  std::optional<std::uint64_t> length{};  ///< bytes that are sent; nothing: to the end, which is not known yet
};
/// RFC 9110 13.2.2 and 14: 304 where the client has it already, 206 or 416 for one byte range of a 200 whose length is
/// known, else the stored status. Several ranges at once get the whole.
CacheAnswer answer_for(const http::RequestHead& request, const CacheObject& stored, std::int64_t wall);

/// A request that only the origin can judge (If-Match, If-Unmodified-Since).
bool needs_origin(const http::Fields& request);

/// How it was answered, for Cache-Status (RFC 9211) and the log.
struct CacheNote {
  enum class Kind { hit, stale, miss, expired, bypass } kind = Kind::hit;
  int forwarded_status = 0;   ///< of the service's reply; 0: none
  bool stored = false;        ///< the reply is being stored
  bool collapsed = false;     ///< another request's reply
  std::string_view detail{};  ///< why it was not stored
};

/// Text that the fields of one answer's head view.
struct AnswerText {
  char age[24], status[160], range[80], ttl[24], grace[24];
};
/// What an answer's head is made of.
struct AnswerFacts {
  const CacheObject& stored;
  const CachePolicy& policy;
  std::int64_t ticks = 0;
  CacheNote note{};
};
/// Fills `head` with the stored fields and those that are made anew: Age, Cache-Status, Content-Range, and with
/// `policy.debug` V-Cache and its kin. Views into `facts` and `text`.
void fill_answer(http::ResponseHead& head, const CacheAnswer& answer, const AnswerFacts& facts, AnswerText& text);

/// "berth; hit; ttl=12", in `text`.
std::string_view cache_status(AnswerText& text, const CacheNote& note, std::optional<std::int64_t> ttl);

}  // namespace berth::edge
