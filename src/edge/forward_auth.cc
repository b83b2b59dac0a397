// A service that says whether a request may pass.
#include <algorithm>
#include <unordered_map>

#include "base/hash.h"
#include "base/text.h"
#include "edge/middlewares.h"
#include "edge/path.h"
#include "edge/shared.h"
#include "edge/sink.h"
#include "edge/subrequest.h"
#include "io/scope.h"

namespace berth::edge {
namespace {

using Said = std::vector<std::pair<std::string, std::string>>;

constexpr std::size_t kMostAnswer = 64u << 10;
constexpr std::size_t kMostRemembered = 4096;

/// The yeses of a short while.
struct Yeses final : MiddlewareState {
  struct Yes {
    io::Time until;
    Said fields;
  };
  std::unordered_map<std::string, Yes> by_key;
};

bool lists(const std::vector<std::string>& names, std::string_view name) {
  return std::ranges::any_of(names, [&](const std::string& each) { return http::same_name(each, name); });
}

/// Adds cookies of the login's reply to the service's.
class CookieSink final : public ThroughSink {
 public:
  CookieSink(ReplySink& to, const std::vector<std::string>& cookies) : ThroughSink(to), cookies_(cookies) {}
  io::Task<Result<void>> begin(http::ResponseHead& head, bool has_body) override {
    for (const std::string& cookie : cookies_) head.fields.add({"Set-Cookie", cookie});
    return to_.begin(head, has_body);
  }

 private:
  const std::vector<std::string>& cookies_;
};

class Asking final : public Handler {
 public:
  Asking(ForwardAuth action, Place place)
      : action_(std::move(action)),
        entry_(entry_for(place.routes, action_.service)),
        name_(place.name),
        next_(std::move(place.next)) {
    const std::string_view rest = std::string_view(action_.address).substr(action_.address.find("://") + 3);
    const auto begin = rest.find_first_of("/?");
    const Cut parts = cut(begin == std::string_view::npos ? std::string_view() : rest.substr(begin), '?');
    path_ = parts.before.empty() ? "/" : parts.before;
    query_ = parts.after;
  }

  io::Task<Outcome> handle(Request& request, ReplySink& reply) const override {
    const std::string key = action_.cache.count() > 0 ? key_of(request) : std::string();
    if (const Said* known = remembered(request, key)) {
      tell(request, *known);
      co_return co_await next_->handle(request, reply);
    }
    if (!entry_) co_return unavailable("the login's service is gone");
    KeptReply answer(kMostAnswer);
    const Outcome outcome = co_await ask(request, answer);
    if (outcome.own_status != 0 || answer.status == 0 || answer.cut) co_return unavailable(outcome.detail);
    if (answer.status < 200 || answer.status > 299) co_return co_await pass_on(request, reply, answer);
    const Said said = kept_of(answer);
    remember(request, key, answer, said);
    tell(request, said);
    const auto cookies = cookies_of(answer);
    CookieSink sink(reply, cookies);
    co_return co_await next_->handle(request, sink);
  }

 private:
  static Outcome unavailable(std::string detail) {
    return {.own_status = 503, .message = "Logging in is not possible right now.", .detail = std::move(detail)};
  }

  io::Task<Outcome> ask(Request& request, KeptReply& answer) const {
    const std::string_view method = action_.keep_method ? request.head.method : "GET";
    SubRequest sub(request, {*entry_, method, path_, query_});
    http::Fields& fields = sub.head().fields;
    const auto dropped = [&](const http::Field& field) {
      const bool unlisted = !action_.request_headers.empty() && !lists(action_.request_headers, field.name);
      return unlisted || lists(kOwn, field.name);
    };
    fields.remove_if(dropped);
    std::string uri(request.path);
    if (!request.head.query.empty()) uri.append("?").append(request.head.query);
    fields.add({"Accept", request.head.fields.get("accept")});
    sub.tell_forwarded(request.head.method, uri);
    co_return co_await io::within(std::chrono::seconds(30), sub.run(answer));
  }

