#include "compose/create.h"

#include <charconv>

#include "base/hash.h"
#include "base/text.h"
#include "base/units.h"
#include "compose/config_hash.h"
#include "compose/create_parts.h"
#include "plan/diff.h"

namespace berth::compose {
namespace detail {

void put(Json& object, std::string_view key, Json value) {
  if (!value.is_empty()) object.set(key, std::move(value));
}

std::unexpected<Error> complain(const Draft& draft, std::string_view attribute, std::string_view what) {
  const std::string path = "services." + draft.input.service.name + '.' + std::string(attribute);
  const std::string place = draft.input.project.origin(path).text();
  return fail(Code::invalid, (place.empty() ? "" : place + ": ") + path + ": " + std::string(what));
}

void leave_out(Draft& draft, std::string_view attribute, std::string_view why) {
  const std::string path = "services." + draft.input.service.name + '.' + std::string(attribute);
  const std::string place = draft.input.project.origin(path).text();
  draft.request.warnings.push_back((place.empty() ? "" : place + ": ") + path + " is left out: " + std::string(why));
}

bool may(Draft& draft, std::string_view attribute, engine::Feature feature) {
  const engine::ApiVersion version = draft.input.version;
  if (engine::has(version, feature)) return true;
  leave_out(draft, attribute,
            "API " + version.text() + " of this engine has no " + std::string(engine::name_of(feature)) + " (from " +
                engine::since(feature).text() + " on)");
  return false;
}

Result<std::int64_t> bytes_of(const Draft& draft, std::string_view attribute, const Json& value) {
  if (value.is_null()) return 0;
  if (value.is_number()) return value.integer(static_cast<std::int64_t>(value.number()));
  if (value.text() == "-1") return -1;
  const auto bytes = parse_size(value.text());
  if (!bytes) return complain(draft, attribute, bytes.error().message);
  return *bytes;
}

Result<std::int64_t> nanoseconds_of(const Draft& draft, std::string_view attribute, const Json& value) {
  if (value.is_null()) return 0;
  const auto duration = parse_duration(value.text());
  if (!duration) return complain(draft, attribute, duration.error().message);
  return duration->count();
}

Result<double> number_of(const Draft& draft, std::string_view attribute, const Json& value) {
  if (value.is_null()) return 0;
  if (value.is_number()) return value.number();
  const std::string_view text = value.text();
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size())
    return complain(draft, attribute, '"' + std::string(text) + "\" is not a number");
  return number;
}

Json namespace_of(Draft& draft, std::string_view value, std::vector<std::string> path) {
  // A container's name is resolved as well: engines store its id.
  const bool service = value.starts_with("service:");
  if (service || value.starts_with("container:"))
    draft.request.references.push_back(
        {.path = std::move(path), .prefix = "container:", .service = std::string(service ? value.substr(8) : value)});
  return value;
}

void add_project_labels(const Project& project, Json& labels) {
  labels.set(plan::label::kProject, project.name);
  labels.set(plan::label::kVersion, kComposeVersion);
}

void add_object_labels(const Project& project, Json& body) {
  Json labels = body["Labels"].is_object() ? body["Labels"] : Json::object();
  add_project_labels(project, labels);
  body.set("Labels", std::move(labels));
}

}  // namespace detail

