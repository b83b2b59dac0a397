// Who may pass: passwords, keys in a field, signed tokens.
#include <sys/random.h>

#include <algorithm>
#include <unordered_map>

#include "base/base64.h"
#include "base/hash.h"
#include "base/text.h"
#include "edge/front.h"
#include "edge/middlewares.h"
#include "edge/password.h"
#include "edge/shared.h"
#include "edge/token.h"

namespace berth::edge {
namespace {

constexpr auto kRemembered = std::chrono::minutes(1);
constexpr std::size_t kMostRemembered = 1024;
constexpr std::size_t kMostChecks = 32;  // that run or wait: else guesses would hold up all that needs the pool

/// Right passwords of the last minute, as keyed digests: bcrypt takes a tenth of a second on purpose.
struct Passed final : MiddlewareState {
  Passed() { static_cast<void>(::getrandom(key.data(), key.size(), 0)); }
  std::string key = std::string(32, '\0');
  std::unordered_map<std::string, io::Time> until;
  std::shared_ptr<std::size_t> checks = std::make_shared<std::size_t>(0);
};

/// Gives the upstream `name` in `field`, in place of what the client may have sent there.
void tell(Request& request, std::string_view field, std::string_view name) {
  if (field.empty()) return;
  request.head.fields.remove_if([&](const http::Field& each) { return http::same_name(each.name, field); });
  if (http::is_field_value(name)) request.head.fields.add({field, request.keep(std::string(name))});
}

void take_away(Request& request, std::string_view field) {
  request.head.fields.remove_if([&](const http::Field& each) { return http::same_name(each.name, field); });
}

/// What follows "Scheme " in Authorization; "" when it is of another one, or there are several.
std::string_view credentials(const Request& request, std::string_view scheme) {
  std::string_view found;
  int count = 0;
  for (const http::Field& field : request.head.fields) {
    if (!http::same_name(field.name, "authorization")) continue;
    ++count;
    const Cut parts = cut(field.value, ' ');
    if (equal_fold(parts.before, scheme)) found = trim(parts.after);
  }
  return count == 1 ? found : std::string_view();
}

Outcome refused(std::string detail = {}) {
  return {.own_status = 401, .message = "Please log in.", .detail = std::move(detail)};
}

class Passwords final : public Handler {
 public:
  Passwords(BasicAuth action, Place place)
      : action_(std::move(action)),
        name_(place.name),
        challenge_("Basic realm=\"" + action_.realm + "\", charset=\"UTF-8\""),
        next_(std::move(place.next)) {}

  io::Task<Outcome> handle(Request& request, ReplySink& reply) const override {
    const std::string given = decode_base64(credentials(request, "Basic")).value_or("");
    const Cut parts = cut(given, ':');
    const Verdict verdict = parts.found ? co_await fits(request, parts.before, parts.after) : Verdict::wrong;
    if (verdict == Verdict::busy) {
      co_return Outcome{.own_status = 503,
                        .message = "Too many people log in right now. Try again in a moment.",
                        .detail = "too many passwords wait to be checked"};
    }
    if (verdict == Verdict::wrong) {
      co_return co_await answer_with(request, reply, refused(given.empty() ? "" : "wrong name or password"),
                                     {"WWW-Authenticate", challenge_});
    }
    if (action_.remove_header) take_away(request, "authorization");
    tell(request, action_.header, parts.before);
    co_return co_await next_->handle(request, reply);
  }

 private:
  enum class Verdict { wrong, right, busy };
  io::Task<Verdict> fits(Request& request, std::string_view user, std::string_view password) const {
    const auto at =
        std::ranges::find_if(action_.users, [&](const std::string& each) { return cut(each, ':').before == user; });
    const bool known = at != action_.users.end();
    // A name that is not known takes as long as one that is.
    const std::string hash(cut(known ? *at : action_.users.front(), ':').after);
    Passed& passed = request.shared.state<Passed>(name_);
    const std::string digest = hmac_sha256_hex(passed.key, hash + "\n" + std::string(password));
    const io::Time now = request.shared.loop.now();
    const auto remembered = passed.until.find(digest);
    if (remembered != passed.until.end() && now < remembered->second) co_return known ? Verdict::right : Verdict::wrong;
    const auto checks = passed.checks;
    if (*checks >= kMostChecks) co_return Verdict::busy;
    bool right = false;
    ++*checks;
    co_await io::on_pool([&] { right = fits_password(password, hash); });
    --*checks;
    if (!right || !known) co_return Verdict::wrong;
    // While we waited the state may have been forgotten and made anew; then its key is another one and this is of no
    // use.
    Passed& now_there = request.shared.state<Passed>(name_);
    if (now_there.until.size() >= kMostRemembered) now_there.until.clear();
    now_there.until[digest] = now + kRemembered;
    co_return Verdict::right;
  }

  BasicAuth action_;
  std::string name_, challenge_;
  HandlerPtr next_;
};

class Keyed final : public Handler {
 public:
  Keyed(ApiKey action, Place place) : action_(std::move(action)), next_(std::move(place.next)) {}

  io::Task<Outcome> handle(Request& request, ReplySink& reply) const override {
    const auto given = request.head.fields.find(action_.header);
    const std::string digest = given ? sha256_hex(*given) : std::string();
    std::string_view name;
    for (const std::string& entry : action_.keys) {
      const Cut parts = cut(entry, ':');
      if (equal_secret(parts.after, digest)) name = parts.before;
    }
    if (name.empty()) {
      return answer_with(request, reply, refused(given ? "unknown key" : ""), {"WWW-Authenticate", "ApiKey"});
    }
    take_away(request, action_.header);
    tell(request, action_.name_header, name);
    return next_->handle(request, reply);
  }

 private:
  ApiKey action_;
  HandlerPtr next_;
};

class Tokens final : public Handler {
 public:
  Tokens(Jwt action, Place place) : action_(std::move(action)), keys_(keys_of(action_)), next_(std::move(place.next)) {}

  io::Task<Outcome> handle(Request& request, ReplySink& reply) const override {
    if (!keys_)
      co_return Outcome{.own_status = 500, .message = "Logging in is set up wrongly.", .detail = keys_.error().message};
    const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    const std::string_view token = credentials(request, "Bearer");
    const auto subject = check_token(*keys_, {action_.issuer, action_.audience}, token, now);
    if (!subject) {
      co_return co_await answer_with(request, reply, refused(token.empty() ? "" : subject.error().message),
                                     {"WWW-Authenticate", "Bearer"});
    }
    if (action_.remove_header) take_away(request, "authorization");
    tell(request, action_.subject_header, *subject);
    co_return co_await next_->handle(request, reply);
  }

 private:
  static Result<TokenKeys> keys_of(const Jwt& action) {
    if (!action.secret.empty()) return TokenKeys::shared_secret(action.secret);
    return action.jwks.empty() ? TokenKeys::public_key(action.public_key) : TokenKeys::key_set(action.jwks);
  }

  Jwt action_;
  Result<TokenKeys> keys_;
  HandlerPtr next_;
};

}  // namespace

HandlerPtr make_handler(const BasicAuth& action, Place place) {
  return std::make_shared<Passwords>(action, std::move(place));
}
HandlerPtr make_handler(const ApiKey& action, Place place) {
  return std::make_shared<Keyed>(action, std::move(place));
}
HandlerPtr make_handler(const Jwt& action, Place place) {
  return std::make_shared<Tokens>(action, std::move(place));
}

}  // namespace berth::edge
