#include "edge/label_middleware.h"

#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "base/units.h"
#include "http/head.h"

namespace berth::edge {
namespace {

/// One middleware while it is read: its own label fields below its kind.
struct Source {
  std::string name;
  std::string kind;
  LabelFields fields;
};

std::unexpected<Error> wrong(const Source& source, std::string_view field, std::string_view why) {
  return fail(Code::invalid, "middleware \"" + source.name + "\": " + source.kind + "." + std::string(field) + ": " +
                                 std::string(why));
}

Result<bool> flag_of(const Source& source, std::string_view field) {
  const auto at = source.fields.find(field);
  if (at == source.fields.end()) return false;
  const auto flag = parse_bool(at->second);
  if (!flag) return wrong(source, field, "\"" + at->second + "\" is neither true nor false");
  return *flag;
}

Result<void> only(const Source& source, std::initializer_list<std::string_view> known) {
  for (const auto& [field, value] : source.fields) {
    if (!std::ranges::count(known, field)) {
      return wrong(source, field, "is not known" + suggestion(field, std::span(known.begin(), known.size())));
    }
  }
  return {};
}

std::string value_of(const Source& source, std::string_view field) {
  const auto at = source.fields.find(field);
  return at == source.fields.end() ? std::string() : at->second;
}

Result<Middleware> redirect_scheme(const Source& source) {
  TRY(only(source, {"scheme", "port", "permanent"}));
  RedirectScheme action;
  action.scheme = lower(value_of(source, "scheme"));
  if (action.scheme != "https" && action.scheme != "http") return wrong(source, "scheme", "must be https or http");
  action.port = value_of(source, "port");
  if (!action.port.empty() && !parse_port(action.port)) return wrong(source, "port", "is not a port");
  action.permanent = TRY(flag_of(source, "permanent"));
  return Middleware{source.name, action};
}

Result<void> check_prefix(const Source& source, std::string_view field, std::string_view prefix) {
  if (!prefix.starts_with('/')) return wrong(source, field, "must begin with /");
  const auto odd = [](char c) { return c <= ' ' || c >= 0x7f || c == '?' || c == '#' || c == '\\' || c == '%'; };
  if (std::ranges::any_of(prefix, odd) || prefix.contains("//") || prefix.contains("/.")) {
    return wrong(source, field, "is not a plain path");
  }
  return {};
}

Result<Middleware> strip_prefix(const Source& source) {
  TRY(only(source, {"prefixes", "forceslash"}));
  StripPrefix action{parse_list(value_of(source, "prefixes"))};
  if (action.prefixes.empty()) return wrong(source, "prefixes", "is empty");
  for (const std::string& prefix : action.prefixes) TRY(check_prefix(source, "prefixes", prefix));
  return Middleware{source.name, action};
}

Result<Middleware> add_prefix(const Source& source) {
  TRY(only(source, {"prefix"}));
  AddPrefix action{value_of(source, "prefix")};
  TRY(check_prefix(source, "prefix", action.prefix));
  while (action.prefix.ends_with('/')) action.prefix.pop_back();
  return Middleware{source.name, action};
}

/// Label keys come in lower case; fields are usually written as X-Real-Ip.
std::string title_case(std::string_view name) {
  std::string out(name);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const bool first = i == 0 || out[i - 1] == '-';
    if (first && out[i] >= 'a' && out[i] <= 'z') out[i] = static_cast<char>(out[i] - 'a' + 'A');
  }
  return out;
}

using Fields = std::vector<std::pair<std::string, std::string>>;

Result<void> add_field(const Source& source, std::string_view field, std::string_view name, Fields& into) {
  const std::string& value = source.fields.find(field)->second;
  // A field of the message's framing would let a label smuggle requests.
  static constexpr std::string_view kFraming[] = {
      "content-length", "transfer-encoding", "connection", "upgrade", "keep-alive", "te", "trailer"};
  if (!http::is_token(name) || std::ranges::count(kFraming, lower(name))) {
    return wrong(source, field, "is not a field name that can be set");
  }
  if (!http::is_field_value(value)) return wrong(source, field, "the value has control characters");
  into.emplace_back(title_case(name), value);
  return {};
}

Result<void> strict_transport(const Source& source, Headers& action) {
  const std::string seconds = value_of(source, "stsseconds");
  if (seconds.empty() || seconds == "0") return {};
  if (!std::ranges::all_of(seconds, [](char c) { return c >= '0' && c <= '9'; })) {
    return wrong(source, "stsseconds", "is not a number");
  }
  std::string value = "max-age=" + seconds;
  if (TRY(flag_of(source, "stsincludesubdomains"))) value += "; includeSubDomains";
  if (TRY(flag_of(source, "stspreload"))) value += "; preload";
  action.response.emplace_back("Strict-Transport-Security", value);
  return {};
}

/// A field of the `headers` middleware; false when it is not known.
Result<bool> header_field(const Source& source, std::string_view field, Headers& action) {
  static constexpr std::pair<std::string_view, std::string_view> kValues[] = {
      {"customframeoptionsvalue", "X-Frame-Options"},
      {"custombrowserxssvalue", "X-XSS-Protection"},
      {"contentsecuritypolicy", "Content-Security-Policy"},
      {"contentsecuritypolicyreportonly", "Content-Security-Policy-Report-Only"},
      {"referrerpolicy", "Referrer-Policy"},
      {"permissionspolicy", "Permissions-Policy"},
  };
  static constexpr std::tuple<std::string_view, std::string_view, std::string_view> kFlags[] = {
      {"framedeny", "X-Frame-Options", "DENY"},
      {"contenttypenosniff", "X-Content-Type-Options", "nosniff"},
      {"browserxssfilter", "X-XSS-Protection", "1; mode=block"},
  };
  const Cut part = cut(field, '.');
  if (part.before == "customrequestheaders" || part.before == "customresponseheaders") {
    TRY(add_field(source, field, part.after, part.before.contains("request") ? action.request : action.response));
    return true;
  }
  for (const auto& [name, header] : kValues) {
    if (name != field) continue;
    TRY(add_field(source, field, header, action.response));
    return true;
  }
  for (const auto& [name, header, value] : kFlags) {
    if (name != field) continue;
    if (TRY(flag_of(source, field))) action.response.emplace_back(header, value);
    return true;
  }
  return field.starts_with("sts");
}

Result<Middleware> headers(const Source& source, std::vector<std::string>& warnings) {
  Headers action;
  for (const auto& [field, value] : source.fields) {
    if (TRY(header_field(source, field, action))) continue;
    if (field == "allowedhosts" || field == "hostsproxyheaders") {
      return wrong(source, field, "is not supported yet, and the route would be open without it");
    }
    warnings.push_back("middleware \"" + source.name + "\": headers." + field +
                       " is not supported yet and has no effect");
  }
  TRY(strict_transport(source, action));
  return Middleware{source.name, std::move(action)};
}

Result<std::uint32_t> number_of(const Source& source, std::string_view field, std::uint32_t fallback) {
  const std::string text = value_of(source, field);
  std::uint32_t number = fallback;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool right = text.empty() || (error == std::errc{} && end == text.data() + text.size() && number <= 1'000'000);
  return right ? Result<std::uint32_t>(number) : wrong(source, field, "\"" + text + "\" is not a number up to 1000000");
}

Result<Middleware> rate_limit(const Source& source) {
  TRY(only(source, {"average", "period", "burst"}));
  RateLimit action{.average = TRY(number_of(source, "average", 0)), .burst = TRY(number_of(source, "burst", 1))};
  const std::string period = value_of(source, "period");
  if (!period.empty()) {
    // Traefik also takes a bare number of seconds.
    const bool digits = std::ranges::all_of(period, [](char c) { return c >= '0' && c <= '9'; });
    const auto parsed = parse_duration(digits ? period + "s" : period);
    if (!parsed || *parsed < std::chrono::milliseconds(1)) {
      return wrong(source, "period", "\"" + period + "\" is not a duration such as 1s or 1m");
    }
    action.period = std::chrono::duration_cast<std::chrono::milliseconds>(*parsed);
  }
  action.burst = std::max(action.burst, 1u);
  return Middleware{source.name, action};
}

/// The labels' fields are what a policy is read from, but for the map's order.
Result<Middleware> cache(const Source& source) {
  auto policy = read_cache_policy({source.fields.begin(), source.fields.end()});
  if (!policy) return fail(std::move(policy.error()).within("middleware \"" + source.name + "\""));
  return Middleware{source.name, std::move(*policy)};
}

/// Kinds that a route can do without, and what that means.
constexpr std::pair<std::string_view, std::string_view> kOptional[] = {
    {"compress", "responses are not compressed"},
    {"inflightreq", "requests are not limited"},
    {"buffering", "bodies are streamed"},
    {"circuitbreaker", "requests are always tried"},
    {"retry", "only idempotent requests on a stale connection are tried again"},
    {"errors", "error pages are the service's own"},
    {"contenttype", "the content type is the service's own"},
    {"grpcweb", "gRPC-Web is not translated"},
};

class ChainReader {
 public:
  explicit ChainReader(const Named& defined) : defined_(defined) {}

