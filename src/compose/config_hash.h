// The label com.docker.compose.config-hash, equal to the one of docker compose 2.26.1. Pure.
#pragma once

#include <map>
#include <string>

#include "compose/project.h"

namespace berth::compose {

/// Member of a `bind` of Project::extensions where only a default says create_host_path: 2.26.1 has no such default.
inline constexpr std::string_view kImpliedKey = "x-#implied";

/// The JSON text whose digest is the hash: the service as Go writes it, without build, pull_policy, scale and
/// deploy.replicas. `containers` as CreateInput::containers: a known service's id takes the place of its name. An
/// attribute that 2.26.1 does not know is left out.
std::string config_hash_text(const Project& project, const Service& service,
                             const std::map<std::string, std::string>& containers);
/// Its SHA-256 as 64 hex digits.
std::string config_hash(const Project& project, const Service& service,
                        const std::map<std::string, std::string>& containers);

}  // namespace berth::compose