  /// What says who asks for what; the same for requests that are the same to a login.
  std::string key_of(const Request& request) const {
    std::string text(action_.address);
    text.append("\n").append(request.hop.scheme()).append("\n").append(request.host);
    text.append("\n").append(request.client.text());
    bool says = false;
    for (const http::Field& field : request.head.fields) {
      const bool names = http::same_name(field.name, "cookie") || http::same_name(field.name, "authorization");
      if (!names && !lists(action_.request_headers, field.name)) continue;
      text.append("\n").append(lower(field.name)).append(":").append(field.value);
      says = says || names;
    }
    // One who says nothing is asked each time.
    if (!says) return {};
    text.append("\n").append(request.head.method).append(" ").append(request.path);
    return sha256_hex(text.append("?").append(request.head.query));
  }
  const Said* remembered(Request& request, const std::string& key) const {
    if (key.empty()) return nullptr;
    auto& known = request.shared.state<Yeses>(name_).by_key;
    const auto at = known.find(key);
    return at != known.end() && request.shared.loop.now() < at->second.until ? &at->second.fields : nullptr;
  }
  void remember(Request& request, const std::string& key, const KeptReply& answer, const Said& said) const {
    if (key.empty() || !answer.get("set-cookie").empty()) return;
    auto& known = request.shared.state<Yeses>(name_).by_key;
    if (known.size() >= kMostRemembered) known.clear();
    known[key] = {request.shared.loop.now() + action_.cache, said};
  }

  bool is_kept(std::string_view name) const {
    if (lists(action_.response_headers, name)) return true;
    return action_.response_headers_regex.regex && matches(*action_.response_headers_regex.regex, name);
  }
  Said kept_of(const KeptReply& answer) const {
    Said said;
    for (const auto& [name, value] : answer.fields) {
      if (is_kept(name)) said.emplace_back(name, value);
    }
    return said;
  }
  /// The service gets what the login said, never what the client sent under the same name.
  void tell(Request& request, const Said& said) const {
    http::Fields& fields = request.head.fields;
    fields.remove_if([&](const http::Field& field) { return is_kept(field.name); });
    for (const auto& [name, value] : said) fields.add({request.keep(name), request.keep(value)});
  }
  std::vector<std::string> cookies_of(const KeptReply& answer) const {
    std::vector<std::string> out;
    for (const auto& [name, value] : answer.fields) {
      const auto wanted = std::ranges::count(action_.cookies, std::string(trim(cut(value, '=').before)));
      if (http::same_name(name, "set-cookie") && wanted) out.push_back(value);
    }
    return out;
  }

  io::Task<Outcome> pass_on(Request& request, ReplySink& reply, const KeptReply& answer) const {
    http::ResponseHead& head = request.work.reply;
    head.status = answer.status;
    head.framing = {.chunked = false, .length = answer.body.size()};
    head.fields.clear();
    for (const auto& [name, value] : answer.fields) head.fields.add({name, value});
    request.body->abandon_running();
    const bool has_body = request.head.method != "HEAD" && answer.status != 304;
    auto sent = co_await reply.begin(head, has_body);
    if (sent && has_body) sent = co_await reply.data(answer.body);
    if (sent) static_cast<void>(co_await reply.end(nullptr));
    co_return Outcome{.detail = "the login answered " + std::to_string(answer.status)};
  }

  inline static const std::vector<std::string> kOwn = {
      "x-forwarded-method", "x-forwarded-uri", "accept", "range", "if-none-match", "if-modified-since", "content-type"};
  ForwardAuth action_;
  std::optional<Routes::Entry> entry_;
  std::string name_, path_, query_;
  HandlerPtr next_;
};

}  // namespace

HandlerPtr make_handler(const ForwardAuth& action, Place place) {
  return std::make_shared<Asking>(action, std::move(place));
}

}  // namespace berth::edge
