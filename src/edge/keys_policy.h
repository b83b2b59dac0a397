// Inside of edge/keys: the table of middlewares that limit, ask or watch.
#pragma once

#include "edge/keys_table.h"

namespace berth::edge {

template <>
struct Keys<RateLimit> {
  static constexpr std::string_view kind = "rateLimit", does = "Limits requests per time; 429 beyond.";
  static constexpr auto all = std::tuple{
      key("average", &RateLimit::average, "requests per period; 0: no limit"),
      key("period", &RateLimit::period, ""),
      key("burst", &RateLimit::burst, "requests at once"),
      key("sourceCriterion", &RateLimit::source, ""),
  };
};
template <>
struct Keys<InFlight> {
  static constexpr std::string_view kind = "inFlightReq",
                                    does = "Limits requests that run at the same time; 429 beyond.";
  static constexpr auto all = std::tuple{
      key("amount", &InFlight::amount, "of one source; 0: no limit"),
      key("sourceCriterion", &InFlight::source, "by default the host, for the address set ipStrategy"),
  };
};
template <>
struct Keys<IpAllowList> {
  static constexpr std::string_view kind = "ipAllowList", does = "Lets only some addresses through.";
  static constexpr auto all = std::tuple{
      key("sourceRange", &IpAllowList::ranges, "addresses or prefixes"),
      key("ipStrategy", &IpAllowList::strategy, ""),
      key("rejectStatusCode", &IpAllowList::status, ""),
  };
};
template <>
struct Keys<BasicAuth> {
  static constexpr std::string_view kind = "basicAuth", does = "Asks for a name and a password.";
  static constexpr auto all = std::tuple{
      key("users", &BasicAuth::users,
          "name:hash as htpasswd writes it; bcrypt, apr1, SHA-1, SHA-256 and SHA-512 crypt"),
      key("realm", &BasicAuth::realm, ""),
      key("headerField", &BasicAuth::header, "the service gets the name in this field"),
      key("removeHeader", &BasicAuth::remove_header, "the service does not get Authorization"),
  };
};
template <>
struct Keys<DigestAuth> {
  static constexpr std::string_view kind = "digestAuth",
                                    does = "Asks for a name and a password that are not sent (RFC 7616).";
  static constexpr auto all = std::tuple{
      key("users", &DigestAuth::users, "name:realm:hash as htdigest writes it, in MD5 or SHA-256"),
      key("realm", &DigestAuth::realm, "that of the hashes"),
      key("headerField", &DigestAuth::header, "the service gets the name in this field"),
      key("removeHeader", &DigestAuth::remove_header, "the service does not get Authorization"),
  };
};
template <>
struct Keys<ApiKey> {
  static constexpr std::string_view kind = "apiKey", does = "Asks for a key in a field (berth only).";
  static constexpr auto all = std::tuple{
      key("headerName", &ApiKey::header, "the field, which the service does not get"),
      key("keys", &ApiKey::keys, "name:SHA-256 of the key in hex"),
      key("headerField", &ApiKey::name_header, "the service gets the key's name in this field"),
  };
};
template <>
struct Keys<Jwt> {
  static constexpr std::string_view kind = "jwt",
                                    does = "Asks for a signed token as Authorization: Bearer (berth only).";
  static constexpr auto all = std::tuple{
      key("secret", &Jwt::secret, "for HS256, at least 32 bytes"),
      key("publicKey", &Jwt::public_key, "PEM, for RS256 (RSA) or ES256 (P-256)"),
      key("jwks", &Jwt::jwks, "a key set as JSON, for RS256 and ES256"),
      key("issuer", &Jwt::issuer, "what iss must be"),
      key("audience", &Jwt::audience, "what aud must hold"),
      key("headerField", &Jwt::subject_header, "the service gets sub in this field"),
      key("removeHeader", &Jwt::remove_header, "the service does not get Authorization"),
  };
};
template <>
struct Keys<ForwardAuth> {
  static constexpr std::string_view kind = "forwardAuth", does = "Asks a service whether a request may pass.";
  static constexpr auto all = std::tuple{
      key("address", &ForwardAuth::address,
          "http://NAME:PORT/PATH; NAME is a service or container of the same project"),
      key("trustForwardHeader", &ForwardAuth::trust_forward_header, "has no effect: trusted proxies decide"),
      key("authResponseHeaders", &ForwardAuth::response_headers, "fields of its reply that the service gets"),
      key("authResponseHeadersRegex", &ForwardAuth::response_headers_regex, "the same by a pattern"),
      key("authRequestHeaders", &ForwardAuth::request_headers, "fields that it gets; empty: all"),
      key("addAuthCookiesToResponse", &ForwardAuth::cookies, "cookies of its reply that the client gets"),
      key("headerField", &ForwardAuth::header, "has no effect"),
      key("preserveLocationHeader", &ForwardAuth::keep_location, "has no effect: Location is always kept"),
      key("preserveRequestMethod", &ForwardAuth::keep_method, "ask with the request's method instead of GET"),
      key("cache", &ForwardAuth::cache,
          "how long a yes holds for the same URL, cookies and Authorization (berth only)"),
  };
};
template <>
struct Keys<Buffering> {
  static constexpr std::string_view kind = "buffering",
                                    does = "Limits the size of request bodies; bodies are streamed.";
  static constexpr auto all = std::tuple{
      key("maxRequestBodyBytes", &Buffering::request_bytes, "413 above; 0: no limit"),
      key("memRequestBodyBytes", &Buffering::request_memory, "has no effect"),
      key("maxResponseBodyBytes", &Buffering::response_bytes, "a reply that says to be larger becomes 502"),
      key("memResponseBodyBytes", &Buffering::response_memory, "has no effect"),
      key("retryExpression", &Buffering::retry, "has no effect; use retry"),
  };
};
template <>
struct Keys<Compress> {
  static constexpr std::string_view kind = "compress", does = "Compresses replies as the client accepts it.";
  static constexpr auto all = std::tuple{
      key("encodings", &Compress::encodings, "gzip, br, zstd; the first that the client likes best"),
      key("defaultEncoding", &Compress::fallback, "for requests without Accept-Encoding; empty: none"),
      key("excludedContentTypes", &Compress::excluded, "not these"),
      key("includedContentTypes", &Compress::included, "only these; empty: all but what is compressed already"),
      key("minResponseBodyBytes", &Compress::least, "not what is smaller"),
  };
};
template <>
struct Keys<Retry> {
  static constexpr std::string_view kind = "retry", does = "Asks again when the service cannot be reached.";
  static constexpr auto all = std::tuple{
      key("attempts", &Retry::attempts, "in all; at most a fifth of the requests is asked again"),
      key("initialInterval", &Retry::interval, "pause before the second attempt, doubled each time"),
      key("timeout", &Retry::timeout, "no further attempt after; 0: none"),
      key("maxRequestBodyBytes", &Retry::body_bytes, "has no effect: a body that was begun is not sent again"),
      key("status", &Retry::status, "also on these replies: 502,503-504"),
      key("disableRetryOnNetworkError", &Retry::not_on_network_error, ""),
      key("retryNonIdempotentMethod", &Retry::not_idempotent, "POST and PATCH too"),
  };
};
template <>
struct Keys<CircuitBreaker> {
  static constexpr std::string_view kind = "circuitBreaker", does = "Stops asking a service that fails.";
  static constexpr auto all = std::tuple{
      key("expression", &CircuitBreaker::expression,
          "NetworkErrorRatio(), ResponseCodeRatio(a,b,c,d), LatencyAtQuantileMS(q), RequestThreshold()"),
      key("checkPeriod", &CircuitBreaker::check, ""),
      key("fallbackDuration", &CircuitBreaker::fallback, "nothing is asked for so long"),
      key("recoveryDuration", &CircuitBreaker::recovery, "then more and more, for so long"),
      key("responseCode", &CircuitBreaker::status, "what clients get meanwhile"),
  };
};
template <>
struct Keys<ErrorPages> {
  static constexpr std::string_view kind = "errors", does = "Takes the pages of errors from a service.";
  static constexpr auto all = std::tuple{
      key("status", &ErrorPages::status, "500-599,404"),
      key("service", &ErrorPages::service, ""),
      key("query", &ErrorPages::query, "path with {status} and {url}"),
  };
};
template <>
struct Keys<ContentType> {
  static constexpr std::string_view kind = "contentType", does = "Has no effect: content types are the service's own.";
  static constexpr auto all = std::tuple{key("autoDetect", &ContentType::autodetect, "")};
};
template <>
struct Keys<EncodedCharacters> {
  static constexpr std::string_view kind = "encodedCharacters",
                                    does =
                                        "Encoded characters that change a path are always refused; true is an error.";
  static constexpr auto all = std::tuple{
      key("allowEncodedSlash", &EncodedCharacters::slash, ""),
      key("allowEncodedBackSlash", &EncodedCharacters::backslash, ""),
      key("allowEncodedSemicolon", &EncodedCharacters::semicolon, ""),
      key("allowEncodedPercent", &EncodedCharacters::percent, ""),
      key("allowEncodedQuestionMark", &EncodedCharacters::question_mark, ""),
      key("allowEncodedHash", &EncodedCharacters::hash, ""),
  };
};
template <>
struct Keys<CertNameParts> {
  static constexpr auto all = std::tuple{
      key("country", &CertNameParts::country, "C"),
      key("province", &CertNameParts::province, "ST"),
      key("locality", &CertNameParts::locality, "L"),
      key("organization", &CertNameParts::organization, "O"),
      key("organizationalUnit", &CertNameParts::organizational_unit, "OU"),
      key("commonName", &CertNameParts::common_name, "CN"),
      key("serialNumber", &CertNameParts::serial_number, "SN"),
      key("domainComponent", &CertNameParts::domain_component, "DC"),
  };
};
template <>
struct Keys<CertInfo> {
  static constexpr auto all = std::tuple{
      key("notAfter", &CertInfo::not_after, "NA, in seconds of Unix"),
      key("notBefore", &CertInfo::not_before, "NB"),
      key("sans", &CertInfo::sans, "SAN: names, mail addresses, IP addresses, URIs"),
      key("serialNumber", &CertInfo::serial_number, "SerialNumber, decimal"),
      key("subject", &CertInfo::subject, ""),
      key("issuer", &CertInfo::issuer, ""),
  };
};
template <>
struct Keys<PassTlsClientCert> {
  static constexpr std::string_view kind = "passTLSClientCert",
                                    does = "Tells services of the certificate that a client showed.";
  static constexpr auto all = std::tuple{
      key("pem", &PassTlsClientCert::pem, "X-Forwarded-Tls-Client-Cert: its PEM text as one line without frame"),
      key("info", &PassTlsClientCert::info, "X-Forwarded-Tls-Client-Cert-Info, percent-encoded"),
  };
};
template <>
struct Keys<GrpcWeb> {
  static constexpr std::string_view kind = "grpcWeb", does = "Lets browsers ask gRPC services (gRPC-Web).";
  static constexpr auto all = std::tuple{key("allowOrigins", &GrpcWeb::origins, "exact origins, or *")};
};
template <>
struct Keys<Maintenance> {
  static constexpr std::string_view kind = "maintenance", does = "Answers 503 to everyone but some (berth only).";
  static constexpr auto all = std::tuple{
      key("enabled", &Maintenance::enabled, ""),
      key("message", &Maintenance::message, "one sentence for clients"),
      key("retryAfter", &Maintenance::retry_after, "seconds"),
      key("sourceRange", &Maintenance::allowed, "addresses or prefixes that get through"),
  };
};

/// Its own reader knows its keys.
template <>
struct Keys<CachePolicy> {
  static constexpr std::string_view kind = "cache", does = "Keeps replies; `doc/cache.md` lists its keys (berth only).";
  static constexpr auto all = std::tuple{};
};

}  // namespace berth::edge
