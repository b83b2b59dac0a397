#include "api/base_routes.h"

#include "api/openapi.h"

namespace berth::api {
namespace {

constexpr std::string_view kVersion = "v1";  // of the API, as its paths name it

io::Task<Result<Reply>> health(Call&) {
  co_return Reply{.body = Json::object({{"status", "ok"}})};
}

io::Task<Result<Reply>> give(std::shared_ptr<const Json> document) {
  co_return Reply{.body = *document};
}

}  // namespace

Json description(Routes routes) {
  return openapi(with_openapi(std::move(routes)), kVersion);
}

Routes base_routes() {
  return {{"GET", "/api/v1/health", Permission::everyone, Where::whole, "Whether the API answers", health}};
}

Routes with_openapi(Routes routes) {
  const auto document = std::make_shared<Json>();
  routes.push_back({"GET", "/api/v1/openapi.json", Permission::self, Where::whole, "This document",
                    [document](Call&) { return give(document); }});
  *document = openapi(routes, kVersion);
  return routes;
}

}  // namespace berth::api
