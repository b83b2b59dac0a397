// The parts of fields_of_body and fields_of_inspect, which have one shape: what is sent and what is inspected differ in
// defaults only. Internal to diff*.cc. Pure.
#pragma once

#include <set>
#include <string>
#include <string_view>

#include "plan/diff.h"

namespace berth::plan::detail {

/// Both sides brought to one shape.
struct Shape {
  const Json& config;     ///< the body itself, or Config
  const Json& host;       ///< HostConfig
  const Json& endpoints;  ///< NetworkingConfig.EndpointsConfig, or NetworkSettings.Networks
  const Json& image;      ///< Config of the image, or null
  bool inspected = false;
  std::string_view id{};        ///< of the inspected container
  std::set<std::string> own{};  ///< network aliases that every tool adds in its own way
};

void add_config(const Shape& shape, Fields& fields);
void add_host(const Shape& shape, Fields& fields);
void add_mounts(const Shape& shape, Fields& fields);
void add_endpoints(const Shape& shape, Fields& fields);
/// Of the host's fields those that name other containers; add_host adds them too.
void add_references(const Shape& shape, Fields& fields);
/// Of the endpoints that there is one, which add_endpoints adds too.
void add_attachments(const Shape& shape, Fields& fields);

/// Adds the value unless it is null, false, 0, "", [] or {}.
void put(Fields& fields, std::string path, Json value);
/// The items as texts, sorted, without repetitions.
Json sorted_texts(const Json& list);
/// A network mode that names no network: "host", "none", "bridge", "container:x"; "" for the name of a network.
std::string special_mode(std::string_view mode);

Fields fields_of(const Shape& shape, bool hashed = false);

}  // namespace berth::plan::detail
