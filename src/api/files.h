// Folders and files inside a container, from the engine's archive of them, streamed: nothing is kept but one folder's
// names.
#pragma once

#include <chrono>

#include "api/folder_view.h"
#include "api/route.h"
#include "engine/client.h"

namespace berth::api {

/// Where paths begin: "/" of a container, or the folder at which one has a volume mounted.
struct FilePlace {
  std::string container{};
  PathParts root{};
  std::string shown{};  ///< for messages: "container web-1"
};

/// ?path= of both routes.
inline constexpr Parameter kPath{.name = "path", .meaning = "percent-encoded bytes; / unless said"};

/// {"path", "items", "partial"}. An engine has no call for one folder alone: it archives all that lies beneath, so that
/// a large one takes long; `partial` says why items or sizes are missing. Code::not_found, invalid for what is no
/// folder.
io::Task<Result<Json>> list_folder(engine::Client& client, FilePlace place, PathParts path,
                                   std::chrono::seconds most = std::chrono::seconds(20));

/// Answers with the bytes of a file, or a tar of a folder, always to be saved and never shown. Code::invalid for what
/// is neither.
io::Task<Result<void>> send_content(Call& call, engine::Client& client, FilePlace place, PathParts path);

}  // namespace berth::api
