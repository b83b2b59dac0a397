// Router rules in Traefik's grammar: text -> Rule, and whether a request matches.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "edge/ip.h"
#include "http/head.h"

namespace berth::edge {

/// What a rule may look at: views into one request that was parsed and made canonical before.
struct RequestFacts {
  std::string_view host;    ///< lower case, without port and trailing dot
  std::string_view method;  ///< as sent
  std::string_view path;    ///< canonical path as it will be forwarded, without query; begins with '/'
  std::string_view query;   ///< as sent, without '?'
  Ip client;                ///< the peer, or what a trusted proxy in front of it said
  /// Fields as sent; none when null.
  const http::Fields* headers = nullptr;
  /// Of a TCP connection: the protocols that its client offers, each behind a byte with its length (RFC 7301).
  std::string_view alpn{};
  /// Of a container, for constraints; none when null.
  const std::vector<std::pair<std::string, std::string>>* labels = nullptr;
};

/// A compiled regular expression (RE2: linear time, since rules come from users' labels). Immutable, any thread.
class Regex;
struct RegexOptions {
  bool whole = false;        ///< it must match all of the text (Traefik v2), not a part of it
  bool ignore_case = false;  ///< host names
  bool captures = false;     ///< replace() may name its groups
};
/// Code::invalid with RE2's reason.
Result<std::shared_ptr<const Regex>> compile_regex(std::string_view pattern, RegexOptions options = {});
bool matches(const Regex& regex, std::string_view text);
/// `text` with every match replaced; $1, ${1} and ${name} are groups, $$ is a dollar sign (Go's Expand). At most 16
/// KiB, else Code::invalid. REQUIRES: compiled with captures.
Result<std::string> replace(const Regex& regex, std::string_view text, std::string_view replacement);
/// How many bytes the leftmost match takes when it begins where `text` does; else 0.
std::size_t prefix_length(const Regex& regex, std::string_view text);

enum class MatcherKind {
  host,
  host_regexp,
  path,
  path_prefix,
  path_regexp,
  method,
  header,
  header_regexp,
  query,
  query_regexp,
  client_ip,
  alpn,
  label,
  label_regexp
};

/// Whose rules: HostSNI, HostSNIRegexp, ALPN and ClientIP are for TCP routers, all others and ClientIP for HTTP ones.
/// HostSNI is a `host` whose name comes from the TLS handshake. Label and LabelRegex say which containers count.
enum class RuleKind : std::uint8_t { http, tcp, labels };

/// One matcher of a rule, ready to be asked.
struct Matcher {
  MatcherKind kind = MatcherKind::host;
  bool negated = false;
  std::string key{};                     ///< header, query or label name (header names in lower case)
  std::string value{};                   ///< host, path, method, value or pattern
  bool any_value = false;                ///< Query(`k`): the key alone decides
  std::shared_ptr<const Regex> regex{};  ///< set for the *_regexp kinds and for v2 patterns in Path and PathPrefix
  Cidr prefix{};                         ///< set for client_ip
};

/// A node of the tree; negation was pushed down to the matchers (De Morgan), so there are only three kinds.
struct RuleNode {
  enum class Kind { match, all, any };
  Kind kind = Kind::match;
  std::size_t matcher = 0;           ///< index into Rule::matchers, for `match`
  std::vector<RuleNode> children{};  ///< for `all` and `any`
};

/// A parsed rule. Immutable once made.
struct Rule {
  std::string text;
  std::vector<Matcher> matchers;
  RuleNode root;
  std::vector<std::string> warnings;  ///< deprecated v2 forms that were accepted, with their v3 form

  /// Traefik's default: a longer rule is asked first.
  int default_priority() const { return static_cast<int>(text.size()); }
};

/// rule := and {"||" and}; and := unary {"&&" unary}; unary := "!" unary | "(" rule ")" | Name "(" string {"," string}
/// ")"; a string is in backticks or in double quotes with Go's escapes. Code::invalid: "rule:1:14: ..." with the line
/// and a caret in its detail. At most 4 KiB, 64 levels and 256 matchers.
Result<Rule> parse_rule(std::string_view text, RuleKind kind = RuleKind::http);

bool matches(const Rule& rule, const RequestFacts& facts);
/// What keeps the rule from matching, in its own words: "Method(`POST`), !ClientIP(`10.0.0.0/8`)"; "" when it matches.
std::string mismatch(const Rule& rule, const RequestFacts& facts);

/// The hosts without which the rule cannot match, for the table's index and for certificates: exact names and
/// "*.parent" patterns. Empty: the rule may match any host.
std::vector<std::string> hosts_of(const Rule& rule);

/// `text` in lower case without port and one trailing dot when it is a DNS name, a wildcard name or an IP literal;
/// Code::invalid otherwise. At most 253 characters.
Result<std::string> canonical_host(std::string_view text);

}  // namespace berth::edge
