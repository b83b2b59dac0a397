#include "edge/cache_policy.h"

#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "base/units.h"
#include "edge/cache_control.h"
#include "http/head.h"

namespace berth::edge {
namespace {

constexpr std::int64_t kDefaultTtlStatus = 200;
constexpr std::size_t kMostSize = std::size_t{1} << 30;

Result<std::int64_t> seconds(std::string_view value) {
  if (const auto plain = parse_delta(value)) return *plain;
  const auto parsed = parse_duration(value);
  if (!parsed || *parsed < std::chrono::nanoseconds(0)) {
    return fail(Code::invalid, "\"" + std::string(value) + "\" is not a duration such as 30s or 5m");
  }
  return std::min<std::int64_t>(std::chrono::floor<std::chrono::seconds>(*parsed).count(), kMostDelta);
}

Result<bool> flag(std::string_view value) {
  const std::string text = lower(value);
  if (text.empty() || text == "true" || text == "1" || text == "yes") return true;
  if (text == "false" || text == "0" || text == "no") return false;
  return fail(Code::invalid, "\"" + std::string(value) + "\" is neither true nor false");
}

Result<int> status(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc{} && end == text.data() + text.size() && value >= 200 && value <= 599 && value != 206 &&
      value != 304)
    return value;
  return fail(Code::invalid, "\"" + std::string(text) + "\" is not the status of a reply that can be stored");
}

/// Keys and what they mean, one line each.
class Reader {
 public:
  explicit Reader(CachePolicy& policy) : policy_(policy) {}

  Result<void> take(std::string_view key, std::string_view value) {
    if (key == "enable") return {};
    if (key == "ttl") return set(ttl_, seconds(value));
    if (key.starts_with("ttl.")) return take_ttl_of(key.substr(4), value);
    if (key == "status") return take_statuses(value);
    if (key == "grace" || key == "stale-while-revalidate") return set(policy_.grace, seconds(value));
    if (key == "stale-if-error") return set(policy_.stale_if_error, seconds(value));
    if (key == "hit-for-miss") return set(policy_.hit_for_miss, seconds(value));
    if (key == "max-size") return take_size(value);
    if (key == "cookies") return take_cookies(lower(value));
    if (key == "set-cookie") return set(policy_.set_cookie, flag(value));
    if (key == "override-private") return set(policy_.override_private, flag(value));
    if (key == "heuristic") return set(policy_.heuristic, flag(value));
    if (key == "obey-client") return set(policy_.obey_client, flag(value));
    if (key == "debug") return set(policy_.debug, flag(value));
    if (key == "cache-control") return take_control(value);
    if (key == "tags-header") return take_tags_header(value);
    static constexpr std::string_view kKnown[] = {
        "enable",      "ttl",     "status",        "grace",      "stale-while-revalidate", "stale-if-error",
        "max-size",    "cookies", "set-cookie",    "heuristic",  "override-private",       "hit-for-miss",
        "obey-client", "debug",   "cache-control", "tags-header"};
    return fail(Code::invalid, "is not known" + suggestion(key, kKnown));
  }

  Result<void> finish() {
    if (!ttl_ && !statuses_.empty())
      return fail(Code::invalid, "cache.status says for which replies ttl is; set ttl too");
    if (ttl_) {
      if (statuses_.empty()) statuses_.push_back(kDefaultTtlStatus);
      for (const int each : statuses_) policy_.ttl.emplace_back(each, *ttl_);
    }
    std::ranges::stable_sort(policy_.ttl, {}, &std::pair<int, std::int64_t>::first);
    // A lifetime of ours says nothing about whether a reply is for everybody, as the reply itself would.
    if (!cookies_ && !policy_.ttl.empty()) policy_.cookies = CachePolicy::Cookies::pass;
    if (policy_.cache_control.empty() || !policy_.ttl.empty()) return {};
    return fail(Code::invalid, "cache.cache-control goes with the replies that ttl is for; set ttl too");
  }

 private:
  template <class Into, class Value>
  static Result<void> set(Into& into, Result<Value> value) {
    into = TRY(std::move(value));
    return {};
  }
  Result<void> take_ttl_of(std::string_view key, std::string_view value) {
    const int code = TRY(status(key));
    policy_.ttl.insert(policy_.ttl.begin(), {code, TRY(seconds(value))});
    return {};
  }
  Result<void> take_statuses(std::string_view value) {
    for (const std::string_view part : split(value, ',')) statuses_.push_back(TRY(status(trim(part))));
    return {};
  }
  Result<void> take_size(std::string_view value) {
    const auto size = TRY(parse_size(value));
    if (size < 1 || static_cast<std::size_t>(size) > kMostSize) return fail(Code::invalid, "must be 1 byte to 1 GiB");
    policy_.max_size = static_cast<std::size_t>(size);
    return {};
  }
  Result<void> take_cookies(std::string_view value) {
    using Cookies = CachePolicy::Cookies;
    if (value != "ignore" && value != "pass" && value != "strip")
      return fail(Code::invalid, "\"" + std::string(value) + "\" is not one of ignore, pass and strip");
    policy_.cookies = value == "ignore" ? Cookies::ignore : value == "pass" ? Cookies::pass : Cookies::strip;
    cookies_ = true;
    return {};
  }
  /// "public; max-age=30" is one directive with a strange name for a browser: refused, not sent.
  Result<void> take_control(std::string_view value) {
    std::string_view rest = value;
    while (const auto directive = next_directive(rest)) {
      if (!directive->well_formed)
        return fail(Code::invalid,
                    "\"" + std::string(value) + "\" is not a list of directives such as public, max-age=30");
    }
    policy_.cache_control = value;
    return {};
  }
  Result<void> take_tags_header(std::string_view value) {
    if (!http::is_token(value)) return fail(Code::invalid, "\"" + std::string(value) + "\" is not a field name");
    policy_.tags_header = lower(value);
    return {};
  }

  CachePolicy& policy_;
  std::optional<std::int64_t> ttl_;
  std::vector<int> statuses_;
  bool cookies_ = false;
};

}  // namespace

std::optional<std::int64_t> CachePolicy::ttl_of(int wanted) const {
  for (const auto& [code, lifetime] : ttl) {
    if (code == wanted) return lifetime;
  }
  return std::nullopt;
}

Result<CachePolicy> read_cache_policy(CachePolicy::Fields fields) {
  CachePolicy policy;
  Reader reader(policy);
  for (const auto& [key, value] : fields) {
    if (auto taken = reader.take(key, value); !taken) return fail(std::move(taken.error()).within("cache." + key));
  }
  TRY(reader.finish());
  policy.fields = std::move(fields);
  return policy;
}

}  // namespace berth::edge
