// An exchange with an upstream that speaks HTTP/2.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "edge/h2_trunk.h"
#include "edge/upstream_session.h"

namespace berth::edge {

/// One stream of a connection that others use, too. Thread: its loop's.
class H2Upstream final : public UpstreamSession {
 public:
  /// REQUIRES: `trunk` has room.
  explicit H2Upstream(std::shared_ptr<H2Trunk> trunk) : trunk_(std::move(trunk)), one_(trunk_->take()) {}
  H2Upstream(const H2Upstream&) = delete;
  ~H2Upstream() override { trunk_->release(one_); }

  Result<void> begin(const Opening& opening) override;
  io::Task<Result<void>> send(std::string_view data) override;
  void end_body(const http::Fields* trailers) override;
  /// The connection's writer does it; but a WebSocket waits for what the upstream's settings say of it (RFC 8441).
  io::Task<Result<void>> flush() override { return waits_for_settings_ ? ask_for_websocket() : io::ok(); }

  io::Task<Result<void>> read_head(http::ResponseHead& head) override;
  bool refused() const override { return one_.refused; }
  Refusal refusal() const override { return refusal_; }
  bool unanswered() const override { return one_.lost && !one_.head_ended; }
  bool takes_again() const override { return true; }
  bool has_body() const override { return !one_.in_ended || has_bytes(); }
  std::string_view unread() const override;
  void consume() override { trunk_->consume(one_); }
  bool waits() const override { return !has_bytes() && !one_.in_ended && one_.open; }
  io::Task<Result<bool>> more() override;
  const http::Fields* trailers() const override { return one_.trailers_in.size() > 0 ? &one_.trailers_in : nullptr; }

 private:
  bool has_bytes() const { return !one_.in.empty() || !one_.shown.empty(); }
  Result<void> ask(bool has_body);
  io::Task<Result<void>> ask_for_websocket();
  std::unexpected<Error> gone(std::string_view when) const;

  std::shared_ptr<H2Trunk> trunk_;
  H2Branch& one_;
  std::vector<http::H2Session::Field> fields_;  ///< of the request; they view its head
  Refusal refusal_;
  bool waits_for_settings_ = false;
};

}  // namespace berth::edge
