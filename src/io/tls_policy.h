// What TLS demands of clients, where it differs between names: versions, ciphers, certificates of clients.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/error.h"

struct ssl_st;

namespace berth::io {

/// The wire format of a protocol list (RFC 7301 3.1).
std::string alpn_wire(const std::vector<std::string>& protocols);

/// How handshakes for some names differ from others. Immutable, any thread.
class TlsPolicy {
 public:
  /// What is asked of clients.
  enum class ClientAuth {
    none,
    request,             ///< any certificate or none; nothing is verified
    require_any,         ///< any certificate; nothing is verified
    verify_if_given,     ///< none, or one that a root of `client_ca` signed
    require_and_verify,  ///< one that a root of `client_ca` signed
  };
  struct Options {
    int min_version = 12, max_version = 13;  ///< 10 to 13: TLS 1.0 to 1.3
    std::string ciphers{};                   ///< of TLS 1.2 and below, OpenSSL's list; "": those of every connection
    std::string suites{};                    ///< of TLS 1.3
    std::string curves{};                    ///< OpenSSL's list
    std::vector<std::string> alpn{};         ///< empty: those of every connection
    ClientAuth client_auth = ClientAuth::none;
    std::string client_ca{};  ///< PEM roots; needed for the modes that verify
  };
  /// Code::invalid for what OpenSSL does not know, and for roots that are needed and absent.
  static Result<std::shared_ptr<const TlsPolicy>> make(const Options& options);
  ~TlsPolicy();
  /// For a connection whose ClientHello was read and nothing answered.
  void apply(ssl_st* ssl) const;
  /// As RFC 7301 writes a list; "": that of every connection.
  const std::string& alpn() const;

 private:
  struct Parts;
  TlsPolicy();
  std::unique_ptr<Parts> parts_;
};

}  // namespace berth::io
