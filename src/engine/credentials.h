// Registry credentials from docker's ~/.docker/config.json: stored ones, and helper programs.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "io/task.h"

namespace berth::engine {

/// Who logs in to one registry. It has no text form: the secret leaves only inside registry_auth().
struct Credentials {
  std::string server{};  ///< as the registry is named in config.json
  std::string user{};
  std::string password{};
  std::string identity_token{};  ///< in place of both
};

/// What config.json says about registries.
struct DockerConfig {
  std::map<std::string, Credentials> stored{};   ///< by registry_key()
  std::map<std::string, std::string> helpers{};  ///< registry_key() -> helper, from credHelpers
  std::string store{};                           ///< the helper for all others, from credsStore
};

/// Code::invalid when the text is not JSON or an entry's `auth` is not base64 of "user:password"; names the registry,
/// never the secret. An empty text is an empty configuration. Pure.
Result<DockerConfig> parse_docker_config(std::string_view text);
/// One name for a registry however it is written: "https://index.docker.io/v1/", "docker.io" and "registry-1.docker.io"
/// are "docker.io"; "https://Host:5000/v2/" is "host:5000". Pure.
std::string registry_key(std::string_view server);
/// registry_key() of what a person writes: a host with or without port, or a URL as docker's config has them.
/// Code::invalid for anything else, also for a host that no image reference can name. Pure.
Result<std::string> parse_registry(std::string_view text);
/// What engines and config.json call the registry `key`: "https://index.docker.io/v1/" for docker.io. Pure.
std::string registry_server(std::string_view key);
/// The program that knows the credentials of `registry` ("docker-credential-pass"), or "". Pure.
std::string helper_program(const DockerConfig& config, std::string_view registry);
/// Reads what a helper's `get` printed. Code::invalid when it is not a helper's answer. Pure.
Result<Credentials> parse_helper_answer(std::string_view server, std::string_view text);

/// The X-Registry-Auth header's value; "" for none. Pure.
std::string registry_auth(const std::optional<Credentials>& credentials);
/// The X-Registry-Config header's value for a build: all given ones by server; "" for none. Pure.
std::string registry_config(const std::map<std::string, Credentials>& credentials);

/// The credentials for the registry of image `reference`; nothing when there are none. A helper is run by argv with the
/// server on its standard input, at most 30 s; Code::denied with its words when it fails.
io::Task<Result<std::optional<Credentials>>> find_credentials(DockerConfig config, std::string reference);

}  // namespace berth::engine
