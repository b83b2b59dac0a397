// The certificate that a client showed, as services are told of it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "edge/cert_info.h"

namespace berth::edge {

/// The texts are made at their first use and kept. Thread: its connection's.
class ClientCertificate {
 public:
  /// Null for "" and for more than 16 KiB, which no service would take in a field.
  static std::shared_ptr<const ClientCertificate> from_der(std::string der);
  explicit ClientCertificate(std::string der) : der_(std::move(der)) {}

  /// Base64 of its DER form: its PEM text without frame and line ends.
  const std::string& pem() const;
  /// Subject="...";Issuer="...";SerialNumber="...";NB="...";NA="...";SAN="...", percent-encoded, of what is wanted and
  /// there. A value with a quote or a control character, which could pass for another one, is left out. Valid until
  /// the next call.
  const std::string& info(const CertInfo& wanted) const;

 private:
  std::string der_;
  mutable std::string pem_, info_;
  mutable std::optional<CertInfo> told_{};  ///< in info_
};

}  // namespace berth::edge
