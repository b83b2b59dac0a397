// The operations that a plan consists of: one op is one effect on the engine. Pure values.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/json.h"
#include "plan/observed.h"

namespace berth::plan {

/// A container: one that was observed (`id`), or the one that node `created_by` will have created.
struct ContainerRef {
  std::string id{};    ///< "" when the plan creates it
  std::string name{};  ///< for messages
  int created_by = 0;  ///< node id, 0 when it was observed
  /// What was observed: before the first op on it the executor reads it again and stops with Code::moved when it is
  /// gone, has another name, or runs although it was down.
  std::optional<State> seen{};
};

/// A text of a body that is known only while the plan runs: `prefix` + the result of node `from` + `suffix`.
struct Fill {
  std::vector<std::string> path{};  ///< member keys, and decimal indices into arrays
  std::string prefix{};
  int from = 0;  ///< its result: a container's id, an image's id
  std::string suffix{};
};

/// A text of a body that is the SHA-256 of a longer one in which results stand.
struct Digest {
  std::vector<std::string> path{};     ///< as Fill::path
  std::string text{};                  ///< never printed: it holds the environment
  std::map<std::string, int> marks{};  ///< what stands in `text` for the result of a node
};

struct CreateNetwork {
  Json body{};  ///< of POST /networks/create
};
struct RemoveNetwork {
  std::string id{};
  std::string name{};
};
struct CreateVolume {
  Json body{};  ///< of POST /volumes/create
};
struct RemoveVolume {
  std::string name{};
};
struct PullImage {
  std::string reference{};
  std::string platform{};
};
struct BuildImage {
  std::string tag{};
  Json build{};  ///< the service's `build` in canonical Compose form
  std::string platform{};
  std::string shown{};              ///< the service, for messages
  std::vector<std::string> tags{};  ///< further ones
  bool pull = false;                ///< base images too
  bool no_cache = false;
  std::int64_t memory = 0;  ///< bytes that a step may use, 0 for no bound; the classic builder's alone
  bool classic = false;     ///< not by BuildKit, although the engine may have it
  bool if_absent = false;   ///< only when `tag` is still absent: a pull that came before may have brought it
};
struct RemoveImage {
  std::string reference{};
};
struct CreateContainer {
  std::string name{};
  Json body{};  ///< of POST /containers/create
  std::string platform{};
  std::vector<Fill> fills{};
  std::vector<Digest> digests{};
};
struct ConnectNetwork {
  ContainerRef container{};
  std::string network{};  ///< name
  Json endpoint{};        ///< EndpointSettings
};
struct DisconnectNetwork {
  ContainerRef container{};
  std::string network{};  ///< name
};
/// A volume that holds files which were copied into a container with a read-only root; it goes with its container.
inline constexpr std::string_view kFilesPrefix = "berth-files_";
/// Its label: the project.
inline constexpr std::string_view kFilesLabel = "berth.files";

/// One file for a container: a secret or config that comes from the environment or from the document itself.
struct CopiedFile {
  std::string target{};   ///< absolute path in the container
  std::string content{};  ///< never printed
  int mode = 0444;
  std::string uid{};  ///< "" for root
  std::string gid{};
};
struct CopyIn {
  ContainerRef container{};
  std::vector<CopiedFile> files{};
  bool into_volumes = false;  ///< its root is read-only: each file's folder is a volume
};
struct StartContainer {
  ContainerRef container{};
};
struct StopContainer {
  ContainerRef container{};
  std::optional<std::int64_t> grace{};  ///< seconds; absent: what the container says
};
struct RemoveContainer {
  ContainerRef container{};
  bool volumes = false;  ///< its anonymous volumes too
  bool force = false;    ///< kills it first
};
struct RenameContainer {
  ContainerRef container{};
  std::string name{};
};
/// What to wait for.
enum class Until {
  ready,      ///< running, and healthy where it has a health check
  healthy,    ///< healthy; a container without a health check is an error
  completed,  ///< ended with status 0
};
/// A look at a running container that asks nothing of its image.
struct Probe {
  enum class Kind {
    tcp,   ///< `port` accepts a connection
    http,  ///< GET `path` at `port` answers with 200 to 399
    exec,  ///< `command`, run in the container, ends with 0
  };
  Kind kind = Kind::tcp;
  std::uint16_t port = 0;
  std::string path{};
  std::vector<std::string> command{};
  std::chrono::milliseconds interval{1000};   ///< from the end of a try to the next
  std::chrono::milliseconds timeout{5000};    ///< of one try
  std::chrono::milliseconds start_period{0};  ///< from the first try on; failures in it do not count
  std::int64_t retries = 0;                   ///< so many failures are the end; 0: no bound
};
struct WaitContainer {
  ContainerRef container{};
  Until until = Until::ready;
  std::int64_t seconds = 0;      ///< at most; 0 for no bound
  std::optional<Probe> probe{};  ///< what ready and healthy mean where it has no health check
};
/// Waits until requests reach it (plan::Traffic); done at once where its labels ask for none.
struct RouteContainer {
  ContainerRef container{};
  std::int64_t seconds = 0;  ///< at most
};
/// Takes new requests away from it and waits for those that it has.
struct DrainContainer {
  ContainerRef container{};
  std::int64_t seconds = 0;  ///< for the requests that it has
};
/// A command in a running container, to its end; another status than 0 is a failure.
struct ExecHook {
  ContainerRef container{};
  std::string hook{};  ///< "post_start", "pre_stop"
  std::vector<std::string> command{};
  std::vector<std::string> environment{};  ///< "NAME=value"
  std::string user{};
  std::string working_dir{};
  bool privileged = false;
};
struct RestartContainer {
  ContainerRef container{};
  std::optional<std::int64_t> grace{};
};
struct KillContainer {
  ContainerRef container{};
  std::string signal{};
};
struct UnpauseContainer {
  ContainerRef container{};
};
/// Does nothing for so long; with no time at all it only stands for all that stand before it.
struct Pause {
  std::string what{};  ///< for messages: "10s before the next one"
  std::chrono::milliseconds time{0};
  bool regardless = false;  ///< also when something before it failed
};

using Op = std::variant<CreateNetwork, RemoveNetwork, CreateVolume, RemoveVolume, PullImage, BuildImage, RemoveImage,
                        CreateContainer, ConnectNetwork, DisconnectNetwork, CopyIn, StartContainer, StopContainer,
                        RemoveContainer, RenameContainer, WaitContainer, RestartContainer, KillContainer,
                        UnpauseContainer, RouteContainer, DrainContainer, ExecHook, Pause>;

/// "tcp 5432", "http 8080/health", "exec pg_isready".
std::string to_text(const Probe& probe);
/// "CreateContainer", ...
std::string_view name_of(const Op& op);
/// Its container, or null for ops on other things and for CreateContainer.
const ContainerRef* container_of(const Op& op);
/// It changes nothing on the engine and takes its time.
bool is_wait(const Op& op);
/// What it acts on: "shop-web-1", "shop-web-1 to shop_front", "shop-db-1 healthy".
std::string object_of(const Op& op);
/// What it does in words: "create container shop-web-1", "wait container shop-db-1 healthy".
std::string describe(const Op& op);

}  // namespace berth::plan
