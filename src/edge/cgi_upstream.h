// An upstream that speaks uWSGI's protocol or FastCGI: one exchange, then the connection is closed, since a kept one
// would hold one of the application's few workers.
#pragma once

#include <string>

#include "edge/cgi_vars.h"
#include "edge/fastcgi_record.h"
#include "edge/upstream_session.h"
#include "io/scope.h"
#include "io/stream.h"

namespace berth::edge {

class CgiUpstream final : public UpstreamSession {
 public:
  /// `stream` outlives it; `speaks` is uwsgi or fcgi.
  CgiUpstream(io::Stream& stream, Speaks speaks) : stream_(stream), speaks_(speaks) {}

  Result<void> begin(const Opening& opening) override;
  io::Task<Result<void>> send(std::string_view data) override;
  void end_body(const http::Fields* trailers) override;
  io::Task<Result<void>> flush() override;
  io::Task<Result<void>> read_head(http::ResponseHead& head) override;
  Refusal refusal() const override { return refusal_; }
  bool has_body() const override { return !bodyless_ && (!ended_ || !in_.empty()); }
  std::string_view unread() const override { return in_; }
  void consume() override { in_.clear(); }
  bool waits() const override { return !bodyless_ && in_.empty() && !ended_; }
  io::Task<Result<bool>> more() override;

 private:
  Result<void> queue_head();
  Result<void> refuse(Refusal refusal, std::string detail);
  io::Task<Result<void>> read();
  Result<void> decode(std::string_view bytes);
  Result<void> take_body(std::size_t before);
  Error with_complaint(Error error) const;

  io::Stream& stream_;
  Speaks speaks_;
  CgiVars vars_;           ///< until the head is queued
  std::string out_;        ///< queued
  std::string collected_;  ///< of a body whose length is not known before its end
  bool collects_ = false, writing_ = false;
  io::Event queued_;  ///< the head is, or will never be
  Refusal refusal_;

  FastcgiDecoder decoder_;
  std::string in_, errors_, head_text_;
  bool head_only_ = false, bodyless_ = false, ended_ = false, counted_ = false;
  std::uint64_t left_ = 0;  ///< of a body with a length
};

}  // namespace berth::edge
