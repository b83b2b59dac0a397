// A reply sink that gives everything on: the base of those that change or watch something.
#pragma once

#include "edge/handler.h"

namespace berth::edge {

class ThroughSink : public ReplySink {
 public:
  explicit ThroughSink(ReplySink& to) : to_(to) {}
  io::Task<Result<void>> begin(http::ResponseHead& head, bool has_body) override { return to_.begin(head, has_body); }
  io::Task<Result<void>> data(std::string_view piece) override { return to_.data(piece); }
  io::Task<Result<void>> flush() override { return to_.flush(); }
  io::Task<Result<void>> end(const http::Fields* trailers) override { return to_.end(trailers); }
  io::Task<Result<void>> upgrade(http::ResponseHead& head) override { return to_.upgrade(head); }

 protected:
  ReplySink& to_;
};

/// No body.
class EmptyBody final : public BodySource {
 public:
  Piece take() override { return {.what = Piece::end}; }
  io::Task<Result<void>> more() override { co_return Result<void>{}; }
  io::Task<bool> gone() override { co_return false; }
};

}  // namespace berth::edge
