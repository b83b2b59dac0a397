#include "compose/vectors.h"

#include "base/text.h"
#include "base/units.h"
#include "compose/canonical.h"
#include "compose/dotenv.h"
#include "compose/load.h"

namespace berth::compose {
namespace {

Result<Json> template_value(std::string_view text, const Environment& environment) {
  std::set<std::string> unset;
  return Json(TRY(substitute(text, lookup_in(environment), unset)));
}

Result<Json> dotenv_value(std::string_view text, const Environment& environment) {
  std::set<std::string> unset;
  Environment variables;
  const Lookup lookup = lookup_in(environment);
  TRY(parse_dotenv(text, {.lookup = lookup, .unset = unset}, variables));
  Json out = Json::object();
  for (const auto& [key, value] : variables) out.members_mut().emplace_back(key, value);
  return out;
}

Result<Json> ports_value(std::string_view text) {
  Json out = Json::array();
  for (const Port& port : TRY(parse_ports(text))) out.push(to_json(port_node(port, {})));
  return out;
}

Result<Json> duration_value(std::string_view text) {
  const auto value = TRY(parse_duration(text));
  return Json::object({{"ns", value.count()}, {"text", format_duration(value)}});
}

Result<Json> words_value(std::string_view text) {
  Json out = Json::array();
  for (const std::string& word : TRY(split_words(text))) out.push(word);
  return out;
}

Result<Json> value_of(std::string_view kind, std::string_view text, const Environment& environment) {
  if (kind == "template") return template_value(text, environment);
  if (kind == "dotenv") return dotenv_value(text, environment);
  if (kind == "ports") return ports_value(text);
  if (kind == "volumes") return to_json(volume_node(TRY(parse_volume(text)), {}));
  if (kind == "durations") return duration_value(text);
  if (kind == "sizes") return Json(TRY(parse_size(text)));
  if (kind == "shlex") return words_value(text);
  if (kind == "names") return Json(normalize_project_name(text));
  return fail(Code::invalid, "unknown kind of vector");
}

}  // namespace

Json vectors(const Json& request) {
  Environment environment;
  for (const auto& [key, value] : request["env"].members()) environment[key] = value.text();
  Json answer = Json::object();
  for (const Json& vector : request["vectors"].items()) {
    auto value = value_of(vector["kind"].text(), vector["in"].text(), environment);
    Json result =
        value ? Json::object({{"value", *std::move(value)}}) : Json::object({{"error", value.error().message}});
    answer.members_mut().emplace_back(std::string(vector["id"].text()), std::move(result));
  }
  return answer;
}

}  // namespace berth::compose
