// TLS 1.2/1.3 over any Stream (OpenSSL 3). Handshake and renewal of keys happen inside the attempts.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "io/stream.h"
#include "io/tls_policy.h"

namespace berth::io {

/// A certificate chain with its key, ready to be offered; parsed once, shared by connections. Any thread.
class TlsIdentity {
 public:
  /// PEM texts: the leaf first, then intermediates. Code::invalid when they do not parse or do not belong together.
  static Result<std::shared_ptr<const TlsIdentity>> from_pem(std::string_view chain, std::string_view key);
  ~TlsIdentity();
  struct Parts;
  const Parts& parts() const { return *parts_; }

 private:
  TlsIdentity();
  std::unique_ptr<Parts> parts_;
};

/// What a client says first.
struct ClientHello {
  std::string_view server_name;  ///< "" when it named none
  bool acme = false;             ///< it offers acme-tls/1 and nothing else: a CA that checks a challenge (RFC 8737)
};
/// Without an identity the handshake is refused with unrecognized_name (RFC 6066). A session is resumed only under the
/// policy under which it began.
struct TlsChoice {
  std::shared_ptr<const TlsIdentity> identity{};
  std::shared_ptr<const TlsPolicy> policy{};  ///< null: that of every connection
};
using ChooseIdentity = std::function<TlsChoice(const ClientHello&)>;

struct TlsServerOptions {
  ChooseIdentity choose;
  /// Offered in this order of preference through ALPN (RFC 7301); empty: what clients offer is passed over.
  std::vector<std::string> alpn = {"http/1.1"};
  /// kTicketKeySize random bytes: contexts with the same one resume each other's sessions; empty: one of its own.
  std::string ticket_key{};
};
inline constexpr std::size_t kTicketKeySize = 80;
Result<std::string> new_ticket_key();

struct TlsClientOptions {
  std::string server_name{};
  std::string ca_pem{};  ///< trusted roots; empty: the system's
  bool verify = true;
  std::string peer_uri{};  ///< that must stand in the server's certificate, in place of its name; "": none
  std::vector<std::string> alpn{};
  std::shared_ptr<const TlsIdentity> identity{};  ///< shown to servers that ask for one
};

/// Shared by the connections of one listener or one client. Thread: immutable after construction.
class TlsContext {
 public:
  static Result<std::shared_ptr<TlsContext>> server(TlsServerOptions options);
  static Result<std::shared_ptr<TlsContext>> client(TlsClientOptions options);
  ~TlsContext();
  struct Parts;
  Parts& parts() { return *parts_; }

 private:
  TlsContext();
  std::unique_ptr<Parts> parts_;
};

/// A TLS session over `below`, which it owns.
class TlsStream : public Stream {
 public:
  /// Finishes the handshake. Code::denied with the reason when the peer's certificate is not trusted.
  virtual Task<Result<void>> handshake() = 0;
  /// After the handshake: what the peer asked for by SNI, and the protocol chosen by ALPN ("" when none).
  virtual std::string server_name() const = 0;
  virtual std::string protocol() const = 0;
  virtual std::string_view version() const = 0;  ///< static
  /// That the connection began with; null: none of its own.
  virtual std::shared_ptr<const TlsPolicy> policy() const = 0;
  /// The certificate that the peer showed, DER; "" when it showed none. What was verified of it is the policy's matter.
  virtual std::string peer_certificate() const = 0;
};
/// `server_name`, for clients: that of this connection in place of the context's.
std::unique_ptr<TlsStream> tls_over(std::unique_ptr<Stream> below, std::shared_ptr<TlsContext> context,
                                    const std::string& server_name = {});

}  // namespace berth::io
