// Networks and volumes.
#pragma once

#include "engine/client.h"

namespace berth::engine {

/// GET /networks: an array.
io::Task<Result<Json>> list_networks(Client& client, Query filters = {});
/// By id or name; the engine prefers an exact id, then an exact name. Code::not_found, or conflict when ambiguous.
io::Task<Result<Json>> inspect_network(Client& client, std::string id);
/// `body` as the API wants it ({"Name", "Driver", "Labels", "IPAM", ...}); the id. CheckDuplicate is added: a second
/// network of the same name is Code::conflict.
io::Task<Result<std::string>> create_network(Client& client, Json body);
/// `endpoint` is an EndpointSettings or null. Code::denied or conflict when it is connected already.
io::Task<Result<void>> connect_network(Client& client, std::string network, std::string container, Json endpoint = {});
io::Task<Result<void>> disconnect_network(Client& client, std::string network, std::string container,
                                          bool force = false);
/// Code::denied (as engines answer) while containers use it.
io::Task<Result<void>> remove_network(Client& client, std::string id);

/// {"Volumes": [...], "Warnings": [...]}'s Volumes: an array.
io::Task<Result<Json>> list_volumes(Client& client, Query filters = {});
io::Task<Result<Json>> inspect_volume(Client& client, std::string name);
/// `body` is {"Name", "Driver", "DriverOpts", "Labels"}. Returns the volume; creating one that exists answers with the
/// first creator's labels and driver.
io::Task<Result<Json>> create_volume(Client& client, Json body);
/// Code::conflict while a container uses it.
io::Task<Result<void>> remove_volume(Client& client, std::string name, bool force = false);

}  // namespace berth::engine
