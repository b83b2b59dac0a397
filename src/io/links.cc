#include "io/links.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>

#include <bit>
#include <cerrno>

#include "io/socket.h"

namespace berth::io {
namespace {

int prefix_length(const sockaddr* mask) {
  int bits = 0;
  if (mask->sa_family == AF_INET) {
    bits = std::popcount(reinterpret_cast<const sockaddr_in*>(mask)->sin_addr.s_addr);
  } else {
    for (const unsigned char byte : reinterpret_cast<const sockaddr_in6*>(mask)->sin6_addr.s6_addr)
      bits += std::popcount(byte);
  }
  return bits;
}

}  // namespace

Result<std::vector<std::string>> link_prefixes() {
  ifaddrs* first = nullptr;
  if (::getifaddrs(&first) < 0)
    return fail(Code::internal, std::string("cannot read the network links: ") + std::strerror(errno));
  std::vector<std::string> out;
  for (const ifaddrs* link = first; link; link = link->ifa_next) {
    if (!link->ifa_addr || !link->ifa_netmask || !(link->ifa_flags & IFF_UP)) continue;
    const int family = link->ifa_addr->sa_family;
    if (family != AF_INET && family != AF_INET6) continue;
    const socklen_t size = family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
    out.push_back(Address::from(link->ifa_addr, size).host() + "/" + std::to_string(prefix_length(link->ifa_netmask)));
  }
  ::freeifaddrs(first);
  return out;
}

}  // namespace berth::io
