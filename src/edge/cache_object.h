// A stored reply as a value: its fields, its body in pieces that never move, its freshness. Pure.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "edge/cache_fresh.h"
#include "http/head.h"

namespace berth::edge {

/// A body that grows at its end while others read it. Thread: one until it is complete, any number afterwards.
class CacheBody {
 public:
  explicit CacheBody(std::optional<std::uint64_t> expected) : expected_(expected) {}
  void append(std::string_view bytes);
  /// What lies together from `at` on; "" at the end. The view stays valid as long as the body.
  std::string_view piece(std::uint64_t at) const;
  /// Forgets what lies before: nobody asks for it any more.
  void discard(std::uint64_t before);
  std::uint64_t size() const { return size_; }
  /// As announced, or counted once it is complete; nothing while it is not known.
  std::optional<std::uint64_t> length() const { return complete_ ? std::optional(size_) : expected_; }
  std::size_t footprint() const { return footprint_; }
  void complete() { complete_ = true; }
  bool is_complete() const { return complete_; }

 private:
  struct Segment {
    std::uint64_t begin = 0;
    std::size_t capacity = 0, used = 0;
    std::unique_ptr<char[]> bytes;
  };
  Segment& grow();

  std::optional<std::uint64_t> expected_;
  std::vector<Segment> segments_;
  std::uint64_t size_ = 0;
  std::size_t footprint_ = 0;
  bool complete_ = false;
};

/// Immutable but for a body that is not complete. Its views are into itself: it is never copied.
struct CacheObject {
  CacheObject() = default;
  CacheObject(const CacheObject&) = delete;

  std::string route;   ///< the name of the route that it answers for
  std::string origin;  ///< the name of the service that gave it
  int status = 200;
  std::string text;                 ///< what the views below are into
  std::vector<http::Field> fields;  ///< without those of the connection, Age and Content-Length
  std::string vary, selecting;      ///< names, and what the stored request said (edge/cache_key.h)
  std::vector<std::string> tags;
  bool for_all = false;  ///< the origin says so: it also answers requests with Authorization (RFC 9111 3.5)
  Freshness freshness;
  std::shared_ptr<CacheBody> body;

  std::string_view get(std::string_view name) const;
  std::size_t footprint() const;
};
using StoredReply = std::shared_ptr<const CacheObject>;

/// The reply as it is kept. `control` is that of `facts.reply`.
std::shared_ptr<CacheObject> make_object(const StoreFacts& facts, const ReplyControl& control,
                                         const Freshness& freshness, std::string_view route);

/// The head that a 304 makes of a stored one (RFC 9111 3.2): its views are into `stored` and the 304.
http::ResponseHead freshened(const CacheObject& stored, const http::ResponseHead& not_modified);

/// Whether `stored` may be selected for a request on `route`. `scratch` is for the work: its content does not matter.
bool selects(const CacheObject& stored, std::string_view route, const http::Fields& request, std::string& scratch);

/// The request as it goes to the service: for the whole body, under no condition but that of `stored` (may be null),
/// and without its Cookie field where the route strips it. The views are those of `request` and `stored`.
http::RequestHead request_for(const http::RequestHead& request, const CacheObject* stored, const CachePolicy& policy);

}  // namespace berth::edge
