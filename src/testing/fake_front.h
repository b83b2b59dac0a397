// The fake engine's connections: HTTP over in-memory streams and unix sockets. Not for tests.
#pragma once

#include <set>

#include "http/server.h"
#include "testing/fake_engine.h"

namespace berth::testing {

/// A call that was recorded and not yet answered.
struct FakeAdmitted {
  std::uint64_t serial = 0;
  std::optional<FakeFault> fault{};
};
FakeAdmitted admit(FakeState& state, const FakeRequest& request);
FakeReply perform(FakeState& state, const FakeRequest& request, const FakeAdmitted& admitted);

/// Thread: its loop's.
class FakeEngine::Front {
 public:
  Front(io::Loop& loop, std::shared_ptr<FakeState> state);
  io::Loop& loop() { return loop_; }
  /// The other end of a new connection; an error while it refuses or is shut.
  Result<std::unique_ptr<io::Stream>> connect();
  io::Task<Result<void>> serve_unix(std::string path);
  void refuse(bool refuse) { refuses_ = refuse; }
  void drop();
  io::Task<void> close();
  /// close(), on the loop that does not run now.
  void shut();

 private:
  io::Task<void> serve(std::unique_ptr<io::Stream> stream);
  io::Task<Result<void>> answer(http::ServerRequest& request, http::ResponseWriter& response, io::Stream& line);
  io::Task<Result<void>> send(FakeReply reply, const FakeAdmitted& admitted, http::ResponseWriter& response,
                              io::Stream& line);

  io::Loop& loop_;
  std::shared_ptr<FakeState> state_;
  io::Cancel cancel_;
  io::Scope scope_;
  std::set<io::Stream*> lines_;
  bool refuses_ = false;
  bool shut_ = false;
};

std::unique_ptr<io::Dialer> make_dialer(std::weak_ptr<FakeEngine::Front> front);

}  // namespace berth::testing
