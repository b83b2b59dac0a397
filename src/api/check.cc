#include "api/check.h"

#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "http/url.h"

namespace berth::api {
namespace {

const Parameter* find(const std::vector<Parameter>& declared, std::string_view name) {
  const auto at = std::ranges::find(declared, name, &Parameter::name);
  return at == declared.end() ? nullptr : &*at;
}

std::string hint(const std::vector<Parameter>& declared, std::string_view name) {
  std::vector<std::string_view> names;
  for (const Parameter& each : declared) names.push_back(each.name);
  return suggestion(name, names);
}

bool is_integer(std::string_view text) {
  std::int64_t value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  return !text.empty() && parsed.ec == std::errc() && parsed.ptr == text.data() + text.size();
}

bool text_fits(std::string_view text, std::string_view type) {
  if (type == "integer") return is_integer(text);
  if (type == "boolean") return text == "0" || text == "1" || text == "true" || text == "false" || text.empty();
  return true;
}

bool fits(const Json& value, std::string_view type) {
  if (type == "string") return value.is_text();
  if (type == "integer") return value.is_integer();
  if (type == "number") return value.is_number();
  if (type == "boolean") return value.is_bool();
  if (type == "array") return value.is_array();
  if (type == "object") return value.is_object();
  return true;
}

std::string a_type(std::string_view type) {
  const bool vowel = type.starts_with('i') || type.starts_with('a') || type.starts_with('o');
  return (vowel ? "an " : "a ") + std::string(type);
}

}  // namespace

Result<Options> check_query(std::string_view query, const std::vector<Parameter>& declared) {
  Options options;
  for (auto& [name, value] : TRY(http::decode_query(query))) {
    const Parameter* parameter = find(declared, name);
    if (!parameter && find(declared, "*")) continue;
    if (!parameter) return fail(Code::invalid, "query: unknown parameter \"" + name + "\"" + hint(declared, name));
    if (!text_fits(value, parameter->type))
      return fail(Code::invalid, "query: \"" + name + "\" is not " + a_type(parameter->type));
    const bool flag = parameter->type == "boolean";
    if (flag && value.empty()) value = "1";  // ?follow
    if (!options.emplace(name, std::move(value)).second)
      return fail(Code::invalid, "query: \"" + name + "\" is given twice");
  }
  for (const Parameter& each : declared)
    if (each.required && !options.contains(each.name))
      return fail(Code::invalid, "query: \"" + std::string(each.name) + "\" is missing");
  return options;
}

Result<Json> check_body(std::string_view text, const std::vector<Parameter>& declared, std::size_t most) {
  Json body = Json::object();
  if (!text.empty()) {
    auto parsed = parse_json(text, {.bytes = most, .depth = 64});
    if (!parsed) return fail(std::move(parsed.error()).within("body"));
    body = std::move(*parsed);
  }
  if (!body.is_object()) return fail(Code::invalid, "body: not an object");
  for (const auto& [name, value] : body.members()) {
    const Parameter* parameter = find(declared, name);
    if (!parameter && find(declared, "*")) continue;
    if (!parameter) return fail(Code::invalid, "body: unknown field \"" + name + "\"" + hint(declared, name));
    if (!(value.is_null() && !parameter->required) && !fits(value, parameter->type))
      return fail(Code::invalid, "body: \"" + name + "\" is not " + a_type(parameter->type));
  }
  for (const Parameter& each : declared)
    if (each.required && !body.contains(each.name))
      return fail(Code::invalid, "body: \"" + std::string(each.name) + "\" is missing");
  return body;
}

bool is_json(std::string_view content_type) {
  const Cut parts = cut(content_type, ';');
  if (!equal_fold(trim(parts.before), "application/json")) return false;
  return !parts.found || equal_fold(trim(parts.after), "charset=utf-8");
}

}  // namespace berth::api
