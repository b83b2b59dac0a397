// A request that outlives the client's: a refresh of what is stored, a mirror's copy.
#pragma once

#include <string>

#include "edge/handler.h"

namespace berth::edge {

/// A client that is not there: it takes everything, and never says a word.
class Nobody final : public ReplySink, public BodySource {
 public:
  io::Task<Result<void>> begin(http::ResponseHead&, bool) override { return done(); }
  io::Task<Result<void>> data(std::string_view) override { return done(); }
  io::Task<Result<void>> flush() override { return done(); }
  io::Task<Result<void>> end(const http::Fields*) override { return done(); }
  io::Task<Result<void>> upgrade(http::ResponseHead&) override { return done(); }

  Piece take() override { return {.what = Piece::end}; }
  io::Task<Result<void>> more() override { return done(); }
  io::Task<bool> gone() override;

 private:
  static io::Task<Result<void>> done() { co_return Result<void>{}; }
};

/// Owns what a request without a body views.
struct Detached {
  explicit Detached(const Request& from);
  Detached(const Detached&) = delete;
  Hop hop;
  std::string host, path, text;
  Ip client;
  Workspace work;
  Tally tally;
  Nobody nobody;
  bool parsed = false;  ///< else it cannot be sent again

  /// `live` and `entry` outlive what is returned, as this does.
  Request request(Shared& shared, const Live& live, const Routes::Entry& entry);
};

}  // namespace berth::edge
