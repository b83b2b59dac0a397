// Middlewares that decide at once by what they are told: redirects, paths, address lists. Pure.
#pragma once

#include <string>
#include <string_view>

#include "edge/forward.h"

namespace berth::edge {

/// What a middleware says.
struct Verdict {
  int status = 0;             ///< 0: forward it; else answer this
  std::string_view reason{};  ///< for 4xx; a constant
  std::string location{};     ///< for 3xx
};
/// What it looks at.
struct Asked {
  const http::RequestHead& head;
  std::string_view path;  ///< canonical, as sent
  const Hop& hop;
};
/// Runs one middleware over `rewritten`, whose path is canonical before and after: one that no longer is after a
/// rewrite is refused with 400, since what is behind could read it in another way than the rules did.
Verdict take_step(const Middleware& middleware, const Asked& asked, Rewritten& rewritten);
/// scheme://host[:port]path?query with the authority's own port replaced; a default port is left out.
std::string redirect_location(std::string_view scheme, std::string_view host, std::string_view port,
                              std::string_view path_and_query);

}  // namespace berth::edge
