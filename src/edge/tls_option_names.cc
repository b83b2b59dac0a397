#include "edge/tls_option_names.h"

#include <algorithm>

#include "base/text.h"

namespace berth::edge {

Result<std::string> TlsOptionNames::take(std::string_view reference, const Rule& rule) {
  std::string own(cut(reference, '@').before);
  if (own == "default") return std::string();
  if (std::ranges::count(known_, own) == 0)
    return fail(Code::invalid, " is not defined; without it the route might ask for no client certificate");
  const auto hosts = hosts_of(rule);
  if (hosts.empty())
    return fail(Code::invalid, " needs a rule with a certain host, since clients name one before they ask");
  for (const std::string& host : hosts) {
    const auto [at, first] = by_host_.try_emplace(host, own);
    if (!first && at->second != own)
      return fail(Code::conflict, ": another router of " + host + " has \"" + at->second + "\"");
  }
  return own;
}

}  // namespace berth::edge
