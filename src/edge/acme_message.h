// What a CA says in ACME (RFC 8555 7, RFC 7807, RFC 9773): JSON texts -> values. The CA is not trusted: types, sizes
// and URLs are checked here. Pure.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace berth::edge {

enum class ChallengeType { http, tls, dns };
/// "http-01", "tls-alpn-01", "dns-01".
std::string_view to_text(ChallengeType type);

struct AcmeDirectory {
  std::string new_nonce, new_account, new_order;
  std::string renewal_info;  ///< "": the CA knows no ARI
  bool binding_required = false;
};
/// Code::internal when a URL is missing or has not the scheme of `url`, from which the text came.
Result<AcmeDirectory> parse_directory(std::string_view url, std::string_view body);

enum class AcmeStatus { pending, processing, ready, valid, invalid };

struct AcmeOrderState {
  AcmeStatus status = AcmeStatus::pending;
  std::vector<std::string> authorizations;
  std::string finalize, certificate;
  std::string error;  ///< why it is invalid, for people
};
Result<AcmeOrderState> parse_order(std::string_view body);

struct AcmeAuthorization {
  AcmeStatus status = AcmeStatus::pending;
  std::string host;           ///< with "*." for a wildcard
  std::string challenge_url;  ///< "" when the wanted challenge is not offered
  std::string token;          ///< [A-Za-z0-9_-]+
  std::string offered;        ///< types, for messages
  std::string error;          ///< why it is invalid, for people
};
Result<AcmeAuthorization> parse_authorization(std::string_view body, ChallengeType wanted);

/// A problem document. `type` is without "urn:ietf:params:acme:error:".
struct AcmeProblem {
  std::string type, detail;
};
/// Of a reply with a status from 400 on; a body that is none gives the status as detail.
AcmeProblem parse_problem(int status, std::string_view body);

/// Retry-After: seconds or an HTTP date (RFC 9110 10.2.3); nothing for what is neither. At most a day.
std::optional<std::chrono::seconds> parse_retry_after(std::string_view text, std::chrono::sys_seconds now);

/// When a CA wants a certificate renewed.
struct RenewalWindow {
  std::chrono::sys_seconds start{}, end{};
  std::string explanation{};  ///< a URL, or ""
  friend bool operator==(const RenewalWindow&, const RenewalWindow&) = default;
};
Result<RenewalWindow> parse_renewal_info(std::string_view body);

/// "2026-01-02T03:04:05Z", with fractions and an offset too (RFC 3339).
Result<std::chrono::sys_seconds> parse_rfc3339(std::string_view text);

/// An absolute URL of at most 2 KiB with the scheme of `like`: a CA must not lead from https to http.
bool is_url_like(std::string_view text, std::string_view like);
/// Text of a CA made fit for a log: printable, one line, at most 500 bytes.
std::string printable(std::string_view text);

}  // namespace berth::edge
