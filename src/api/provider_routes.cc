#include "api/auth_routes.h"
#include "auth/cookie.h"
#include "auth/flow.h"
#include "auth/next.h"

namespace berth::api {
namespace {

using auth::Desk;
using auth::Flow;
using store::Transaction;

constexpr auto kLoginLife = std::chrono::minutes(10);

/// Where the browser sees us: it is our own host that the edge or the unix socket let through.
std::string origin_of(const Call& call) {
  return "https://" + std::string(call.head->authority);
}

std::string login_cookie_of(const Call& call) {
  return auth::read_cookie(call.head->fields, auth::kLoginCookie).value_or("");
}

/// What went wrong as a word for the UI, which has a sentence for each; more is in the audit.
std::string_view reason_of(Code code) {
  switch (code) {
    case Code::cancelled:
      return "declined";
    case Code::timeout:
      return "expired";
    case Code::busy:
      return "busy";
    case Code::invalid:
      return "misconfigured";
    case Code::internal:
      return "nonsense";
    case Code::not_found:
      return "nobody";
    case Code::conflict:
      return "taken";
    case Code::unavailable:
      return "unavailable";
    default:
      return "refused";
  }
}
std::string with_reason(const std::string& next, Code code) {
  return next + (next.contains('?') ? "&" : "?") + "error=" + std::string(reason_of(code));
}

/// A page elsewhere must not begin a linking: whoever has made this browser be signed in with an account of theirs at
/// the provider would get into the account here.
bool is_wish_of_user(const Call& call) {
  const std::string_view site = call.head->fields.get("Sec-Fetch-Site");
  return site == "same-origin" || site == "none";
}

Reply redirect(int status, std::string to, std::vector<std::string> cookies) {
  Reply reply{.status = status, .headers = {{"Location", std::move(to)}}};
  for (auto& cookie : cookies) reply.headers.emplace_back("Set-Cookie", std::move(cookie));
  return reply;
}

io::Task<Result<Reply>> start(Flow& flow, Call& call) {
  const bool link = call.flag("link");
  if (link && !call.who.has_session()) co_return fail(Code::denied, "linking needs a session; sign in first");
  if (link && !is_wish_of_user(call))
    co_return fail(Code::denied, "linking begins on berth's own pages: Settings, Account");
  const std::string next = auth::safe_next(call.option("next").empty() && link ? "/settings" : call.option("next"));
  const auto begun = co_await flow.begin({.provider = std::string(call.parameter("provider")),
                                          .origin = origin_of(call),
                                          .next = next,
                                          .browser = login_cookie_of(call),
                                          .link = link ? call.who.id : std::string()});
  // A person pressed a button to come here, and gets a page.
  if (!begun && begun.error().code == Code::not_found) co_return fail(begun.error());
  if (!begun) co_return redirect(303, with_reason(next, begun.error().code), {});
  co_return redirect(302, begun->url,
                     {auth::set_cookie(auth::kLoginCookie, begun->browser, std::chrono::seconds(kLoginLife))});
}

/// Always a redirect: it is a browser that is sent here. What went wrong is in the audit.
io::Task<Result<Reply>> callback(Flow& flow, Call& call) {
  call.record.kept = true;
  const auto finished = co_await flow.finish({.provider = std::string(call.parameter("provider")),
                                              .origin = origin_of(call),
                                              .query = std::string(call.head->query),
                                              .browser = login_cookie_of(call),
                                              .visitor = visitor_of(call)});
  const std::string forget = auth::clear_cookie(auth::kLoginCookie);
  if (!finished) co_return redirect(303, with_reason("/", finished.error().code), {forget});
  if (!finished->opened) co_return redirect(303, with_reason(finished->next, finished->opened.error().code), {forget});
  co_return redirect(303, finished->next, {session_cookie(*finished->opened), forget});
}

io::Task<Result<Reply>> list_providers(Desk& desk, Call& call) {
  co_return co_await desk.store().read<Reply>([&](Transaction& transaction) -> Result<Reply> {
    std::vector<Json> items;
    for (const auto& stored : TRY(auth::list_providers(transaction))) items.push_back(auth::to_json(stored));
    return page(call, std::move(items));
  });
}

auth::ProviderChange change_of(const Json& body) {
  auth::ProviderChange change{.settings = body["settings"]};
  if (!body["secret"].is_null()) change.secret = std::string(body["secret"].text());
  if (!body["enabled"].is_null()) change.enabled = body["enabled"].boolean();
  return change;
}

io::Task<Result<Reply>> add_provider(Desk& desk, Call& call) {
  const auto by = desk.deed(call.who);
  const auto change = change_of(call.body);
  co_return co_await desk.store().write<Reply>([&](Transaction& transaction) -> Result<Reply> {
    const std::string id(call.body["id"].text());
    return Reply{.status = 201,
                 .body = auth::to_json(TRY(auth::add_provider(transaction, by, id, change, desk.key())))};
  });
}

io::Task<Result<Reply>> change_provider(Desk& desk, Call& call) {
  const auto by = desk.deed(call.who);
  const auto change = change_of(call.body);
  co_return co_await desk.store().write<Reply>([&](Transaction& transaction) -> Result<Reply> {
    const std::string id(call.parameter("provider"));
    return Reply{.body = auth::to_json(TRY(auth::change_provider(transaction, by, id, change, desk.key())))};
  });
}

io::Task<Result<Reply>> remove_provider(Desk& desk, Call& call) {
  const auto by = desk.deed(call.who);
  co_return co_await desk.store().write<Reply>([&](Transaction& transaction) -> Result<Reply> {
    TRY(auth::remove_provider(transaction, by, std::string(call.parameter("provider"))));
    return Reply{.status = 204};
  });
}

/// For root on this machine only: a session that was stolen must not make admins.
io::Task<Result<Reply>> open_setup(Desk& desk, Call& call) {
  if (call.who.id != "local") co_return fail(Code::denied, "this works on the machine itself: berth setup-token");
  call.record.kept = true;
  co_return Reply{.status = 201, .body = Json::object({{"token", CO_TRY(co_await desk.new_setup_token(call.who))}})};
}

Route at_flow(std::shared_ptr<Flow> flow, std::string_view path, std::string_view summary,
              io::Task<Result<Reply>> (*answer)(Flow& flow, Call& call)) {
  return {.method = "GET",
          .path = path,
          .needs = Permission::everyone,
          .where = Where::whole,
          .summary = summary,
          .handler = Answer([flow = std::move(flow), answer](Call& call) { return answer(*flow, call); })};
}

}  // namespace

Routes provider_routes(Desk& desk) {
  const auto flow = std::make_shared<Flow>(desk);
  const Parameter secret{.name = "secret", .meaning = "of the client or of bindDn; written, never read"};
  const Parameter enabled{.name = "enabled", .type = "boolean"};
  const auto about = [&](std::string_view method, std::string_view path, DeskAnswer answer) {
    return desk_route(Permission::settings, method, path, at_desk(desk, answer));
  };
  Routes routes = {
      at_flow(flow, "/api/v1/auth/{provider}/start", "Go to a provider to sign in", start),
      at_flow(flow, "/api/v1/auth/{provider}/callback", "Where a provider sends the browser back", callback),
      described(about("GET", "/api/v1/providers", list_providers), "Providers of sign-in"),
      described(about("POST", "/api/v1/providers", add_provider), "Add a provider", "provider.create",
                {{.name = "id", .required = true},
                 {.name = "settings", .type = "object", .required = true},
                 secret,
                 enabled}),
      described(about("PATCH", "/api/v1/providers/{provider}", change_provider), "Change a provider", "provider.change",
                {{.name = "settings", .type = "object"}, secret, enabled}),
      described(about("DELETE", "/api/v1/providers/{provider}", remove_provider), "Remove a provider",
                "provider.remove"),
      described(about("POST", "/api/v1/setup/token", open_setup), "A new setup link, on the machine itself",
                "setup.open"),
  };
  routes[2].query = {{.name = "limit", .type = "integer"}, {.name = "cursor"}};
  routes[0].query = {{.name = "next", .meaning = "a path on this host"}, {.name = "link", .type = "boolean"}};
  routes[1].query = {{.name = "*", .meaning = "what the provider says"}};
  return routes;
}

}  // namespace berth::api
