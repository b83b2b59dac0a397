// What one asks for when a container is made by hand, as the engine's create body. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/json.h"

namespace berth::api {

/// Bounds of containers whose maker names none: no container is without them.
struct CreateLimits {
  std::int64_t memory = 512LL << 20;  ///< bytes
  double cpus = 1;
};

/// Code::invalid for what engines refuse.
Result<void> check_limits(const CreateLimits& limits);

struct CreateOrder {
  std::string image{};  ///< full reference
  std::string name{};
  Json body{};       ///< of POST /containers/create
  bool pull = true;  ///< where the engine lacks the image
};
/// Of the fields of POST /containers. Every port is bound; a port without a host part on every address of the listener
/// that the engine has by default. Code::invalid names the field and the value: ports, limits, names, and what no
/// request may bind (paths of the host).
Result<CreateOrder> create_order(const Json& fields, const CreateLimits& limits);

}  // namespace berth::api
