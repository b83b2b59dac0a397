// Middlewares as data: what labels, files and the snapshot say about each. edge/keys.h names their keys.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "edge/cache_policy.h"
#include "edge/cert_info.h"
#include "edge/ip.h"

namespace berth::edge {

class Regex;
using Pairs = std::vector<std::pair<std::string, std::string>>;

/// A regular expression that compiled; equal when its text is.
struct Pattern {
  std::string text;
  std::shared_ptr<const Regex> regex{};
  friend bool operator==(const Pattern& a, const Pattern& b) { return a.text == b.text; }
};

/// Statuses from `first` to `last`.
struct StatusRange {
  int first = 0, last = 0;
  bool holds(int status) const { return status >= first && status <= last; }
  friend bool operator==(const StatusRange&, const StatusRange&) = default;
};

/// Which address a request is judged by. Only what trusted proxies say is looked at; else it is the peer.
struct IpStrategy {
  std::uint32_t depth = 0;        ///< n-th from the right of X-Forwarded-For; 0: the client as the listener sees it
  std::vector<Cidr> excluded{};   ///< the first from the right that is none of these
  std::uint32_t ipv6_subnet = 0;  ///< bits by which IPv6 clients are one; 0: 64
  friend bool operator==(const IpStrategy&, const IpStrategy&) = default;
};

/// What requests are counted by: the first of header, cookie and host that is set, else the address.
struct SourceCriterion {
  IpStrategy ip{};
  std::string header{};
  std::string cookie{};
  bool host = false;
  friend bool operator==(const SourceCriterion&, const SourceCriterion&) = default;
};

struct RedirectScheme {
  std::string scheme = "https";
  std::string port{};
  bool permanent = false;
  friend bool operator==(const RedirectScheme&, const RedirectScheme&) = default;
};
/// Looks at the whole URL.
struct RedirectRegex {
  Pattern regex{};
  std::string replacement{};
  bool permanent = false;
  friend bool operator==(const RedirectRegex&, const RedirectRegex&) = default;
};
struct StripPrefix {
  std::vector<std::string> prefixes{};
  bool force_slash = true;  ///< read and ignored: a path always begins with one
  friend bool operator==(const StripPrefix&, const StripPrefix&) = default;
};
struct StripPrefixRegex {
  std::vector<Pattern> regex{};
  friend bool operator==(const StripPrefixRegex&, const StripPrefixRegex&) = default;
};
struct AddPrefix {
  std::string prefix{};
  friend bool operator==(const AddPrefix&, const AddPrefix&) = default;
};
struct ReplacePath {
  std::string path{};
  friend bool operator==(const ReplacePath&, const ReplacePath&) = default;
};
struct ReplacePathRegex {
  Pattern regex{};
  std::string replacement{};
  friend bool operator==(const ReplacePathRegex&, const ReplacePathRegex&) = default;
};

/// The answers to browsers that ask from another origin. It is in force when an origin is listed.
struct Cors {
  bool credentials = false;
  std::vector<std::string> headers{}, methods{}, origins{};
  std::vector<Pattern> origin_patterns{};
  std::vector<std::string> expose{};
  std::uint32_t max_age = 0;
  bool vary = false;
  bool is_set() const { return !origins.empty() || !origin_patterns.empty(); }
  friend bool operator==(const Cors&, const Cors&) = default;
};
/// An empty value removes the field. What the flags below stand for is in `response` too.
struct Headers {
  Pairs request{}, response{};
  Cors cors{};
  std::vector<std::string> allowed_hosts{}, hosts_proxy_headers{};
  std::uint32_t sts_seconds = 0;
  bool sts_subdomains = false, sts_preload = false, force_sts = false;
  bool frame_deny = false, no_sniff = false, xss_filter = false, development = false;
  std::string frame_options{}, xss_value{}, security_policy{}, security_policy_report{}, referrer_policy{},
      permissions_policy{};
  friend bool operator==(const Headers&, const Headers&) = default;
};

/// `average` per `period` and `burst` at once, for each source; 429 beyond.
struct RateLimit {
  std::uint32_t average = 0;  ///< 0: no limit
  std::chrono::milliseconds period{1000};
  std::uint32_t burst = 1;
  SourceCriterion source{};
  friend bool operator==(const RateLimit&, const RateLimit&) = default;
};
/// At most `amount` requests of one source at a time and loop; 429 beyond.
struct InFlight {
  std::uint32_t amount = 0;  ///< 0: no limit
  SourceCriterion source{};
  friend bool operator==(const InFlight&, const InFlight&) = default;
};
struct IpAllowList {
  std::vector<Cidr> ranges{};
  IpStrategy strategy{};
  std::uint32_t status = 403;
  friend bool operator==(const IpAllowList&, const IpAllowList&) = default;
};
struct BasicAuth {
  std::vector<std::string> users{};  ///< "name:hash" as htpasswd writes it; secret
  std::string realm = "traefik";
  std::string header{};  ///< the upstream gets the user's name in it
  bool remove_header = false;
  friend bool operator==(const BasicAuth&, const BasicAuth&) = default;
};
/// Asks for a name and a password that do not travel (RFC 7616).
struct DigestAuth {
  std::vector<std::string> users{};  ///< "name:realm:hash" as htdigest writes it, MD5 or SHA-256 in hex; secret
  std::string realm = "traefik";
  std::string header{};
  bool remove_header = false;
  friend bool operator==(const DigestAuth&, const DigestAuth&) = default;
};
/// Keys in a field; those that hold are listed by the SHA-256 of their text.
struct ApiKey {
  std::string header = "X-Api-Key";
  std::vector<std::string> keys{};  ///< "name:64 hex digits"
  std::string name_header{};        ///< the upstream gets the key's name in it
  friend bool operator==(const ApiKey&, const ApiKey&) = default;
};
/// A signed token as `Authorization: Bearer` (RFC 7519): HS256 by `secret`, RS256 and ES256 by `public_key`.
struct Jwt {
  std::string secret{};
  std::string public_key{};  ///< PEM
  std::string jwks{};        ///< JSON text of a key set (RFC 7517)
  std::string issuer{}, audience{};
  std::string subject_header{};  ///< the upstream gets the claim `sub` in it
  bool remove_header = false;
  friend bool operator==(const Jwt&, const Jwt&) = default;
};
/// Asks a service whether a request may pass: 2xx lets it, other answers go to the client.
struct ForwardAuth {
  std::string address{};
  std::string service{};  ///< name of the Service that answers at `address`
  bool trust_forward_header = false;
  std::vector<std::string> response_headers{}, request_headers{};
  Pattern response_headers_regex{};
  std::vector<std::string> cookies{};  ///< names of those that are given on from its reply
  std::string header{};                ///< ignored: the user's name for a log
  bool keep_location = false, keep_method = false;
  std::chrono::milliseconds cache{0};  ///< how long a yes to the same cookies and authorization holds
  friend bool operator==(const ForwardAuth&, const ForwardAuth&) = default;
};
struct Buffering {
  std::uint64_t request_bytes = 0;  ///< 413 above; 0: no limit
  std::uint64_t request_memory = 1u << 20, response_bytes = 0, response_memory = 1u << 20;
  std::string retry{};
  friend bool operator==(const Buffering&, const Buffering&) = default;
};
struct Compress {
  std::vector<std::string> encodings{"gzip", "br", "zstd"};  ///< the first wins among those a client likes equally
  std::string fallback{};                                    ///< for requests without Accept-Encoding
  std::vector<std::string> excluded{}, included{};           ///< content types
  std::uint64_t least = 1024;
  friend bool operator==(const Compress&, const Compress&) = default;
};
struct Retry {
  std::uint32_t attempts = 0;  ///< in all
  std::chrono::milliseconds interval{0}, timeout{0};
  std::uint64_t body_bytes = 2u << 20;
  std::vector<StatusRange> status{};
  bool not_on_network_error = false, not_idempotent = false;
  friend bool operator==(const Retry&, const Retry&) = default;
};
struct CircuitBreaker {
  std::string expression{};
  std::chrono::milliseconds check{100}, fallback{10'000}, recovery{10'000};
  std::uint32_t status = 503;
  friend bool operator==(const CircuitBreaker&, const CircuitBreaker&) = default;
};
/// Pages for statuses, from a service.
struct ErrorPages {
  std::vector<StatusRange> status{};
  std::string service{};
  std::string query{};  ///< path of the page; {status} and {url} are replaced
  friend bool operator==(const ErrorPages&, const ErrorPages&) = default;
};
/// gRPC-Web of browsers becomes gRPC, and its answers become gRPC-Web.
struct GrpcWeb {
  std::vector<std::string> origins{};  ///< whose pages may ask; "*": all
  friend bool operator==(const GrpcWeb&, const GrpcWeb&) = default;
};
/// Content types are the service's own; nothing is detected.
struct ContentType {
  bool autodetect = false;
  friend bool operator==(const ContentType&, const ContentType&) = default;
};
/// Encoded characters that change a path's meaning are always refused.
struct EncodedCharacters {
  bool slash = false, backslash = false, semicolon = false, percent = false, question_mark = false, hash = false;
  friend bool operator==(const EncodedCharacters&, const EncodedCharacters&) = default;
};
/// 503 for everyone but `allowed`.
struct Maintenance {
  bool enabled = true;
  std::string message = "This service is under maintenance.";
  std::uint32_t retry_after = 60;  ///< seconds
  std::vector<Cidr> allowed{};
  friend bool operator==(const Maintenance&, const Maintenance&) = default;
};

using Action = std::variant<RedirectScheme, RedirectRegex, StripPrefix, StripPrefixRegex, AddPrefix, ReplacePath,
                            ReplacePathRegex, Headers, RateLimit, InFlight, IpAllowList, BasicAuth, DigestAuth, ApiKey,
                            Jwt, ForwardAuth, Buffering, Compress, Retry, CircuitBreaker, ErrorPages, ContentType,
                            EncodedCharacters, PassTlsClientCert, GrpcWeb, Maintenance, CachePolicy>;

/// A middleware of a route, applied in order.
struct Middleware {
  std::string name;
  Action action;
  friend bool operator==(const Middleware&, const Middleware&) = default;
};

}  // namespace berth::edge
