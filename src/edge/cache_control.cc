#include "edge/cache_control.h"

#include <algorithm>

#include "base/text.h"
#include "edge/cache_dictionary.h"
#include "http/text.h"

namespace berth::edge {
namespace {

using http::same_name;

constexpr std::string_view kTargeted = "cdn-cache-control";

std::size_t token_length(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size() && http::in_class(text[at], http::kTchar)) ++at;
  return at;
}

/// The length of the quoted string at the front of `text`, quotes included; 0 when it does not end.
std::size_t quoted_length(std::string_view text) {
  for (std::size_t at = 1; at < text.size(); ++at) {
    if (text[at] == '\\')
      ++at;
    else if (text[at] == '"')
      return at + 1;
  }
  return 0;
}

void skip_item(std::string_view& list) {
  const std::size_t comma = list.find(',');
  list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
}

/// Reads "=value" at the front of `list`; false when it is no token and no quoted string.
bool take_value(std::string_view& list, CacheDirective& directive) {
  list.remove_prefix(1);
  const bool quoted = list.starts_with('"');
  const std::size_t length = quoted ? quoted_length(list) : token_length(list);
  if (length == 0) return false;
  directive.has_value = true;
  directive.value = quoted ? list.substr(1, length - 2) : list.substr(0, length);
  list.remove_prefix(length);
  return true;
}

std::int64_t number(const CacheDirective& directive) {
  return directive.has_value ? parse_delta(directive.value).value_or(0) : 0;
}

void set_once(std::optional<std::int64_t>& into, std::int64_t value) {
  if (!into) into = value;
}

/// no-cache and private: with names they are about those fields only (RFC 9111 5.2.2.4, 5.2.2.7).
void restrict_or_hide(const CacheDirective& directive, bool& whole, std::vector<std::string>& hidden) {
  if (!directive.has_value) {
    whole = true;
    return;
  }
  std::string_view names = directive.value;
  while (!names.empty()) {
    const std::string_view name = http::next_item(names);
    if (http::is_token(name)) hidden.push_back(lower(name));
  }
}

void apply(const CacheDirective& directive, ReplyControl& control) {
  const std::string_view name = directive.name;
  if (same_name(name, "no-store")) control.no_store = true;
  if (same_name(name, "no-cache")) restrict_or_hide(directive, control.no_cache, control.hidden);
  if (same_name(name, "private")) restrict_or_hide(directive, control.is_private, control.hidden);
  if (same_name(name, "must-revalidate")) control.must_revalidate = true;
  if (same_name(name, "proxy-revalidate")) control.proxy_revalidate = true;
  if (same_name(name, "must-understand")) control.must_understand = true;
  // What is malformed may restrict, but not permit.
  if (!directive.well_formed) return;
  if (same_name(name, "public")) control.is_public = true;
  if (same_name(name, "max-age")) set_once(control.max_age, number(directive));
  if (same_name(name, "s-maxage")) set_once(control.shared_max_age, number(directive));
  if (same_name(name, "stale-while-revalidate")) set_once(control.stale_while_revalidate, number(directive));
  if (same_name(name, "stale-if-error")) set_once(control.stale_if_error, number(directive));
}

void apply(const CacheDirective& directive, RequestControl& control) {
  const std::string_view name = directive.name;
  if (same_name(name, "no-store")) control.no_store = true;
  if (same_name(name, "no-cache")) control.no_cache = true;
  if (same_name(name, "only-if-cached")) control.only_if_cached = true;
  if (!directive.well_formed) return;
  if (same_name(name, "max-age")) set_once(control.max_age, number(directive));
  if (same_name(name, "min-fresh")) set_once(control.min_fresh, number(directive));
  if (same_name(name, "max-stale")) set_once(control.max_stale, directive.has_value ? number(directive) : kMostDelta);
}

/// The members of a structured dictionary as directives; nothing when a line is no dictionary, or all are empty.
std::optional<ReplyControl> targeted_control(const http::Fields& fields) {
  ReplyControl control;
  control.targeted = true;
  bool any = false;
  for (const http::Field& field : fields) {
    if (!same_name(field.name, kTargeted)) continue;
    DictionaryReader reader(field.value);
    while (const auto member = reader.next()) {
      any = true;
      const bool off = member->kind == DictionaryMember::Kind::no;
      const bool count = member->kind == DictionaryMember::Kind::integer;
      if (off) continue;
      apply({.name = member->key,
             .value = count || member->kind == DictionaryMember::Kind::text ? member->value : std::string_view(),
             .has_value = count || member->kind == DictionaryMember::Kind::text,
             .well_formed = count || member->kind == DictionaryMember::Kind::yes},
            control);
    }
    if (reader.broken()) return std::nullopt;
  }
  if (!any) return std::nullopt;
  return control;
}

}  // namespace

std::optional<std::int64_t> parse_delta(std::string_view text) {
  if (text.empty() || text.size() > 64) return std::nullopt;
  std::int64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = std::min(value * 10 + (c - '0'), kMostDelta);
  }
  return value;
}

std::optional<CacheDirective> next_directive(std::string_view& list) {
  while (!list.empty() && (list.front() == ',' || list.front() == ' ' || list.front() == '\t')) list.remove_prefix(1);
  if (list.empty()) return std::nullopt;
  CacheDirective directive;
  const std::size_t length = token_length(list);
  directive.name = list.substr(0, length);
  list.remove_prefix(length);
  directive.well_formed = length > 0;
  if (list.starts_with('=')) directive.well_formed = take_value(list, directive) && length > 0;
  while (!list.empty() && (list.front() == ' ' || list.front() == '\t')) list.remove_prefix(1);
  if (!list.empty() && list.front() != ',') directive.well_formed = false;
  skip_item(list);
  return directive;
}

ReplyControl reply_control(const http::Fields& fields) {
  if (auto targeted = targeted_control(fields)) return *targeted;
  ReplyControl control;
  for (const http::Field& field : fields) {
    if (!same_name(field.name, "cache-control")) continue;
    std::string_view list = field.value;
    while (const auto directive = next_directive(list)) apply(*directive, control);
  }
  return control;
}

RequestControl request_control(const http::Fields& fields) {
  RequestControl control;
  bool any = false;
  for (const http::Field& field : fields) {
    if (!same_name(field.name, "cache-control")) continue;
    any = true;
    std::string_view list = field.value;
    while (const auto directive = next_directive(list)) apply(*directive, control);
  }
  if (!any && fields.has_token("pragma", "no-cache")) control.no_cache = true;
  return control;
}

}  // namespace berth::edge
