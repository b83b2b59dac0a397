// Passwords that do not travel: the middleware digestAuth.
#include <sys/random.h>

#include <algorithm>
#include <charconv>
#include <mutex>

#include "base/hash.h"
#include "base/text.h"
#include "edge/digest.h"
#include "edge/front.h"
#include "edge/middlewares.h"
#include "edge/password.h"
#include "edge/shared.h"

namespace berth::edge {
namespace {

/// Of all loops: a nonce that was used on one of them must not be used again on another. Few requests have one, and the
/// lock is held for a look-up.
class Nonces {
 public:
  static Nonces& all() {
    static Nonces one;
    return one;
  }
  std::string make(NonceBook::Seconds now) {
    const std::lock_guard lock(mutex_);
    return book_.make(now, salt_++);
  }
  NonceBook::Is take(const std::string& nonce, std::uint32_t count, NonceBook::Seconds now) {
    const std::lock_guard lock(mutex_);
    return book_.take(nonce, count, now);
  }

 private:
  static std::string random_key() {
    std::string key(32, '\0');
    static_cast<void>(::getrandom(key.data(), key.size(), 0));
    return key;
  }
  std::mutex mutex_;
  NonceBook book_{random_key()};
  std::uint64_t salt_ = 0;
};

NonceBook::Seconds seconds_of(const Request& request) {
  return std::chrono::duration_cast<std::chrono::seconds>(request.shared.loop.now().time_since_epoch()).count();
}

class Digests final : public Handler {
 public:
  Digests(DigestAuth action, Place place) : action_(std::move(action)), next_(std::move(place.next)) {}

  io::Task<Outcome> handle(Request& request, ReplySink& reply) const override {
    const auto claim = claim_of(request);
    const std::string_view hash = claim ? hash_of(*claim) : std::string_view();
    const bool right = claim && fits(request, *claim, hash);
    const auto now = seconds_of(request);
    if (right && Nonces::all().take(claim->nonce, count_of(*claim), now) == NonceBook::Is::fresh) {
      admit(request, claim->user);
      co_return co_await next_->handle(request, reply);
    }
    // Who knew the password is told that only the nonce is to blame, and asks no person again.
    const std::string challenge = challenges(Nonces::all().make(now), right);
    const std::string_view why = right ? "a nonce that does not hold any more" : claim ? "wrong name or password" : "";
    co_return co_await answer_with(request, reply,
                                   {.own_status = 401, .message = "Please log in.", .detail = std::string(why)},
                                   {"WWW-Authenticate", challenge});
  }

 private:
  static std::optional<DigestClaim> claim_of(const Request& request) {
    std::optional<DigestClaim> claim;
    int count = 0;
    for (const http::Field& field : request.head.fields) {
      if (!http::same_name(field.name, "authorization")) continue;
      const Cut parts = cut(field.value, ' ');
      if (++count == 1 && equal_fold(parts.before, "Digest")) claim = parse_digest(parts.after);
    }
    return count == 1 ? claim : std::nullopt;
  }

  static std::uint32_t count_of(const DigestClaim& claim) {
    std::uint32_t count = 0;
    const char* const end = claim.count.data() + claim.count.size();
    return std::from_chars(claim.count.data(), end, count, 16).ptr == end ? count : 0;
  }

  /// Of the user's hashes the one for the claim's algorithm; "" when there is none.
  std::string_view hash_of(const DigestClaim& claim) const {
    const bool sha = equal_fold(claim.algorithm, "SHA-256");
    if (!sha && !claim.algorithm.empty() && !equal_fold(claim.algorithm, "MD5")) return {};
    for (const std::string& user : action_.users) {
      const auto parts = split(user, ':');
      if (parts[0] == claim.user && (parts[2].size() == 64) == sha) return parts[2];
    }
    return {};
  }

  /// The claim must be about this very request.
  bool fits(const Request& request, const DigestClaim& claim, std::string_view hash) const {
    const std::string wanted =
        digest_response(hash.empty() ? std::string_view("none") : hash, request.head.method, claim);
    const bool known = !hash.empty() && claim.realm == action_.realm && claim.uri == request.head.target;
    return equal_secret(lower(claim.response), wanted) && known;
  }

  void admit(Request& request, const std::string& user) const {
    http::Fields& fields = request.head.fields;
    const auto drop = [&](std::string_view name) {
      fields.remove_if([&](const http::Field& each) { return http::same_name(each.name, name); });
    };
    if (action_.remove_header) drop("authorization");
    if (action_.header.empty()) return;
    drop(action_.header);
    if (http::is_field_value(user)) fields.add({action_.header, request.keep(user)});
  }

  /// One for each algorithm that a user has a hash of, the better one first.
  std::string challenges(const std::string& nonce, bool stale) const {
    std::string out;
    for (const auto& [size, name] : {std::pair(64, "SHA-256"), std::pair(32, "MD5")}) {
      const auto has = [&](const std::string& user) { return cut_last(user, ':').after.size() == std::size_t(size); };
      if (std::ranges::none_of(action_.users, has)) continue;
      out += std::string(out.empty() ? "" : ", ") + "Digest realm=\"" + action_.realm +
             "\", qop=\"auth\", algorithm=" + name + ", nonce=\"" + nonce + "\"" + (stale ? ", stale=true" : "");
    }
    return out;
  }

  DigestAuth action_;
  HandlerPtr next_;
};

}  // namespace

HandlerPtr make_handler(const DigestAuth& action, Place place) {
  return std::make_shared<Digests>(action, std::move(place));
}

}  // namespace berth::edge
