#include "api/dispatch.h"

#include "api/check.h"
#include "api/guard.h"
#include "api/openapi.h"
#include "base/hash.h"
#include "edge/ip.h"
#include "io/seal.h"

namespace berth::api {
namespace {

// What Pace and permission have to say, beside the codes of errors.
struct Refusal {
  int status = 0;
  std::string_view code{};
};

bool changes(const Route& route) {
  return route.method != "GET";
}

Reply too_many(std::chrono::seconds again) {
  Reply reply = problem(429, "rate_limited", "too many requests; come again after the seconds of Retry-After");
  reply.headers.emplace_back("Retry-After", std::to_string(again.count()));
  return reply;
}

Reply reply_of(const Error& error) {
  return problem(http::status_of(error.code), to_text(error.code), error.message);
}

// A /64 of IPv6 is one client.
std::string client_key(const std::string& client) {
  const auto ip = edge::parse_ip(client);
  if (!ip || ip->is_v4()) return client;
  const auto network = edge::parse_cidr(client + "/64");
  return network ? network->text() : client;
}

bool matches_tag(std::string_view header, std::string_view tag) {
  if (header == "*") return true;
  while (!header.empty()) {
    const std::size_t comma = header.find(',');
    std::string_view one = header.substr(0, comma);
    while (one.starts_with(' ')) one.remove_prefix(1);
    if (one.starts_with("W/")) one.remove_prefix(2);
    while (one.ends_with(' ')) one.remove_suffix(1);
    if (one == tag) return true;
    header.remove_prefix(comma == std::string_view::npos ? header.size() : comma + 1);
  }
  return false;
}

// Of a subject that the path names: "container:web-1" of /containers/{id}.
std::string subject_of(const Route& route, const std::map<std::string, std::string, std::less<>>& parameters) {
  std::string_view rest = route.path, kind;
  while (!rest.empty()) {
    rest.remove_prefix(1);
    const std::size_t end = rest.find('/');
    const std::string_view part = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end);
    if (!part.starts_with('{')) {
      kind = part;
      continue;
    }
    if (kind.ends_with('s')) kind.remove_suffix(1);
    std::string_view name = part.substr(1, part.size() - 2);
    if (name.ends_with('*')) name.remove_suffix(1);
    const auto at = parameters.find(name);
    return std::string(kind) + ":" + (at == parameters.end() ? std::string() : at->second);
  }
  return {};
}

io::Task<Result<void>> send(const Call& call, Reply reply) {
  Headers headers = std::move(reply.headers);
  headers.emplace_back("X-Request-Id", call.id);
  headers.emplace_back("X-Content-Type-Options", "nosniff");
  std::string text;
  const bool bodiless = reply.status == 204 || (reply.body.is_null() && reply.status / 100 == 3);
  if (!bodiless) text = reply.body.dump() + "\n";
  if (reply.status == 200 && (call.method == "GET" || call.method == "HEAD")) {
    const std::string tag = "\"" + to_hex(sha256(text).substr(0, 16)) + "\"";
    headers.emplace_back("ETag", tag);
    headers.emplace_back("Cache-Control", "private, no-cache");
    if (matches_tag(call.head->fields.get("If-None-Match"), tag))
      co_return co_await call.response->send(304, std::move(headers), {});
  } else {
    headers.emplace_back("Cache-Control", "no-store");
  }
  if (!bodiless) headers.emplace_back("Content-Type", "application/json");
  co_return co_await call.response->send(reply.status, std::move(headers), text);
}

}  // namespace

struct Dispatch::Asked {
  const Door& door;
  Call call;
  const Route* route = nullptr;
  bool known = false;      ///< whose request it is was looked up
  std::int64_t begun = 0;  ///< number of the audit entry before the handler; 0: none
};

Dispatch::Dispatch(RouteTable table, DispatchOptions options)
    : table_(std::move(table)), options_(std::move(options)), clients_(options_.client), tokens_(options_.token) {}

