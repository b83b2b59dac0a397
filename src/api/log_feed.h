// The newest lines of one log, in blocks that all of its followers share.
#pragma once

#include <array>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "api/log_form.h"
#include "io/scope.h"

namespace berth::api {

/// Lines that came within a moment. Each form of their text is made once, for whoever wants it first.
class LogBlock {
 public:
  explicit LogBlock(std::uint64_t first) : first_(first) {}
  void add(const LogLine& line);
  std::uint64_t first() const { return first_; }  ///< number of its first line
  std::uint64_t end() const { return first_ + lines_.size(); }
  /// REQUIRES: first() <= number < end(). Valid as long as the block, until add().
  LogLine line(std::uint64_t number) const;
  std::size_t size() const { return size_; }  ///< bytes that it holds, made texts included

 private:
  friend class LogFeed;
  struct Kept {
    std::int64_t at;
    std::size_t begin, stamp, text;  ///< place in bytes_ and lengths
    bool err;
  };
  std::uint64_t first_;
  std::vector<Kept> lines_;
  std::string bytes_;
  std::array<std::string, kLogForms> made_;
  std::size_t size_ = 0;
};

/// Adding a line costs the same whatever the number of followers, and never waits for one. Thread: its loop's.
class LogFeed {
 public:
  struct Limits {
    std::size_t bytes = 4u << 20;  ///< kept for those who are behind
    std::size_t blocks = 4096;
    std::size_t block = 16u << 10;  ///< bytes of one; more is what one line is longer
    /// Followers are woken at most that often, and then get all there is.
    io::Duration pause = std::chrono::milliseconds(20);
  };
  LogFeed(io::Loop& loop, Limits limits);

  void add(const LogLine& line);
  /// No more will come, because of an error or as the log ended.
  void close(Result<void> why = {});
  bool closed() const { return closed_; }
  /// Limits::bytes from now on.
  void keep_at_most(std::size_t bytes);

  std::uint64_t oldest() const { return ring_.empty() ? sealed_ : ring_.front()->first(); }
  std::uint64_t next() const { return open_ ? open_->end() : sealed_; }  ///< number of the line that comes next
  /// Where this line is, at `from` or later.
  std::optional<std::uint64_t> find(const LogLine& line, std::uint64_t from) const;
  /// Behind the last line of this time; nothing when none is kept.
  std::optional<std::uint64_t> after(std::int64_t at) const;
  /// Of a block of this feed.
  const std::string& text(LogBlock& block, LogForm form);

 private:
  friend class LogReader;
  class Wake final : public io::Timer {
   public:
    explicit Wake(LogFeed& feed) : Timer(feed.loop_), feed_(feed) {}

   private:
    void fire() override { feed_.wake(); }
    LogFeed& feed_;
  };
  void seal();
  void wake();
  void trim();
  /// REQUIRES: oldest() <= number < next().
  std::shared_ptr<LogBlock> block_of(std::uint64_t number) const;

  io::Loop& loop_;
  Limits limits_;
  std::deque<std::shared_ptr<LogBlock>> ring_;
  std::shared_ptr<LogBlock> open_;  ///< what followers do not see yet
  std::uint64_t sealed_ = 1;        ///< number of the first line that followers do not see yet
  std::size_t bytes_ = 0;           ///< of the ring
  bool closed_ = false;
  Result<void> why_{};
  io::Event changed_;
  io::Time woken_{};
  Wake wake_;
};

/// One follower's place, which keeps the feed alive. Thread: the feed's loop's.
class LogReader {
 public:
  /// From what comes now.
  explicit LogReader(std::shared_ptr<LogFeed> feed) : feed_(std::move(feed)), place_(feed_->next()) {}
  LogFeed& feed() const { return *feed_; }
  std::uint64_t place() const { return place_; }
  void move(std::uint64_t place) { place_ = place; }

  struct Batch {
    std::uint64_t lost = 0;             ///< lines before these that were dropped unseen
    std::shared_ptr<LogBlock> block{};  ///< null at the end
    std::uint64_t from = 0;             ///< number of the first line of the block that is new
  };
  /// Waits until there is something. Fails when cancelled, and as the feed was closed once all was read.
  io::Task<Result<Batch>> next();

 private:
  std::shared_ptr<LogFeed> feed_;
  std::uint64_t place_;
};

}  // namespace berth::api
