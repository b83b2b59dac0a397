// One request on its way through: who asks for what, what the middlewares make of it, and the heads that go out. Pure.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "edge/route.h"
#include "http/body.h"
#include "http/head.h"

namespace berth::io {
class TlsPolicy;
}

namespace berth::edge {

class ClientCertificate;

/// The client's side of a connection, small, since each has one. The views outlive all connections.
struct Hop {
  Listener listener = Listener::websecure;
  Ip peer{};                                               ///< who connected
  std::string peer_text{};                                 ///< the same as text, without port
  std::string_view server{};                               ///< this host's name, for X-Forwarded-Server
  std::shared_ptr<const io::TlsPolicy> tls_policy{};       ///< under which the connection began
  std::string_view tls_version{};                          ///< "TLSv1.3"; empty: not encrypted
  std::shared_ptr<const ClientCertificate> certificate{};  ///< that the client showed; null: none
  bool http2 = false;
  std::string_view scheme() const { return listener == Listener::web ? "http" : "https"; }
};

/// The host of a Host field that http/head.h accepted: lower case, without port and trailing dot. Code::invalid for
/// what is no host name or address (answer 400). The view is into `authority` or `storage`.
Result<std::string_view> request_host(std::string_view authority, std::string& storage);

bool is_trusted(const Ip& peer, const std::vector<Cidr>& proxies);
/// The peer, or behind trusted proxies the last address of X-Forwarded-For that is not one of them.
Ip client_address(const Hop& hop, const http::Fields& fields, const std::vector<Cidr>& proxies);

/// The path that goes to the upstream; reused between requests.
struct Rewritten {
  std::string path;
  std::string stripped;                       ///< for X-Forwarded-Prefix; empty: none
  std::string replaced;                       ///< for X-Replaced-Path; empty: none
  bool passes_certificate = false;            ///< nobody but the edge tells of the client's certificate
  std::string certificate, certificate_info;  ///< for X-Forwarded-Tls-Client-Cert and -Info; empty: none
  void begin(std::string_view canonical) {
    path.assign(canonical);
    stripped.clear();
    replaced.clear();
    passes_certificate = false;
    certificate.clear();
    certificate_info.clear();
  }
};
/// Everything that a forwarded head is made of.
struct Outgoing {
  const http::RequestHead& head;
  const Route& route;
  const Rewritten& rewritten;
  const Hop& hop;
  std::string_view host;   ///< the Host field
  bool trusted = false;    ///< the peer's X-Forwarded-* are kept
  bool websocket = false;  ///< ask for the upgrade
};
/// Appends the head for the upstream, without hop-by-hop fields and with X-Forwarded-* and X-Real-Ip of our own; those
/// of a trusted peer are kept. What a client must not say was taken out before, by clean_request() (edge/cleaning.h);
/// what a middleware added since then goes on, whatever it is called.
void append_request(std::string& out, const Outgoing& outgoing);

/// Takes the fields of the connection and of framing, and those that Connection names, out of a reply's head.
void clean_reply(http::ResponseHead& reply);
/// The route's `headers` middlewares for replies; the last one that names a field wins.
void apply_reply_headers(const Route& route, http::ResponseHead& reply);

/// How a reply's body goes to an HTTP/1.1 client.
struct ReplyShape {
  bool chunked = false;
  bool keep_alive = true;  ///< the client's connection stays open afterwards
};
/// `keep_alive`: as far as the edge is concerned.
ReplyShape shape_reply(const http::RequestHead& request, const http::ResponseHead& reply, bool has_body,
                       bool keep_alive);
/// REQUIRES: `reply` was cleaned.
void append_reply(std::string& out, const http::ResponseHead& reply, const ReplyShape& shape);
/// The 101 of a WebSocket handshake.
void append_upgrade_reply(std::string& out, const http::ResponseHead& reply);

/// GET, HEAD, OPTIONS, PUT, DELETE, TRACE (RFC 9110 9.2.2).
bool is_idempotent(std::string_view method);

}  // namespace berth::edge
