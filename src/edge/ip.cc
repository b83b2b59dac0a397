#include "edge/ip.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

namespace berth::edge {
namespace {

constexpr std::array<std::uint8_t, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

}  // namespace

bool Ip::is_v4() const {
  return std::equal(kMapped.begin(), kMapped.end(), bytes.begin());
}

bool Ip::is_loopback() const {
  if (is_v4()) return bytes[12] == 127;
  Ip one;
  one.bytes[15] = 1;
  return *this == one;
}

std::string Ip::text() const {
  char out[INET6_ADDRSTRLEN] = {};
  const bool v4 = is_v4();
  inet_ntop(v4 ? AF_INET : AF_INET6, bytes.data() + (v4 ? 12 : 0), out, sizeof out);
  return out;
}

Result<Ip> parse_ip(std::string_view text) {
  const std::string_view given = text;
  if (text.size() > 2 && text.front() == '[' && text.back() == ']') text = text.substr(1, text.size() - 2);
  char copy[INET6_ADDRSTRLEN] = {};
  Ip ip;
  if (text.size() < sizeof copy) {
    std::copy(text.begin(), text.end(), copy);
    if (inet_pton(AF_INET6, copy, ip.bytes.data()) == 1) return ip;
    std::copy(kMapped.begin(), kMapped.end(), ip.bytes.begin());
    if (inet_pton(AF_INET, copy, ip.bytes.data() + 12) == 1) return ip;
  }
  return fail(Code::invalid, "\"" + std::string(given.substr(0, 64)) + "\" is not an IP address");
}

bool Cidr::contains(const Ip& ip) const {
  const int whole = bits / 8;
  if (!std::equal(base.bytes.begin(), base.bytes.begin() + whole, ip.bytes.begin())) return false;
  if (bits % 8 == 0) return true;
  const auto mask = static_cast<std::uint8_t>(0xff << (8 - bits % 8));
  return (ip.bytes[static_cast<std::size_t>(whole)] & mask) == base.bytes[static_cast<std::size_t>(whole)];
}

std::string Cidr::text() const {
  const bool v4 = base.is_v4() && bits >= 96;
  return base.text() + "/" + std::to_string(v4 ? bits - 96 : bits);
}

Result<Cidr> parse_cidr(std::string_view text) {
  const auto slash = text.find('/');
  const Ip ip = TRY(parse_ip(text.substr(0, slash)));
  const bool v4 = ip.is_v4();
  int length = v4 ? 32 : 128;
  if (slash != std::string_view::npos) {
    const std::string_view digits = text.substr(slash + 1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), length);
    if (error != std::errc{} || end != digits.data() + digits.size() || length < 0 || length > (v4 ? 32 : 128)) {
      return fail(Code::invalid, "\"" + std::string(text.substr(0, 64)) + "\" is not an address prefix");
    }
  }
  Cidr cidr{ip, v4 ? length + 96 : length};
  for (int bit = cidr.bits; bit < 128; ++bit) {
    cidr.base.bytes[static_cast<std::size_t>(bit / 8)] &= static_cast<std::uint8_t>(~(0x80 >> (bit % 8)));
  }
  return cidr;
}

}  // namespace berth::edge
