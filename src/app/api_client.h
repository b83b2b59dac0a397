// The API of a berth serve on this machine, asked over its unix socket.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/json.h"
#include "io/task.h"

namespace berth::http {
class Pool;
}

namespace berth::app {

struct ApiQuestion {
  std::string data = "/var/lib/berth";  ///< folder of the serve; the socket is api.sock in it
  std::string method = "GET";
  std::string path{};  ///< below /api/v1
  Json body{};         ///< null: none
};
/// What the API answered, whatever its status; null `body` for an empty one.
struct ApiAnswer {
  int status = 0;
  Json body{};
};
/// One question over the connections of `api`, at most 60 s; its `data` is of no meaning here. Code::unavailable when
/// no serve answers.
io::Task<Result<ApiAnswer>> exchange_api(http::Pool& api, ApiQuestion question);
/// The body, or the error that the API gave, as ours: Code::denied for an account that may not.
Result<Json> body_of(ApiAnswer answer);
/// Both, over a connection of its own. Blocks.
Result<Json> ask_api(ApiQuestion question);
/// Gives each line of a job to `tell` ({"at", "level", "text"}) until the job ends: as GET /jobs/ID shows it then.
/// Code::unavailable when the serve goes away meanwhile. Blocks.
Result<Json> follow_job(const std::string& data, const std::string& id, const std::function<void(const Json&)>& tell);
/// All items of a list, page by page.
Result<std::vector<Json>> ask_api_list(const std::string& data, const std::string& path);

}  // namespace berth::app
