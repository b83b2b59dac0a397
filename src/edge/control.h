// The edge's end of the channel to core. The channel may break and be replaced at any time.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "edge/channel.h"
#include "io/socket.h"

namespace berth::edge {

/// The socket file `path` for a core that comes by itself: whoever may enter its folder's group may be one.
Result<std::unique_ptr<io::Listener>> listen_for_core(io::Loop& loop, const std::string& path);

/// Thread: its loop's.
class Control {
 public:
  /// Takes a frame's payload and answers with one event.
  using Apply = std::function<io::Task<EdgeEvent>(std::string payload)>;
  /// What a core that just attached must know.
  using Greeting = std::function<std::vector<EdgeEvent>()>;

  Control(Apply apply, Greeting greeting) : apply_(std::move(apply)), greeting_(std::move(greeting)) {}

  /// Uses `stream` from now on; the one before is closed, events that wait for it are dropped.
  void attach(std::unique_ptr<io::Stream> stream);
  /// Queues an event; dropped while no core is attached, and the oldest when more than 1024 wait.
  void send(const EdgeEvent& event);
  bool attached() const { return stream_ != nullptr; }

  /// Applies frames one after the other, until cancelled.
  io::Task<void> read_frames();
  /// Sends queued events, until cancelled.
  io::Task<void> write_events();
  /// Sends what is queued and returns.
  io::Task<void> flush();

 private:
  using Stream = std::shared_ptr<io::Stream>;
  io::Task<Result<void>> read_from(Stream stream);
  void detach(const Stream& stream);

  Apply apply_;
  Greeting greeting_;
  Stream stream_;  // shared: a coroutine may still wait on one that was replaced
  std::deque<std::string> queue_;
  io::Event attached_, queued_;
};

}  // namespace berth::edge
