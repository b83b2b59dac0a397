// Digest access authentication (RFC 7616): what a client says, what it should have said, and nonces that are used once.
// Pure: the caller tells the time and what is random.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace berth::edge {

/// The parameters of `Authorization: Digest`.
struct DigestClaim {
  std::string user{}, realm{}, nonce{}, uri{}, response{}, cnonce{}, count{}, algorithm{};
};
/// Nothing when one is missing, there twice or malformed, when qop is not auth, or when the name is hashed.
std::optional<DigestClaim> parse_digest(std::string_view credentials);

/// The response that a client with this H(user:realm:password) gives; `hash` is MD5's or SHA-256's 32 or 64 hex digits,
/// and decides by its length which of them is used.
std::string digest_response(std::string_view hash, std::string_view method, const DigestClaim& claim);

/// Nonces carry their time and a seal, so that asking for them costs no memory; only those that were used well are
/// kept, for as long as they hold. Thread: one at a time.
class NonceBook {
 public:
  using Seconds = std::int64_t;
  static constexpr Seconds kLife = 300;
  static constexpr std::size_t kMost = 8192;  ///< used ones; the oldest goes
  enum class Is { fresh, stale };

  /// `key` is secret.
  explicit NonceBook(std::string key) : key_(std::move(key)) {}
  /// `salt` differs for each.
  std::string make(Seconds now, std::uint64_t salt) const;
  /// Whether it is one of ours that holds still.
  Is look(std::string_view nonce, Seconds now) const;
  /// Uses it with a count that was not used before: stale for a second time, or one far below the highest.
  Is take(const std::string& nonce, std::uint32_t count, Seconds now);
  std::size_t size() const { return used_.size(); }

 private:
  struct Used {
    std::uint32_t highest = 0;
    std::uint64_t seen = 0;  ///< bit n: highest - n
  };
  std::string seal(std::string_view text) const;

  std::string key_;
  std::unordered_map<std::string, Used> used_;
  std::deque<std::string> order_;
  std::string forgotten_;  ///< the time of the youngest that was forgotten
};

}  // namespace berth::edge
