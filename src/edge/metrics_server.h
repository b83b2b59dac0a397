// The metrics on addresses of their own, for Prometheus to fetch.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "http/server.h"

namespace berth::edge {

/// Answers GET and HEAD of /metrics and nothing else. At most 16 connections at once; those beyond are closed. On
/// loopback only hosts that are an IP address or localhost are answered, so that no page of a browser on this machine
/// reads it through a name that it made point here. Thread: its loop's.
class MetricsServer {
 public:
  /// The text as it is now.
  using Text = std::function<io::Task<std::string>()>;
  explicit MetricsServer(Text text);
  /// "127.0.0.1:8082"; port 0: any free one. `shared`: with another edge that is about to leave. The address with its
  /// port; Code::invalid, or as io::Listener::open.
  Result<std::string> listen(io::Loop& loop, const std::string& address, bool shared);
  /// Until cancelled or close().
  io::Task<void> serve();
  /// No further connections; those that are there go on.
  void close();

 private:
  struct Place {
    std::unique_ptr<io::Listener> listener;
    http::Handler handler;
  };
  io::Task<void> serve(Place& place, io::Scope& scope);
  io::Task<void> serve_one(std::unique_ptr<io::Stream> stream, const http::Handler& handler);
  io::Task<Result<void>> answer(bool local, http::ServerRequest& request, http::ResponseWriter& response) const;

  Text text_;
  std::vector<std::unique_ptr<Place>> places_;
  std::size_t open_ = 0;
};

}  // namespace berth::edge
