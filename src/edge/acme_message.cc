#include "edge/acme_message.h"

#include <algorithm>
#include <charconv>

#include "base/json.h"
#include "base/text.h"
#include "http/url.h"

namespace berth::edge {
namespace {

using Time = std::chrono::sys_seconds;
using std::chrono::seconds;

constexpr std::size_t kMostUrl = 2048, kMostShown = 500, kMostAuthorizations = 100, kMostChallenges = 20;

Result<Json> object_of(std::string_view body, std::string_view what) {
  auto json = parse_json(body, {.bytes = 256u << 10, .depth = 20});
  if (!json || !json->is_object()) return fail(Code::internal, "the CA's " + std::string(what) + " is no JSON object");
  return json;
}

Result<AcmeStatus> status_of(const Json& json, std::string_view what) {
  static constexpr std::pair<std::string_view, AcmeStatus> kStates[] = {
      {"pending", AcmeStatus::pending}, {"processing", AcmeStatus::processing}, {"ready", AcmeStatus::ready},
      {"valid", AcmeStatus::valid},     {"invalid", AcmeStatus::invalid},       {"deactivated", AcmeStatus::invalid},
      {"expired", AcmeStatus::invalid}, {"revoked", AcmeStatus::invalid},
  };
  const std::string_view text = json["status"].text();
  for (const auto& [name, status] : kStates)
    if (name == text) return status;
  return fail(Code::internal, "the CA's " + std::string(what) + " has the unknown status \"" + printable(text) + "\"");
}

bool is_token(std::string_view text) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  };
  return !text.empty() && text.size() <= 256 && std::ranges::all_of(text, fits);
}

std::string problem_text(const Json& problem) {
  std::string text = printable(problem["detail"].text());
  if (text.empty()) text = printable(problem["type"].text());
  for (const Json& part : problem["subproblems"].items()) {
    if (text.size() > kMostShown) break;
    text += "; " + printable(part["identifier"]["value"].text()) + ": " + printable(part["detail"].text());
  }
  return text;
}

/// A number of exactly `count` digits at the beginning of `text`, which it takes off.
std::optional<int> take_number(std::string_view& text, std::size_t count) {
  int value = 0;
  if (text.size() < count) return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + count, value);
  if (error != std::errc{} || end != text.data() + count || value < 0) return std::nullopt;
  text.remove_prefix(count);
  return value;
}
bool take(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

std::optional<std::chrono::sys_days> take_date(std::string_view& text) {
  using namespace std::chrono;
  const auto y = take_number(text, 4);
  if (!y || !take(text, '-')) return std::nullopt;
  const auto m = take_number(text, 2);
  if (!m || !take(text, '-')) return std::nullopt;
  const auto d = take_number(text, 2);
  if (!d) return std::nullopt;
  const auto date = year(*y) / month(static_cast<unsigned>(*m)) / day(static_cast<unsigned>(*d));
  if (!date.ok()) return std::nullopt;
  return sys_days(date);
}

std::optional<seconds> take_clock(std::string_view& text) {
  const auto h = take_number(text, 2);
  if (!h || !take(text, ':')) return std::nullopt;
  const auto m = take_number(text, 2);
  if (!m || !take(text, ':')) return std::nullopt;
  const auto s = take_number(text, 2);
  if (!s || *h > 23 || *m > 59 || *s > 60) return std::nullopt;
  return std::chrono::hours(*h) + std::chrono::minutes(*m) + seconds(*s);
}

/// "Z", "+01:00"; what local time is ahead of UTC.
std::optional<seconds> take_offset(std::string_view& text) {
  if (take(text, 'Z') || take(text, 'z')) return seconds(0);
  const int sign = take(text, '-') ? -1 : take(text, '+') ? 1 : 0;
  const auto h = take_number(text, 2);
  if (sign == 0 || !h || !take(text, ':')) return std::nullopt;
  const auto m = take_number(text, 2);
  if (!m) return std::nullopt;
  return sign * (std::chrono::hours(*h) + std::chrono::minutes(*m));
}

/// "Sun, 06 Nov 1994 08:49:37 GMT".
std::optional<Time> http_date(std::string_view text) {
  static constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
  if (text.size() != 29 || !text.ends_with(" GMT")) return std::nullopt;
  text.remove_prefix(5);
  const auto d = take_number(text, 2);
  const auto month = kMonths.find(text.substr(1, 3));
  if (!d || month == std::string_view::npos || month % 3 != 0) return std::nullopt;
  text.remove_prefix(5);
  const auto y = take_number(text, 4);
  if (!y || !take(text, ' ')) return std::nullopt;
  const auto clock = take_clock(text);
  const auto date = std::chrono::year(*y) / static_cast<int>(month / 3 + 1) / *d;
  if (!clock || !date.ok()) return std::nullopt;
  return std::chrono::sys_days(date) + *clock;
}

}  // namespace

std::string_view to_text(ChallengeType type) {
  return type == ChallengeType::http ? "http-01" : type == ChallengeType::tls ? "tls-alpn-01" : "dns-01";
}

