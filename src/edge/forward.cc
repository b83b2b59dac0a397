#include "edge/forward.h"

#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "edge/cleaning.h"

namespace berth::edge {
namespace {

using http::Field;
using http::same_name;

bool any_of(std::string_view name, std::initializer_list<std::string_view> names) {
  return std::ranges::any_of(names, [&](std::string_view each) { return same_name(name, each); });
}

bool starts_with_name(std::string_view name, std::string_view prefix) {
  return name.size() >= prefix.size() && same_name(name.substr(0, prefix.size()), prefix);
}

/// Fields of this connection only, and those that are always written anew.
bool is_own(std::string_view name) {
  switch (name.front() | 0x20) {
    case 'c':
      return any_of(name, {"connection", "content-length"});
    case 'e':
      return same_name(name, "expect");
    case 'h':
      return any_of(name, {"host", "http2-settings"});
    case 'k':
      return same_name(name, "keep-alive");
    case 'p':
      return any_of(name, {"proxy-connection", "proxy-authorization", "proxy-authenticate"});
    case 't':
      return any_of(name, {"te", "trailer", "transfer-encoding"});
    case 'u':
      return same_name(name, "upgrade");
    default:
      return false;
  }
}

/// Fields by which proxies tell servers about clients and their certificates (RFC 9440 among them), and Proxy, which
/// programs of CGI take for an address of theirs; a client must not say any.
bool is_forwarding(std::string_view name) {
  switch (name.front() | 0x20) {
    case 'c':
      return any_of(name, {"client-cert", "client-cert-chain", "cf-connecting-ip"});
    case 'f':
      return same_name(name, "forwarded");
    case 'p':
      return same_name(name, "proxy");
    case 's':
      return starts_with_name(name, "ssl-client-");
    case 't':
      return same_name(name, "true-client-ip");
    case 'x':
      return starts_with_name(name, "x-forwarded-") || starts_with_name(name, "x-original-") ||
             starts_with_name(name, "x-ssl-client-") || starts_with_name(name, "x-client-cert") ||
             starts_with_name(name, "x-envoy-") ||
             any_of(name, {"x-real-ip", "x-upstream-host", "x-rewrite-url", "x-replaced-path", "x-client-ip",
                           "x-cluster-client-ip", "x-forwarded"});
    default:
      return false;
  }
}

/// Those that append_forwarding() writes.
bool is_rebuilt(std::string_view name) {
  return (name.front() | 0x20) == 'x' &&
         any_of(name, {"x-forwarded-host", "x-forwarded-port", "x-forwarded-proto", "x-forwarded-server", "x-real-ip",
                       "x-forwarded-prefix", "x-replaced-path"});
}

/// What only the edge tells where a middleware passes certificates on, also behind trusted proxies.
constexpr std::string_view kClientCert = "x-forwarded-tls-client-cert";

bool sets(const std::vector<std::pair<std::string, std::string>>& fields, std::string_view name) {
  return std::ranges::any_of(fields, [&](const auto& field) { return same_name(field.first, name); });
}

/// What the route's `headers` middlewares do to a direction; the last one wins.
class Overrides {
 public:
  Overrides(const Route& route, std::vector<std::pair<std::string, std::string>> Headers::* side)
      : route_(route), side_(side) {}
  bool has(std::string_view name) const {
    return std::ranges::any_of(route_.middlewares, [&](const Middleware& each) {
      const auto* headers = std::get_if<Headers>(&each.action);
      return headers && sets(headers->*side_, name);
    });
  }
  std::string_view value(std::string_view name) const {
    std::string_view found;
    for (const Middleware& each : route_.middlewares) {
      const auto* headers = std::get_if<Headers>(&each.action);
      if (!headers) continue;
      for (const auto& [key, text] : headers->*side_) {
        if (same_name(key, name)) found = text;
      }
    }
    return found;
  }
  bool empty() const {
    return std::ranges::none_of(route_.middlewares, [&](const Middleware& each) {
      const auto* headers = std::get_if<Headers>(&each.action);
      return headers && !(headers->*side_).empty();
    });
  }
  void append(std::string& out) const {
    for_each([&](std::string_view name, std::string_view text) {
      if (!same_name(name, "host")) http::append_field(out, name, text);
    });
  }
  void add_to(http::Fields& fields) const {
    for_each([&](std::string_view name, std::string_view text) { fields.add({name, text}); });
  }

 private:
  template <class Take>
  void for_each(Take take) const {
    for (const Middleware& each : route_.middlewares) {
      const auto* headers = std::get_if<Headers>(&each.action);
      if (!headers) continue;
      for (const auto& [name, text] : headers->*side_) {
        if (!text.empty() && value(name) == text) take(name, text);
      }
    }
  }

