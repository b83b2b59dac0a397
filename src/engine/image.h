// Images. `name` is a reference ("debian:bookworm-slim", "host:5000/app@sha256:...") or an id.
#pragma once

#include <functional>

#include "engine/client.h"
#include "engine/output.h"

namespace berth::engine {

/// Called with each progress message of the engine ({"status", "id", "progressDetail"} or {"stream"}).
using ProgressSink = std::function<void(const Json& message)>;

/// GET /images/json: an array of summaries.
io::Task<Result<Json>> list_images(Client& client, Query filters = {});
io::Task<Result<Json>> inspect_image(Client& client, std::string name);
io::Task<Result<Json>> image_history(Client& client, std::string name);

struct PullImage {
  std::string name{};      ///< without a tag or digest: ":latest"
  std::string platform{};  ///< "linux/arm64", "" for the engine's own
  std::string auth{};      ///< X-Registry-Auth, "" for none (registry_auth in credentials.h)
};
/// Pulls, without a deadline. An error inside the progress stream is the error of the call: not_found, denied,
/// unavailable or internal by the engine's words.
io::Task<Result<void>> pull_image(Client& client, PullImage pull, ProgressSink progress = {});
/// `auth` is required by engines even where the registry needs none.
io::Task<Result<void>> push_image(Client& client, std::string name, std::string auth, ProgressSink progress = {});
io::Task<Result<void>> tag_image(Client& client, std::string source, std::string target);
struct RemoveImage {
  bool force = false;
  bool keep_parents = false;  ///< noprune
};
/// [{"Untagged": ...}, {"Deleted": ...}]. Code::conflict when a container uses it.
io::Task<Result<Json>> remove_image(Client& client, std::string name, RemoveImage how = {});
/// Loads a tar of docker save.
io::Task<Result<void>> load_images(Client& client, http::Source tar, ProgressSink progress = {});
/// Makes an image without a configuration of a root file system, under the name `reference`; its id.
io::Task<Result<std::string>> import_image(Client& client, std::string reference, std::string tar);
/// A tar as docker save writes it, read from the exchange's body.
io::Task<Result<http::Exchange>> save_images(Client& client, std::vector<std::string> names);

}  // namespace berth::engine
