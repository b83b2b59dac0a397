// The parts of create_request. Internal to create*.cc. Pure.
#pragma once

#include <string>
#include <string_view>

#include "compose/create.h"

namespace berth::compose::detail {

/// A body on its way: what the parts read and write.
struct Draft {
  const CreateInput& input;
  const Json& config;  ///< of the service
  CreateRequest& request;
  Json host = Json::object();  ///< HostConfig
};

Result<void> add_config(Draft& draft);
Result<void> add_resources(Draft& draft);
Result<void> add_host(Draft& draft);
Result<void> add_mounts(Draft& draft);
/// Secrets and configs: mounts for files, CopiedFile for the rest.
Result<void> add_files(Draft& draft);
Result<void> add_networks(Draft& draft);

/// The labels that everything of a project carries.
void add_project_labels(const Project& project, Json& labels);
/// The same in `Labels` of a network's or volume's body.
void add_object_labels(const Project& project, Json& body);

/// Sets the member unless the value is null, false, 0, "", [] or {}.
void put(Json& object, std::string_view key, Json value);
/// `services.web.mem_limit: "12x" is no size`, with file:line:column before it.
std::unexpected<Error> complain(const Draft& draft, std::string_view attribute, std::string_view what);
/// Warns, with the place, that `attribute` has no effect.
void leave_out(Draft& draft, std::string_view attribute, std::string_view why);
/// Whether this engine has the feature; else warns that `attribute` ("annotations", "networks.a.gw_priority") is left
/// out.
bool may(Draft& draft, std::string_view attribute, engine::Feature feature);
/// Bytes, from a number or a text; 0 when absent.
Result<std::int64_t> bytes_of(const Draft& draft, std::string_view attribute, const Json& value);
/// Nanoseconds; 0 when absent.
Result<std::int64_t> nanoseconds_of(const Draft& draft, std::string_view attribute, const Json& value);
/// A number from a number or a text; 0 when absent.
Result<double> number_of(const Draft& draft, std::string_view attribute, const Json& value);
/// "service:x" -> "container:" and a reference, which is filled when the id is known; else the text as it is.
Json namespace_of(Draft& draft, std::string_view value, std::vector<std::string> path);

}  // namespace berth::compose::detail
