#include "edge/keys_check.h"

#include <algorithm>
#include <tuple>

#include "base/text.h"
#include "edge/breaker.h"
#include "edge/label_parse.h"
#include "edge/rule.h"
#include "http/head.h"

namespace berth::edge {
namespace {

std::unexpected<Error> wrong(std::string_view path, std::string_view key, std::string_view why) {
  return fail(Code::invalid, std::string(path) + "." + std::string(key) + ": " + std::string(why));
}

Result<void> plain_path(std::string_view path, std::string_view key, std::string_view text) {
  if (!text.starts_with('/')) return wrong(path, key, "must begin with /");
  const auto odd = [](char c) { return c <= ' ' || c >= 0x7f || c == '?' || c == '#' || c == '\\' || c == '%'; };
  if (std::ranges::any_of(text, odd) || text.contains("//") || text.contains("/.")) {
    return wrong(path, key, "is not a plain path");
  }
  return {};
}

Result<void> name_of_field(std::string_view path, std::string_view key, std::string_view name) {
  return name.empty() ? Result<void>() : check_field(std::string(path) + "." + std::string(key), name, "");
}

Result<void> is_status(std::string_view path, std::string_view key, std::uint32_t status) {
  return status >= 400 && status <= 599 ? Result<void>() : wrong(path, key, "must be from 400 to 599");
}

bool has_field(const Pairs& fields, std::string_view name) {
  return std::ranges::any_of(fields, [&](const auto& each) { return equal_fold(each.first, name); });
}

/// What the user set by name wins over a flag.
Result<void> imply(std::string_view path, Headers& action, std::string_view name, const std::string& value) {
  if (value.empty() || has_field(action.response, name)) return {};
  TRY(check_field(std::string(path) + "." + lower(name), name, value));
  action.response.emplace_back(name, value);
  return {};
}

}  // namespace

Result<void> check_field(std::string_view path, std::string_view name, std::string_view value) {
  // A field of the message's framing would let a label smuggle requests; one of the connection is the edge's own.
  static constexpr std::string_view kOwn[] = {
      "content-length", "transfer-encoding", "connection", "proxy-connection", "upgrade",
      "keep-alive",     "http2-settings",    "te",         "trailer",          "expect"};
  if (!http::is_token(name)) return fail(Code::invalid, std::string(path) + ": is not a field name");
  if (std::ranges::count(kOwn, lower(name))) {
    return fail(Code::invalid,
                std::string(path) + ": cannot be set or removed: the edge writes it for each message; leave it out");
  }
  if (!http::is_field_value(value)) {
    return fail(Code::invalid, std::string(path) + ": the value has control characters");
  }
  return {};
}

Result<void> check(std::string_view path, RedirectScheme& action) {
  action.scheme = lower(action.scheme);
  if (action.scheme != "https" && action.scheme != "http") return wrong(path, "scheme", "must be https or http");
  if (!action.port.empty() && !parse_port(action.port)) return wrong(path, "port", "is not a port");
  return {};
}

Result<void> check(std::string_view path, RedirectRegex& action) {
  if (action.regex.text.empty()) return wrong(path, "regex", "is empty");
  if (action.replacement.empty()) return wrong(path, "replacement", "is empty");
  return {};
}

Result<void> check(std::string_view path, StripPrefix& action) {
  if (action.prefixes.empty()) return wrong(path, "prefixes", "is empty");
  for (const std::string& prefix : action.prefixes) TRY(plain_path(path, "prefixes", prefix));
  return {};
}

Result<void> check(std::string_view path, StripPrefixRegex& action) {
  return action.regex.empty() ? wrong(path, "regex", "is empty") : Result<void>();
}

Result<void> check(std::string_view path, AddPrefix& action) {
  TRY(plain_path(path, "prefix", action.prefix));
  while (action.prefix.ends_with('/')) action.prefix.pop_back();
  return {};
}

Result<void> check(std::string_view path, ReplacePath& action) {
  return plain_path(path, "path", action.path);
}

Result<void> check(std::string_view path, ReplacePathRegex& action) {
  if (action.regex.text.empty()) return wrong(path, "regex", "is empty");
  return {};
}

std::string sts_of(const Headers& action) {
  if (action.sts_seconds <= 0 || action.development) return {};
  std::string sts = "max-age=" + std::to_string(action.sts_seconds);
  if (action.sts_subdomains) sts += "; includeSubDomains";
  if (action.sts_preload) sts += "; preload";
  return sts;
}

Result<void> check_cors(std::string_view path, const Cors& cors) {
  for (const auto* list : {&cors.headers, &cors.methods, &cors.expose}) {
    for (const std::string& item : *list) {
      if (!http::is_token(item) && item != "*") return wrong(path, "accesscontrol", "\"" + item + "\" is not a name");
    }
  }
  for (const std::string& origin : cors.origins) {
    if (!http::is_field_value(origin)) return wrong(path, "accesscontrolalloworiginlist", "has control characters");
  }
  // Any page in the world could act with the user's cookies.
  if (cors.credentials && std::ranges::count(cors.origins, "*")) {
    return wrong(path, "accesscontrolallowcredentials", "does not go with every origin (*); list the origins");
  }
  return {};
}

/// The one field of framing that a request may get: it decides which site of the server answers.
Result<void> check_host(std::string_view path, const Headers& action) {
  for (const auto& [name, value] : action.request) {
    if (!equal_fold(name, "host")) continue;
    const Cut port = cut_last(value, ':');
    const bool has_port = port.found && !value.ends_with(']');
    const auto host = canonical_host(value);
    if (!host || host->contains('*') || (has_port && !parse_port(port.after)))
      return wrong(path, "customrequestheaders.host", "\"" + value + "\" is not a host with or without a port");
  }
  if (has_field(action.response, "host")) return wrong(path, "customresponseheaders.host", "is no field of replies");
  return {};
}

Result<void> check(std::string_view path, Headers& action) {
  TRY(check_host(path, action));
  const std::string frame = !action.frame_options.empty() ? action.frame_options : action.frame_deny ? "DENY" : "";
  const std::string xss = !action.xss_value.empty() ? action.xss_value : action.xss_filter ? "1; mode=block" : "";
  const std::pair<std::string_view, std::string> implied[] = {
      {"X-Frame-Options", frame},
      {"X-Content-Type-Options", action.no_sniff ? "nosniff" : ""},
      {"X-XSS-Protection", xss},
      {"Content-Security-Policy", action.security_policy},
      {"Content-Security-Policy-Report-Only", action.security_policy_report},
      {"Referrer-Policy", action.referrer_policy},
      {"Permissions-Policy", action.permissions_policy},
      {"Strict-Transport-Security", sts_of(action)},
  };
  for (const auto& [name, value] : implied) TRY(imply(path, action, name, value));
  TRY(check_cors(path, action.cors));
  for (std::string& host : action.allowed_hosts) host = lower(host);
  return {};
}

Result<void> check(std::string_view path, RateLimit& action) {
  TRY(name_of_field(path, "sourcecriterion.requestheadername", action.source.header));
  if (action.average > 1'000'000) return wrong(path, "average", "is not a number up to 1000000");
  if (action.burst > 1'000'000) return wrong(path, "burst", "is not a number up to 1000000");
  if (action.period < std::chrono::milliseconds(1)) return wrong(path, "period", "is not a duration such as 1s or 1m");
  action.burst = std::max(action.burst, 1u);
  return {};
}

Result<void> check(std::string_view path, InFlight& action) {
  // As in Traefik: without a criterion all requests of a host share the limit.
  if (action.source == SourceCriterion{}) action.source.host = true;
  return name_of_field(path, "sourcecriterion.requestheadername", action.source.header);
}

Result<void> check(std::string_view path, IpAllowList& action) {
  if (action.ranges.empty()) return wrong(path, "sourcerange", "is empty: nobody could pass");
  return is_status(path, "rejectstatuscode", action.status);
}

Result<void> check(std::string_view path, TcpIpAllowList& action) {
  return action.ranges.empty() ? Result<void>(wrong(path, "sourcerange", "is empty: nobody could pass"))
                               : Result<void>();
}

Result<void> check(std::string_view path, ProxyOut& proxy) {
  const bool known = proxy.version == 1 || proxy.version == 2;
  return known ? Result<void>() : Result<void>(wrong(path, "version", "is neither 1 nor 2"));
}

Result<void> check(std::string_view path, BasicAuth& action) {
  if (action.users.empty()) return wrong(path, "users", "is empty: nobody could pass");
  for (const std::string& user : action.users) {
    const Cut parts = cut(user, ':');
    // The hash is a secret: it is not named.
    if (!parts.found || parts.before.empty() || parts.after.size() < 13) {
      return wrong(path, "users", "an entry is not name:hash as htpasswd writes it");
    }
  }
  if (!http::is_field_value(action.realm) || action.realm.find_first_of("\"\\") != std::string::npos) {
    return wrong(path, "realm", "has characters that need escaping");
  }
  return name_of_field(path, "headerfield", action.header);
}

Result<void> check(std::string_view path, DigestAuth& action) {
  if (action.users.empty()) return wrong(path, "users", "is empty: nobody could pass");
  for (const std::string& user : action.users) {
    const auto parts = split(user, ':');
    const bool sized = parts.size() == 3 && (parts[2].size() == 32 || parts[2].size() == 64);
    // The hash is as good as the password: it is not named.
    if (!sized || parts[0].empty() || parts[2].find_first_not_of("0123456789abcdef") != std::string_view::npos)
      return wrong(path, "users", "an entry is not name:realm:hash as htdigest writes it");
    if (parts[1] != action.realm) return wrong(path, "realm", "is not the one that the hashes of users were made for");
  }
  if (!http::is_field_value(action.realm) || action.realm.find_first_of("\"\\") != std::string::npos)
    return wrong(path, "realm", "has characters that need escaping");
  return name_of_field(path, "headerfield", action.header);
}

Result<void> check(std::string_view path, ApiKey& action) {
  TRY(name_of_field(path, "headername", action.header));
  TRY(name_of_field(path, "headerfield", action.name_header));
  if (action.header.empty()) return wrong(path, "headername", "is empty");
  if (action.keys.empty()) return wrong(path, "keys", "is empty: nobody could pass");
  for (std::string& entry : action.keys) {
    const Cut parts = cut(entry, ':');
    const auto hex = [](char c) { return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f'); };
    if (parts.after.size() != 64 || !std::ranges::all_of(parts.after, hex) || !http::is_token(parts.before)) {
      return wrong(path, "keys", "an entry is not name:hash with the SHA-256 of the key as 64 hex digits");
    }
    entry = std::string(parts.before) + ":" + lower(parts.after);
  }
  return {};
}

Result<void> check(std::string_view path, Jwt& action) {
  const int given = !action.secret.empty() + !action.public_key.empty() + !action.jwks.empty();
  // With more than one a token could choose by which it is judged.
  if (given != 1) return wrong(path, "secret", "set exactly one of secret, publickey and jwks");
  if (!action.secret.empty() && action.secret.size() < 32) return wrong(path, "secret", "is shorter than 32 bytes");
  return name_of_field(path, "headerfield", action.subject_header);
}

Result<void> check(std::string_view path, ForwardAuth& action) {
  if (!action.address.starts_with("http://") && !action.address.starts_with("https://")) {
    return wrong(path, "address", "must begin with http:// or https://");
  }
  const auto odd = [](char c) { return c <= ' ' || c >= 0x7f || c == '#' || c == '@'; };
  if (std::ranges::any_of(action.address, odd)) return wrong(path, "address", "is not a plain URL");
  for (const auto* list : {&action.response_headers, &action.request_headers}) {
    for (const std::string& name : *list) TRY(check_field(std::string(path) + ".headers", name, ""));
  }
  return {};
}

Result<void> check(std::string_view path, Compress& action) {
  for (std::string& encoding : action.encodings) {
    encoding = lower(encoding);
    if (encoding != "gzip" && encoding != "br" && encoding != "zstd") {
      return wrong(path, "encodings", "\"" + encoding + "\" is not gzip, br or zstd");
    }
  }
  action.fallback = lower(action.fallback);
  if (!action.fallback.empty() && !std::ranges::count(action.encodings, action.fallback)) {
    return wrong(path, "defaultencoding", "is not one of encodings");
  }
  if (!action.excluded.empty() && !action.included.empty()) {
    return wrong(path, "includedcontenttypes", "does not go with excludedcontenttypes");
  }
  for (auto* list : {&action.excluded, &action.included}) {
    for (std::string& type : *list) type = lower(type);
  }
  return {};
}

Result<void> check(std::string_view path, Retry& action) {
  if (action.attempts < 1 || action.attempts > 10) return wrong(path, "attempts", "must be from 1 to 10");
  if (action.interval > std::chrono::seconds(10)) return wrong(path, "initialinterval", "is longer than 10s");
  return {};
}

Result<void> check(std::string_view path, CircuitBreaker& action) {
  auto parsed = parse_condition(action.expression);
  if (!parsed) return fail(std::move(parsed.error()).within(std::string(path) + ".expression"));
  return is_status(path, "responsecode", action.status);
}

Result<void> check(std::string_view path, ErrorPages& action) {
  if (action.status.empty()) return wrong(path, "status", "is empty");
  if (action.service.empty()) return wrong(path, "service", "is empty");
  if (!action.query.starts_with('/')) return wrong(path, "query", "must begin with /");
  const auto odd = [](char c) { return c <= ' ' || c >= 0x7f || c == '#' || c == '\\'; };
  if (std::ranges::any_of(action.query, odd)) return wrong(path, "query", "is not a plain path");
  return {};
}

Result<void> check(std::string_view path, EncodedCharacters& action) {
  if (action.slash || action.backslash || action.semicolon || action.percent || action.question_mark || action.hash) {
    return wrong(path, "allowencoded",
                 "cannot be allowed: routes and services could read such a path in two ways; such requests get 400");
  }
  return {};
}

Result<void> check(std::string_view path, Maintenance& action) {
  return http::is_field_value(action.message) && action.message.size() <= 500
             ? Result<void>()
             : wrong(path, "message", "must be one line of at most 500 bytes");
}

Result<void> check(std::string_view path, Sticky& sticky) {
  if (!sticky.name.empty() && !http::is_token(sticky.name)) return wrong(path, "name", "is not a cookie's name");
  sticky.same_site = lower(sticky.same_site);
  static constexpr std::string_view kSites[] = {"", "none", "lax", "strict"};
  if (!std::ranges::count(kSites, sticky.same_site)) return wrong(path, "samesite", "is not none, lax or strict");
  for (const auto& [key, text] : {std::pair("path", &sticky.path), std::pair("domain", &sticky.domain)}) {
    if (!http::is_field_value(*text) || text->contains(';')) return wrong(path, key, "has characters that end it");
  }
  return {};
}

Result<void> check(std::string_view path, HealthCheck& health) {
  if (!health.path.starts_with('/')) return wrong(path, "path", "must begin with /");
  const auto odd = [](char c) { return c <= ' ' || c >= 0x7f || c == '#'; };
  if (std::ranges::any_of(health.path, odd)) return wrong(path, "path", "is not a plain path");
  if (health.port > 65535) return wrong(path, "port", "is not a port");
  if (!http::is_token(health.method)) return wrong(path, "method", "is not a method");
  if (!health.hostname.empty() && !http::is_authority(health.hostname)) return wrong(path, "hostname", "is no host");
  if (!health.scheme.empty() && health.scheme != "http" && health.scheme != "https") {
    return wrong(path, "scheme", "must be http or https");
  }
  const auto least = std::chrono::milliseconds(100);
  if (health.interval < least || health.timeout < std::chrono::milliseconds(1)) {
    return wrong(path, "interval", "must be at least 100ms, and timeout 1ms");
  }
  return {};
}

Result<void> check(std::string_view path, Cgi& cgi) {
  while (cgi.root.ends_with('/')) cgi.root.pop_back();
  if (!cgi.root.empty()) TRY(plain_path(path, "root", cgi.root));
  if (!cgi.script.empty()) TRY(plain_path(path, "script", cgi.script));
  return plain_path(path, "index", "/" + cgi.index);
}

Result<void> check(std::string_view path, Transport& transport) {
  const auto whole = [](const PemPair& each) { return !each.chain.empty() && !each.key.empty(); };
  if (transport.certificates.size() > 1) return wrong(path, "certificates", "more than one is not supported");
  if (!std::ranges::all_of(transport.certificates, whole))
    return wrong(path, "certificates", "lacks certFile or keyFile");
  if (!transport.server_name.empty() && !http::is_authority(transport.server_name))
    return wrong(path, "servername", "is no host");
  if (!transport.peer_uri.empty() && !transport.peer_uri.contains(':')) return wrong(path, "peercerturi", "is no URI");
  if (!transport.peer_uri.empty() && transport.insecure)
    return wrong(path, "peercerturi", "needs a certificate that is verified; leave insecureSkipVerify out");
  return {};
}

Result<void> check(std::string_view path, TcpTransport& transport) {
  return check(path, static_cast<Transport&>(transport));
}

Result<void> check_offered(std::string_view path, const Json& transport) {
  if (!transport.contains("spiffe") && !transport["tls"].contains("spiffe")) return {};
  return wrong(path, "spiffe",
               "is not supported: there is no workload API here; use rootCAs, certificates and peerCertURI");
}

}  // namespace berth::edge
