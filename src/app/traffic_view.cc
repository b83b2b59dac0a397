// What the control socket shows to people: counters, requests that run, requests as they end.
#include <algorithm>

#include "app/traffic_server.h"
#include "edge/view_metrics.h"

namespace berth::app {
namespace {

using std::chrono::seconds;

constexpr std::size_t kMostLines = 500;  // in one reply
constexpr auto kWait = seconds(1);       // for a request to end

/// Certificates are core's: the edge has only what it was given.
std::string certificate_lines(const std::vector<edge::Certificate>& certificates) {
  std::string out =
      "# HELP berth_certificate_not_after_timestamp_seconds When a certificate ends.\n"
      "# TYPE berth_certificate_not_after_timestamp_seconds gauge\n";
  std::set<std::string> named;
  for (const edge::Certificate& each : certificates) {
    for (const std::string& host : each.hosts) {
      if (!named.insert(host).second) continue;  // the edge takes the first one
      out += "berth_certificate_not_after_timestamp_seconds{host=\"" + edge::label_value(host) + "\"} " +
             std::to_string(each.not_after.time_since_epoch().count()) + "\n";
    }
  }
  return out;
}

}  // namespace

io::Task<Result<Json>> TrafficServer::view(edge::ViewCommand::What what) {
  const edge::ViewCommand command{.id = ++board_.asked, .what = what};
  co_return co_await answer_of(command.id, edge::encode_command(command));
}

io::Task<Result<Json>> TrafficServer::show_metrics() {
  Json answer = CO_TRY(co_await view(edge::ViewCommand::What::metrics));
  answer.set("text", std::string(answer["text"].text()) + certificate_lines(board_.desk.snapshot.certificates));
  co_return answer;
}

io::Task<Result<Json>> TrafficServer::show_requests(plan::ControlRequest request) {
  if (request.follow) co_return co_await follow(request.since);
  co_return co_await view(edge::ViewCommand::What::requests);
}

/// Lines beyond `since`, at most so many; waits a little for the first one. Who asks too seldom has lost some.
io::Task<Result<Json>> TrafficServer::follow(std::uint64_t since) {
  const io::Context context = co_await io::here();
  if (context.loop->now() - board_.followed > edge::ViewCommand::kFollowed / 2) {
    CO_TRY(co_await view(edge::ViewCommand::What::follow));
    board_.followed = context.loop->now();
  }
  if (since == 0) since = board_.told;
  const io::Time until = context.loop->now() + kWait;
  while (board_.told <= since && context.loop->now() < until) {
    const auto moved = co_await io::within(until - context.loop->now(), next_move());
    if (!moved && moved.error().code != Code::timeout) co_return fail(moved.error());
  }
  const std::uint64_t oldest = board_.told - board_.lines.size();
  const std::uint64_t from = std::clamp(since, oldest, board_.told);
  const std::uint64_t to = std::min<std::uint64_t>(from + kMostLines, board_.told);
  Json lines = Json::array();
  for (std::uint64_t at = from; at < to; ++at) lines.push(board_.lines[static_cast<std::size_t>(at - oldest)]);
  co_return Json::object({{"lines", std::move(lines)},
                          {"next", static_cast<std::int64_t>(to)},
                          {"lost", static_cast<std::int64_t>(from - std::min(since, from))}});
}

}  // namespace berth::app
