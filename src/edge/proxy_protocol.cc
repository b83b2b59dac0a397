#include "edge/proxy_protocol.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "base/text.h"

namespace berth::edge {
namespace {

using State = ProxyParsed::State;

constexpr std::string_view kSignature("\r\n\r\n\0\r\nQUIT\n", 12), kWord = "PROXY ";
constexpr std::size_t kMostLine = 107;  // with its line end
constexpr std::size_t kFixed = 16;      // signature, version and command, family, length
constexpr std::uint8_t kCrcType = 3;
constexpr std::size_t kTlvHead = 3, kCrcSize = 4;

ProxyParsed refused(std::string_view reason) {
  return {.state = State::refused, .reason = reason};
}

std::uint8_t byte_at(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint8_t>(bytes[at]);
}
std::uint16_t number_at(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint16_t>(byte_at(bytes, at) << 8 | byte_at(bytes, at + 1));
}

// Version 1.

/// Up to the next space; nothing at the end.
std::string_view take_word(std::string_view& line) {
  const Cut parts = cut(line, ' ');
  line = parts.after;
  return parts.before;
}

std::optional<Ip> address_of(std::string_view text, bool v6) {
  const auto ip = text.starts_with('[') || text.contains(':') != v6 ? std::nullopt : std::optional(parse_ip(text));
  return ip && *ip ? std::optional(**ip) : std::nullopt;
}

std::optional<std::uint16_t> port_of(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  const bool padded = text.size() > 1 && text.front() == '0';
  if (error != std::errc{} || end != text.data() + text.size() || padded) return std::nullopt;
  return port;
}

ProxyParsed parse_line(std::string_view line, ProxyHeader& header) {
  const std::size_t size = kWord.size() + line.size() + 2;
  if (std::ranges::any_of(line, [](char c) { return c < ' ' || c > '~'; })) return refused("holds control characters");
  const auto spaces = std::ranges::count(line, ' ');
  const std::string_view family = take_word(line);
  if (family == "UNKNOWN") return {.state = State::complete, .consumed = size};
  if (family != "TCP4" && family != "TCP6") return refused("its protocol is not TCP4, TCP6 or UNKNOWN");
  if (spaces != 4) return refused("does not hold two addresses and two ports");
  const bool v6 = family == "TCP6";
  const auto source = address_of(take_word(line), v6), destination = address_of(take_word(line), v6);
  const auto from = port_of(take_word(line)), to = port_of(take_word(line));
  if (!source || !destination) return refused("an address is not one of its protocol");
  if (!from || !to) return refused("a port is not a number up to 65535");
  header = {.known = true, .source = {*source, *from}, .destination = {*destination, *to}};
  return {.state = State::complete, .consumed = size};
}

ProxyParsed parse_v1(std::string_view bytes, ProxyHeader& header) {
  const std::string_view most = bytes.substr(0, kMostLine);
  const auto end = most.find('\n');
  if (end == std::string_view::npos) {
    return bytes.size() >= kMostLine ? refused("its line is longer than 107 bytes") : ProxyParsed{};
  }
  if (most[end - 1] != '\r') return refused("its line does not end in CR LF");
  return parse_line(most.substr(kWord.size(), end - 1 - kWord.size()), header);
}

// Version 2.

Ip ip_at(std::string_view bytes, std::size_t at, bool v6) {
  Ip ip;
  if (!v6) ip.bytes[10] = ip.bytes[11] = 0xff;
  const std::size_t size = v6 ? 16 : 4;
  std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(at), size,
              ip.bytes.end() - static_cast<std::ptrdiff_t>(size));
  return ip;
}

/// How many bytes the addresses of a family and transport take; nothing for those that do not exist.
std::optional<std::size_t> address_size(std::uint8_t family) {
  switch (family) {
    case 0x00:
      return 0;
    case 0x11:
    case 0x12:
      return 12;
    case 0x21:
    case 0x22:
      return 36;
    case 0x31:
    case 0x32:
      return 216;
    default:
      return std::nullopt;
  }
}

bool is_crc_right(std::string_view whole, std::size_t value_at) {
  const std::uint32_t told =
      std::uint32_t{number_at(whole, value_at)} << 16 | std::uint32_t{number_at(whole, value_at + 2)};
  std::uint32_t crc = crc32c(whole.substr(0, value_at));
  crc = crc32c(std::string_view("\0\0\0\0", kCrcSize), crc);
  return crc32c(whole.substr(value_at + kCrcSize), crc) == told;
}

/// The reason why the TLVs from `at` on are wrong; "": they are not.
std::string_view fault_of_tlvs(std::string_view whole, std::size_t at) {
  while (at < whole.size()) {
    if (whole.size() - at < kTlvHead) return "a TLV is cut off";
    const std::size_t size = number_at(whole, at + 1), value_at = at + kTlvHead;
    if (whole.size() - value_at < size) return "a TLV is cut off";
    if (byte_at(whole, at) == kCrcType) {
      if (size != kCrcSize || !is_crc_right(whole, value_at)) return "its checksum is wrong";
    }
    at = value_at + size;
  }
  return {};
}

ProxyParsed parse_v2(std::string_view bytes, ProxyHeader& header) {
  if (bytes.size() < kFixed) return {};
  const std::uint8_t version = byte_at(bytes, 12), family = byte_at(bytes, 13);
  if (version >> 4 != 2) return refused("its version is not 2");
  const bool local = (version & 15) == 0;
  if (!local && (version & 15) != 1) return refused("its command is neither LOCAL nor PROXY");
  const std::size_t size = number_at(bytes, 14);
  if (kFixed + size > kMostProxyHeader) return refused("is longer than 4096 bytes");
  const auto addresses = address_size(family);
  if (!addresses) return refused("its address family does not exist");
  if (!local && size < *addresses) return refused("is too short for its addresses");
  if (!local && (family & 15) == 2) return refused("speaks of datagrams");
  if (bytes.size() < kFixed + size) return {};
  const std::string_view whole = bytes.substr(0, kFixed + size);
  const ProxyParsed done{.state = State::complete, .consumed = whole.size()};
  // What follows an unspecified family, or stands in a LOCAL header, has no form that one could count on.
  if (local || family == 0) return done;
  if (const std::string_view fault = fault_of_tlvs(whole, kFixed + *addresses); !fault.empty()) return refused(fault);
  if (family != 0x11 && family != 0x21) return done;
  const bool v6 = family == 0x21;
  const std::size_t ip = v6 ? 16 : 4;
  header = {.known = true,
            .source = {ip_at(whole, kFixed, v6), number_at(whole, kFixed + 2 * ip)},
            .destination = {ip_at(whole, kFixed + ip, v6), number_at(whole, kFixed + 2 * ip + 2)}};
  return done;
}

void append_number(std::string& out, std::size_t number) {
  out += static_cast<char>(number >> 8 & 0xff);
  out += static_cast<char>(number & 0xff);
}

bool can_be_said(const ProxyHeader& header) {
  return header.known && header.source.ip.is_v4() == header.destination.ip.is_v4();
}

constexpr std::array<std::uint32_t, 256> crc_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < table.size(); ++i) {
    std::uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
    table[i] = crc;
  }
  return table;
}

}  // namespace

