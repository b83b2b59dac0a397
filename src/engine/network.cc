#include "engine/network.h"

namespace berth::engine {
namespace {

Call listing(std::string path, const Query& filters) {
  Call call{.path = std::move(path)};
  if (!filters.empty()) call.query.emplace_back("filters", filters_text(filters));
  return call;
}

io::Task<Result<void>> act(Client& client, Call call) {
  CO_TRY(co_await client.call(std::move(call)));
  co_return Result<void>{};
}

}  // namespace

io::Task<Result<Json>> list_networks(Client& client, Query filters) {
  co_return co_await client.call(listing("/networks", filters));
}

io::Task<Result<Json>> inspect_network(Client& client, std::string id) {
  co_return co_await client.call({.path = path_of("/networks/{}", id)});
}

io::Task<Result<std::string>> create_network(Client& client, Json body) {
  body.set("CheckDuplicate", true);
  const Json reply =
      CO_TRY(co_await client.call({.method = "POST", .path = "/networks/create", .body = std::move(body)}));
  const std::string_view id = reply["Id"].text();
  if (id.empty()) co_return fail(Code::internal, "the engine created a network without an id");
  co_return std::string(id);
}

io::Task<Result<void>> connect_network(Client& client, std::string network, std::string container, Json endpoint) {
  Json body = Json::object({{"Container", container}});
  if (!endpoint.is_null()) body.set("EndpointConfig", std::move(endpoint));
  co_return co_await act(client,
                         {.method = "POST", .path = path_of("/networks/{}/connect", network), .body = std::move(body)});
}

io::Task<Result<void>> disconnect_network(Client& client, std::string network, std::string container, bool force) {
  Json body = Json::object({{"Container", container}, {"Force", force}});
  co_return co_await act(
      client, {.method = "POST", .path = path_of("/networks/{}/disconnect", network), .body = std::move(body)});
}

io::Task<Result<void>> remove_network(Client& client, std::string id) {
  co_return co_await act(client, {.method = "DELETE", .path = path_of("/networks/{}", id)});
}

io::Task<Result<Json>> list_volumes(Client& client, Query filters) {
  const Json reply = CO_TRY(co_await client.call(listing("/volumes", filters)));
  co_return reply["Volumes"].is_array() ? reply["Volumes"] : Json::array();
}

io::Task<Result<Json>> inspect_volume(Client& client, std::string name) {
  co_return co_await client.call({.path = path_of("/volumes/{}", name)});
}

io::Task<Result<Json>> create_volume(Client& client, Json body) {
  const std::string name(body["Name"].text());
  const bool labelled = body["Labels"].size() > 0;
  Json volume = CO_TRY(co_await client.call({.method = "POST", .path = "/volumes/create", .body = std::move(body)}));
  // An engine that was restarted answers so for a volume that nobody has inspected since.
  if (labelled && volume["Labels"].is_empty()) co_return co_await inspect_volume(client, name);
  co_return volume;
}

io::Task<Result<void>> remove_volume(Client& client, std::string name, bool force) {
  Call call{.method = "DELETE", .path = path_of("/volumes/{}", name)};
  if (force) call.query.emplace_back("force", "1");
  co_return co_await act(client, std::move(call));
}

}  // namespace berth::engine
