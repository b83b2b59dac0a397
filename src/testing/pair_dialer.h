// A dialer whose other ends a test plays: in-memory streams, one pair for each dial.
#pragma once

#include <deque>
#include <memory>
#include <string>

#include "testing/simulation.h"

namespace berth::testing {

/// Makes a pair of streams at each dial, at most `most`; their other ends wait for accept(). Thread: its loop's.
class PairDialer final : public io::Dialer {
 public:
  int most = 0;
  int dialled = 0;
  StreamFaults faults;  ///< of what the dialling side reads
  std::deque<std::unique_ptr<io::Stream>> peers;
  io::Event arrived;

  /// Our end of a new pair, uncounted.
  std::unique_ptr<io::Stream> open() {
    auto [ours, theirs] = stream_pair(faults);
    peers.push_back(std::move(theirs));
    arrived.set();
    return std::move(ours);
  }
  io::Task<Result<std::unique_ptr<io::Stream>>> dial() override {
    if (dialled >= most) co_return fail(Code::unavailable, "no peer");
    ++dialled;
    co_return open();
  }
  std::string name() const override { return "pair"; }
};

/// The other end of the next dial.
inline io::Task<Result<std::unique_ptr<io::Stream>>> accept(PairDialer& dialer) {
  while (dialer.peers.empty()) {
    dialer.arrived.reset();
    CO_TRY(co_await dialer.arrived.wait());
  }
  auto peer = std::move(dialer.peers.front());
  dialer.peers.pop_front();
  co_return peer;
}

}  // namespace berth::testing
