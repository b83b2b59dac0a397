// What an ACME order needs beside its messages: signing requests, the certificate of a TLS-ALPN-01 challenge, the name
// of a certificate in renewal information.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "edge/certificate.h"

namespace berth::edge {

/// A PKCS #10 request (DER) for `hosts`, signed with the key in `key_pem`. Code::invalid without a host.
Result<std::string> make_request(std::string_view key_pem, const std::vector<std::string>& hosts);

/// The self-signed certificate for `host` with the critical acmeIdentifier extension (RFC 8737 3) and a new key.
Result<Certificate> make_challenge_certificate(const std::string& host, std::string_view key_authorization,
                                               std::chrono::sys_seconds now);

/// base64url(authorityKeyIdentifier) "." base64url(serial) of the leaf (RFC 9773 4.1). Code::not_found when it names
/// no authority key.
Result<std::string> renewal_id(std::string_view chain_pem);

/// What a file with key and chain in one holds, in any order. Code::invalid when one is missing.
struct Bundle {
  std::string chain, key;
};
Result<Bundle> split_bundle(std::string_view pem);

}  // namespace berth::edge
