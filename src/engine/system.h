// What the engine says of itself.
#pragma once

#include "engine/client.h"

namespace berth::engine {

/// GET /version.
io::Task<Result<Json>> engine_version(Client& client);
/// GET /info.
io::Task<Result<Json>> engine_info(Client& client);
/// GET /system/df.
io::Task<Result<Json>> disk_usage(Client& client);
/// The volumes of GET /system/df, with UsageData: only they are summed up where the engine can tell them apart.
io::Task<Result<Json>> volume_usage(Client& client);
/// One /_ping. Code::unavailable when the engine does not answer within `deadline`.
io::Task<Result<void>> ping(Client& client, std::chrono::milliseconds deadline = std::chrono::seconds(5));

}  // namespace berth::engine
