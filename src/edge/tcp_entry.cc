#include "edge/tcp_entry.h"

#include <algorithm>

#include "base/text.h"

namespace berth::edge {

std::string entry_point_name(std::string_view name) {
  const std::string known = lower(name);
  if (known == "http") return "web";
  return known == "https" || known == "web-secure" || known == "web_secure" ? "websecure" : known;
}

Result<std::vector<std::string>> choose_entry_points(const std::vector<std::string>& named, const EntryChoice& choice) {
  std::vector<std::string> all, out;
  if (choice.tls) all.emplace_back("websecure");
  for (const EntryPoint& point : choice.points)
    if (point.udp == choice.udp && point.name != "web" && point.name != "websecure") all.push_back(point.name);
  std::vector<std::string_view> known(all.begin(), all.end());
  if (!choice.udp) known.insert(known.end(), {"web", "websecure"});
  for (const std::string& each : named) {
    out.push_back(entry_point_name(each));
    if (std::ranges::count(known, out.back()) > 0) continue;
    return fail(Code::invalid, "\"" + each + "\" is no entry point of " + (choice.udp ? "UDP" : "TCP") +
                                   suggestion(out.back(), known));
  }
  if (!out.empty()) return out;
  if (!all.empty()) return all;
  return fail(Code::invalid, "is missing, and there is no entry point but web and websecure");
}

}  // namespace berth::edge
