// Inside of edge/keys: the table of TCP middlewares and services.
#pragma once

#include "edge/keys_table.h"
#include "edge/tcp_route.h"

namespace berth::edge {

template <>
struct Keys<TcpIpAllowList> {
  static constexpr std::string_view kind = "ipAllowList", does = "Closes connections of all but some addresses.";
  static constexpr auto all = std::tuple{key("sourceRange", &TcpIpAllowList::ranges, "addresses or prefixes")};
};
template <>
struct Keys<InFlightConn> {
  static constexpr std::string_view kind = "inFlightConn",
                                    does = "Limits the open connections of one address; further ones are closed.";
  static constexpr auto all = std::tuple{key("amount", &InFlightConn::amount, "of one address; 0: no limit")};
};
template <>
struct Keys<ProxyOut> {
  static constexpr auto all = std::tuple{key("version", &ProxyOut::version, "of the PROXY protocol: 1 or 2")};
};
template <>
struct Keys<TcpService> {
  static constexpr std::string_view kind = "loadBalancer", does = "Divides connections between servers.";
  static constexpr auto all = std::tuple{
      key("terminationDelay", &TcpService::termination_delay,
          "ms of silence that end a connection of which one side said its end; negative: none"),
      key("proxyProtocol", &TcpService::proxy, ""),
      key("serversTransport", &TcpService::transport, "of a file: how servers are connected to"),
  };
};

}  // namespace berth::edge
