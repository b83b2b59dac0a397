// How often one may try to sign in. Pure: times are handed in.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace berth::auth {

/// Counts tries of windows of five minutes: 5 for one account from one client, 30 for one client, 100 for one account
/// from everywhere (more than one person needs, fewer than guessing needs). A try is counted before it is looked at, so
/// that many at once do not pass; a success takes it back. Holds at most 20,000 keys, then it forgets the oldest
/// window; what it forgets is counted anew. Thread: one at a time.
class Throttle {
 public:
  /// Seconds to wait; 0: go on.
  std::int64_t take(std::string_view account, std::string_view client, std::int64_t now);
  /// It was right: the account's tries from this client are forgotten, one of the other counts is taken back.
  void succeeded(std::string_view account, std::string_view client, std::int64_t now);
  std::size_t size() const { return counts_.size(); }

 private:
  struct Count {
    std::int64_t since = 0;  // microseconds
    int tries = 0;
  };
  struct Limit {
    std::string key;
    int most;
  };
  static std::vector<Limit> limits(std::string_view account, std::string_view client);
  Count& count(const std::string& key, std::int64_t now);
  void make_room(std::int64_t now);

  std::map<std::string, Count> counts_;
};

/// What counts as one client: an IPv4 address, the first 64 bits of an IPv6 one, else the text.
std::string client_key(std::string_view address);

}  // namespace berth::auth
