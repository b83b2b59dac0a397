#include "api/log_send.h"

#include <algorithm>

namespace berth::api {
namespace {

constexpr auto kSilence = std::chrono::seconds(15);
constexpr auto kMostLife = std::chrono::minutes(15);
constexpr std::size_t kPiece = 16u << 10;

// The lines of a block from number `from` on, after what is to be said before them.
io::Task<Result<void>> send_block(LogOutlet& outlet, LogFeed& feed, const LogReader::Batch& batch, std::uint64_t from) {
  std::string out;
  if (batch.lost > 0) append_gap(out, outlet.form(), batch.lost);
  if (from == batch.block->first()) {
    if (!out.empty()) CO_TRY(co_await outlet.send(out));
    co_return co_await outlet.send(feed.text(*batch.block, outlet.form()));
  }
  for (; from < batch.block->end(); ++from) append_line(out, outlet.form(), batch.block->line(from));
  if (out.empty()) co_return Result<void>{};
  co_return co_await outlet.send(out);
}

}  // namespace

bool LogJoin::sends(const LogLine& line) {
  if (const auto place = live_.feed().find(line, live_.place())) {
    live_.move(*place);
    marks_.clear();
    return false;
  }
  marks_.push_back(mark_of(line));
  if (marks_.size() > kMarks) marks_.pop_front();
  return true;
}

std::uint64_t LogJoin::fresh_from(const LogReader::Batch& batch) {
  if (!std::exchange(joined_, true)) sent_ = sent_from(batch.block->line(batch.from));
  const std::uint64_t skipped = std::min(sent_, batch.block->end() - batch.from);
  sent_ -= skipped;
  return batch.from + skipped;
}

// How many lines from this one on, the first that comes live, were sent already.
std::uint64_t LogJoin::sent_from(const LogLine& first) {
  const auto found = std::ranges::find(marks_, mark_of(first));
  const auto count = static_cast<std::uint64_t>(marks_.end() - found);
  std::deque<std::uint64_t>().swap(marks_);
  return count;
}

io::Task<Result<void>> send_past(LogOutlet& outlet, engine::OutputStream& past, LogJoin* join) {
  LogLines lines;
  std::string out;
  bool live = false;
  const LogLines::Take take = [&](const LogLine& line) {
    live = live || (join && !join->sends(line));
    if (!live) append_line(out, outlet.form(), line);
  };
  while (!live) {
    const auto piece = CO_TRY(co_await past.next());
    if (!piece) break;
    lines.feed(*piece, take);
    if (out.size() < kPiece) continue;
    CO_TRY(co_await outlet.send(out));
    out.clear();
  }
  if (!live) lines.finish(take);
  if (!out.empty()) CO_TRY(co_await outlet.send(out));
  co_return Result<void>{};
}

io::Task<Result<void>> send_live(LogOutlet& outlet, LogReader& live, LogJoin& join) {
  const io::Context context = co_await io::here();
  const io::Time end = context.loop->now() + kMostLife;
  while (context.loop->now() < end) {
    const auto batch = co_await io::within(kSilence, live.next());
    if (!batch && (batch.error().code != Code::timeout || context.cancel->requested())) co_return fail(batch.error());
    if (!batch) {
      CO_TRY(co_await outlet.beat());
      continue;
    }
    if (!batch->block) co_return co_await outlet.finish(LogOutlet::End::ended);
    CO_TRY(co_await send_block(outlet, live.feed(), *batch, join.fresh_from(*batch)));
  }
  co_return co_await outlet.finish(LogOutlet::End::again);
}

}  // namespace berth::api
