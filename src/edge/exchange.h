// One request and its reply between a client and an upstream, streamed both ways with bounded buffers.
#pragma once

#include <string>
#include <string_view>

#include "edge/access.h"
#include "edge/channel.h"
#include "edge/forward.h"
#include "edge/live.h"
#include "edge/rate.h"
#include "edge/upstream_pool.h"

namespace berth::edge {

using EventSink = std::function<void(const EdgeEvent&)>;

/// What the exchanges of one loop share.
struct Shared {
  explicit Shared(io::Loop& loop, UpstreamPool::Left left = {}) : loop(loop), pool(loop, std::move(left)) {}
  io::Loop& loop;
  UpstreamPool pool;
  std::shared_ptr<const Live> live;  ///< never null
  std::string server;                ///< this host's name
  AccessSink access;                 ///< may be empty
  EventSink event;                   ///< may be empty
  bool draining = false;
  RateLimiter limiter;
  std::size_t turn = 0;  ///< round robin
  io::Time reported{};   ///< when upstream_failed was sent last
};

/// One client's connection with the buffers that its requests reuse.
struct Client {
  Client(std::unique_ptr<io::Stream> stream, Hop from) : wire(std::move(stream)), hop(std::move(from)) {}
  http::Wire wire;
  Hop hop;
  http::RequestHead head;
  http::ResponseHead reply;
  Rewritten rewritten;
  std::string out, batch, host_storage, path_storage;
};

/// How an exchange ended. `status` 0 with `began`: the reply was cut; without: answer `own_status` with `message`.
struct Ended {
  int status = 0;      ///< what was sent to the client
  int own_status = 0;  ///< nothing was sent yet: answer this; 0: the client is gone
  std::string_view message{};
  std::string detail{};     ///< for the log
  bool keep_alive = false;  ///< another request may follow on the client's connection
  bool body_left = false;   ///< the request's body was not begun to be read
  std::uint64_t sent = 0, received = 0;
  const Upstream* target = nullptr;
};

/// Runs one exchange over `entry`'s service. The deadlines are those of `live`; `live` outlives it.
io::Task<Ended> exchange(Shared& shared, Client& client, const Live& live, const Routes::Entry& entry);

}  // namespace berth::edge
