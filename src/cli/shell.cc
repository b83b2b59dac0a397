#include "cli/shell.h"

#include "engine/container.h"

namespace berth::cli {

io::Task<Result<std::string>> find_shell(Session& session, std::string container) {
  auto& client = *CO_TRY(co_await session.engine());
  for (const char* path : {"/bin/bash", "/usr/bin/bash", "/usr/local/bin/bash", "/bin/sh", "/usr/bin/sh"}) {
    const auto stat = co_await engine::stat_in_container(client, container, path);
    if (stat) co_return std::string(path);
    if (stat.error().code != Code::not_found) co_return fail(stat.error());
  }
  co_return fail(Code::not_found, "the container has neither bash nor sh; name a program of its own after the service");
}

}  // namespace berth::cli