  const Route& route_;
  std::vector<std::pair<std::string, std::string>> Headers::* side_;
};

bool lists_fields(const http::Fields& fields) {
  for (const Field& field : fields) {
    if (!same_name(field.name, "connection")) continue;
    if (!any_of(field.value, {"keep-alive", "close", "upgrade", "keep-alive, upgrade"})) return true;
  }
  return false;
}

/// Fields that Connection must not take away: it would undo what a proxy or a client's login says.
bool is_protected(std::string_view name) {
  return is_forwarding(name) || any_of(name, {"host", "cookie", "authorization", "set-cookie", "content-type"});
}

void append_number(std::string& out, std::string_view name, std::uint64_t value) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  http::append_field(out, name, std::string_view(digits, static_cast<std::size_t>(end - digits)));
}

void append_forwarding(std::string& out, const Outgoing& outgoing, const Overrides& overrides) {
  const http::Fields& fields = outgoing.head.fields;
  const auto add = [&](std::string_view name, std::string_view value) {
    if (overrides.has(name) || (outgoing.trusted && fields.find(name))) return;
    http::append_field(out, name, value);
  };
  if (!overrides.has("x-forwarded-for")) {
    out += "X-Forwarded-For: ";
    for (const Field& field : fields) {
      if (outgoing.trusted && same_name(field.name, "x-forwarded-for")) out.append(field.value).append(", ");
    }
    out.append(outgoing.hop.peer_text).append("\r\n");
  }
  const auto colon = outgoing.head.authority.rfind(':');
  const bool has_port = colon != std::string_view::npos && !outgoing.head.authority.ends_with(']');
  add("X-Forwarded-Host", outgoing.head.authority);
  add("X-Forwarded-Port", has_port                                 ? outgoing.head.authority.substr(colon + 1)
                          : outgoing.hop.listener == Listener::web ? "80"
                                                                   : "443");
  add("X-Forwarded-Proto", outgoing.hop.scheme());
  add("X-Forwarded-Server", outgoing.hop.server);
  add("X-Real-Ip", outgoing.hop.peer_text);
  if (!outgoing.rewritten.certificate.empty())
    http::append_field(out, "X-Forwarded-Tls-Client-Cert", outgoing.rewritten.certificate);
  if (!outgoing.rewritten.certificate_info.empty())
    http::append_field(out, "X-Forwarded-Tls-Client-Cert-Info", outgoing.rewritten.certificate_info);
  if (!outgoing.rewritten.stripped.empty()) add("X-Forwarded-Prefix", outgoing.rewritten.stripped);
  if (!outgoing.rewritten.replaced.empty()) add("X-Replaced-Path", outgoing.rewritten.replaced);
}

}  // namespace

Result<std::string_view> request_host(std::string_view authority, std::string& storage) {
  std::string_view host = authority;
  if (host.starts_with('[')) {
    const auto ip = parse_ip(host.substr(0, host.find(']') + 1));
    if (!ip) return fail(Code::invalid, "the Host field is not a host name");
    storage = ip->text();
    return std::string_view(storage);
  }
  host = host.substr(0, host.find(':'));
  if (host.ends_with('.')) host.remove_suffix(1);
  bool upper = false, odd = host.empty() || host.size() > 253 || host.starts_with('.') || host.ends_with('.');
  for (const char c : host) {
    upper = upper || (c >= 'A' && c <= 'Z');
    const bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    odd = odd || !(word || c == '-' || c == '.' || c == '_');
  }
  if (odd) return fail(Code::invalid, "the Host field is not a host name");
  if (!upper) return host;
  storage.assign(host);
  for (char& c : storage) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
  return std::string_view(storage);
}

bool is_trusted(const Ip& peer, const std::vector<Cidr>& proxies) {
  return std::ranges::any_of(proxies, [&](const Cidr& each) { return each.contains(peer); });
}

Ip client_address(const Hop& hop, const http::Fields& fields, const std::vector<Cidr>& proxies) {
  if (!is_trusted(hop.peer, proxies)) return hop.peer;
  Ip client = hop.peer;
  for (std::size_t i = fields.size(); i-- > 0;) {
    const Field& field = *(fields.begin() + i);
    if (!same_name(field.name, "x-forwarded-for")) continue;
    std::string_view rest = field.value;
    while (!rest.empty()) {
      const Cut last = cut_last(rest, ',');
      const auto ip = parse_ip(trim(last.found ? last.after : rest));
      rest = last.found ? last.before : std::string_view();
      if (!ip) return client;
      client = *ip;
      if (!is_trusted(client, proxies)) return client;
    }
  }
  return client;
}

