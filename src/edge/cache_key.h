// What a stored reply is found by: the canonical URL, and the request fields that its Vary names (RFC 9111 4.1). Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "http/head.h"

namespace berth::edge {

/// The parts of a request's URL as the edge decided on them, never as the client spelled them.
struct CacheUrl {
  std::string_view scheme{};     ///< "http" or "https"
  std::string_view host{};       ///< canonical, without port
  std::string_view authority{};  ///< with the port
  std::string_view path{};       ///< canonical
  std::string_view query{};
  bool has_query = false;  ///< "/a?" and "/a" differ
};
/// "https://app.test/a?b=c"; the scheme's own port is left out.
void append_cache_key(std::string& out, const CacheUrl& url);
/// A URL that a person or a Location field names, in the form of a key; "" when it is no http URL. `base` (a key) gives
/// what a relative reference lacks.
std::string cache_key_of(std::string_view url, std::string_view base = {});
/// Whether both keys have the same scheme, host and port.
bool same_origin(std::string_view key, std::string_view other);
/// Keyed, so that nobody can choose keys that collide.
std::uint64_t cache_hash(std::string_view key, std::uint64_t seed);

/// The field names of all Vary lines, in lower case, sorted, each once: "accept-encoding,foo". "*" when it is among
/// them.
std::string vary_names(const http::Fields& reply);
/// The request's values of `names` in a normal form: lines joined, white space around commas gone; Accept-Encoding,
/// Accept-Language and Accept-Charset in lower case and order. Equal texts select the same reply.
void append_selecting(std::string& out, std::string_view names, const http::Fields& request);
/// Whether a reply in `language` is what `accept` (Accept-Language) wants most: one language alone has the top weight.
bool prefers_language(std::string_view accept, std::string_view language);

}  // namespace berth::edge
