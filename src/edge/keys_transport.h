// Inside of edge/keys: the tables of servers transports.
#pragma once

#include "edge/keys_table.h"
#include "edge/transport.h"

namespace berth::edge {

template <>
struct Keys<PemPair> {
  static constexpr auto all = std::tuple{
      key("certFile", &PemPair::chain, ""),
      key("keyFile", &PemPair::key, ""),
  };
};
template <>
struct Keys<Transport> {
  static constexpr std::string_view kind = "serversTransport",
                                    does = "How the servers of HTTP services are connected to.";
  static constexpr auto all = std::tuple{
      key("serverName", &Transport::server_name, "expected in the server's certificate; empty: its address"),
      key("insecureSkipVerify", &Transport::insecure, "any certificate will do"),
      key("rootCAs", &Transport::roots, "files of trusted roots; empty: the system's"),
      key("certificates", &Transport::certificates, "certFile and keyFile, shown to the server; at most one"),
      key("peerCertURI", &Transport::peer_uri, "expected in the server's certificate, in place of its name"),
      key("disableHTTP2", &Transport::disable_http2, "HTTP/1.1 only"),
      key("maxIdleConnsPerHost", &Transport::max_idle, "per server and worker; 0: 128"),
      key("forwardingTimeouts.dialTimeout", &Transport::dial, "TLS included; 0: 5s"),
      key("forwardingTimeouts.responseHeaderTimeout", &Transport::response_header, "0: 1m"),
      key("forwardingTimeouts.idleConnTimeout", &Transport::idle, "at most 1m; 0: 1m"),
      key("forwardingTimeouts.readIdleTimeout", &Transport::read_idle,
          "HTTP/2: silence before a ping; 0: none is sent"),
      key("forwardingTimeouts.pingTimeout", &Transport::ping, "HTTP/2: the time for its answer; 0: 15s"),
  };
};
template <>
struct Keys<TcpTransport> {
  static constexpr std::string_view kind = "tcp serversTransport",
                                    does = "How the servers of TCP services are connected to.";
  static constexpr auto all = std::tuple{
      key("tls.serverName", &TcpTransport::server_name, "expected in the server's certificate; empty: its address"),
      key("tls.insecureSkipVerify", &TcpTransport::insecure, "any certificate will do"),
      key("tls.rootCAs", &TcpTransport::roots, "files of trusted roots; empty: the system's"),
      key("tls.certificates", &TcpTransport::certificates, "certFile and keyFile, shown to the server; at most one"),
      key("tls.peerCertURI", &TcpTransport::peer_uri, "expected in the server's certificate, in place of its name"),
      key("dialTimeout", &TcpTransport::dial, "TLS included; 0: 5s"),
      key("dialKeepAlive", &TcpTransport::keep_alive, "the time between probes; 0: 1m, negative: none"),
      key("terminationDelay", &TcpTransport::termination_delay,
          "silence that ends a connection of which one side said its end; negative: none"),
  };
};

}  // namespace berth::edge
