// What happened to one request, as a value and as a line. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace berth::edge {

/// Views live for the call of the sink only.
struct AccessEvent {
  std::string_view client{}, method{}, scheme{}, host{}, path{};  ///< path without query: queries hold secrets
  int status = 0;                                                 ///< as sent; 0: the client went away before
  std::uint64_t sent = 0;                                         ///< bytes of the reply's body
  std::uint64_t received = 0;                                     ///< bytes of the request's body
  std::chrono::microseconds duration{};
  std::string_view route{}, target{};                  ///< empty when none was chosen
  std::string_view cache{};                            ///< "hit", "miss" and so on; "" where nothing is cached
  std::string_view protocol{}, tls{};                  ///< "HTTP/1.1", "HTTP/2"; "TLSv1.3", empty: not encrypted
  std::string_view agent{}, request_id{}, trace_id{};  ///< as the request says; empty: it does not
  std::chrono::microseconds upstream{};                ///< of `duration` with upstreams; zero: none was asked
  int retries = 0;                                     ///< how often another upstream or connection was tried
  std::string_view error{};                            ///< why the edge answered itself or cut the exchange
};
using AccessSink = std::function<void(const AccessEvent&)>;

/// One JSON object without a line end, keys in fixed order; `time` in UTC with milliseconds.
std::string access_line(const AccessEvent& event, std::chrono::sys_time<std::chrono::milliseconds> time);

}  // namespace berth::edge
