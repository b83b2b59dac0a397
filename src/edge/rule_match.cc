#include <algorithm>

#include "base/text.h"
#include "edge/rule.h"

namespace berth::edge {
namespace {

bool host_matches(std::string_view pattern, std::string_view host) {
  if (pattern == "*") return true;
  if (!pattern.starts_with("*.")) return pattern == host;
  const std::string_view rest = pattern.substr(1);  // ".example.com"
  if (host.size() <= rest.size() || !host.ends_with(rest)) return false;
  return host.substr(0, host.size() - rest.size()).find('.') == std::string_view::npos;
}

template <class Test>
bool any_header(const Matcher& matcher, const RequestFacts& facts, Test test) {
  if (!facts.headers) return false;
  return std::any_of(facts.headers->begin(), facts.headers->end(), [&](const http::Field& field) {
    return http::same_name(field.name, matcher.key) && test(field.value);
  });
}

template <class Test>
bool any_label(const Matcher& matcher, const RequestFacts& facts, Test test) {
  return facts.labels && std::ranges::any_of(*facts.labels, [&](const auto& label) {
           return label.first == matcher.key && test(label.second);
         });
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool is_port(std::string_view text) {
  return text.size() <= 5 && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

/// Labels of 1 to 63 letters, digits, '-' and '_', divided by dots.
bool is_name(std::string_view text) {
  if (text.size() > 253) return false;
  const auto word = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  };
  return std::ranges::all_of(split(text, '.'), [&](std::string_view label) {
    return !label.empty() && label.size() <= 63 && std::ranges::all_of(label, word);
  });
}

std::string form_decode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+') {
      out += ' ';
    } else if (text[i] == '%' && i + 2 < text.size() && hex_value(text[i + 1]) >= 0 && hex_value(text[i + 2]) >= 0) {
      out += static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

template <class Test>
bool any_query(const Matcher& matcher, std::string_view query, Test test) {
  while (!query.empty()) {
    const Cut pair = cut(query, '&');
    query = pair.after;
    const Cut item = cut(pair.before, '=');
    if (form_decode(item.before) == matcher.key && test(form_decode(item.after))) return true;
  }
  return false;
}

bool path_matches(const Matcher& matcher, std::string_view path) {
  if (matcher.regex) return matches(*matcher.regex, path);
  return matcher.kind == MatcherKind::path ? path == matcher.value : path.starts_with(matcher.value);
}

/// `offered` as in RequestFacts.
bool offers(std::string_view offered, std::string_view protocol) {
  while (!offered.empty()) {
    const std::size_t size = static_cast<unsigned char>(offered.front());
    if (offered.substr(1, size) == protocol) return true;
    offered.remove_prefix(std::min(offered.size(), size + 1));
  }
  return false;
}

bool plain_match(const Matcher& matcher, const RequestFacts& facts) {
  const auto equals = [&](std::string_view value) { return matcher.any_value || value == matcher.value; };
  const auto fits = [&](std::string_view value) { return matches(*matcher.regex, value); };
  switch (matcher.kind) {
    case MatcherKind::host:
      return host_matches(matcher.value, facts.host);
    case MatcherKind::host_regexp:
      return fits(facts.host);
    case MatcherKind::path:
    case MatcherKind::path_prefix:
    case MatcherKind::path_regexp:
      return path_matches(matcher, facts.path);
    case MatcherKind::method:
      return facts.method == matcher.value;
    case MatcherKind::header:
      return any_header(matcher, facts, equals);
    case MatcherKind::header_regexp:
      return any_header(matcher, facts, fits);
    case MatcherKind::query:
      return any_query(matcher, facts.query, equals);
    case MatcherKind::query_regexp:
      return any_query(matcher, facts.query, fits);
    case MatcherKind::client_ip:
      return matcher.prefix.contains(facts.client);
    case MatcherKind::alpn:
      return offers(facts.alpn, matcher.value);
    case MatcherKind::label:
      return any_label(matcher, facts, equals);
    case MatcherKind::label_regexp:
      return any_label(matcher, facts, fits);
  }
  return false;
}

bool node_matches(const Rule& rule, const RuleNode& node, const RequestFacts& facts) {
  const auto child = [&](const RuleNode& each) { return node_matches(rule, each, facts); };
  switch (node.kind) {
    case RuleNode::Kind::all:
      return std::ranges::all_of(node.children, child);
    case RuleNode::Kind::any:
      return std::ranges::any_of(node.children, child);
    case RuleNode::Kind::match:
      break;
  }
  const Matcher& matcher = rule.matchers[node.matcher];
  return plain_match(matcher, facts) != matcher.negated;
}

/// As v3 writes it.
std::string text_of(const Matcher& matcher) {
  static constexpr std::string_view kNames[] = {"Host",     "HostRegexp", "Path",         "PathPrefix", "PathRegexp",
                                                "Method",   "Header",     "HeaderRegexp", "Query",      "QueryRegexp",
                                                "ClientIP", "ALPN",       "Label",        "LabelRegex"};
  std::string out = (matcher.negated ? "!" : "") + std::string(kNames[static_cast<std::size_t>(matcher.kind)]) + "(`";
  if (!matcher.key.empty()) out += matcher.key + (matcher.any_value ? "" : "`, `");
  return out + matcher.value + "`)";
}

/// Of `all` the first that fails, of `any` each.
std::string node_mismatch(const Rule& rule, const RuleNode& node, const RequestFacts& facts) {
  if (node_matches(rule, node, facts)) return {};
  if (node.kind == RuleNode::Kind::match) return text_of(rule.matchers[node.matcher]);
  std::string out;
  for (const RuleNode& child : node.children) {
    const std::string why = node_mismatch(rule, child, facts);
    if (why.empty()) continue;
    if (node.kind == RuleNode::Kind::all) return why;
    out += (out.empty() ? "" : ", ") + why;
  }
  return out;
}

/// The hosts that a node needs; nothing: it may match any.
std::optional<std::vector<std::string>> needed_hosts(const Rule& rule, const RuleNode& node) {
  if (node.kind == RuleNode::Kind::match) {
    const Matcher& matcher = rule.matchers[node.matcher];
    if (matcher.kind != MatcherKind::host || matcher.negated || matcher.value == "*") return std::nullopt;
    return std::vector{matcher.value};
  }
  std::vector<std::string> all;
  for (const RuleNode& child : node.children) {
    auto hosts = needed_hosts(rule, child);
    if (node.kind == RuleNode::Kind::all && hosts) return hosts;
    if (node.kind == RuleNode::Kind::any && !hosts) return std::nullopt;
    if (hosts) all.insert(all.end(), hosts->begin(), hosts->end());
  }
  if (node.kind == RuleNode::Kind::all) return std::nullopt;
  return all;
}

}  // namespace

bool matches(const Rule& rule, const RequestFacts& facts) {
  return node_matches(rule, rule.root, facts);
}

std::string mismatch(const Rule& rule, const RequestFacts& facts) {
  return node_mismatch(rule, rule.root, facts);
}

std::vector<std::string> hosts_of(const Rule& rule) {
  auto hosts = needed_hosts(rule, rule.root).value_or(std::vector<std::string>{});
  std::ranges::sort(hosts);
  const auto same = std::ranges::unique(hosts);
  hosts.erase(same.begin(), same.end());
  return hosts;
}

Result<std::string> canonical_host(std::string_view text) {
  const std::string given(text.substr(0, 80));
  const auto wrong = [&] { return fail(Code::invalid, "\"" + given + "\" is not a host name"); };
  const auto close = text.starts_with('[') ? text.find(']') : 0;
  const auto colon = close == std::string_view::npos ? close : text.find(':', close);
  if (colon != std::string_view::npos && !is_port(text.substr(colon + 1))) return wrong();
  text = text.substr(0, colon);
  if (text.starts_with('[')) {
    auto ip = text.ends_with(']') ? parse_ip(text) : Result<Ip>(wrong());
    return ip ? Result<std::string>(ip->text()) : wrong();
  }
  if (text.ends_with('.')) text.remove_suffix(1);
  if (text == "*") return std::string(text);
  if (!is_name(text.starts_with("*.") ? text.substr(2) : text)) return wrong();
  return lower(text);
}

}  // namespace berth::edge
