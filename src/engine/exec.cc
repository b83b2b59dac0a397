#include "engine/exec.h"

namespace berth::engine {
namespace {

Json texts(const std::vector<std::string>& list) {
  Json json = Json::array();
  for (const std::string& text : list) json.push(text);
  return json;
}

}  // namespace

io::Task<Result<std::string>> create_exec(Client& client, std::string container, CreateExec create) {
  Json body = Json::object({{"AttachStdin", create.in},
                            {"AttachStdout", create.out},
                            {"AttachStderr", create.err},
                            {"Tty", create.tty},
                            {"Privileged", create.privileged},
                            {"Cmd", texts(create.command)}});
  if (!create.user.empty()) body.set("User", create.user);
  if (!create.environment.empty()) {
    CO_TRY(client.require(Feature::exec_environment, "exec in " + container));
    body.set("Env", texts(create.environment));
  }
  if (!create.working_dir.empty()) {
    CO_TRY(client.require(Feature::exec_working_dir, "exec in " + container));
    body.set("WorkingDir", create.working_dir);
  }
  const Json reply = CO_TRY(co_await client.call(
      {.method = "POST", .path = path_of("/containers/{}/exec", container), .body = std::move(body)}));
  const std::string_view id = reply["Id"].text();
  if (id.empty()) co_return fail(Code::internal, "the engine created an exec without an id");
  co_return std::string(id);
}

io::Task<Result<Attachment>> start_exec(Client& client, std::string exec, bool tty) {
  Json body = Json::object({{"Detach", false}, {"Tty", tty}});
  Call call{.method = "POST", .path = path_of("/exec/{}/start", exec), .body = std::move(body)};
  co_return Attachment(CO_TRY(co_await client.upgrade(std::move(call))), tty);
}

io::Task<Result<void>> start_exec_detached(Client& client, std::string exec, bool tty) {
  Json body = Json::object({{"Detach", true}, {"Tty", tty}});
  CO_TRY(co_await client.call({.method = "POST", .path = path_of("/exec/{}/start", exec), .body = std::move(body)}));
  co_return Result<void>{};
}

io::Task<Result<void>> resize_exec(Client& client, std::string exec, int width, int height) {
  CO_TRY(co_await client.call({.method = "POST",
                               .path = path_of("/exec/{}/resize", exec),
                               .query = {{"w", std::to_string(width)}, {"h", std::to_string(height)}}}));
  co_return Result<void>{};
}

io::Task<Result<Json>> inspect_exec(Client& client, std::string exec) {
  co_return co_await client.call({.path = path_of("/exec/{}/json", exec)});
}

io::Task<Result<std::int64_t>> exec_status(Client& client, std::string exec) {
  const Json state = CO_TRY(co_await inspect_exec(client, exec));
  if (state["Running"].boolean()) co_return fail(Code::conflict, "exec " + exec.substr(0, 12) + " still runs");
  co_return state["ExitCode"].integer();
}

}  // namespace berth::engine
