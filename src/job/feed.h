// A feed: the newest events of one kind, kept in a bounded ring, and any number of followers of it.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "io/scope.h"

namespace berth::job {

struct FeedEvent {
  std::uint64_t number = 0;  ///< grows by one with each event
  std::string kind{};        ///< "container", "out"
  std::string text{};        ///< what the publisher put there, JSON mostly
};
using FeedEvents = std::vector<std::shared_ptr<const FeedEvent>>;

/// Publishing costs the same whatever the number of followers and never waits for one: a follower is a place in the
/// ring. One that is overtaken loses the oldest and is told how many. Thread: its loop's.
class Feed {
 public:
  struct Limits {
    std::size_t events = 4096;
    std::size_t bytes = 4u << 20;  ///< of kinds and texts
    /// Followers that wait are woken at most that often, and then get all there is.
    io::Duration pause = std::chrono::milliseconds(10);
  };
  /// `first`: the number of the first event. One that grows with time (microseconds since 1970) lets a follower of an
  /// earlier life of this program be recognised.
  Feed(io::Loop& loop, Limits limits, std::uint64_t first = 1);

  /// The event's number.
  std::uint64_t publish(std::string kind, std::string text);
  /// No more will come: followers get what is left, then the end.
  void close();
  bool closed() const { return closed_; }

  std::uint64_t oldest() const { return next_ - ring_.size(); }  ///< of those kept; next() without any
  std::uint64_t next() const { return next_; }                   ///< that the next event will have

 private:
  friend class Follower;
  class Wake final : public io::Timer {
   public:
    explicit Wake(Feed& feed) : Timer(feed.loop_), feed_(feed) {}

   private:
    void fire() override { feed_.wake(); }
    Feed& feed_;
  };
  void wake();

  io::Loop& loop_;
  Limits limits_;
  std::uint64_t next_;
  std::size_t bytes_ = 0;
  std::deque<std::shared_ptr<const FeedEvent>> ring_;
  bool closed_ = false;
  io::Event changed_;
  io::Time woken_{};
  Wake wake_;
};

/// One reader's place in a feed, which it keeps alive. Thread: the feed's loop's.
class Follower {
 public:
  /// From the events after number `after` on (a Last-Event-ID); none: from those that come now.
  explicit Follower(std::shared_ptr<Feed> feed, std::optional<std::uint64_t> after = {});

  struct Batch {
    std::uint64_t lost = 0;  ///< events before these that were dropped unseen
    bool reset = false;      ///< `after` was a number that this feed has not given yet: of another life
    FeedEvents events{};     ///< empty at the end of a closed feed
  };
  /// Waits until there is something: at most `most` events, or the end. An error when cancelled.
  io::Task<Result<Batch>> next(std::size_t most = 256);
  /// Number of the newest event that next() gave or told to be lost.
  std::uint64_t seen() const { return next_ - 1; }

 private:
  std::shared_ptr<Feed> feed_;
  std::uint64_t next_;
  bool reset_ = false;
};

}  // namespace berth::job
