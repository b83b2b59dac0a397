// Which upstream of a service a request is for. Pure: the caller tells times and what runs.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "edge/service.h"

namespace berth::edge {

/// The state of one loop's choices. Bounded by the services of the table: forget() what it does not name.
class Balancer {
 public:
  using Time = std::chrono::steady_clock::time_point;
  struct Facts {
    Time now{};
    const Ip& client;
    std::string_view cookie{};                              ///< the value of the sticky cookie
    std::function<bool(const Upstream&)> usable;            ///< not failing
    std::function<std::size_t(const Upstream&)> exchanges;  ///< that run now
  };
  /// The position in `service.upstreams`, which is not empty. Those that are not usable are chosen only where there is
  /// no other. A sticky cookie that names a usable one decides.
  std::size_t choose(const Service& service, const Facts& facts);
  /// How long an upstream took to answer, for `leasttime`.
  void took(const Service& service, const Upstream& upstream, std::chrono::microseconds time, Time now);
  /// Keeps what it knows of services that `find` still finds, and of their upstreams.
  void forget(const std::function<const Service*(std::string_view name)>& find);
  void forget(const std::vector<Service>& services);

 private:
  struct Member {
    Time since{};           ///< when it was first seen
    double turn = 0;        ///< smooth round robin's credit
    double latency_us = 0;  ///< moving average; 0: not known
    Time told{};            ///< when it was told last
    bool away = false;      ///< it was not usable when it was looked at last
  };
  struct Group {
    std::size_t turn = 0;
    std::uint64_t random = 88172645463325252u;
    std::unordered_map<std::string, Member> members;  ///< by upstream_key()
  };
  Group& group_of(const Service& service, const Facts& facts);
  /// Smooth round robin: credit by share, the richest pays for all.
  static std::size_t next_turn(const Service& service, Group& group, const std::vector<std::size_t>& usable, Time now);
  /// The higher the better.
  static double score(const Service& service, std::size_t i, Group& group, const Facts& facts);
  static double share(const Service& service, const Upstream& upstream, const Member& member, Time now);

  std::unordered_map<std::string, Group> groups_;
};

/// What a sticky cookie says of an upstream: nothing about its address can be read from it.
std::string sticky_value(const Upstream& upstream);
/// The cookie's name: the one that is set, else one made of the service's name.
std::string sticky_name(const Service& service);
/// The Set-Cookie field's value.
std::string sticky_cookie(const Service& service, const Upstream& upstream);

}  // namespace berth::edge
