#include "edge/view_watch.h"

#include "edge/handler.h"
#include "edge/live.h"

namespace berth::edge {

Json Running::describe(const List& list, io::Time now, std::size_t most) {
  Json out = Json::array();
  for (const Running* each = list.first; each && most-- > 0; each = each->next_) {
    const Request& request = each->request_;
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(now - each->begun_).count();
    out.push(Json::object({{"client", request.hop.peer_text},
                           {"method", request.head.method},
                           {"scheme", request.hop.scheme()},
                           {"host", request.host},
                           {"path", request.path},
                           {"status", std::int64_t{request.tally.status}},
                           {"sent", static_cast<std::int64_t>(request.tally.sent)},
                           {"received", static_cast<std::int64_t>(request.tally.received)},
                           {"ms", static_cast<std::int64_t>(ms)},
                           {"route", request.entry ? request.entry->route.name : std::string()}}));
  }
  return out;
}

}  // namespace berth::edge
