// From a service to the bodies that create it: containers, networks, volumes, with Docker Compose's labels and names.
// Pure.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "compose/project.h"
#include "engine/feature.h"
#include "plan/op.h"

namespace berth::compose {

/// What com.docker.compose.version says: the level of Docker Compose that berth's labels and names are those of.
inline constexpr std::string_view kComposeVersion = "2.26.1+berth";

/// What else decides a create body.
struct CreateInput {
  const Project& project;
  const Service& service;
  int number = 1;
  engine::ApiVersion version = engine::kOldestApi;
  /// Service -> id of its first container, for `network_mode: service:x` and the like. An id that is not known yet is
  /// written as "service:x" and named in CreateRequest::references. "container:NAME" -> id of that container.
  std::map<std::string, std::string> containers{};
  std::string image_id{};  ///< for com.docker.compose.image, "" when unknown
  /// Of `berth run`: a one-off container `<project>-<service>-run-<slug>`; "" for a container of the service.
  std::string slug{};
  bool use_aliases = false;  ///< of `berth run`: reachable under the service's name too
};

/// A place in a body that names another container: to be filled with its id.
struct Reference {
  std::vector<std::string> path{};  ///< as plan::Fill::path
  std::string prefix{};             ///< "container:"
  std::string service{};
  std::string suffix{};  ///< ":ro" of volumes_from
  std::string mark{};    ///< what stands for its id in CreateRequest::hash_text
};
/// One network beyond those that the create body may name.
struct Connection {
  std::string network{};  ///< name on the engine
  Json endpoint{};
};
struct CreateRequest {
  std::string name{};  ///< container's name
  std::string platform{};
  /// What is compared with what is there: all networks in it, labels and config hash included.
  Json desired{};
  Json body{};                            ///< of POST /containers/create: `desired` as this engine takes it
  std::vector<Connection> connections{};  ///< to make before the start
  std::vector<plan::CopiedFile> files{};  ///< to copy in before the start
  std::vector<Reference> references{};    ///< unresolved
  std::string hash_text{};                ///< with unresolved ones: what the config hash is of
  std::vector<std::string> warnings{};
};

/// The body and what goes with it. Code::invalid names file:line:column for what cannot be expressed: a secret that is
/// declared nowhere, a value out of range, a feature that this engine lacks.
Result<CreateRequest> create_request(const CreateInput& input);

/// container_name, else `<project>-<service>-<number>`.
std::string container_name(const Project& project, const Service& service, int number);
/// The reference that the service runs: `image`, else `<project>-<service>`.
std::string image_name(const Project& project, const Service& service);
/// The network's or volume's name on the engine: `name`, else `<project>_<key>`.
std::string network_name(const Project& project, std::string_view key);
std::string volume_name(const Project& project, std::string_view key);
bool is_external(const Json& declaration);

/// Body of POST /networks/create, labelled. Code::invalid for what this engine cannot do.
Result<Json> network_body(const Project& project, std::string_view key, engine::ApiVersion version);
/// Body of POST /volumes/create, labelled.
Json volume_body(const Project& project, std::string_view key);

/// Mounts the anonymous volumes of the container that `body` replaces where nothing else is mounted.
void inherit_volumes(Json& body, const plan::Container& old);

}  // namespace berth::compose
