// Files in and out of containers, as tar streams.
#include "base/base64.h"
#include "engine/container.h"

namespace berth::engine {
namespace {

constexpr std::size_t kMostReply = 64u << 10;

io::Task<Result<void>> read_to_end(http::Exchange& exchange) {
  CO_TRY(co_await exchange.body.all(kMostReply));
  co_return Result<void>{};
}

}  // namespace

io::Task<Result<Json>> stat_in_container(Client& client, std::string id, std::string path) {
  const auto exchange = CO_TRY(co_await client.stream(
      {.method = "HEAD", .path = path_of("/containers/{}/archive", id), .query = {{"path", path}}}));
  const auto text = decode_base64(http::header(exchange.reply.headers, "x-docker-container-path-stat"));
  if (!text) co_return fail(Code::internal, "the engine's description of " + path + " is not base64");
  co_return parse_json(*text);
}

io::Task<Result<http::Exchange>> get_archive(Client& client, std::string id, std::string path) {
  co_return co_await client.stream({.path = path_of("/containers/{}/archive", id), .query = {{"path", path}}});
}

io::Task<Result<void>> put_archive(Client& client, std::string id, std::string path, http::Source tar) {
  Call call{.method = "PUT", .path = path_of("/containers/{}/archive", id), .query = {{"path", path}}};
  co_return co_await client.upload(std::move(call), std::move(tar), read_to_end);
}

}  // namespace berth::engine
