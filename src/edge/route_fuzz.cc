// The look-up of routes beside a slow one that asks every rule: both find the same route. The first line is
// "host path"; each further one is "priority rule".
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/text.h"
#include "edge/forward.h"
#include "edge/route.h"

namespace {

using namespace berth;
using namespace berth::edge;

void require(bool held) {
  if (!held) __builtin_trap();
}

std::vector<Route> routes_of(const std::vector<std::string_view>& lines) {
  std::vector<Route> routes;
  for (std::size_t i = 1; i < lines.size() && i < 64; ++i) {
    const Cut parts = cut(lines[i], ' ');
    if (!parts.found || !parse_rule(parts.after)) continue;
    routes.push_back({.name = "r" + std::to_string(i),
                      .rule = std::string(parts.after),
                      .priority = std::atoi(std::string(parts.before.substr(0, 6)).c_str()),
                      .listeners = {i % 3 == 0 ? Listener::websecure : Listener::web},
                      .service = "s"});
  }
  return routes;
}

/// Highest priority first, ties by name.
const Routes::Entry* slow_find(const Routes& routes, Listener listener, const RequestFacts& facts) {
  const Routes::Entry* best = nullptr;
  for (const auto& each : routes.entries()) {
    if (each->route.listeners.front() != listener || !matches(each->rule, facts)) continue;
    const bool better = !best || each->priority > best->priority ||
                        (each->priority == best->priority && each->route.name < best->route.name);
    if (better) best = each.get();
  }
  return best;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::vector<std::string_view> lines = split(text, '\n');
  const Cut asked = cut(lines.front(), ' ');
  std::string storage;
  const auto host = request_host(asked.before, storage);
  if (!host) return 0;
  auto routes = Routes::build(routes_of(lines), {{.name = "s", .upstreams = {}, .pass_host = true, .down = {}}});
  require(routes.has_value());
  const std::string path = "/" + std::string(asked.after);
  const RequestFacts facts{.host = *host, .method = "GET", .path = path, .query = {}, .client = {}, .headers = nullptr};
  for (const Listener listener : {Listener::web, Listener::websecure}) {
    const Routes::Entry* found = (*routes)->find(listener, facts);
    require(found == slow_find(**routes, listener, facts));
    require(!(*routes)->explain(listener, facts).empty() || (*routes)->entries().empty());
  }
  return 0;
}