/// Whether it stays among those that clean_request() and the middlewares left; the others are appended afterwards.
static bool goes_on(std::string_view name, const Outgoing& outgoing) {
  if (is_own(name) || same_name(name, "x-forwarded-for")) return false;
  if (!outgoing.trusted && is_rebuilt(name)) return false;
  return !outgoing.rewritten.passes_certificate || !starts_with_name(name, kClientCert);
}

void append_request(std::string& out, const Outgoing& outgoing) {
  const http::RequestHead& head = outgoing.head;
  out.append(head.method).append(" ").append(outgoing.rewritten.path);
  // "/a?" and "/a" differ for some servers; the target's own '?' is kept.
  if (!head.query.empty() || head.target.ends_with('?')) out.append("?").append(head.query);
  out.append(" HTTP/1.1\r\n");
  const Overrides overrides(outgoing.route, &Headers::request);
  const std::string_view host = overrides.value("host");
  http::append_field(out, "Host", host.empty() ? outgoing.host : host);
  for (const Field& field : head.fields) {
    if (!goes_on(field.name, outgoing)) continue;
    if (!overrides.has(field.name)) http::append_field(out, field.name, field.value);
  }
  append_forwarding(out, outgoing, overrides);
  overrides.append(out);
  if (head.framing.chunked) out += "Transfer-Encoding: chunked\r\n";
  if (head.framing.length) append_number(out, "Content-Length", *head.framing.length);
  if (outgoing.websocket) out += "Connection: Upgrade\r\nUpgrade: websocket\r\n";
  out += "\r\n";
}

ReplyShape shape_reply(const http::RequestHead& request, const http::ResponseHead& reply, bool has_body,
                       bool keep_alive) {
  ReplyShape shape{.chunked = false, .keep_alive = keep_alive && request.keep_alive && request.minor == 1};
  const bool open = has_body && !reply.framing.length;
  shape.chunked = open && request.minor == 1;
  if (open && request.minor == 0) shape.keep_alive = false;
  return shape;
}

namespace {

/// The Connection lines stay until all that they name is gone.
bool is_listed(const http::Fields& fields, std::string_view name) {
  return !is_own(name) && !is_protected(name) && fields.has_token("connection", name);
}

}  // namespace

void clean_request(http::RequestHead& head, bool trusted) {
  http::Fields& fields = head.fields;
  const bool lists = lists_fields(fields);
  fields.remove_if([&](const Field& field) {
    return field.name.contains('_') || (!trusted && is_forwarding(field.name)) ||
           (lists && is_listed(fields, field.name));
  });
}

void clean_reply(http::ResponseHead& reply) {
  http::Fields& fields = reply.fields;
  if (lists_fields(fields)) fields.remove_if([&](const Field& field) { return is_listed(fields, field.name); });
  fields.remove_if([](const Field& field) { return is_own(field.name); });
}

void apply_reply_headers(const Route& route, http::ResponseHead& reply) {
  const Overrides overrides(route, &Headers::response);
  if (overrides.empty()) return;
  reply.fields.remove_if([&](const Field& field) { return overrides.has(field.name); });
  overrides.add_to(reply.fields);
}

void append_reply(std::string& out, const http::ResponseHead& reply, const ReplyShape& shape) {
  char digits[4];
  const auto end = std::to_chars(digits, digits + sizeof digits, reply.status).ptr;
  out.append("HTTP/1.1 ").append(digits, end).append(" ").append(http::reason_of(reply.status)).append("\r\n");
  for (const Field& field : reply.fields) http::append_field(out, field.name, field.value);
  // A reply to HEAD and a 304 tell the length that a GET would have; 1xx and 204 must not (RFC 9110 8.6).
  const bool may_tell = reply.status != 204 && reply.status / 100 != 1;
  if (shape.chunked)
    out += "Transfer-Encoding: chunked\r\n";
  else if (reply.framing.length && may_tell)
    append_number(out, "Content-Length", *reply.framing.length);
  if (!shape.keep_alive) out += "Connection: close\r\n";
  out += "\r\n";
}

void append_upgrade_reply(std::string& out, const http::ResponseHead& reply) {
  out += "HTTP/1.1 101 Switching Protocols\r\n";
  for (const Field& field : reply.fields) http::append_field(out, field.name, field.value);
  out += "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
}

bool is_idempotent(std::string_view method) {
  return method == "GET" || method == "HEAD" || method == "OPTIONS" || method == "PUT" || method == "DELETE" ||
         method == "TRACE";
}

}  // namespace berth::edge
