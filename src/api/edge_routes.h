// Routes and certificates of the edge over HTTP, as `berth route` and `berth cert` show them.
#pragma once

#include <functional>
#include <string>

#include "api/route.h"

namespace berth::api {

/// What core knows of its edge; filled by who knows it. Functions are called on the loop and must not block for long.
struct EdgeView {
  /// {"routes", "services", "tcp", "notes", ...} as status.json has it.
  std::function<Json()> status{};
  /// Which route gets a GET of `url`, why the others do not, and where it leads. Code::invalid for what is no URL.
  std::function<Result<Json>(const std::string& url)> explain{};
  /// [{"id", "hosts", "resolver", "issuer", "error", "not_before", "not_after", "renewal", "next_try"}]
  std::function<Result<Json>()> certificates{};
  /// Wishes for an order now. Code::not_found for a host without a certificate of a CA.
  std::function<Result<void>(const std::string& host)> renew{};
};

/// /routes and /certificates, for whoever may see the whole engine.
Routes edge_routes(EdgeView view);

}  // namespace berth::api
