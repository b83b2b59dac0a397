// The logs that are followed: one call of the engine for each, whatever the number of those who look.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "api/log_feed.h"
#include "engine/client.h"

namespace berth::api {

/// A log is read from the engine from its first follower on until its last one is gone. Thread: its loop's.
class LogDesk {
 public:
  static constexpr std::size_t kMost = 32u << 20, kMostOfOne = 4u << 20, kLeastOfOne = 256u << 10;
  /// `most` bytes of all feeds together; each keeps its share for those who are behind, but at least kLeastOfOne.
  explicit LogDesk(std::size_t most = kMost) : most_(most) {}

  /// Reads logs until cancelled; follow() needs it to run.
  io::Task<void> run();

  struct Followed {
    std::shared_ptr<LogFeed> feed;  ///< of what comes from now on; holding it is following
    bool tty = false;               ///< Config.Tty of the container
  };
  /// The log of a container, by its whole id. The engine's errors as they are.
  io::Task<Result<Followed>> follow(std::shared_ptr<engine::Client> client, std::string id);
  std::size_t followed() const { return taps_.size(); }

  /// What was said while a container was made: the fifth seed's logs begin with it. Of the newest 100.
  void began(std::string id, std::vector<std::string> lines);
  std::vector<std::string> beginning(std::string_view id) const;

 private:
  struct Tap;
  struct Lease;
  std::shared_ptr<Lease> lease_of(std::shared_ptr<engine::Client> client, std::string id);
  static io::Task<void> read(Tap& tap);
  io::Task<void> keep(std::shared_ptr<Tap> tap);
  void share();

  std::map<std::string, std::weak_ptr<Lease>, std::less<>> taps_;
  std::deque<std::pair<std::string, std::vector<std::string>>> beginnings_;
  std::size_t most_;
  io::Loop* loop_ = nullptr;
  io::Scope* scope_ = nullptr;
};

}  // namespace berth::api
