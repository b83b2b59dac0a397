// How a log reaches one client: what was written before, then what comes, each line once.
#pragma once

#include <deque>

#include "api/log_feed.h"
#include "api/log_outlet.h"
#include "engine/output.h"

namespace berth::api {

/// Finds where what was written before and what comes live overlap. The live lines were followed before the others
/// were read, so that none is missing between them.
class LogJoin {
 public:
  explicit LogJoin(LogReader& live) : live_(live) {}
  /// Whether a line that was written before is to be sent. False: it and all that follow it come live.
  bool sends(const LogLine& line);
  /// The number of the first line of this batch that was not sent already; asked of each live batch in turn.
  std::uint64_t fresh_from(const LogReader::Batch& batch);

 private:
  std::uint64_t sent_from(const LogLine& first);

  static constexpr std::size_t kMarks = 4096;  ///< lines by which the live ones may lag behind
  LogReader& live_;
  std::deque<std::uint64_t> marks_;
  bool joined_ = false;
  std::uint64_t sent_ = 0;  ///< live lines from the next one on that were sent already
};

/// Until the end of `past`, or until `join` (which may be null) says that the rest comes live. What is read is sent
/// before more is read: a client that reads slowly slows the engine's stream.
io::Task<Result<void>> send_past(LogOutlet& outlet, engine::OutputStream& past, LogJoin* join);
/// Until the log ends, or for a quarter of an hour: then clients come again, and who asks is looked up anew. A client
/// that is overtaken is told how many lines it missed.
io::Task<Result<void>> send_live(LogOutlet& outlet, LogReader& live, LogJoin& join);

}  // namespace berth::api
