// Looking at the first bytes of a connection and giving it on as if nobody had.
#pragma once

#include <memory>
#include <string>

#include "io/stream.h"

namespace berth::edge {

/// `below` with `early` read from it before, and perhaps another peer than its own: the client of a proxy.
class PeekedStream final : public io::Stream {
 public:
  /// `peer` "": that of `below`.
  PeekedStream(std::unique_ptr<io::Stream> below, std::string early, std::string peer = {});

  io::Attempt try_read(std::span<char> into) override;
  io::Attempt try_write(std::string_view from) override { return below_->try_write(from); }
  io::WaitList& waiters(io::Direction direction) override { return below_->waiters(direction); }
  bool ready_now(io::Direction direction) override;
  void shutdown_write() override { below_->shutdown_write(); }
  void close() override;
  Error error() const override { return below_->error(); }
  std::string peer() const override { return peer_; }
  /// -1 while something is held here: whoever reads the descriptor itself would lose it.
  int descriptor() const override { return early_.empty() ? below_->descriptor() : -1; }

 private:
  std::unique_ptr<io::Stream> below_;
  std::string early_, peer_;
  std::size_t read_ = 0;  ///< of early_
};

}  // namespace berth::edge
