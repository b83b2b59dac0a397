#include "engine/system.h"

namespace berth::engine {

io::Task<Result<Json>> engine_version(Client& client) {
  co_return co_await client.call({.path = "/version"});
}

io::Task<Result<Json>> engine_info(Client& client) {
  co_return co_await client.call({.path = "/info"});
}

io::Task<Result<Json>> disk_usage(Client& client) {
  // The engine sums up every layer and volume.
  co_return co_await client.call({.path = "/system/df", .deadline = std::chrono::minutes(10)});
}

io::Task<Result<Json>> volume_usage(Client& client) {
  // Engines before API 1.42 ignore the type and sum up images too.
  const Json usage = CO_TRY(co_await client.call(
      {.path = "/system/df", .query = {{"type", "volume"}}, .deadline = std::chrono::minutes(30)}));
  co_return usage["Volumes"].is_array() ? usage["Volumes"] : Json::array();
}

io::Task<Result<void>> ping(Client& client, std::chrono::milliseconds deadline) {
  auto reply = co_await client.call({.path = "/_ping", .deadline = deadline});
  if (!reply && reply.error().code == Code::timeout) reply.error().code = Code::unavailable;
  CO_TRY(std::move(reply));
  co_return Result<void>{};
}

}  // namespace berth::engine
