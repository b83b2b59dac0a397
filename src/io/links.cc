#include "io/links.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netpacket/packet.h>

#include <bit>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

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

using Interfaces = std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)>;

Result<Interfaces> interfaces() {
  ifaddrs* first = nullptr;
  if (::getifaddrs(&first) < 0)
    return fail(Code::internal, std::string("cannot read the network links: ") + std::strerror(errno));
  return Interfaces(first, &::freeifaddrs);
}

std::string hardware_text(const sockaddr_ll& address) {
  std::string out;
  for (unsigned i = 0; i < address.sll_halen && i < sizeof address.sll_addr; ++i) {
    char part[4];
    std::snprintf(part, sizeof part, "%s%02x", i == 0 ? "" : ":", address.sll_addr[i]);
    out += part;
  }
  return out;
}

void note_address(Link& link, const sockaddr* address) {
  const int family = address->sa_family;
  if (family == AF_PACKET) link.hardware = hardware_text(*reinterpret_cast<const sockaddr_ll*>(address));
  if (family == AF_INET) link.addresses.push_back(Address::from(address, sizeof(sockaddr_in)).host());
  if (family != AF_INET6) return;
  if (!IN6_IS_ADDR_LINKLOCAL(&reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr))
    link.addresses.push_back(Address::from(address, sizeof(sockaddr_in6)).host());
}

}  // namespace

Result<std::map<std::string, Link>> links() {
  const Interfaces all = TRY(interfaces());
  std::map<std::string, Link> out;
  for (const ifaddrs* link = all.get(); link; link = link->ifa_next)
    if ((link->ifa_flags & IFF_UP) && !(link->ifa_flags & IFF_LOOPBACK) && link->ifa_addr)
      note_address(out[link->ifa_name], link->ifa_addr);
  return out;
}

Result<std::vector<std::string>> link_prefixes() {
  const Interfaces all = TRY(interfaces());
  std::vector<std::string> out;
  for (const ifaddrs* link = all.get(); link; link = link->ifa_next) {
    if (!link->ifa_addr || !link->ifa_netmask || !(link->ifa_flags & IFF_UP)) continue;
    const int family = link->ifa_addr->sa_family;
    if (family != AF_INET && family != AF_INET6) continue;
    const socklen_t size = family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
    out.push_back(Address::from(link->ifa_addr, size).host() + "/" + std::to_string(prefix_length(link->ifa_netmask)));
  }
  return out;
}

}  // namespace berth::io
