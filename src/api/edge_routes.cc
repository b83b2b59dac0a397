#include "api/edge_routes.h"

#include <algorithm>
#include <memory>

#include "api/container_view.h"

namespace berth::api {
namespace {

using View = std::shared_ptr<const EdgeView>;

const Json& service_of(const Json& status, std::string_view name) {
  static const Json nothing;
  for (const Json& service : status["services"].items())
    if (service["name"].text() == name) return service;
  return nothing;
}

// "web, websecure" with what answers, as one item.
Json route_json(const Json& route, const Json& service) {
  Json targets = Json::array();
  for (const Json& upstream : service["upstreams"].items())
    targets.push(Json::object({{"container", upstream["target"]},
                               {"host", upstream["host"]},
                               {"port", upstream["port"]},
                               {"tls", upstream["tls"]}}));
  return Json::object({{"name", route["name"]},
                       {"rule", route["rule"]},
                       {"priority", route["priority"]},
                       {"entryPoints", route["listeners"]},
                       {"service", route["service"]},
                       {"middlewares", route["middlewares"]},
                       {"targets", std::move(targets)},
                       {"down", service["down"].is_empty() ? Json() : service["down"]},
                       {"held", service["held"]},
                       {"warnings", route["warnings"]}});
}

io::Task<Result<Reply>> list_routes(View view, Call& call) {
  const Json status = view->status();
  std::vector<Json> items;
  for (const Json& route : status["routes"].items())
    items.push_back(route_json(route, service_of(status, route["service"].text())));
  Reply reply = page(call, std::move(items));
  reply.body.set("notes", status["notes"]);
  reply.body.set("unexposed", status["unexposed"]);
  co_return reply;
}

io::Task<Result<Reply>> explain_url(View view, Call& call) {
  co_return Reply{.body = CO_TRY(view->explain(std::string(call.option("url"))))};
}

Json time_or_null(const Json& text) {
  return text.is_empty() ? Json() : Json(milliseconds_of(text.text()));
}

io::Task<Result<Reply>> list_certificates(View view, Call& call) {
  std::vector<Json> items;
  const Json all = CO_TRY(view->certificates());
  for (const Json& each : all.items())
    items.push_back(Json::object({{"id", each["id"]},
                                  {"hosts", each["hosts"]},
                                  {"resolver", each["resolver"]},
                                  {"issuer", each["issuer"]},
                                  {"error", each["error"].is_empty() ? Json() : each["error"]},
                                  {"notBeforeAt", time_or_null(each["not_before"])},
                                  {"notAfterAt", time_or_null(each["not_after"])},
                                  {"renewalAt", time_or_null(each["renewal"])},
                                  {"nextTryAt", time_or_null(each["next_try"])}}));
  co_return page(call, std::move(items));
}

io::Task<Result<Reply>> renew(View view, Call& call) {
  CO_TRY(view->renew(std::string(call.parameter("host"))));
  co_return Reply{.status = 204};
}

Route about(std::string_view method, std::string_view path, std::string_view summary, Answer answer) {
  return {.method = method,
          .path = path,
          .needs = Permission::engine,
          .where = Where::whole,
          .summary = summary,
          .handler = std::move(answer)};
}

}  // namespace

Routes edge_routes(EdgeView given) {
  const View view = std::make_shared<const EdgeView>(std::move(given));
  const auto at = [&](auto answer) -> Answer { return [view, answer](Call& call) { return answer(view, call); }; };
  const std::vector<Parameter> paged = {{.name = "limit", .type = "integer"}, {.name = "cursor"}};
  Routes out = {
      about("GET", "/api/v1/routes", "What the edge routes where", at(list_routes)),
      about("GET", "/api/v1/routes/explain", "Which route gets a URL, and why", at(explain_url)),
      about("GET", "/api/v1/certificates", "Certificates, until when, and what went wrong", at(list_certificates)),
      about("POST", "/api/v1/certificates/{host}/renew", "Order a certificate anew now", at(renew)),
  };
  out[0].query = out[2].query = paged;
  out[1].query = {{.name = "url", .meaning = "https://shop.example.org/cart", .required = true}};
  out[3].verb = "certificate.renew";
  return out;
}

}  // namespace berth::api