  Result<void> read(const std::vector<std::string>& references, int depth) {
    for (const std::string& reference : references) TRY(read_one(reference, depth));
    return {};
  }
  MiddlewareChain chain;

 private:
  Result<void> read_one(const std::string& reference, int depth) {
    const auto name = local_name(reference);
    const auto found = name ? defined_.find(*name) : defined_.end();
    if (found == defined_.end()) {
      std::vector<std::string_view> names;
      for (const auto& [each, fields] : defined_) names.push_back(each);
      return fail(Code::invalid,
                  "middleware \"" + reference + "\" is not defined by any label" + suggestion(reference, names));
    }
    if (depth > 8) return fail(Code::invalid, "middleware \"" + reference + "\" is part of a chain that never ends");
    Source source{*name, std::string(cut(found->second.begin()->first, '.').before), {}};
    for (const auto& [field, value] : found->second) {
      const Cut part = cut(field, '.');
      if (part.before != source.kind) {
        return fail(Code::invalid,
                    "middleware \"" + source.name + "\" is both " + source.kind + " and " + std::string(part.before));
      }
      if (part.found) source.fields[std::string(part.after)] = value;
    }
    if (source.kind == "chain") return read(parse_list(value_of(source, "middlewares")), depth + 1);
    return make(source);
  }

  Result<void> make(const Source& source) {
    for (const auto& [kind, meaning] : kOptional) {
      if (kind != source.kind) continue;
      chain.warnings.push_back("middleware \"" + source.name + "\": " + source.kind +
                               " is not supported yet: " + std::string(meaning));
      return {};
    }
    chain.actions.push_back(TRY(action_of(source)));
    return {};
  }

  Result<Middleware> action_of(const Source& source) {
    if (source.kind == "redirectscheme") return redirect_scheme(source);
    if (source.kind == "stripprefix") return strip_prefix(source);
    if (source.kind == "addprefix") return add_prefix(source);
    if (source.kind == "ratelimit") return rate_limit(source);
    if (source.kind == "cache") return cache(source);
    if (source.kind == "headers") return headers(source, chain.warnings);
    return fail(Code::invalid, "middleware \"" + source.name + "\": " + source.kind +
                                   " is not supported yet, and the route would not be what it should be without it");
  }

  const Named& defined_;
};

}  // namespace

Result<MiddlewareChain> chain_of(const std::vector<std::string>& references, const Named& defined) {
  ChainReader reader(defined);
  TRY(reader.read(references, 0));
  return std::move(reader.chain);
}

}  // namespace berth::edge
