// How one route caches: what labels and files say. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace berth::edge {

/// A value of a route. Without any field set it is RFC 9111 with the defaults below. Times are seconds.
struct CachePolicy {
  enum class Cookies {
    ignore,  ///< the reply decides, as RFC 9111 has it
    pass,    ///< requests with a Cookie field are neither answered from the cache nor stored
    strip,   ///< the Cookie field is taken off, and the service never sees it
  };
  using Fields = std::vector<std::pair<std::string, std::string>>;

  std::vector<std::pair<int, std::int64_t>> ttl{};  ///< status -> lifetime in place of what the reply says
  std::optional<std::int64_t> grace{};              ///< stale-while-revalidate where the reply says none
  std::int64_t stale_if_error = 600;                ///< while the service cannot be reached, where the reply says none
  std::int64_t hit_for_miss = 120;                  ///< how long it is remembered that an answer could not be stored
  std::size_t max_size = 8u << 20;                  ///< bytes of a body; a larger one is passed on unstored
  Cookies cookies = Cookies::ignore;
  bool set_cookie = false;        ///< replies with Set-Cookie may be stored
  bool override_private = false;  ///< `ttl` also counts for replies that say private, no-store or no-cache
  bool heuristic = true;          ///< RFC 9111 4.2.2: a tenth of the time since Last-Modified, at most a day
  bool obey_client = true;        ///< requests' no-cache, max-age, min-fresh and max-stale
  bool debug = false;             ///< V-Cache, V-Cache-TTL, V-Cache-Grace and Served-By on replies
  std::string cache_control{};    ///< what clients get in place of the reply's Cache-Control and Expires, for `ttl`
  std::string tags_header = "cache-tag";  ///< names the tags of a reply, divided by commas or spaces
  Fields fields{};                        ///< as it was written: what is compared, and sent from core to the edge

  std::optional<std::int64_t> ttl_of(int status) const;
  friend bool operator==(const CachePolicy& a, const CachePolicy& b) { return a.fields == b.fields; }
};

/// Reads "ttl" -> "30s" and so on (doc/cache.md has them all). Code::invalid naming the key, with a did-you-mean.
Result<CachePolicy> read_cache_policy(CachePolicy::Fields fields);

}  // namespace berth::edge
