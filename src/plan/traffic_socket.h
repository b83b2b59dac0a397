// plan::Traffic over the control sockets of every `berth serve` that follows an engine: one request and one reply a
// connection, each a line of JSON.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "io/stream.h"
#include "plan/traffic.h"

namespace berth::plan {

/// Longer lines end a connection.
inline constexpr std::size_t kMostControlLine = 4u << 20;

/// The socket of the serve that keeps its state in `data`, for the engine at `engine` (its address as text).
std::string control_socket(const std::string& folder, std::string_view engine, std::string_view data);

/// The sockets of the serves that keep their state in `data`, for whatever engine.
std::vector<std::string> control_sockets(const std::string& folder, std::string_view data);

/// {"do": "view"}, {"do": "route"|"drain", "container": ID, "seconds": N}, {"do": "cache"} for the counters,
/// {"do": "cache", "purge": "url"|"prefix"|"tag"|"all", "what": TEXT}, {"do": "hold", "verb": "pause"|"stop"|"resume",
/// "name": SERVICE, ROUTER OR HOST, ...}, {"do": "metrics"}, {"do": "requests"} for those that run, {"do": "requests",
/// "follow": true, "since": N} for those that have ended, {"do": "registry", "reference": IMAGE} for the
/// X-Registry-Auth of its registry.
struct ControlRequest {
  enum class What { view, route, drain, cache, hold, metrics, requests, registry };
  What what = What::view;
  std::string container{};
  std::chrono::seconds most{};  ///< with hold: for the requests that run
  std::string by{}, text{};     ///< of a purge
  struct Hold {
    std::string verb{}, name{}, message{};
    std::chrono::seconds limit{};  ///< how long a request waits
    std::uint32_t count = 0;       ///< of requests that wait
    bool cut = false;              ///< what still runs after `most`
  };
  Hold hold{};
  bool follow = false;      ///< with requests: those that end, not those that run
  std::uint64_t since = 0;  ///< the `next` of the reply before; 0: from now on
  std::string reference{};  ///< of an image, with registry
};
std::string encode(const ControlRequest& request);
Result<ControlRequest> decode_control_request(std::string_view line);

/// A reply is a result, or {"error": message, "code": code}.
std::string encode(const TrafficView& view);
std::string encode(Routing routing);
std::string encode(Drained drained);
std::string encode(const Error& error);
/// The reply's object; its error when it is one. Code::invalid when it is no reply.
Result<Json> decode_control_reply(std::string_view line);

/// The line without its end. Code::invalid beyond kMostControlLine, unavailable when the stream ends before.
io::Task<Result<std::string>> read_control_line(io::Stream& stream);
/// One question to the socket at `path`.
io::Task<Result<Json>> ask_control(std::string path, ControlRequest request);

/// X-Registry-Auth for an image reference as the serves that follow `engine` keep it, "" where none does or none tells
/// this account.
io::Task<std::string> ask_registry_auth(std::vector<std::string> folders, std::string engine, std::string reference);

/// The serves whose sockets lie in `folders`. A socket without a listener is one of a serve that is gone.
std::unique_ptr<Traffic> traffic_by_sockets(std::vector<std::string> folders, std::string engine);

}  // namespace berth::plan
