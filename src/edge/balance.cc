#include "edge/balance.h"

#include <algorithm>
#include <cmath>

#include "base/hash.h"

namespace berth::edge {
namespace {

constexpr auto kFades = std::chrono::duration<double>(10);  // to the half

std::uint64_t mix(std::uint64_t value) {
  value ^= value >> 33;
  value *= 0xff51afd7ed558ccdu;
  value ^= value >> 33;
  value *= 0xc4ceb9fe1a85ec53u;
  return value ^ (value >> 33);
}

std::uint64_t hash_of(const Ip& client) {
  std::uint64_t value = 1469598103934665603u;
  for (const std::uint8_t byte : client.bytes) value = (value ^ byte) * 1099511628211u;
  return value;
}

bool is_plain(const Service& service) {
  const auto one = [](const Upstream& each) { return each.weight == 1; };
  return service.strategy == Strategy::wrr && service.slow_start.count() == 0 &&
         std::ranges::all_of(service.upstreams, one);
}

}  // namespace

std::size_t Balancer::choose(const Service& service, const Facts& facts) {
  const auto& upstreams = service.upstreams;
  if (upstreams.size() == 1) return 0;
  if (service.sticky && !facts.cookie.empty()) {
    const auto kept = std::ranges::find_if(
        upstreams, [&](const Upstream& each) { return facts.usable(each) && sticky_value(each) == facts.cookie; });
    if (kept != upstreams.end()) return static_cast<std::size_t>(kept - upstreams.begin());
  }
  Group& group = group_of(service, facts);
  const std::size_t turn = group.turn++;
  // The exchange passes over those that fail, so that a plain turn needs no look at them.
  if (is_plain(service)) return turn % upstreams.size();
  std::vector<std::size_t> usable;
  for (std::size_t i = 0; i < upstreams.size(); ++i) {
    if (facts.usable(upstreams[i]) && upstreams[i].weight > 0) usable.push_back(i);
  }
  if (usable.empty()) return turn % upstreams.size();
  if (service.strategy == Strategy::wrr) return next_turn(service, group, usable, facts.now);
  if (service.strategy == Strategy::p2c) {
    for (std::size_t& at : usable) {
      if (&at - usable.data() == 2) break;
      group.random = mix(group.random + turn + 1);
      std::swap(at, usable[group.random % usable.size()]);
    }
    usable.resize(std::min<std::size_t>(usable.size(), 2));
  }
  return *std::ranges::max_element(usable, {}, [&](std::size_t i) { return score(service, i, group, facts); });
}

std::size_t Balancer::next_turn(const Service& service, Group& group, const std::vector<std::size_t>& usable,
                                Time now) {
  double sum = 0;
  Member* best = nullptr;
  std::size_t at = 0;
  for (const std::size_t i : usable) {
    Member& member = group.members[upstream_key(service.upstreams[i])];
    const double part = share(service, service.upstreams[i], member, now);
    sum += part;
    member.turn += part;
    if (best && member.turn <= best->turn) continue;
    best = &member;
    at = i;
  }
  best->turn -= sum;
  return at;
}

double Balancer::score(const Service& service, std::size_t i, Group& group, const Facts& facts) {
  const Upstream& upstream = service.upstreams[i];
  const std::string key = upstream_key(upstream);
  const Member& member = group.members[key];
  const double part = share(service, upstream, member, facts.now);
  if (service.strategy == Strategy::hrw) {
    const std::uint64_t drawn = mix(hash_of(facts.client) ^ mix(std::hash<std::string>()(key)));
    const double unit = (static_cast<double>(drawn >> 11) + 1) / 9007199254740993.0;
    return -part / std::log(unit);
  }
  const double running = static_cast<double>(facts.exchanges(upstream) + 1);
  // One that was slow once is asked again: what is known of it fades.
  const double age = std::chrono::duration<double>(facts.now - member.told) / kFades;
  const double latency = member.latency_us * std::exp2(-age);
  const double each = service.strategy == Strategy::leasttime ? std::max(latency, 1.0) : 1.0;
  return -each * running / part;
}

void Balancer::took(const Service& service, const Upstream& upstream, std::chrono::microseconds time, Time now) {
  const auto group = groups_.find(service.name);
  if (group == groups_.end()) return;
  Member& member = group->second.members[upstream_key(upstream)];
  const auto taken = static_cast<double>(time.count());
  member.latency_us = member.latency_us == 0 ? taken : member.latency_us * 0.8 + taken * 0.2;
  member.told = now;
}

void Balancer::forget(const std::function<const Service*(std::string_view name)>& find) {
  std::erase_if(groups_, [&](const auto& each) { return !find(each.first); });
  for (auto& [name, group] : groups_) {
    const Service& service = *find(name);
    std::erase_if(group.members, [&](const auto& member) {
      return std::ranges::none_of(service.upstreams,
                                  [&](const Upstream& upstream) { return upstream_key(upstream) == member.first; });
    });
  }
}

void Balancer::forget(const std::vector<Service>& services) {
  forget([&](std::string_view name) {
    const auto found = std::ranges::find(services, name, &Service::name);
    return found == services.end() ? nullptr : &*found;
  });
}

Balancer::Group& Balancer::group_of(const Service& service, const Facts& facts) {
  Group& group = groups_[service.name];
  if (service.slow_start.count() == 0) return group;
  // Those that were there when the service was first seen need no start; those that come back do.
  const bool first = group.members.empty();
  for (const Upstream& each : service.upstreams) {
    Member& member =
        group.members.try_emplace(upstream_key(each), Member{.since = first ? Time{} : facts.now}).first->second;
    const bool away = !facts.usable(each);
    if (member.away && !away) member.since = facts.now;
    member.away = away;
  }
  return group;
}

double Balancer::share(const Service& service, const Upstream& upstream, const Member& member, Time now) {
  if (service.slow_start.count() == 0 || now - member.since >= service.slow_start) return upstream.weight;
  const double part =
      std::chrono::duration<double>(now - member.since) / std::chrono::duration<double>(service.slow_start);
  return upstream.weight * std::max(part, 0.05);
}

std::string sticky_value(const Upstream& upstream) {
  return sha256_hex("sticky " + upstream_key(upstream)).substr(0, 16);
}

std::string sticky_name(const Service& service) {
  if (service.sticky && !service.sticky->name.empty()) return service.sticky->name;
  return "_" + sha256_hex(service.name).substr(0, 5);
}

std::string sticky_cookie(const Service& service, const Upstream& upstream) {
  const Sticky& sticky = *service.sticky;
  std::string out = sticky_name(service) + "=" + sticky_value(upstream) + "; Path=" + sticky.path;
  if (!sticky.domain.empty()) out += "; Domain=" + sticky.domain;
  if (sticky.max_age != 0) out += "; Max-Age=" + std::to_string(sticky.max_age);
  if (sticky.http_only) out += "; HttpOnly";
  if (sticky.secure || sticky.same_site == "none") out += "; Secure";
  if (sticky.same_site == "none") out += "; SameSite=None";
  if (sticky.same_site == "lax") out += "; SameSite=Lax";
  if (sticky.same_site == "strict") out += "; SameSite=Strict";
  return out;
}

}  // namespace berth::edge
