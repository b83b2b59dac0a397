// Matchers by name, with the forms of Traefik v2 that copied compose files still hold.
#include <algorithm>
#include <span>

#include "base/text.h"
#include "edge/rule_parse.h"

namespace berth::edge {
namespace {

/// What a matcher's name allows.
struct Form {
  std::string_view name;   ///< lower case
  std::string_view shown;  ///< as v3 writes it
  MatcherKind kind;
  std::size_t least, most;  ///< arguments in v3
  bool v2_name = false;
};
constexpr Form kTcpForms[] = {
    {"hostsni", "HostSNI", MatcherKind::host, 1, 1},
    {"hostsniregexp", "HostSNIRegexp", MatcherKind::host_regexp, 1, 1},
    {"alpn", "ALPN", MatcherKind::alpn, 1, 1},
    {"clientip", "ClientIP", MatcherKind::client_ip, 1, 1},
};
constexpr Form kForms[] = {
    {"host", "Host", MatcherKind::host, 1, 1},
    {"hostheader", "Host", MatcherKind::host, 1, 1, true},
    {"hostregexp", "HostRegexp", MatcherKind::host_regexp, 1, 1},
    {"path", "Path", MatcherKind::path, 1, 1},
    {"pathprefix", "PathPrefix", MatcherKind::path_prefix, 1, 1},
    {"pathregexp", "PathRegexp", MatcherKind::path_regexp, 1, 1},
    {"method", "Method", MatcherKind::method, 1, 1},
    {"header", "Header", MatcherKind::header, 2, 2},
    {"headers", "Header", MatcherKind::header, 2, 2, true},
    {"headerregexp", "HeaderRegexp", MatcherKind::header_regexp, 2, 2},
    {"headersregexp", "HeaderRegexp", MatcherKind::header_regexp, 2, 2, true},
    {"query", "Query", MatcherKind::query, 1, 2},
    {"queryregexp", "QueryRegexp", MatcherKind::query_regexp, 2, 2},
    {"clientip", "ClientIP", MatcherKind::client_ip, 1, 1},
};

constexpr Form kLabelForms[] = {
    {"label", "Label", MatcherKind::label, 2, 2},
    {"labelregex", "LabelRegex", MatcherKind::label_regexp, 2, 2},
};

std::span<const Form> forms_of(RuleKind kind) {
  if (kind == RuleKind::labels) return kLabelForms;
  return kind == RuleKind::tcp ? std::span<const Form>(kTcpForms) : std::span<const Form>(kForms);
}

Result<const Form*> find_form(RuleKind kind, std::string_view name) {
  const std::string key = lower(name);
  std::vector<std::string_view> names;
  for (const Form& form : forms_of(kind)) {
    if (form.name == key) return &form;
    if (!form.v2_name) names.push_back(form.shown);
  }
  const bool tcp = kind == RuleKind::tcp;
  if (kind != RuleKind::labels &&
      std::ranges::count(forms_of(tcp ? RuleKind::http : RuleKind::tcp), key, &Form::name) > 0) {
    return fail(Code::invalid, std::string(name) + (tcp ? " is a matcher of HTTP routers; TCP routers use HostSNI"
                                                        : " is a matcher of TCP routers; HTTP routers use Host"));
  }
  return fail(Code::invalid, "unknown matcher " + std::string(name) + suggestion(name, names));
}

std::string escape_regex(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (std::string_view("\\.+*?()|[]{}^$").contains(c)) out += '\\';
    out += c;
  }
  return out;
}

/// The position after the '}' that closes the '{' at `open`, npos when none does.
std::size_t closing(std::string_view text, std::size_t open) {
  int depth = 0;
  for (std::size_t i = open; i < text.size(); ++i) {
    if (text[i] == '{') ++depth;
    if (text[i] == '}' && --depth == 0) return i + 1;
  }
  return std::string_view::npos;
}

/// {name} or {name:regexp}, as v2 writes variables.
bool has_v2_variable(std::string_view text) {
  const auto open = text.find('{');
  if (open == std::string_view::npos || open + 1 >= text.size()) return false;
  const char first = lower(text.substr(open + 1, 1))[0];
  return first >= 'a' && first <= 'z' && closing(text, open) != std::string_view::npos;
}

/// v2 `{sub:[a-z]+}.example.com` as a regular expression; a bare {name} is `any`.
std::string from_v2(std::string_view text, std::string_view any) {
  std::string out;
  while (true) {
    const auto open = text.find('{');
    const auto end = open == std::string_view::npos ? open : closing(text, open);
    out += escape_regex(text.substr(0, end == std::string_view::npos ? end : open));
    if (end == std::string_view::npos) return out;
    const Cut variable = cut(text.substr(open + 1, end - open - 2), ':');
    out += "(?:" + std::string(variable.found ? variable.after : any) + ")";
    text = text.substr(end);
  }
}

Result<Matcher> host_matcher(const std::string& argument) {
  Matcher matcher{.kind = MatcherKind::host};
  matcher.value = TRY(canonical_host(argument));
  return matcher;
}

Result<Matcher> host_regexp(const std::string& argument, std::vector<std::string>& warnings) {
  Matcher matcher{.kind = MatcherKind::host_regexp, .value = argument};
  const bool v2 = has_v2_variable(argument);
  if (v2) {
    matcher.value = "^" + from_v2(argument, "[^.]+") + "$";
    warnings.push_back("HostRegexp(`" + argument + "`) is the form of Traefik v2; v3 writes HostRegexp(`" +
                       matcher.value + "`)");
  }
  matcher.regex = TRY(compile_regex(matcher.value, {.ignore_case = true}));
  return matcher;
}

Result<Matcher> path_matcher(MatcherKind kind, const std::string& argument, std::vector<std::string>& warnings) {
  Matcher matcher{.kind = kind, .value = argument};
  if (kind == MatcherKind::path_regexp) {
    matcher.regex = TRY(compile_regex(argument));
    return matcher;
  }
  if (!argument.starts_with('/')) return fail(Code::invalid, "path \"" + argument + "\" does not begin with /");
  if (has_v2_variable(argument)) {
    const std::string pattern = "^" + from_v2(argument, "[^/]+") + (kind == MatcherKind::path ? "$" : "");
    warnings.push_back("a variable in the path `" + argument + "` is the form of Traefik v2; v3 writes PathRegexp(`" +
                       pattern + "`)");
    matcher.regex = TRY(compile_regex(pattern));
  }
  return matcher;
}

Result<Matcher> pair_matcher(MatcherKind kind, const std::vector<std::string>& arguments) {
  Matcher matcher{.kind = kind, .key = arguments[0]};
  if (kind == MatcherKind::header || kind == MatcherKind::header_regexp) matcher.key = lower(matcher.key);
  if (arguments.size() == 1)
    matcher.any_value = true;
  else
    matcher.value = arguments[1];
  const bool regexp = kind == MatcherKind::header_regexp || kind == MatcherKind::query_regexp;
  if (regexp || kind == MatcherKind::label_regexp) {
    matcher.regex = TRY(compile_regex(matcher.value));
  }
  return matcher;
}

/// One matcher of a kind with a single argument.
Result<Matcher> single_matcher(MatcherKind kind, const std::string& argument, std::vector<std::string>& warnings) {
  switch (kind) {
    case MatcherKind::host:
      return host_matcher(argument);
    case MatcherKind::host_regexp:
      return host_regexp(argument, warnings);
    case MatcherKind::alpn:
      // A CA's challenge is answered before any router sees it.
      if (argument == "acme-tls/1") return fail(Code::invalid, "the protocol acme-tls/1 belongs to the edge itself");
      [[fallthrough]];
    case MatcherKind::method:
      return Matcher{.kind = kind, .value = argument};
    case MatcherKind::client_ip: {
      Matcher matcher{.kind = kind, .value = argument};
      matcher.prefix = TRY(parse_cidr(argument));
      return matcher;
    }
    default:
      return path_matcher(kind, argument, warnings);
  }
}

bool is_v2_query(const std::vector<std::string>& arguments) {
  return std::ranges::all_of(arguments, [](const std::string& each) { return each.contains('='); });
}

Result<Call> v2_query(const std::vector<std::string>& arguments) {
  Call call{.matchers = {}, .all = true, .warnings = {}};
  for (const std::string& argument : arguments) {
    const Cut pair = cut(argument, '=');
    if (pair.before.empty()) return fail(Code::invalid, "Query needs a name before \"=\"");
    call.matchers.push_back(TRY(pair_matcher(MatcherKind::query, {std::string(pair.before), std::string(pair.after)})));
  }
  call.warnings.push_back("Query(`name=value`) is the form of Traefik v2; v3 writes Query(`name`, `value`)");
  return call;
}

}  // namespace

