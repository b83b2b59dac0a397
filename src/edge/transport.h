// How connections to servers are made, in Traefik's terms (serversTransports), as data.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"

namespace berth::edge {

struct Service;

/// A duration that a negative value switches off.
struct OpenDuration {
  std::chrono::milliseconds value{0};
  friend bool operator==(const OpenDuration&, const OpenDuration&) = default;
};

/// A certificate chain and its key: PEM texts, or in files the paths of such.
struct PemPair {
  std::string chain, key;
  friend bool operator==(const PemPair&, const PemPair&) = default;
};

/// Servers that are reached over TLS by one are verified, unless it says otherwise. Times of 0: the edge's own.
struct Transport {
  std::string name{};         ///< lower case, without provider
  std::string server_name{};  ///< asked for and expected in the certificate; "": the server's address
  bool insecure = false;
  std::vector<std::string> roots{};     ///< PEM texts, or in files the paths of such; none: the system's
  std::vector<PemPair> certificates{};  ///< at most one; secret
  std::string peer_uri{};               ///< expected in the certificate instead of a name
  bool disable_http2 = false;
  std::uint32_t max_idle = 0;  ///< connections that are kept per server and worker
  std::chrono::milliseconds dial{0}, response_header{0}, idle{0}, read_idle{0}, ping{15'000};
  OpenDuration keep_alive{};                                       ///< TCP only
  OpenDuration termination_delay{std::chrono::milliseconds(100)};  ///< TCP only; this default: what the service says
  friend bool operator==(const Transport&, const Transport&) = default;
};
/// The same with the keys that TCP has.
struct TcpTransport : Transport {
  friend bool operator==(const TcpTransport&, const TcpTransport&) = default;
};

/// Makes all servers of `service` be reached by `reference`, which may be empty. A name that is not among `known`
/// leaves the service without servers, for it may be what verifies them: Code::invalid.
Result<void> use_transport(Service& service, std::string_view reference, const std::vector<std::string>& known);

template <class T>
std::vector<std::string> names_of(const std::vector<T>& transports) {
  std::vector<std::string> names;
  for (const T& each : transports) names.push_back(each.name);
  return names;
}

}  // namespace berth::edge
