// Where a project is reached: the addresses of the routes that lead to its containers. Pure.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace berth::api {

/// `edge` is {"routes", "services", "ports"} as status.json has them, null for none; `containers` are names. Sorted,
/// each once: "https://shop.example.org/cart", with the port where it is not the scheme's. A route whose rule names no
/// host (or a pattern of hosts) has no address to show. Over TLS where the route has both.
std::vector<std::string> urls_of(const Json& edge, const std::set<std::string, std::less<>>& containers);

}  // namespace berth::api