bool is_url_like(std::string_view text, std::string_view like) {
  if (text.size() > kMostUrl) return false;
  const auto url = http::parse_url(text), other = http::parse_url(like);
  return url && other && url->scheme == other->scheme;
}

std::string printable(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, kMostShown)) {
    const auto byte = static_cast<unsigned char>(c);
    out += byte < 0x20 || byte > 0x7e ? ' ' : c;
  }
  return out;
}

Result<AcmeDirectory> parse_directory(std::string_view url, std::string_view body) {
  const Json json = TRY(object_of(body, "directory"));
  AcmeDirectory out{.new_nonce = std::string(json["newNonce"].text()),
                    .new_account = std::string(json["newAccount"].text()),
                    .new_order = std::string(json["newOrder"].text()),
                    .renewal_info = std::string(json["renewalInfo"].text()),
                    .binding_required = json["meta"]["externalAccountRequired"].boolean()};
  for (const std::string* each : {&out.new_nonce, &out.new_account, &out.new_order}) {
    if (!is_url_like(*each, url))
      return fail(Code::internal, printable(url) +
                                      " is no directory of an ACME CA: it lacks newNonce, newAccount or "
                                      "newOrder as URLs like its own");
  }
  if (!is_url_like(out.renewal_info, url)) out.renewal_info.clear();
  return out;
}

Result<AcmeOrderState> parse_order(std::string_view body) {
  const Json json = TRY(object_of(body, "order"));
  AcmeOrderState out{.status = TRY(status_of(json, "order")),
                     .authorizations = {},
                     .finalize = std::string(json["finalize"].text()),
                     .certificate = std::string(json["certificate"].text()),
                     .error = problem_text(json["error"])};
  if (json["authorizations"].size() > kMostAuthorizations)
    return fail(Code::internal, "the CA's order has more than 100 authorizations");
  for (const Json& each : json["authorizations"].items()) out.authorizations.emplace_back(each.text());
  return out;
}

Result<AcmeAuthorization> parse_authorization(std::string_view body, ChallengeType wanted) {
  const Json json = TRY(object_of(body, "authorization"));
  AcmeAuthorization out;
  out.status = TRY(status_of(json, "authorization"));
  out.host = (json["wildcard"].boolean() ? "*." : "") + lower(json["identifier"]["value"].text());
  if (json["challenges"].size() > kMostChallenges)
    return fail(Code::internal, "the CA's authorization has more than 20 challenges");
  for (const Json& each : json["challenges"].items()) {
    const std::string_view type = each["type"].text();
    out.offered += (out.offered.empty() ? "" : ", ") + printable(type);
    if (out.error.empty()) out.error = problem_text(each["error"]);
    if (type != to_text(wanted)) continue;
    out.challenge_url = each["url"].text();
    out.token = each["token"].text();
  }
  if (!out.challenge_url.empty() && !is_token(out.token))
    return fail(Code::internal, "the CA's challenge has a token that is not base64url");
  return out;
}

AcmeProblem parse_problem(int status, std::string_view body) {
  const auto json = parse_json(body, {.bytes = 64u << 10, .depth = 20});
  if (!json || !json->is_object()) return {.type = "", .detail = "it answered " + std::to_string(status)};
  static constexpr std::string_view kPrefix = "urn:ietf:params:acme:error:";
  std::string_view type = (*json)["type"].text();
  if (type.starts_with(kPrefix)) type.remove_prefix(kPrefix.size());
  AcmeProblem out{.type = printable(type), .detail = problem_text(*json)};
  if (out.detail.empty()) out.detail = "it answered " + std::to_string(status);
  return out;
}

std::optional<seconds> parse_retry_after(std::string_view text, Time now) {
  constexpr seconds most = std::chrono::days(1);
  std::int64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error == std::errc{} && end == text.data() + text.size() && count >= 0) return std::min(seconds(count), most);
  if (const auto date = http_date(text)) return std::clamp(*date - now, seconds(0), most);
  return std::nullopt;
}

Result<Time> parse_rfc3339(std::string_view text) {
  const std::string whole = printable(text);
  const auto wrong = [&] { return fail(Code::invalid, "\"" + whole + "\" is not a time"); };
  const auto date = take_date(text);
  if (!date || !(take(text, 'T') || take(text, 't'))) return wrong();
  const auto clock = take_clock(text);
  if (!clock) return wrong();
  if (take(text, '.')) {
    while (!text.empty() && text.front() >= '0' && text.front() <= '9') text.remove_prefix(1);
  }
  const auto offset = take_offset(text);
  if (!offset || !text.empty()) return wrong();
  return *date + *clock - *offset;
}

Result<RenewalWindow> parse_renewal_info(std::string_view body) {
  const Json json = TRY(object_of(body, "renewal information"));
  const Json& window = json["suggestedWindow"];
  RenewalWindow out{.start = TRY(parse_rfc3339(window["start"].text())),
                    .end = TRY(parse_rfc3339(window["end"].text())),
                    .explanation = printable(json["explanationURL"].text())};
  if (out.end <= out.start) return fail(Code::internal, "the CA's renewal window ends before it begins");
  return out;
}

}  // namespace berth::edge
