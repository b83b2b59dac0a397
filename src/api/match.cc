#include "api/match.h"

#include <algorithm>
#include <set>

#include "base/text.h"
#include "http/url.h"

namespace berth::api {
namespace {

// What browsers leave unencoded in a segment beside RFC 3986's unreserved characters.
constexpr std::string_view kPlain = "!$&'()*+,;=:@";

Result<void> check_segment(std::string_view raw, std::string_view decoded) {
  if (decoded.empty() || decoded == "." || decoded == "..")
    return fail(Code::invalid, "the path has an empty or dot segment");
  for (const char c : decoded)
    if (c == '/' || c == '\\' || static_cast<unsigned char>(c) < 0x20 || c == 0x7F)
      return fail(Code::invalid, "the path has an encoded '/', '\\' or control byte");
  // Encoded once and only where it must be, or left as it is.
  std::string canonical;
  for (const char c : decoded) {
    const std::string one = http::percent_encode(std::string_view(&c, 1));
    const bool plain = kPlain.find(c) != std::string_view::npos;
    const bool as_is = canonical.size() < raw.size() && raw[canonical.size()] == c;
    canonical += plain && as_is ? std::string(1, c) : one;
  }
  if (canonical != raw) return fail(Code::invalid, "the path is not canonical: \"" + std::string(raw) + "\"");
  return {};
}

}  // namespace

Result<std::vector<std::string>> path_segments(std::string_view path) {
  if (path.empty() || path[0] != '/') return fail(Code::invalid, "the path does not begin with '/'");
  std::vector<std::string> segments;
  for (const std::string_view raw : split(path.substr(1), '/')) {
    std::string decoded = TRY(http::percent_decode(raw));
    TRY(check_segment(raw, decoded));
    segments.push_back(std::move(decoded));
  }
  return segments;
}

Result<RouteTable::Template> RouteTable::parse(const Route& route) {
  Template pattern{.parts = {}, .route = &route};
  const auto wrong = [&] {
    return fail(Code::invalid, "route \"" + std::string(route.path) + "\" has a template that is none");
  };
  for (const std::string_view text : split(route.path.substr(std::min<std::size_t>(1, route.path.size())), '/')) {
    if (text.empty() || (!pattern.parts.empty() && pattern.parts.back().kind == Part::Kind::rest)) return wrong();
    if (text.front() != '{') {
      pattern.parts.push_back({.text = std::string(text), .kind = Part::Kind::literal});
      continue;
    }
    if (text.back() != '}') return wrong();
    std::string_view name = text.substr(1, text.size() - 2);
    const bool rest = name.ends_with('*');
    if (rest) name.remove_suffix(1);
    pattern.parts.push_back({.text = std::string(name), .kind = rest ? Part::Kind::rest : Part::Kind::one});
  }
  return pattern;
}

// Equal for two templates that match the same paths; sorts literals first.
std::string RouteTable::shape(const Template& pattern) {
  std::string out;
  for (const Part& part : pattern.parts) {
    switch (part.kind) {
      case Part::Kind::literal:
        out += "/0" + part.text;
        break;
      case Part::Kind::one:
        out += "/1";
        break;
      case Part::Kind::rest:
        out += "/2";
        break;
    }
  }
  return out;
}

Result<RouteTable> RouteTable::make(Routes routes) {
  RouteTable table;
  table.routes_ = std::make_unique<const Routes>(std::move(routes));
  std::set<std::string> known;
  for (const Route& route : *table.routes_) {
    Template pattern = TRY(parse(route));
    if (!known.insert(std::string(route.method) + " " + shape(pattern)).second)
      return fail(Code::invalid, "two routes are " + std::string(route.method) + " " + std::string(route.path));
    table.templates_.push_back(std::move(pattern));
  }
  std::ranges::sort(table.templates_, {}, shape);
  return table;
}

bool RouteTable::matches(const Template& pattern, const std::vector<std::string>& segments) {
  const auto& parts = pattern.parts;
  const bool rest = !parts.empty() && parts.back().kind == Part::Kind::rest;
  if (rest ? segments.size() < parts.size() : segments.size() != parts.size()) return false;
  for (std::size_t i = 0; i < parts.size(); ++i)
    if (parts[i].kind == Part::Kind::literal && parts[i].text != segments[i]) return false;
  return true;
}

RouteTable::Match RouteTable::find(std::string_view method, const std::vector<std::string>& segments) const {
  const std::string_view wanted = method == "HEAD" ? "GET" : method;
  Match match;
  std::string decided;  // the shape of the most literal template: a less literal one does not stand in for it
  for (const Template& pattern : templates_) {
    if (!matches(pattern, segments)) continue;
    std::string its = shape(pattern);
    if (decided.empty()) decided = its;
    if (its != decided) break;
    match.allowed.emplace_back(pattern.route->method);
    if (pattern.route->method != wanted) continue;
    match.route = pattern.route;
    for (std::size_t i = 0; i < pattern.parts.size(); ++i) {
      const Part& part = pattern.parts[i];
      if (part.kind == Part::Kind::one) match.parameters.emplace(part.text, segments[i]);
      if (part.kind == Part::Kind::rest) match.parameters.emplace(part.text, join(std::span(segments).subspan(i), "/"));
    }
    break;
  }
  return match;
}

}  // namespace berth::api