Result<std::unique_ptr<Dispatch>> Dispatch::make(Routes routes, DispatchOptions options) {
  auto table = TRY(RouteTable::make(std::move(routes)));
  return std::unique_ptr<Dispatch>(new Dispatch(std::move(table), std::move(options)));
}

io::Task<Result<void>> Dispatch::answer(const Door& door, http::ServerRequest& request,
                                        http::ResponseWriter& response) {
  Asked asked{.door = door, .call = {}};
  Call& call = asked.call;
  call.method = request.head().method;
  call.head = &request.head();
  call.request = &request;
  call.response = &response;
  call.id = "req_" + to_hex(io::random_bytes(9));
  call.who.from = door.client;
  Result<Reply> outcome = co_await decide(asked);
  if (auto kept = co_await keep(asked, outcome); !kept && outcome)
    outcome = fail(std::move(kept.error()).within("done, but the audit log does not take it"));
  if (response.started()) {
    if (outcome) co_return Result<void>{};
    co_return fail(std::move(outcome).error());
  }
  co_return co_await send(call, outcome ? std::move(*outcome) : reply_of(outcome.error()));
}

io::Task<Result<Reply>> Dispatch::decide(Asked& asked) {
  Call& call = asked.call;
  const io::Time now = (co_await io::here()).loop->now();
  if (!asked.door.local)
    if (const auto again = clients_.take(client_key(asked.door.client), now); again.count() > 0)
      co_return too_many(again);
  auto match = table_.find(call.method, CO_TRY(path_segments(call.head->path)));
  if (!match.route) {
    if (match.allowed.empty()) co_return fail(Code::not_found, "there is nothing at " + std::string(call.head->path));
    Reply reply = problem(405, "invalid", "this path has no such method");
    for (const auto& method : match.allowed) reply.headers.emplace_back("Allow", method);
    co_return reply;
  }
  asked.route = match.route;
  call.path = std::move(match.parameters);
  call.record = {.subject = subject_of(*asked.route, call.path), .project = std::string(call.parameter("project"))};
  CO_TRY(co_await load_principal(asked));
  if (!asked.door.local) CO_TRY(check_origin(*call.head, asked.route->upgrades));
  if (!call.who.signed_in() && asked.route->needs != Permission::everyone)
    co_return problem(401, "unauthorized", "sign in first, or send a token");
  if (!asked.door.local && has_bearer(*call.head))
    if (const auto again = tokens_.take(call.who.session, now); again.count() > 0) co_return too_many(again);
  CO_TRY(check_permission(asked));
  CO_TRY(co_await decode(asked));
  CO_TRY(co_await begin(asked));
  co_return co_await handle(asked);
}

io::Task<Result<void>> Dispatch::load_principal(Asked& asked) {
  Call& call = asked.call;
  if (asked.door.local) {
    call.who = asked.door.who;
    co_return Result<void>{};
  }
  if (!options_.identify) co_return Result<void>{};
  auto who = co_await options_.identify(*call.head, asked.door.client);
  // What does not hold is nobody's: signing in anew must be possible.
  if (!who && who.error().code != Code::denied) co_return fail(std::move(who).error());
  if (who) call.who = std::move(*who);
  if (call.who.from.empty()) call.who.from = asked.door.client;
  co_return Result<void>{};
}

Result<void> Dispatch::check_permission(Asked& asked) {
  const Route& route = *asked.route;
  const auth::Principal& who = asked.call.who;
  if (route.needs == Permission::everyone || route.where == Where::loaded) return {};
  const std::string_view project = asked.call.parameter("project");
  if (route.where == Where::whole) {
    if (auth::may(who, route.needs)) return {};
  } else {
    if (auth::may(who, route.needs, project)) return {};
    if (!auth::may(who, Permission::view, project)) {
      asked.call.denied = true;
      return fail(Code::not_found, "there is no project \"" + std::string(project) + "\"");
    }
  }
  return fail(Code::denied, "this needs the permission \"" + std::string(auth::to_text(route.needs)) + "\", which " +
                                (who.name.empty() ? "this caller" : who.name) + " does not have");
}

