// Commands run inside a container.
#pragma once

#include "engine/client.h"
#include "engine/output.h"

namespace berth::engine {

struct CreateExec {
  std::vector<std::string> command{};
  std::vector<std::string> environment{};  ///< "NAME=value"
  std::string user{};
  std::string working_dir{};
  bool in = false;
  bool out = true;
  bool err = true;
  bool tty = false;
  bool privileged = false;
};
/// The id of the exec. Code::conflict when the container does not run.
io::Task<Result<std::string>> create_exec(Client& client, std::string container, CreateExec create);
/// Starts it attached; `tty` as at its creation.
io::Task<Result<Attachment>> start_exec(Client& client, std::string exec, bool tty);
/// Starts it and returns at once.
io::Task<Result<void>> start_exec_detached(Client& client, std::string exec, bool tty);
io::Task<Result<void>> resize_exec(Client& client, std::string exec, int width, int height);
io::Task<Result<Json>> inspect_exec(Client& client, std::string exec);
/// Exit status of an exec that ended; Code::conflict while it runs.
io::Task<Result<std::int64_t>> exec_status(Client& client, std::string exec);

}  // namespace berth::engine
