#include "cli/registry.h"

#include "engine/credentials.h"
#include "plan/traffic_socket.h"

namespace berth::cli {

io::Task<Result<std::string>> auth_of(Session& session, std::string reference) {
  auto config = CO_TRY(engine::parse_docker_config(CO_TRY(session.docker_config())));
  const auto found = CO_TRY(co_await engine::find_credentials(std::move(config), reference));
  if (found) co_return engine::registry_auth(found);
  const auto* client = CO_TRY(co_await session.engine());
  co_return co_await plan::ask_registry_auth(session.control_folders(), client->address().text(), std::move(reference));
}

std::function<io::Task<Result<std::string>>(std::string reference)> auth_by(Session& session) {
  return [&session](std::string reference) { return auth_of(session, std::move(reference)); };
}

}  // namespace berth::cli
