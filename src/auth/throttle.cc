#include "auth/throttle.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include "base/hash.h"
#include "base/text.h"

namespace berth::auth {
namespace {

constexpr std::int64_t kSecond = 1'000'000, kWindow = 300 * kSecond;
constexpr std::size_t kMostKeys = 20'000;
constexpr int kBoth = 5, kClient = 30, kAccount = 100;

/// The groups of an IPv6 text before and after "::", without what an address cannot have; empty for other texts.
std::string first_groups(std::string_view address) {
  const std::size_t gap = address.find("::");
  const std::string_view head = address.substr(0, gap);
  std::vector<std::string_view> groups;
  if (!head.empty()) groups = split(head, ':');
  std::string out;
  for (std::size_t i = 0; i < 4; ++i) {
    std::string_view group = i < groups.size() ? groups[i] : "0";
    while (group.size() > 1 && group.front() == '0') group.remove_prefix(1);
    out += lower(group) + ":";
  }
  return out + ":/64";
}

}  // namespace

std::string client_key(std::string_view address) {
  constexpr std::string_view kMapped = "::ffff:";
  if (address.starts_with(kMapped) && address.contains('.')) return std::string(address.substr(kMapped.size()));
  if (!address.contains(':') || address.starts_with("unix:")) return std::string(address);
  return first_groups(address);
}

std::vector<Throttle::Limit> Throttle::limits(std::string_view account, std::string_view client) {
  // Names come from outside: their hashes are of one size.
  const std::string name = sha256_hex(account), from = client_key(client).substr(0, 64);
  return {{"b" + name + from, kBoth}, {"c" + from, kClient}, {"a" + name, kAccount}};
}

void Throttle::make_room(std::int64_t now) {
  if (counts_.size() < kMostKeys) return;
  std::erase_if(counts_, [&](const auto& entry) { return now - entry.second.since >= kWindow; });
  if (counts_.size() < kMostKeys) return;
  std::int64_t oldest = now;
  for (const auto& [key, count] : counts_) oldest = std::min(oldest, count.since);
  // A tenth of the window at a time, so that this is not done for each try.
  std::erase_if(counts_, [&](const auto& entry) { return entry.second.since <= oldest + kWindow / 10; });
}

Throttle::Count& Throttle::count(const std::string& key, std::int64_t now) {
  const auto found = counts_.find(key);
  if (found == counts_.end()) {
    make_room(now);
    return counts_[key] = {.since = now, .tries = 0};
  }
  if (now - found->second.since >= kWindow) found->second = {.since = now, .tries = 0};
  return found->second;
}

std::int64_t Throttle::take(std::string_view account, std::string_view client, std::int64_t now) {
  std::int64_t wait = 0;
  const auto all = limits(account, client);
  for (const auto& [key, most] : all) {
    const Count& tries = count(key, now);
    if (tries.tries >= most) wait = std::max(wait, (tries.since + kWindow - now + kSecond - 1) / kSecond);
  }
  if (wait > 0) return wait;
  for (const auto& limit : all) ++count(limit.key, now).tries;
  return 0;
}

void Throttle::succeeded(std::string_view account, std::string_view client, std::int64_t now) {
  const auto all = limits(account, client);
  counts_.erase(all[0].key);
  for (std::size_t i = 1; i < all.size(); ++i) {
    Count& tries = count(all[i].key, now);
    tries.tries = std::max(0, tries.tries - 1);
  }
}

}  // namespace berth::auth