std::uint32_t crc32c(std::string_view bytes, std::uint32_t before) {
  static constexpr auto kTable = crc_table();
  std::uint32_t crc = ~before;
  for (const char c : bytes) crc = crc >> 8 ^ kTable[(crc ^ static_cast<std::uint8_t>(c)) & 0xff];
  return ~crc;
}

ProxyParsed parse_proxy_header(std::string_view bytes, ProxyHeader& header) {
  header = {};
  if (bytes.starts_with(kSignature)) return parse_v2(bytes, header);
  if (bytes.starts_with(kWord)) return parse_v1(bytes, header);
  if (kSignature.starts_with(bytes) || kWord.starts_with(bytes)) return {};
  return refused("is missing");
}

std::string encode_proxy_v1(const ProxyHeader& header) {
  if (!can_be_said(header)) return "PROXY UNKNOWN\r\n";
  const auto& [known, source, destination] = header;
  return std::string(kWord) + (source.ip.is_v4() ? "TCP4 " : "TCP6 ") + source.ip.text() + " " + destination.ip.text() +
         " " + std::to_string(source.port) + " " + std::to_string(destination.port) + "\r\n";
}

std::string encode_proxy_v2(const ProxyHeader& header) {
  std::string out(kSignature);
  if (!can_be_said(header)) return out + std::string("\x20\0\0\0", 4);
  const bool v4 = header.source.ip.is_v4();
  out += '\x21';
  out += v4 ? '\x11' : '\x21';
  append_number(out, v4 ? 12 : 36);
  for (const Ip* ip : {&header.source.ip, &header.destination.ip}) {
    out.append(ip->bytes.begin() + (v4 ? 12 : 0), ip->bytes.end());
  }
  append_number(out, header.source.port);
  append_number(out, header.destination.port);
  return out;
}

}  // namespace berth::edge
