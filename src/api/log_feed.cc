#include "api/log_feed.h"

#include <algorithm>

namespace berth::api {

void LogBlock::add(const LogLine& line) {
  lines_.push_back(
      {.at = line.at, .begin = bytes_.size(), .stamp = line.stamp.size(), .text = line.text.size(), .err = line.err});
  bytes_.append(line.stamp).append(line.text);
  size_ += sizeof(Kept) + line.stamp.size() + line.text.size();
}

LogLine LogBlock::line(std::uint64_t number) const {
  const Kept& kept = lines_[number - first_];
  const std::string_view bytes(bytes_);
  return {.err = kept.err,
          .at = kept.at,
          .stamp = bytes.substr(kept.begin, kept.stamp),
          .text = bytes.substr(kept.begin + kept.stamp, kept.text)};
}

LogFeed::LogFeed(io::Loop& loop, Limits limits)
    : loop_(loop), limits_(limits), woken_(loop.now() - limits.pause), wake_(*this) {}

void LogFeed::add(const LogLine& line) {
  if (!open_) open_ = std::make_shared<LogBlock>(sealed_);
  open_->add(line);
  if (open_->size() >= limits_.block) seal();
  if (!wake_.armed()) wake_.arm(std::max(loop_.now(), woken_ + limits_.pause));
}

void LogFeed::close(Result<void> why) {
  closed_ = true;
  why_ = std::move(why);
  wake();
}

void LogFeed::keep_at_most(std::size_t bytes) {
  limits_.bytes = bytes;
  trim();
}

void LogFeed::seal() {
  if (!open_) return;
  sealed_ = open_->end();
  bytes_ += open_->size();
  ring_.push_back(std::move(open_));
  trim();
}

void LogFeed::trim() {
  while (ring_.size() > 1 && (ring_.size() > limits_.blocks || bytes_ > limits_.bytes)) {
    bytes_ -= ring_.front()->size();
    ring_.pop_front();
  }
}

void LogFeed::wake() {
  seal();
  woken_ = loop_.now();
  changed_.set();
}

std::shared_ptr<LogBlock> LogFeed::block_of(std::uint64_t number) const {
  if (number >= sealed_) return open_;
  const auto behind = std::ranges::upper_bound(ring_, number, {}, [](const auto& block) { return block->first(); });
  return *std::prev(behind);
}

std::optional<std::uint64_t> LogFeed::find(const LogLine& line, std::uint64_t from) const {
  std::uint64_t number = std::max(from, oldest());
  // The common case: a line that is older than all of these.
  if (number >= next() || line.at < block_of(number)->line(number).at) return {};
  const std::uint64_t mark = mark_of(line);
  while (number < next()) {
    const auto block = block_of(number);
    for (; number < block->end(); ++number)
      if (mark_of(block->line(number)) == mark) return number;
  }
  return {};
}

std::optional<std::uint64_t> LogFeed::after(std::int64_t at) const {
  std::uint64_t number = next();
  while (number > oldest()) {
    const auto block = block_of(number - 1);
    for (; number > block->first(); --number)
      if (block->line(number - 1).at == at) return number;
  }
  return {};
}

const std::string& LogFeed::text(LogBlock& block, LogForm form) {
  std::string& made = block.made_[static_cast<std::size_t>(form)];
  if (!made.empty()) return made;
  for (std::uint64_t number = block.first(); number < block.end(); ++number)
    append_line(made, form, block.line(number));
  made.shrink_to_fit();
  block.size_ += made.size();
  if (block.first() >= oldest()) bytes_ += made.size();
  trim();
  return made;
}

io::Task<Result<LogReader::Batch>> LogReader::next() {
  LogFeed& feed = *feed_;
  while (place_ >= feed.sealed_ && !feed.closed_) {
    feed.changed_.reset();
    CO_TRY(co_await feed.changed_.wait());
  }
  if (place_ >= feed.sealed_) {
    if (!feed.why_) co_return fail(feed.why_.error());
    co_return Batch{};
  }
  Batch batch;
  if (place_ < feed.oldest()) {
    batch.lost = feed.oldest() - place_;
    place_ = feed.oldest();
  }
  batch.block = feed.block_of(place_);
  batch.from = place_;
  place_ = batch.block->end();
  co_return batch;
}

}  // namespace berth::api
