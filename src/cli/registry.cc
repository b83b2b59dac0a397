#include "cli/registry.h"

#include "engine/credentials.h"

namespace berth::cli {

io::Task<Result<std::string>> auth_of(Session& session, std::string reference) {
  auto config = CO_TRY(engine::parse_docker_config(CO_TRY(session.docker_config())));
  co_return engine::registry_auth(CO_TRY(co_await engine::find_credentials(std::move(config), std::move(reference))));
}

}  // namespace berth::cli
