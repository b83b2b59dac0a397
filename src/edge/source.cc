#include "edge/source.h"

#include <algorithm>

#include "base/text.h"

namespace berth::edge {
namespace {

/// The addresses of X-Forwarded-For from the right, as far as they are addresses; the peer itself is not in it.
std::vector<Ip> forwarded_for(const Sender& sender) {
  std::vector<Ip> out;
  if (!is_trusted(sender.hop.peer, sender.trusted)) return out;
  for (std::size_t i = sender.fields.size(); i-- > 0;) {
    const http::Field& field = *(sender.fields.begin() + i);
    if (!http::same_name(field.name, "x-forwarded-for")) continue;
    const auto parts = split(field.value, ',');
    for (std::size_t k = parts.size(); k-- > 0;) {
      const auto ip = parse_ip(trim(parts[k]));
      if (!ip || out.size() == 32) return out;
      out.push_back(*ip);
    }
  }
  return out;
}

Ip grouped(Ip ip, std::uint32_t bits) {
  if (ip.is_v4()) return ip;
  const std::size_t kept = bits == 0 || bits > 128 ? 64 : bits;
  for (std::size_t i = 0; i < ip.bytes.size(); ++i) {
    const std::size_t begin = i * 8;
    if (begin >= kept) {
      ip.bytes[i] = 0;
    } else if (begin + 8 > kept) {
      ip.bytes[i] &= static_cast<std::uint8_t>(0xff << (begin + 8 - kept));
    }
  }
  return ip;
}

/// Two unlike hashes side by side. A collision only makes two sources share their limit.
Ip digest(std::string_view text) {
  Ip out;
  std::uint64_t a = std::hash<std::string_view>()(text), b = 14695981039346656037u;
  for (const char c : text) b = (b ^ static_cast<unsigned char>(c)) * 1099511628211u;
  for (std::size_t i = 0; i < 8; ++i) {
    out.bytes[i] = static_cast<std::uint8_t>(a >> (8 * i));
    out.bytes[8 + i] = static_cast<std::uint8_t>(b >> (8 * i));
  }
  return out;
}

}  // namespace

std::optional<Ip> address_by(const IpStrategy& strategy, const Sender& sender) {
  if (strategy.depth == 0 && strategy.excluded.empty()) return sender.client;
  // Who comes past the proxies is judged by its own address.
  if (!is_trusted(sender.hop.peer, sender.trusted)) return sender.hop.peer;
  const auto listed = forwarded_for(sender);
  if (strategy.depth > 0) {
    if (strategy.depth > listed.size()) return std::nullopt;
    return listed[strategy.depth - 1];
  }
  const auto at = std::ranges::find_if(listed, [&](const Ip& ip) { return !is_trusted(ip, strategy.excluded); });
  return at == listed.end() ? std::nullopt : std::optional(*at);
}

Ip source_of(const SourceCriterion& criterion, const Sender& sender) {
  if (!criterion.header.empty()) return digest(sender.fields.get(criterion.header));
  if (!criterion.cookie.empty()) return digest(cookie_of(sender.fields, criterion.cookie));
  if (criterion.host) return digest(sender.host);
  return grouped(address_by(criterion.ip, sender).value_or(sender.hop.peer), criterion.ip.ipv6_subnet);
}

std::string_view cookie_of(const http::Fields& fields, std::string_view name) {
  for (const http::Field& field : fields) {
    if (!http::same_name(field.name, "cookie")) continue;
    for (const std::string_view part : split(field.value, ';')) {
      const Cut pair = cut(trim(part), '=');
      if (pair.found && pair.before == name) return pair.after;
    }
  }
  return {};
}

}  // namespace berth::edge
