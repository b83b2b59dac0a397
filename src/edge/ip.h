// IP addresses and prefixes as values: what ClientIP rules, upstream addresses and forwarded headers compare.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace berth::edge {

/// An IPv4 or IPv6 address. IPv4 is held in its v4-mapped form (::ffff:a.b.c.d), so that a peer of a dual-stack socket
/// equals the same peer of an IPv4 socket.
struct Ip {
  std::array<std::uint8_t, 16> bytes{};

  bool is_v4() const;
  bool is_loopback() const;
  /// Dotted or RFC 5952 text, without brackets.
  std::string text() const;
  friend auto operator<=>(const Ip&, const Ip&) = default;
};

/// "10.0.0.1", "::1" or "[::1]"; no zone, no leading zeros. Code::invalid otherwise.
Result<Ip> parse_ip(std::string_view text);

/// A prefix; host bits are cleared.
struct Cidr {
  Ip base;
  int bits = 128;  ///< counted in the 128 bits of Ip: 10.0.0.0/8 has 104

  bool contains(const Ip& ip) const;
  std::string text() const;
  friend bool operator==(const Cidr&, const Cidr&) = default;
};

/// "10.0.0.0/8", or a single address as its own prefix. Code::invalid otherwise.
Result<Cidr> parse_cidr(std::string_view text);

}  // namespace berth::edge