io::Task<Result<void>> Dispatch::decode(Asked& asked) {
  Call& call = asked.call;
  const Route& route = *asked.route;
  call.query = CO_TRY(check_query(call.head->query, route.query));
  if (route.body == Body::raw) co_return Result<void>{};
  const std::string text = CO_TRY(co_await call.request->body(route.most_body));
  if (!text.empty() && route.fields.empty()) co_return fail(Code::invalid, "body: this request has none");
  if (!text.empty() && !is_json(call.head->fields.get("Content-Type")))
    co_return fail(Code::invalid, "body: Content-Type is not application/json");
  if (!route.fields.empty()) call.body = CO_TRY(check_body(text, route.fields, route.most_body));
  co_return Result<void>{};
}

io::Task<Result<Reply>> Dispatch::handle(Asked& asked) {
  const Route& route = *asked.route;
  if (const Stream* handler = std::get_if<Stream>(&route.handler)) co_return co_await stream(asked, *handler);
  const Answer& handler = std::get<Answer>(route.handler);
  if (route.deadline.count() == 0) co_return co_await handler(asked.call);
  co_return co_await io::within(route.deadline, handler(asked.call));
}

io::Task<Result<Reply>> Dispatch::stream(Asked& asked, const Stream& handler) {
  const std::string id = asked.call.who.id;
  if (!asked.door.local && streams_[id] >= options_.streams) co_return too_many(std::chrono::seconds(5));
  ++streams_[id];
  auto done = co_await handler(asked.call);
  if (--streams_[id] == 0) streams_.erase(id);
  if (!done) co_return fail(std::move(done).error());
  co_return Reply{};
}

job::Entry Dispatch::entry_of(const Asked& asked, job::Decision decision) const {
  const Call& call = asked.call;
  return {.time = options_.now ? options_.now() : 0,
          .actor = call.who.id,
          .name = call.who.name,
          .from = call.who.from,
          .verb = verb_of(*asked.route),
          .subject = call.record.subject,
          .project = call.record.project,
          .decision = decision};
}

// A core that is killed in the middle leaves this behind. What cannot be recorded is not done.
io::Task<Result<void>> Dispatch::begin(Asked& asked) {
  if (!options_.keep || !changes(*asked.route) || !asked.route->records) co_return Result<void>{};
  auto number = co_await options_.keep(entry_of(asked, job::Decision::begun));
  if (!number) co_return fail(std::move(number.error()).within("not done, since the audit log does not take it"));
  asked.begun = *number;
  co_return Result<void>{};
}

// Changes and what was denied. A route that keeps entries itself does so in its change; what it was denied is kept
// here.
io::Task<Result<void>> Dispatch::keep(const Asked& asked, const Result<Reply>& outcome) {
  if (!asked.route || !options_.keep) co_return Result<void>{};
  const Call& call = asked.call;
  const int status = outcome ? outcome->status : http::status_of(outcome.error().code);
  const bool denied = call.denied || status == 401 || status == 403;
  const bool recorded = changes(*asked.route) ? asked.route->records || denied : denied && call.who.signed_in();
  const bool left_out = !recorded || call.record.kept || status == 429;
  if (left_out && asked.begun == 0) co_return Result<void>{};  // what was begun has an outcome, whatever it is
  using job::Decision;
  job::Entry entry = entry_of(asked, denied ? Decision::denied : status >= 400 ? Decision::failed : Decision::allowed);
  entry.difference = call.record.difference;
  entry.begun = asked.begun;
  if (!outcome && entry.difference.is_null())
    entry.difference = Json::object({{"why", outcome.error().message}, {"request", call.id}});
  (void)CO_TRY(co_await options_.keep(std::move(entry)));
  co_return Result<void>{};
}

}  // namespace berth::api
