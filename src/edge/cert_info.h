// Which parts of a client's certificate services are told of, as data.
#pragma once

#include <optional>

namespace berth::edge {

/// Which parts of a certificate's name are told.
struct CertNameParts {
  bool country = false, province = false, locality = false, organization = false, organizational_unit = false,
       common_name = false, serial_number = false, domain_component = false;
  friend bool operator==(const CertNameParts&, const CertNameParts&) = default;
};
/// What X-Forwarded-Tls-Client-Cert-Info tells.
struct CertInfo {
  bool not_after = false, not_before = false, sans = false, serial_number = false;
  std::optional<CertNameParts> subject{}, issuer{};
  friend bool operator==(const CertInfo&, const CertInfo&) = default;
};
/// Services are told of the certificate that a client showed.
struct PassTlsClientCert {
  bool pem = false;
  std::optional<CertInfo> info{};
  friend bool operator==(const PassTlsClientCert&, const PassTlsClientCert&) = default;
};

}  // namespace berth::edge
