// Containers. `id` is an id, a prefix of one or a name; Code::not_found when there is none, unless said otherwise.
// The functions take their texts by value because a task starts only when it is awaited.
#pragma once

#include <cstdint>

#include "engine/client.h"
#include "engine/output.h"

namespace berth::engine {

struct ListContainers {
  bool all = true;  ///< stopped ones too
  bool size = false;
  Query filters{};  ///< {"label", "com.docker.compose.project=shop"}
};
/// GET /containers/json: an array of summaries.
io::Task<Result<Json>> list_containers(Client& client, ListContainers which = {});
io::Task<Result<Json>> inspect_container(Client& client, std::string id);

struct CreateContainer {
  std::string name{};      ///< "" lets the engine choose
  Json body{};             ///< Config with HostConfig and NetworkingConfig
  std::string platform{};  ///< "linux/arm64"; Code::invalid where the engine cannot choose one
};
struct Created {
  std::string id{};
  std::vector<std::string> warnings{};
};
/// Code::conflict when the name is taken, not_found when the image is missing.
io::Task<Result<Created>> create_container(Client& client, CreateContainer create);

/// A container that runs already is no error.
io::Task<Result<void>> start_container(Client& client, std::string id);
/// Sends the stop signal, and SIGKILL after `grace` (absent: what the container says, else 10 s; negative: never). One
/// that is stopped already is no error. The call's deadline is `grace` and a minute.
io::Task<Result<void>> stop_container(Client& client, std::string id, std::optional<std::chrono::seconds> grace = {});
io::Task<Result<void>> restart_container(Client& client, std::string id,
                                         std::optional<std::chrono::seconds> grace = {});
/// `signal` as "SIGTERM", "TERM" or "15"; "" is SIGKILL. Code::conflict when it does not run.
io::Task<Result<void>> kill_container(Client& client, std::string id, std::string signal = {});
struct RemoveContainer {
  bool force = false;    ///< kill it first
  bool volumes = false;  ///< its anonymous volumes too
};
io::Task<Result<void>> remove_container(Client& client, std::string id, RemoveContainer how = {});
io::Task<Result<void>> rename_container(Client& client, std::string id, std::string name);
io::Task<Result<void>> pause_container(Client& client, std::string id);
io::Task<Result<void>> unpause_container(Client& client, std::string id);
/// POST /containers/ID/update: resources and restart policy.
io::Task<Result<Json>> update_container(Client& client, std::string id, Json changes);
/// Changed files: [{"Path": "/tmp", "Kind": 0}].
io::Task<Result<Json>> container_changes(Client& client, std::string id);
/// {"Titles": [...], "Processes": [[...]]}; `arguments` are those of ps.
io::Task<Result<Json>> container_top(Client& client, std::string id, std::string arguments = {});

enum class Until { not_running, next_exit, removed };
/// Waits, without a deadline, and returns the exit status. Code::internal with the engine's reason when it failed.
io::Task<Result<std::int64_t>> wait_container(Client& client, std::string id, Until until = Until::not_running);

/// One sample, or a stream of them (about one a second) until the container is gone or the stream is dropped.
io::Task<Result<Json>> container_stats(Client& client, std::string id);
io::Task<Result<JsonStream>> stream_stats(Client& client, std::string id);

struct ReadLogs {
  bool out = true;
  bool err = true;
  bool follow = false;
  bool timestamps = false;  ///< each line begins with RFC 3339 time and a space
  std::string since{};      ///< seconds with up to nine decimals, "" from the start
  std::string until{};
  std::string tail{};  ///< a number of lines, "" for all
};
/// `tty`: Config.Tty of the container; its log is then one raw stream.
io::Task<Result<OutputStream>> container_logs(Client& client, std::string id, bool tty, ReadLogs which = {});

struct Attach {
  bool in = false;
  bool out = true;
  bool err = true;
  bool logs = false;  ///< what was written before, first
  bool tty = false;   ///< Config.Tty of the container
  std::string detach_keys{};
};
io::Task<Result<Attachment>> attach_container(Client& client, std::string id, Attach how = {});
/// Size of the terminal in characters.
io::Task<Result<void>> resize_container(Client& client, std::string id, int width, int height);

/// What X-Docker-Container-Path-Stat says: {"name", "size", "mode", "mtime", "linkTarget"}.
io::Task<Result<Json>> stat_in_container(Client& client, std::string id, std::string path);
/// An uncompressed tar of `path`, read from the exchange's body.
io::Task<Result<http::Exchange>> get_archive(Client& client, std::string id, std::string path);
/// Unpacks an uncompressed tar into the folder `path`.
io::Task<Result<void>> put_archive(Client& client, std::string id, std::string path, http::Source tar);

}  // namespace berth::engine
