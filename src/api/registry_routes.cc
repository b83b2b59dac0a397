#include "api/registry_desk.h"

namespace berth::api {
namespace {

using RegistryAnswer = io::Task<Result<Reply>> (*)(RegistryDesk& desk, Call& call);

Answer at_registries(RegistryDesk& desk, RegistryAnswer answer) {
  return [&desk, answer](Call& call) { return answer(desk, call); };
}

io::Task<Result<Reply>> list(RegistryDesk& desk, Call& call) {
  std::vector<Json> items;
  for (const Registry& each : CO_TRY(co_await desk.list())) items.push_back(to_json(each));
  co_return page(call, std::move(items));
}

// What the audit names is read here: a text that is no host may be a password in the wrong field.
io::Task<Result<Reply>> log_in(RegistryDesk& desk, Call& call) {
  const auto field = [&](std::string_view name) { return std::string(call.body[name].text()); };
  const bool check = call.body["check"].boolean(true);
  const std::string host = CO_TRY(engine::parse_registry(field("host")));
  call.record.subject = "registry:" + host;
  call.record.difference = Json::object({{"user", field("user").substr(0, 255)}, {"checked", check}});
  const auto kept =
      co_await desk.keep({.host = host, .user = field("user"), .password = field("password"), .check = check});
  // It is the registry that denies it: the caller was allowed to ask.
  if (!kept && kept.error().code == Code::denied) co_return problem(422, "registry_refused", kept.error().message);
  if (!kept) co_return fail(kept.error());
  co_return Reply{.status = 201, .body = to_json(*kept)};
}

io::Task<Result<Reply>> log_out(RegistryDesk& desk, Call& call) {
  const auto gone = CO_TRY(co_await desk.remove(std::string(call.parameter("host"))));
  call.record.subject = "registry:" + gone.host;
  call.record.difference = Json::object({{"user", gone.user}});
  co_return Reply{.status = 204};
}

}  // namespace

Routes registry_routes(RegistryDesk& desk) {
  return {
      {.method = "GET",
       .path = "/api/v1/registries",
       .needs = Permission::settings,
       .where = Where::whole,
       .summary = "Registries that berth logs in to; never a password",
       .handler = at_registries(desk, list),
       .query = {{.name = "limit", .type = "integer", .meaning = "items of a page, at most 1000"},
                 {.name = "cursor", .meaning = "the `next` of the page before"}}},
      {.method = "POST",
       .path = "/api/v1/registries",
       .needs = Permission::settings,
       .where = Where::whole,
       .summary = "Log in to a registry for all pulls and pushes of berth; takes the place of the login before",
       .handler = at_registries(desk, log_in),
       .fields = {{.name = "host", .meaning = "as images name it, with its port; docker.io", .required = true},
                  {.name = "user", .required = true},
                  {.name = "password", .meaning = "or a token; sealed, never shown", .required = true},
                  {.name = "check",
                   .type = "boolean",
                   .meaning = "false: kept without the engine trying it (default true)"}},
       .verb = "registry.login"},
      {.method = "DELETE",
       .path = "/api/v1/registries/{host}",
       .needs = Permission::settings,
       .where = Where::whole,
       .summary = "Forget a login",
       .handler = at_registries(desk, log_out),
       .verb = "registry.logout"},
  };
}

}  // namespace berth::api