Result<Call> make_call(RuleKind kind, std::string_view name, const std::vector<std::string>& arguments) {
  const Form* form = TRY(find_form(kind, name));
  const std::string shown(form->shown);
  if (arguments.empty()) return fail(Code::invalid, shown + " needs an argument");
  if (std::ranges::any_of(arguments, &std::string::empty)) {
    return fail(Code::invalid, "an argument of " + shown + " is empty");
  }
  if (form->kind == MatcherKind::query && is_v2_query(arguments)) return v2_query(arguments);
  Call call;
  if (form->v2_name) {
    call.warnings.push_back(std::string(name) + " is the form of Traefik v2; v3 writes " + shown);
  }
  const bool listed = form->most == 1 && arguments.size() > 1;
  if (arguments.size() < form->least || (arguments.size() > form->most && !listed)) {
    const std::string count = std::to_string(form->least);
    return fail(Code::invalid, shown + " takes " + count + (form->least == form->most ? "" : " or 2") +
                                   (form->most == 1 ? " argument" : " arguments") + ", got " +
                                   std::to_string(arguments.size()));
  }
  if (form->most == 2) {
    call.matchers.push_back(TRY(pair_matcher(form->kind, arguments)));
    return call;
  }
  if (listed) {
    call.warnings.push_back(shown + " with several arguments is the form of Traefik v2; v3 writes " + shown +
                            "(...) || " + shown + "(...)");
  }
  for (const std::string& argument : arguments) {
    call.matchers.push_back(TRY(single_matcher(form->kind, argument, call.warnings)));
  }
  return call;
}

}  // namespace berth::edge
