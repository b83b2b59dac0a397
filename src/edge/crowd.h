// Which connections of clients are open in the whole process: how many in all, and how many of each client.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "edge/ip.h"

namespace berth::edge {

/// What counts as one client: an IPv4 address, or the /64 of an IPv6 address, all of which one host may use.
Ip client_of(const Ip& ip);

/// Any thread. Nothing of a request comes here, only connections that begin and end.
class Crowd {
 public:
  struct Most {
    std::size_t all = 0, each = 0;
  };
  /// What suits a process that may have so many descriptors: each client's connection takes another one to an upstream,
  /// and some are for all else. One client gets an eighth, and no more than 10,000.
  static Most fitting(std::size_t descriptors);
  explicit Crowd(std::size_t descriptors) : fitting_(fitting(descriptors)) {}

  /// `wanted` where it says something, else what fits the process.
  Most most(Most wanted) const {
    return {wanted.all > 0 ? wanted.all : fitting_.all, wanted.each > 0 ? wanted.each : fitting_.each};
  }
  std::size_t size() const { return open_.load(std::memory_order_relaxed); }

  /// One connection among the others for as long as it lives.
  class Seat {
   public:
    explicit Seat(Crowd& crowd) : crowd_(&crowd) { crowd.open_.fetch_add(1, std::memory_order_relaxed); }
    Seat(Seat&& other) noexcept
        : crowd_(std::exchange(other.crowd_, nullptr)),
          named_(std::exchange(other.named_, false)),
          client_(other.client_) {}
    Seat& operator=(Seat&&) = delete;
    ~Seat();
    /// Whose connection it is; false when `most` of this client are open already. Once.
    bool name(const Ip& ip, std::size_t most);

   private:
    Crowd* crowd_;
    bool named_ = false;
    Ip client_{};
  };

 private:
  struct Hash {
    std::size_t operator()(const Ip& ip) const {
      return std::hash<std::string_view>()({reinterpret_cast<const char*>(ip.bytes.data()), ip.bytes.size()});
    }
  };
  const Most fitting_;
  std::atomic<std::size_t> open_{0};
  std::mutex mutex_;
  std::unordered_map<Ip, std::uint32_t, Hash> clients_;  ///< guarded by mutex_; those with a connection
};

}  // namespace berth::edge