namespace {

using detail::Draft;
using detail::put;

// A member or an item, for writing; both are there because the body was written with them.
Json& place(Json& body, const std::vector<std::string>& path) {
  Json* at = &body;
  for (const std::string& key : path) {
    if (!at->is_array()) {
      at = &at->slot(key);
      continue;
    }
    std::size_t index = 0;
    std::from_chars(key.data(), key.data() + key.size(), index);
    at = &at->items_mut()[index];
  }
  return *at;
}

// Writes the ids that are known; the others stay in `references`.
void resolve(const CreateInput& input, CreateRequest& request) {
  std::vector<Reference> open;
  for (Reference& reference : request.references) {
    const auto found = input.containers.find(reference.service);
    if (found == input.containers.end()) {
      if (!reference.service.starts_with("container:")) open.push_back(std::move(reference));
      continue;
    }
    place(request.desired, reference.path) = reference.prefix + found->second + reference.suffix;
  }
  request.references = std::move(open);
}

// The ids that are not known are a part of the hash: marks that nobody else writes stand for them.
void write_hash_text(const CreateInput& input, CreateRequest& request) {
  if (request.references.empty()) return;
  auto ids = input.containers;
  for (Reference& reference : request.references) {
    reference.mark = sha256_hex("the container of " + input.project.name + '/' + reference.service);
    ids[reference.service] = reference.mark;
  }
  request.hash_text = config_hash_text(input.project, input.service, ids);
}

std::string depends_on_text(const Json& depends_on) {
  std::string text;
  for (const auto& [service, dependency] : depends_on.members()) {
    if (!text.empty()) text += ',';
    text += service + ':' + std::string(dependency["condition"].text("service_started")) + ':' +
            (dependency["restart"].boolean() ? "true" : "false");
  }
  return text;
}

// Docker Compose names only files that were asked for, not the default .env.
std::string env_files_text(const Project& project) {
  if (project.env_files.size() == 1 && project.env_files[0] == project.working_dir + "/.env") return {};
  return join(project.env_files, ",");
}

void add_labels(Draft& draft) {
  const CreateInput& input = draft.input;
  const Project& project = input.project;
  Json labels = draft.config["labels"].is_object() ? draft.config["labels"] : Json::object();
  detail::add_project_labels(project, labels);
  labels.set(plan::label::kService, input.service.name);
  labels.set(plan::label::kNumber, std::to_string(input.number));
  labels.set(plan::label::kOneoff, input.slug.empty() ? "False" : "True");
  if (!input.slug.empty()) labels.set("com.docker.compose.slug", input.slug);
  labels.set(plan::label::kWorkingDir, project.working_dir);
  labels.set(plan::label::kConfigFiles, join(project.files, ","));
  put(labels, plan::label::kEnvironmentFile, env_files_text(project));
  labels.set(plan::label::kDependsOn, depends_on_text(draft.config["depends_on"]));
  put(labels, plan::label::kImage, input.image_id);
  labels.set(plan::label::kSchema, plan::kSchema);
  draft.request.desired.set("Labels", std::move(labels));
}

std::string one_off_name(const CreateInput& input) {
  const char separator = input.project.separator;
  return input.project.name + separator + input.service.name + separator + "run" + separator + input.slug;
}

// A body as this engine takes it: without the networks that it can only be connected to afterwards.
Json body_for(const CreateInput& input, CreateRequest& request) {
  Json body = request.desired;
  if (engine::has(input.version, engine::Feature::endpoints_at_create)) return body;
  const Json& endpoints = request.desired["NetworkingConfig"]["EndpointsConfig"];
  if (endpoints.size() < 2) return body;
  const std::string primary(request.desired["HostConfig"]["NetworkMode"].text());
  for (const auto& [network, endpoint] : endpoints.members())
    if (network != primary) request.connections.push_back({.network = network, .endpoint = endpoint});
  Json first = Json::object();
  first.set(primary, endpoints[primary]);
  body.slot("NetworkingConfig").set("EndpointsConfig", std::move(first));
  return body;
}

}  // namespace

std::string container_name(const Project& project, const Service& service, int number) {
  const std::string_view own = service.config["container_name"].text();
  if (!own.empty()) return std::string(own);
  return project.name + project.separator + service.name + project.separator + std::to_string(number);
}

std::string image_name(const Project& project, const Service& service) {
  const std::string_view own = service.config["image"].text();
  return own.empty() ? project.name + project.separator + service.name : std::string(own);
}

std::string network_name(const Project& project, std::string_view key) {
  const std::string_view own = project.networks[key]["name"].text();
  return own.empty() ? project.name + '_' + std::string(key) : std::string(own);
}

std::string volume_name(const Project& project, std::string_view key) {
  const std::string_view own = project.volumes[key]["name"].text();
  return own.empty() ? project.name + '_' + std::string(key) : std::string(own);
}

bool is_external(const Json& declaration) {
  return declaration["external"].boolean() || declaration["external"].is_object();
}

Result<CreateRequest> create_request(const CreateInput& input) {
  CreateRequest request;
  request.name = input.slug.empty() ? container_name(input.project, input.service, input.number) : one_off_name(input);
  request.platform = input.service.config["platform"].text();
  request.desired = Json::object();
  Draft draft{.input = input, .config = input.service.config, .request = request};
  if (!input.service.config["provider"].is_null())
    return detail::complain(draft, "provider", "services that a provider program runs are not supported; remove it");
  if (!input.service.config["credential_spec"].is_null())
    detail::leave_out(draft, "credential_spec", "only engines on Windows have it");
  if (!input.service.config["models"].is_null()) detail::leave_out(draft, "models", "berth runs no model runner");
  TRY(detail::add_config(draft));
  TRY(detail::add_host(draft));
  TRY(detail::add_resources(draft));
  TRY(detail::add_mounts(draft));
  TRY(detail::add_files(draft));
  TRY(detail::add_networks(draft));
  request.desired.set("HostConfig", std::move(draft.host));
  // Files that are copied in are named by a label that add_files has written; labels come on top of it.
  const Json content = request.desired["Labels"];
  add_labels(draft);
  for (const auto& [name, value] : content.members()) request.desired.slot("Labels").set(name, value);
  Json& labels = request.desired.slot("Labels");
  labels.set(plan::label::kConfigHash, config_hash(input.project, input.service, input.containers));
  labels.set(plan::label::kBodyHash, plan::hash_of_body(request.desired));
  resolve(input, request);
  write_hash_text(input, request);
  request.body = body_for(input, request);
  return request;
}

}  // namespace berth::compose
