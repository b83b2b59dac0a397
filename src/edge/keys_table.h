// Inside of edge/keys: the table itself.
#pragma once

#include <string_view>
#include <tuple>

#include "edge/service.h"

namespace berth::edge {

/// A key as Traefik's files write it (labels are read without case); a dot leads into a table, "" means that the
/// member's keys stand at this level.
template <class Owner, class Member>
struct Key {
  std::string_view name;
  Member Owner::* member;
  std::string_view meaning;
};
template <class Owner, class Member>
constexpr Key<Owner, Member> key(std::string_view name, Member Owner::* member, std::string_view meaning) {
  return {name, member, meaning};
}

template <class T>
struct Keys;

template <>
struct Keys<IpStrategy> {
  static constexpr auto all = std::tuple{
      key("depth", &IpStrategy::depth, "n-th address of X-Forwarded-For from the right; only behind trusted proxies"),
      key("excludedIPs", &IpStrategy::excluded, "the first address from the right that is none of these"),
      key("ipv6Subnet", &IpStrategy::ipv6_subnet, "bits by which IPv6 clients count as one; 0: 64"),
  };
};
template <>
struct Keys<SourceCriterion> {
  static constexpr auto all = std::tuple{
      key("requestHeaderName", &SourceCriterion::header, "count by this field's value"),
      key("requestCookieName", &SourceCriterion::cookie, "count by this cookie's value (berth only)"),
      key("requestHost", &SourceCriterion::host, "count by host"),
      key("ipStrategy", &SourceCriterion::ip, ""),
  };
};
template <>
struct Keys<RedirectScheme> {
  static constexpr std::string_view kind = "redirectScheme", does = "Redirects to another scheme.";
  static constexpr auto all = std::tuple{
      key("scheme", &RedirectScheme::scheme, "https or http"),
      key("port", &RedirectScheme::port, "empty: the scheme's own"),
      key("permanent", &RedirectScheme::permanent, "301 or 308 instead of 302 or 307"),
  };
};
template <>
struct Keys<RedirectRegex> {
  static constexpr std::string_view kind = "redirectRegex", does = "Redirects by a pattern over the whole URL.";
  static constexpr auto all = std::tuple{
      key("regex", &RedirectRegex::regex, "RE2 syntax"),
      key("replacement", &RedirectRegex::replacement, "with ${1} or ${name}"),
      key("permanent", &RedirectRegex::permanent, "301 or 308 instead of 302 or 307"),
  };
};
template <>
struct Keys<StripPrefix> {
  static constexpr std::string_view kind = "stripPrefix", does = "Takes a prefix from the path.";
  static constexpr auto all = std::tuple{
      key("prefixes", &StripPrefix::prefixes, "the first that fits; kept in X-Forwarded-Prefix"),
      key("forceSlash", &StripPrefix::force_slash, "has no effect: a path always begins with a slash"),
  };
};
template <>
struct Keys<StripPrefixRegex> {
  static constexpr std::string_view kind = "stripPrefixRegex",
                                    does = "Takes what a pattern matches from the path's begin.";
  static constexpr auto all = std::tuple{key("regex", &StripPrefixRegex::regex, "matched at the path's begin only")};
};
template <>
struct Keys<AddPrefix> {
  static constexpr std::string_view kind = "addPrefix", does = "Puts a prefix before the path.";
  static constexpr auto all = std::tuple{key("prefix", &AddPrefix::prefix, "a plain path")};
};
template <>
struct Keys<ReplacePath> {
  static constexpr std::string_view kind = "replacePath",
                                    does = "Replaces the path; the old one is in X-Replaced-Path.";
  static constexpr auto all = std::tuple{key("path", &ReplacePath::path, "a plain path")};
};
template <>
struct Keys<ReplacePathRegex> {
  static constexpr std::string_view kind = "replacePathRegex", does = "Replaces the path by a pattern.";
  static constexpr auto all = std::tuple{
      key("regex", &ReplacePathRegex::regex, "RE2 syntax"),
      key("replacement", &ReplacePathRegex::replacement, "with ${1} or ${name}"),
  };
};
template <>
struct Keys<Cors> {
  static constexpr auto all = std::tuple{
      key("accessControlAllowCredentials", &Cors::credentials, "cookies may be sent"),
      key("accessControlAllowHeaders", &Cors::headers, ""),
      key("accessControlAllowMethods", &Cors::methods, ""),
      key("accessControlAllowOriginList", &Cors::origins, "exact origins, or *"),
      key("accessControlAllowOriginListRegex", &Cors::origin_patterns, "must match all of the origin"),
      key("accessControlExposeHeaders", &Cors::expose, ""),
      key("accessControlMaxAge", &Cors::max_age, "seconds that a browser keeps the answer"),
      key("addVaryHeader", &Cors::vary, "Vary: Origin; always added where the answer depends on it"),
  };
};
template <>
struct Keys<Headers> {
  static constexpr std::string_view kind = "headers", does = "Sets fields of requests and replies, CORS, hosts.";
  static constexpr auto all = std::tuple{
      key("customRequestHeaders", &Headers::request, "NAME=value; an empty value removes the field"),
      key("customResponseHeaders", &Headers::response, "the same for replies"),
      key("", &Headers::cors, ""),
      key("allowedHosts", &Headers::allowed_hosts, "421 for other hosts"),
      key("hostsProxyHeaders", &Headers::hosts_proxy_headers, "fields of trusted proxies that name the host"),
      key("stsSeconds", &Headers::sts_seconds, "Strict-Transport-Security: max-age"),
      key("stsIncludeSubdomains", &Headers::sts_subdomains, ""),
      key("stsPreload", &Headers::sts_preload, ""),
      key("forceSTSHeader", &Headers::force_sts, "has no effect: it is sent on both listeners"),
      key("frameDeny", &Headers::frame_deny, "X-Frame-Options: DENY"),
      key("customFrameOptionsValue", &Headers::frame_options, "X-Frame-Options"),
      key("contentTypeNosniff", &Headers::no_sniff, "X-Content-Type-Options: nosniff"),
      key("browserXssFilter", &Headers::xss_filter, "X-XSS-Protection: 1; mode=block"),
      key("customBrowserXSSValue", &Headers::xss_value, "X-XSS-Protection"),
      key("contentSecurityPolicy", &Headers::security_policy, "Content-Security-Policy"),
      key("contentSecurityPolicyReportOnly", &Headers::security_policy_report, ""),
      key("referrerPolicy", &Headers::referrer_policy, "Referrer-Policy"),
      key("permissionsPolicy", &Headers::permissions_policy, "Permissions-Policy"),
      key("isDevelopment", &Headers::development, "no allowedHosts and no Strict-Transport-Security"),
  };
};

}  // namespace berth::edge
