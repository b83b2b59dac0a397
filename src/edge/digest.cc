#include "edge/digest.h"

#include <openssl/evp.h>

#include <algorithm>
#include <charconv>

#include "base/hash.h"
#include "base/text.h"

namespace berth::edge {
namespace {

constexpr std::size_t kTime = 16, kSalt = 16, kSeal = 32;  // hex digits
constexpr std::uint32_t kWindow = 64;

std::string hex(std::uint64_t value) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out(16, '0');
  for (std::size_t i = 16; i-- > 0; value >>= 4) out[i] = kDigits[value & 15];
  return out;
}

std::string md5_hex(std::string_view bytes) {
  unsigned char out[EVP_MAX_MD_SIZE];
  unsigned length = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), out, &length, EVP_md5(), nullptr) != 1) return {};
  return to_hex({reinterpret_cast<const char*>(out), length});
}

/// The next "name=value" of a list; false when there is none, or it is malformed.
bool take_parameter(std::string_view& rest, std::string& name, std::string& value) {
  const Cut parts = cut(rest, '=');
  if (!parts.found) return false;
  name = lower(trim(parts.before));
  value.clear();
  rest = trim(parts.after);
  if (!rest.starts_with('"')) {
    value = trim(rest.substr(0, rest.find(',')));
    rest.remove_prefix(std::min(rest.size(), rest.find(',')));
  } else {
    std::size_t at = 1;
    for (; at < rest.size() && rest[at] != '"'; ++at) {
      if (rest[at] == '\\' && ++at == rest.size()) return false;
      value += rest[at];
    }
    if (at >= rest.size()) return false;
    rest = trim(rest.substr(at + 1));
  }
  if (rest.empty()) return !name.empty();
  if (!rest.starts_with(',')) return false;
  rest = trim(rest.substr(1));
  return !name.empty() && !rest.empty();
}

}  // namespace

std::optional<DigestClaim> parse_digest(std::string_view credentials) {
  DigestClaim claim;
  std::string qop, name, value;
  const std::pair<std::string_view, std::string*> wanted[] = {
      {"username", &claim.user}, {"realm", &claim.realm},         {"nonce", &claim.nonce},
      {"uri", &claim.uri},       {"response", &claim.response},   {"cnonce", &claim.cnonce},
      {"nc", &claim.count},      {"algorithm", &claim.algorithm}, {"qop", &qop}};
  std::string_view rest = trim(credentials);
  unsigned seen = 0;
  while (!rest.empty()) {
    if (!take_parameter(rest, name, value) || name == "username*" || (name == "userhash" && lower(value) == "true"))
      return std::nullopt;
    const auto at = std::ranges::find(wanted, name, &std::pair<std::string_view, std::string*>::first);
    if (at == std::end(wanted)) continue;
    const unsigned bit = 1u << (at - std::begin(wanted));
    if (seen & bit) return std::nullopt;
    seen |= bit;
    *at->second = value;
  }
  const bool whole = !claim.user.empty() && !claim.nonce.empty() && !claim.uri.empty() && !claim.response.empty() &&
                     !claim.cnonce.empty() && claim.count.size() == 8 && qop == "auth";
  return whole ? std::optional(std::move(claim)) : std::nullopt;
}

std::string digest_response(std::string_view hash, std::string_view method, const DigestClaim& claim) {
  const auto h = [&](const std::string& text) { return hash.size() == 64 ? sha256_hex(text) : md5_hex(text); };
  const std::string request = h(std::string(method) + ":" + claim.uri);
  return h(std::string(hash) + ":" + claim.nonce + ":" + claim.count + ":" + claim.cnonce + ":auth:" + request);
}

std::string NonceBook::seal(std::string_view text) const {
  return hmac_sha256_hex(key_, text).substr(0, kSeal);
}

std::string NonceBook::make(Seconds now, std::uint64_t salt) const {
  const std::string text = hex(static_cast<std::uint64_t>(now)) + hex(salt);
  return text + seal(text);
}

NonceBook::Is NonceBook::look(std::string_view nonce, Seconds now) const {
  if (nonce.size() != kTime + kSalt + kSeal) return Is::stale;
  if (seal(nonce.substr(0, kTime + kSalt)) != nonce.substr(kTime + kSalt)) return Is::stale;
  std::uint64_t made = 0;
  std::from_chars(nonce.data(), nonce.data() + kTime, made, 16);
  const Seconds age = now - static_cast<Seconds>(made);
  return age >= 0 && age <= kLife ? Is::fresh : Is::stale;
}

NonceBook::Is NonceBook::take(const std::string& nonce, std::uint32_t count, Seconds now) {
  // A nonce that is forgotten while it holds must not be used from the beginning again: it counts as stale then.
  while (!order_.empty() && (order_.size() >= kMost || look(order_.front(), now) == Is::stale)) {
    forgotten_ = std::max(forgotten_, order_.front().substr(0, kTime));
    used_.erase(order_.front());
    order_.pop_front();
  }
  if (look(nonce, now) == Is::stale || count == 0) return Is::stale;
  if (!used_.contains(nonce) && nonce.substr(0, kTime) <= forgotten_) return Is::stale;
  const auto [at, first] = used_.try_emplace(nonce);
  if (first) order_.push_back(nonce);
  Used& used = at->second;
  if (count > used.highest) {
    const std::uint32_t step = count - used.highest;
    used.seen = step >= kWindow ? 0 : used.seen << step;
    used.seen |= 1;
    used.highest = count;
    return Is::fresh;
  }
  const std::uint32_t back = used.highest - count;
  if (back >= kWindow || (used.seen >> back & 1)) return Is::stale;
  used.seen |= std::uint64_t{1} << back;
  return Is::fresh;
}

}  // namespace berth::edge
