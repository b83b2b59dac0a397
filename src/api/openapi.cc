#include "api/openapi.h"

#include <algorithm>

#include "base/text.h"

namespace berth::api {
namespace {

Json schema_of(const Parameter& parameter) {
  return Json::object({{"type", parameter.type}});
}

// "/a/{path*}" -> "/a/{path}"; the names of its parameters.
std::string template_of(const Route& route, std::vector<std::string>& names) {
  std::string out;
  for (const std::string_view part : split(route.path.substr(1), '/')) {
    out += '/';
    if (!part.starts_with('{')) {
      out += part;
      continue;
    }
    std::string name(part.substr(1, part.size() - 2));
    if (name.ends_with('*')) name.pop_back();
    out += "{" + name + "}";
    names.push_back(std::move(name));
  }
  return out;
}

Json parameters_of(const Route& route, const std::vector<std::string>& names) {
  Json out = Json::array();
  for (const std::string& name : names)
    out.push(Json::object(
        {{"name", name}, {"in", "path"}, {"required", true}, {"schema", Json::object({{"type", "string"}})}}));
  for (const Parameter& each : route.query)
    out.push(Json::object({{"name", each.name},
                           {"in", "query"},
                           {"required", each.required},
                           {"description", each.meaning},
                           {"schema", schema_of(each)}}));
  return out;
}

Json body_of(const Route& route) {
  if (route.body == Body::raw)
    return Json::object({{"content", Json::object({{"application/octet-stream", Json::object()}})}});
  if (route.fields.empty()) return {};
  Json properties = Json::object(), required = Json::array();
  for (const Parameter& each : route.fields) {
    Json field = schema_of(each);
    field.set("description", each.meaning);
    properties.set(each.name, std::move(field));
    if (each.required) required.push(each.name);
  }
  Json schema = Json::object({{"type", "object"}, {"properties", properties}, {"additionalProperties", false}});
  if (required.size() > 0) schema.set("required", required);
  return Json::object(
      {{"required", required.size() > 0},
       {"content", Json::object({{"application/json", Json::object({{"schema", std::move(schema)}})}})}});
}

Json responses_of(const Route& route) {
  Json out = Json::object();
  const bool streams = std::holds_alternative<Stream>(route.handler);
  const Json content =
      route.upgrades ? Json() : Json::object({{streams ? "text/event-stream" : "application/json", Json::object()}});
  Json done = Json::object({{"description", route.upgrades ? "a WebSocket" : "done"}});
  if (!content.is_null()) done.set("content", content);
  out.set(route.upgrades ? "101" : "2XX", std::move(done));
  out.set("default", Json::object({{"$ref", "#/components/responses/Error"}}));
  return out;
}

// Unique, as OpenAPI wants it: several routes may share a verb of the audit.
std::string operation_id(const Route& route) {
  std::string out = lower(route.method);
  for (const char c : route.path) {
    const bool word = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
    if (word || (c == '/' && !out.ends_with('_'))) out += word ? c : '_';
  }
  return out;
}

Json operation_of(const Route& route, const std::vector<std::string>& names) {
  Json out = Json::object({{"operationId", operation_id(route)}, {"summary", route.summary}});
  const auto parts = split(route.path, '/');
  const std::size_t tag = parts.size() > 3 && parts[2] == "v1" ? 3 : 2;
  out.set("tags", Json::array({parts.size() > tag ? parts[tag] : std::string_view("api")}));
  if (Json parameters = parameters_of(route, names); parameters.size() > 0) out.set("parameters", parameters);
  if (Json body = body_of(route); !body.is_null()) out.set("requestBody", std::move(body));
  out.set("responses", responses_of(route));
  if (route.needs == Permission::everyone) out.set("security", Json::array());
  out.set("x-berth-permission", auth::to_text(route.needs));
  out.set("x-berth-where", route.where == Where::whole     ? "whole"
                           : route.where == Where::project ? "project"
                                                           : "loaded");
  return out;
}

Json components() {
  const Json text = Json::object({{"type", "string"}});
  const Json error = Json::object({{"type", "object"},
                                   {"properties", Json::object({{"error", text}, {"code", text}, {"message", text}})},
                                   {"required", Json::array({"error", "code", "message"})}});
  const Json content = Json::object(
      {{"application/json", Json::object({{"schema", Json::object({{"$ref", "#/components/schemas/Error"}})}})}});
  return Json::object(
      {{"schemas", Json::object({{"Error", error}})},
       {"responses", Json::object({{"Error", Json::object({{"description", "an error"}, {"content", content}})}})},
       {"securitySchemes",
        Json::object({{"session", Json::object({{"type", "apiKey"}, {"in", "cookie"}, {"name", "__Host-berth"}})},
                      {"token", Json::object({{"type", "http"}, {"scheme", "bearer"}})}})}});
}

}  // namespace

std::string verb_of(const Route& route) {
  if (!route.verb.empty()) return std::string(route.verb);
  std::string out;
  for (std::string_view part : split(route.path, '/')) {
    if (part.empty() || part == "api" || part == "v1") continue;
    while (part.starts_with('{')) part.remove_prefix(1);
    while (part.ends_with('}') || part.ends_with('*')) part.remove_suffix(1);
    out += (out.empty() ? "" : ".") + std::string(part);
  }
  return out + "." + lower(route.method);
}

Json openapi(const Routes& routes, std::string_view version) {
  Json paths = Json::object();
  for (const Route& route : routes) {
    std::vector<std::string> names;
    const std::string path = template_of(route, names);
    paths.slot(path).set(lower(route.method), operation_of(route, names));
  }
  return Json::object({{"openapi", "3.1.0"},
                       {"info", Json::object({{"title", "berth"}, {"version", version}})},
                       {"security", Json::array({Json::object({{"session", Json::array()}}),
                                                 Json::object({{"token", Json::array()}})})},
                       {"paths", std::move(paths)},
                       {"components", components()}});
}

}  // namespace berth::api
