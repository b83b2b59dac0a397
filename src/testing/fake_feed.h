// The part of a fake engine's reply that comes later, piece by piece, and for raw connections what the client sends.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "io/scope.h"

namespace berth::testing {

/// Filled by the engine, emptied by who serves it (or by a test). Thread: loop only.
class FakeFeed {
 public:
  void push(std::string_view bytes);
  /// Nothing comes any more.
  void end();
  bool ended() const { return ended_; }
  /// What came since the last call; "" when nothing did.
  std::string take();
  /// Waits until something came or it ended; an error when cancelled.
  io::Task<Result<void>> wait();

  /// From the client, on a raw connection; "" is the end of its input. Does nothing when the engine does not read.
  void input(std::string_view bytes);
  void on_input(std::function<void(std::string_view)> reader) { reader_ = std::move(reader); }

 private:
  std::string pending_;
  bool ended_ = false;
  io::Event changed_;
  std::function<void(std::string_view)> reader_;
};

}  // namespace berth::testing
