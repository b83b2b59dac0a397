// The parts of `headers` that depend on the request: which hosts are allowed, and what browsers of other origins may
// do.
#include <algorithm>

#include "base/text.h"
#include "edge/live.h"
#include "edge/middlewares.h"
#include "edge/sink.h"

namespace berth::edge {
namespace {

/// The value of Access-Control-Allow-Origin for this origin; "" for none.
std::string_view allowed_origin(const Cors& cors, std::string_view origin) {
  if (origin.empty()) return {};
  if (std::ranges::count(cors.origins, "*")) return "*";
  if (std::ranges::count(cors.origins, origin)) return origin;
  const auto fits = [&](const Pattern& pattern) {
    // All of it: "https://a.test" must not let "https://a.test.evil" in.
    return prefix_length(*pattern.regex, origin) == origin.size();
  };
  return std::ranges::any_of(cors.origin_patterns, fits) ? origin : std::string_view();
}

/// Adds the answers of CORS to a reply, in place of the service's own.
class CorsSink final : public ThroughSink {
 public:
  CorsSink(ReplySink& to, const Cors& cors, std::string_view origin)
      : ThroughSink(to), cors_(cors), origin_(origin), expose_(join(cors.expose, ", ")) {}

  io::Task<Result<void>> begin(http::ResponseHead& head, bool has_body) override {
    const bool depends = origin_ != "*";
    head.fields.remove_if([](const http::Field& field) {
      return lower(field.name).starts_with("access-control-allow-origin") ||
             http::same_name(field.name, "access-control-allow-credentials") ||
             http::same_name(field.name, "access-control-expose-headers");
    });
    if (!origin_.empty()) {
      head.fields.add({"Access-Control-Allow-Origin", origin_});
      if (cors_.credentials) head.fields.add({"Access-Control-Allow-Credentials", "true"});
      if (!expose_.empty()) head.fields.add({"Access-Control-Expose-Headers", expose_});
    }
    if ((depends || cors_.vary) && !head.fields.has_token("vary", "Origin")) head.fields.add({"Vary", "Origin"});
    return to_.begin(head, has_body);
  }

 private:
  const Cors& cors_;
  std::string_view origin_;
  std::string expose_;
};

class HeaderRules final : public Handler {
 public:
  HeaderRules(Headers action, Place place) : action_(std::move(action)), next_(std::move(place.next)) {}

  io::Task<Outcome> handle(Request& request, ReplySink& reply) const override {
    if (!is_allowed(request)) {
      return answered({.own_status = 421, .message = "This host is not served here."});
    }
    if (!action_.cors.is_set()) return next_->handle(request, reply);
    const http::Fields& fields = request.head.fields;
    const bool preflight = request.head.method == "OPTIONS" && fields.find("access-control-request-method");
    if (preflight && fields.find("origin")) return answer_preflight(request, reply);
    return pass(request, reply);
  }

 private:
  bool is_allowed(const Request& request) const {
    if (action_.development || action_.allowed_hosts.empty()) return true;
    std::string named(request.host);
    for (const std::string& field : action_.hosts_proxy_headers) {
      const bool trusted = is_trusted(request.hop.peer, request.live.trusted());
      if (const auto value = request.head.fields.find(field); trusted && value) named = lower(*value);
    }
    return std::ranges::count(action_.allowed_hosts, named) > 0;
  }

  io::Task<Outcome> pass(Request& request, ReplySink& reply) const {
    CorsSink sink(reply, action_.cors, allowed_origin(action_.cors, request.head.fields.get("origin")));
    co_return co_await next_->handle(request, sink);
  }

  io::Task<Outcome> answer_preflight(Request& request, ReplySink& reply) const {
    const Cors& cors = action_.cors;
    http::ResponseHead& head = request.work.reply;
    head.status = 200;
    head.framing = {.chunked = false, .length = 0};
    head.fields.clear();
    const std::string methods = join(cors.methods, ", "), names = join(cors.headers, ", "),
                      age = std::to_string(cors.max_age);
    if (!methods.empty()) head.fields.add({"Access-Control-Allow-Methods", methods});
    if (!names.empty()) head.fields.add({"Access-Control-Allow-Headers", names});
    if (cors.max_age > 0) head.fields.add({"Access-Control-Max-Age", age});
    request.body->abandon_running();
    CorsSink sink(reply, cors, allowed_origin(cors, request.head.fields.get("origin")));
    if (co_await sink.begin(head, false)) static_cast<void>(co_await sink.end(nullptr));
    co_return Outcome{};
  }

  Headers action_;
  HandlerPtr next_;
};

}  // namespace

HandlerPtr make_handler(const Headers& action, Place place) {
  return std::make_shared<HeaderRules>(action, std::move(place));
}

}  // namespace berth::edge
