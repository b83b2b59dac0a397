// One snapshot of an engine as a project sees it: what is there, taken once, labels already parsed. Pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "engine/feature.h"

namespace berth::plan {

/// Labels and prefixes that Docker Compose writes; berth writes the same, so that either can take over.
namespace label {
inline constexpr std::string_view kProject = "com.docker.compose.project";
inline constexpr std::string_view kService = "com.docker.compose.service";
inline constexpr std::string_view kNumber = "com.docker.compose.container-number";
inline constexpr std::string_view kOneoff = "com.docker.compose.oneoff";
inline constexpr std::string_view kConfigHash = "com.docker.compose.config-hash";
inline constexpr std::string_view kImage = "com.docker.compose.image";
inline constexpr std::string_view kVersion = "com.docker.compose.version";
inline constexpr std::string_view kReplace = "com.docker.compose.replace";
inline constexpr std::string_view kDependsOn = "com.docker.compose.depends_on";
inline constexpr std::string_view kWorkingDir = "com.docker.compose.project.working_dir";
inline constexpr std::string_view kConfigFiles = "com.docker.compose.project.config_files";
inline constexpr std::string_view kEnvironmentFile = "com.docker.compose.project.environment_file";
inline constexpr std::string_view kNetwork = "com.docker.compose.network";
inline constexpr std::string_view kVolume = "com.docker.compose.volume";
/// Digests of the secrets and configs that were copied in: {"/run/secrets/key": "..."}; berth's own.
inline constexpr std::string_view kContent = "berth.content";
/// Which berth made it, see kSchema; berth's own.
inline constexpr std::string_view kSchema = "berth.schema";
}  // namespace label

/// How the volume of a project's lock is named, see lock.h.
inline constexpr std::string_view kLockPrefix = "berth-lock_";

/// State.Status of a container.
enum class State { created, running, paused, restarting, removing, exited, dead };
State parse_state(std::string_view text);  ///< what no engine says reads as `dead`
std::string_view to_text(State state);
/// Its main process exists: running, paused or restarting.
bool is_up(State state);

/// State.Health.Status; `none` where there is no health check.
enum class Health { none, starting, healthy, unhealthy };
Health parse_health(std::string_view text);
std::string_view to_text(Health health);

using Labels = std::map<std::string, std::string, std::less<>>;

/// What a container has mounted, whichever API it was asked with.
struct Mount {
  std::string type{};  ///< "bind", "volume", "tmpfs", "npipe"
  std::string name{};  ///< of a volume
  std::string source{};
  std::string target{};
  bool writable = true;
};
/// One network that a container is attached to.
struct Attachment {
  std::string network{};     ///< name
  std::string network_id{};  ///< "" when it never started
  std::vector<std::string> aliases{};
};

struct Container {
  std::string id{};
  std::string name{};  ///< without the leading slash
  std::string project{};
  std::string service{};
  int number = 0;
  bool oneoff = false;
  State state = State::created;
  Health health = Health::none;
  int exit_code = 0;
  std::string started_at{};
  std::string image_id{};  ///< "sha256:..."
  std::string image{};     ///< the reference it was created with
  Labels labels{};
  std::vector<Attachment> networks{};
  std::vector<Mount> mounts{};
  Json inspect{};

  std::string_view label(std::string_view name) const;
  /// The first 12 characters of its id.
  std::string_view short_id() const { return std::string_view(id).substr(0, 12); }
};

struct Network {
  std::string id{};
  std::string name{};
  Labels labels{};
  std::vector<std::string> containers{};  ///< ids of those attached and running
  Json inspect{};
};
struct Volume {
  std::string name{};
  Labels labels{};
  Json inspect{};
};
struct Image {
  std::string id{};
  std::vector<std::string> digests{};  ///< RepoDigests
  Json config{};                       ///< Config of its inspect
  std::string platform{};              ///< "linux/arm64/v8", "" where the engine does not say
  std::int64_t tagged_at = 0;          ///< when it last got a name, seconds since 1970; 0 where the engine does not say
};

/// What a project may need to know of an engine: names that cannot be found by the project's label.
struct Wanted {
  std::string project{};
  std::vector<std::string> networks{};    ///< names, external ones included
  std::vector<std::string> volumes{};     ///< names, external ones included
  std::vector<std::string> images{};      ///< references
  std::vector<std::string> containers{};  ///< names that the project claims
};

/// The snapshot. Immutable once built; any thread. Lists are sorted, so that equal worlds give equal plans.
struct Observed {
  std::string project{};
  engine::ApiVersion version = engine::kOldestApi;
  std::vector<Container> containers{};  ///< of the project, one-offs included; by service, number, name
  std::vector<Container> foreign{};     ///< of others, under a name in Wanted::containers
  std::vector<Network> networks{};      ///< with the project's label, or under a name in Wanted::networks; by name, id
  std::vector<Volume> volumes{};        ///< the same for volumes; by name
  std::map<std::string, Image, std::less<>> images{};  ///< by reference as asked, and by id for those of containers

  const Image* image(std::string_view reference_or_id) const;
  const Volume* volume(std::string_view name) const;
  /// Of that exact name; where there are several (engines allow it) the one with the project's label, else the
  /// smallest id.
  const Network* network(std::string_view name) const;
  const Container* container(std::string_view id_or_name) const;
};

/// From GET /containers/ID/json.
Container parse_container(const Json& inspect);
/// From GET /networks/ID, or an item of GET /networks.
Network parse_network(const Json& inspect);
/// From GET /volumes/NAME, or an item of GET /volumes.
Volume parse_volume(const Json& inspect);
/// From GET /images/NAME/json.
Image parse_image(const Json& inspect);

/// What an engine answered, unparsed: the argument of observed_from. Also the form of test cases.
struct Replies {
  engine::ApiVersion version = engine::kOldestApi;
  std::vector<Json> containers{};  ///< inspects
  std::vector<Json> networks{};
  std::vector<Json> volumes{};
  std::vector<std::pair<std::string, Json>> images{};  ///< reference asked for, inspect
};
/// The snapshot of `wanted.project`; what does not belong to it or to `wanted` is left out.
Observed observed_from(const Wanted& wanted, const Replies& replies);

}  // namespace berth::plan
