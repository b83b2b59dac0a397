// The PROXY protocol, versions 1 and 2: what a proxy in front says of a connection's ends. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "edge/ip.h"

namespace berth::edge {

/// One end of a TCP connection.
struct Endpoint {
  Ip ip{};
  std::uint16_t port = 0;
  friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

/// What a header says.
struct ProxyHeader {
  /// Version 2's LOCAL, version 1's UNKNOWN, a unix socket or an unspecified family: the connection speaks for itself.
  bool known = false;
  Endpoint source{}, destination{};  ///< with `known`
  friend bool operator==(const ProxyHeader&, const ProxyHeader&) = default;
};

struct ProxyParsed {
  enum class State : std::uint8_t { need_more, complete, refused };
  State state = State::need_more;
  std::size_t consumed = 0;      ///< with `complete`
  std::string_view reason = {};  ///< with `refused`
};

/// A header is never longer, its TLVs included.
inline constexpr std::size_t kMostProxyHeader = 4096;

/// Reads the header at the begin of `bytes`, strictly: no guess is made about bytes that are none. TLVs must be well
/// formed and are passed over; a CRC-32C among them must be right.
ProxyParsed parse_proxy_header(std::string_view bytes, ProxyHeader& header);

/// The bytes of a header. Ends of different families, which no socket has, become UNKNOWN or LOCAL.
std::string encode_proxy_v1(const ProxyHeader& header);
std::string encode_proxy_v2(const ProxyHeader& header);

/// Castagnoli's CRC-32, over what is given so far (0 at first).
std::uint32_t crc32c(std::string_view bytes, std::uint32_t before = 0);

}  // namespace berth::edge
