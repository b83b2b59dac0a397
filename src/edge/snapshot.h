// What core sends to the edge: one versioned value with everything that the edge needs to serve.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "edge/tcp_route.h"

namespace berth::edge {

/// A server certificate with its key. `chain` and `key` are PEM.
struct Certificate {
  std::vector<std::string> hosts;  ///< exact names and "*.parent" wildcards, lower case
  std::string chain;               ///< leaf first, then intermediates
  std::string key;                 ///< secret: written only to 0600 files and private sockets
  std::chrono::sys_seconds not_before{};
  std::chrono::sys_seconds not_after{};
  friend bool operator==(const Certificate&, const Certificate&) = default;
};

/// What TLS demands of the clients of some hosts, in Traefik's terms.
struct TlsOptions {
  std::string name;  ///< "default": of all hosts whose routes name none
  int min_version = 12, max_version = 13;
  std::vector<std::string> ciphers{};  ///< IANA names
  std::vector<std::string> curves{};   ///< X25519, CurveP256, P-256
  std::vector<std::string> alpn{};
  std::string client_auth{};  ///< NoClientCert, RequireAndVerifyClientCert and so on
  std::string client_ca{};    ///< PEM
  friend bool operator==(const TlsOptions&, const TlsOptions&) = default;
};

/// What a CA asks for under /.well-known/acme-challenge/ (RFC 8555 8.3).
struct HttpChallenge {
  std::string host;    ///< lower case
  std::string token;   ///< the last part of the path
  std::string answer;  ///< the body
  friend bool operator==(const HttpChallenge&, const HttpChallenge&) = default;
};

/// How the edge behaves beside its routes. Every default is safe for an open listener.
struct Settings {
  std::uint16_t public_https_port = 443;       ///< where `web` redirects to
  std::vector<std::string> trusted_proxies{};  ///< prefixes whose X-Forwarded-* are believed
  std::size_t header_bytes = 64u << 10;        ///< limit of a request head; 431 above
  std::size_t header_count = 100;
  std::size_t body_bytes = 0;  ///< limit of a request body, 0: none; 413 above
  std::chrono::milliseconds header_timeout{10'000};
  std::chrono::milliseconds idle_timeout{75'000};
  std::chrono::milliseconds stall_timeout{60'000};  ///< of one read or write inside a body
  std::chrono::milliseconds connect_timeout{5'000};
  std::chrono::milliseconds response_timeout{60'000};  ///< from the request's end to the response head
  std::size_t connections = 0;         ///< of clients, at most; 0: half of the descriptors that the edge may have
  std::size_t client_connections = 0;  ///< of one client (Crowd) but a trusted proxy; 0: an eighth, at most 10,000
  std::size_t least_rate = 500;        ///< bytes a second of a request's body, once stall_timeout was waited; 0: none
  bool tracing = false;  ///< requests carry traceparent and X-Request-Id: what is missing or wrong is made anew
  friend bool operator==(const Settings&, const Settings&) = default;
};

struct Snapshot {
  std::uint64_t version = 0;  ///< grows with every change
  Settings settings{};
  std::vector<Route> routes{};
  std::vector<Service> services{};
  std::vector<Certificate> certificates{};
  std::vector<TlsOptions> tls_options{};
  std::vector<HttpChallenge> http_challenges{};
  std::vector<Certificate> tls_challenges{};  ///< shown to clients that offer acme-tls/1 alone (RFC 8737)
  TcpConfig tcp{};
  std::vector<Transport> transports{};
  friend bool operator==(const Snapshot&, const Snapshot&) = default;
};

/// JSON text with the private keys in it: for the socketpair and the edge's own 0600 file only.
std::string encode_snapshot(const Snapshot& snapshot);
/// Code::invalid naming the member that is missing or wrong, never its value.
Result<Snapshot> decode_snapshot(std::string_view bytes);

}  // namespace berth::edge
