#include "api/auth_routes.h"

namespace berth::api {
namespace {

using auth::Desk;
using store::Transaction;

constexpr std::size_t kMostUsers = 10'000;

template <class T>
io::Task<Result<T>> as_caller(Desk& desk, Call& call, std::function<Result<T>(Transaction&, const auth::Deed&)> work) {
  const auth::Deed by = desk.deed(call.who);
  co_return co_await desk.store().write<T>([&](Transaction& transaction) { return work(transaction, by); });
}

Result<auth::Role> role_field(const Json& body) {
  const auto role = auth::parse_role(body["role"].text());
  if (!role) return fail(Code::invalid, "role: use viewer, developer, operator or admin");
  return *role;
}

/// The hash of the password in the body, if there is one.
io::Task<Result<std::optional<std::string>>> hash_field(Desk& desk, const Json& body, std::string_view name) {
  if (body["password"].is_null()) co_return std::optional<std::string>();
  CO_TRY(auth::check_new_password(body["password"].text(), name));
  co_return std::optional(CO_TRY(co_await desk.hash(std::string(body["password"].text()))));
}

io::Task<Result<Reply>> list_users(Desk& desk, Call& call) {
  co_return co_await desk.store().read<Reply>([&](Transaction& transaction) -> Result<Reply> {
    std::vector<Json> items;
    auto means = TRY(auth::sign_in_means(transaction));
    for (const auto& user : TRY(auth::list_users(transaction, "", kMostUsers)))
      items.push_back(auth::to_json(user, means[user.id]));
    return page(call, std::move(items));
  });
}

io::Task<Result<Reply>> show_user(Desk& desk, Call& call) {
  co_return co_await desk.store().read<Reply>([&](Transaction& transaction) -> Result<Reply> {
    const auto user = TRY(auth::find_user(transaction, call.parameter("id")));
    return Reply{.body = auth::to_json(user, TRY(auth::sign_in_means(transaction))[user.id])};
  });
}

io::Task<Result<Reply>> create_user(Desk& desk, Call& call) {
  auth::NewUser user{.name = std::string(call.body["name"].text()), .role = CO_TRY(role_field(call.body))};
  CO_TRY(auth::check_user_name(user.name));
  user.password = CO_TRY(co_await hash_field(desk, call.body, user.name));
  co_return co_await as_caller<Reply>(desk, call, [&](Transaction& transaction, const auth::Deed& by) -> Result<Reply> {
    return Reply{.status = 201, .body = auth::to_json(TRY(auth::create_user(transaction, by, user)))};
  });
}

io::Task<Result<Reply>> change_user(Desk& desk, Call& call) {
  auth::UserChange change;
  if (!call.body["role"].is_null()) change.role = CO_TRY(role_field(call.body));
  if (!call.body["disabled"].is_null()) change.disabled = call.body["disabled"].boolean();
  change.password = CO_TRY(co_await hash_field(desk, call.body, ""));
  if (call.parameter("id") == call.who.id) change.keep_session = call.who.session;
  co_return co_await as_caller<Reply>(desk, call, [&](Transaction& transaction, const auth::Deed& by) -> Result<Reply> {
    return Reply{.body = auth::to_json(TRY(auth::change_user(transaction, by, call.parameter("id"), change)))};
  });
}

io::Task<Result<Reply>> remove_user(Desk& desk, Call& call) {
  co_return co_await as_caller<Reply>(desk, call, [&](Transaction& transaction, const auth::Deed& by) -> Result<Reply> {
    TRY(auth::remove_user(transaction, by, call.parameter("id")));
    return Reply{.status = 204};
  });
}

io::Task<Result<Reply>> set_membership(Desk& desk, Call& call) {
  const auth::Role role = CO_TRY(role_field(call.body));
  co_return co_await as_caller<Reply>(desk, call, [&](Transaction& transaction, const auth::Deed& by) -> Result<Reply> {
    return Reply{.body = auth::to_json(TRY(auth::set_membership(transaction, by, call.parameter("id"),
                                                                {std::string(call.parameter("member")), role})))};
  });
}

io::Task<Result<Reply>> remove_membership(Desk& desk, Call& call) {
  co_return co_await as_caller<Reply>(desk, call, [&](Transaction& transaction, const auth::Deed& by) -> Result<Reply> {
    return Reply{.body = auth::to_json(
                     TRY(auth::remove_membership(transaction, by, call.parameter("id"), call.parameter("member"))))};
  });
}

io::Task<Result<Reply>> list_tokens(Desk& desk, Call& call) {
  co_return co_await desk.store().read<Reply>([&](Transaction& transaction) -> Result<Reply> {
    const auto user = TRY(auth::find_user(transaction, call.parameter("id")));
    std::vector<Json> items;
    for (const auto& token : TRY(auth::list_tokens(transaction, user.id))) items.push_back(auth::to_json(token));
    return page(call, std::move(items));
  });
}

io::Task<Result<Reply>> create_token(Desk& desk, Call& call) {
  const auth::ApiToken about = token_of(call.body);
  co_return co_await as_caller<Reply>(desk, call, [&](Transaction& transaction, const auth::Deed& by) -> Result<Reply> {
    const auto user = TRY(auth::find_user(transaction, call.parameter("id")));
    const std::string text = TRY(auth::create_token(transaction, by, user, about));
    return Reply{.status = 201, .body = Json::object({{"token", text}, {"id", auth::parse_token(text)->id}})};
  });
}

io::Task<Result<Reply>> revoke_token(Desk& desk, Call& call) {
  co_return co_await as_caller<Reply>(desk, call, [&](Transaction& transaction, const auth::Deed& by) -> Result<Reply> {
    TRY(auth::revoke_token(transaction, by, call.parameter("id"), call.parameter("token")));
    return Reply{.status = 204};
  });
}

Result<std::optional<job::Decision>> decision_of(std::string_view text) {
  if (text.empty()) return std::optional<job::Decision>();
  if (const auto decision = job::parse_decision(text)) return decision;
  return fail(Code::invalid, "decision: use allowed, denied, failed, begun or interrupted");
}

io::Task<Result<Reply>> list_audit(Desk& desk, Call& call) {
  const auto limit = std::clamp<std::int64_t>(call.number("limit", 100), 1, 1000);
  const job::EntryFilter filter{.actor = std::string(call.option("actor")),
                                .verb = std::string(call.option("verb")),
                                .subject = std::string(call.option("subject")),
                                .project = std::string(call.option("project")),
                                .decision = CO_TRY(decision_of(call.option("decision"))),
                                .before = call.number("cursor", 0),
                                .limit = static_cast<std::size_t>(limit)};
  co_return co_await desk.store().read<Reply>([&](Transaction& transaction) -> Result<Reply> {
    const auto entries = TRY(job::list(transaction, filter));
    Json items = Json::array();
    for (const auto& entry : entries) items.push(job::to_json(entry));
    const bool more = entries.size() == filter.limit && entries.back().number > 1;
    return Reply{.body = Json::object({{"items", std::move(items)},
                                       {"next", more ? Json(std::to_string(entries.back().number)) : Json()},
                                       {"stale", Json()}})};
  });
}

io::Task<Result<Reply>> verify_audit(Desk& desk, Call&) {
  co_return co_await desk.store().read<Reply>([](Transaction& transaction) -> Result<Reply> {
    const auto verified = TRY(job::verify(transaction));
    return Reply{.body = Json::object({{"ok", verified.broken == 0},
                                       {"entries", verified.entries},
                                       {"head", verified.head},
                                       {"broken", verified.broken == 0 ? Json() : Json(verified.broken)},
                                       {"why", verified.why}})};
  });
}

const std::vector<Parameter> kPaged = {{.name = "limit", .type = "integer"}, {.name = "cursor"}};

}  // namespace

Routes user_routes(Desk& desk) {
  const auto user = [&](std::string_view method, std::string_view path, DeskAnswer answer) {
    return desk_route(Permission::users, method, path, at_desk(desk, answer));
  };
  const Parameter role{.name = "role", .meaning = "viewer, developer, operator or admin", .required = true};
  Routes routes = {
      described(user("GET", "/api/v1/users", list_users), "All users"),
      described(user("POST", "/api/v1/users", create_user), "Make a user", "user.create",
                {{.name = "name", .required = true}, role, {.name = "password"}}),
      described(user("GET", "/api/v1/users/{id}", show_user), "One user"),
      described(user("PATCH", "/api/v1/users/{id}", change_user), "Change role or password, or disable", "user.change",
                {{.name = "role"}, {.name = "disabled", .type = "boolean"}, {.name = "password"}}),
      described(user("DELETE", "/api/v1/users/{id}", remove_user), "Remove a user", "user.remove"),
      described(user("PUT", "/api/v1/users/{id}/projects/{member}", set_membership), "Make it a member of a project",
                "member.set", {role}),
      described(user("DELETE", "/api/v1/users/{id}/projects/{member}", remove_membership), "End a membership",
                "member.remove"),
      described(desk_route(Permission::audit, "GET", "/api/v1/audit", at_desk(desk, list_audit)),
                "What was done and denied"),
      described(desk_route(Permission::audit, "GET", "/api/v1/audit/verify", at_desk(desk, verify_audit)),
                "Whether the audit is whole"),
  };
  routes.push_back(described(user("GET", "/api/v1/users/{id}/tokens", list_tokens), "Its API tokens"));
  routes.back().query = kPaged;
  routes.push_back(described(user("POST", "/api/v1/users/{id}/tokens", create_token), "Make an API token for it",
                             "token.create", token_fields()));
  routes.push_back(described(user("DELETE", "/api/v1/users/{id}/tokens/{token}", revoke_token), "Revoke one of them",
                             "token.revoke"));
  routes[0].query = kPaged;
  routes[7].query = {{.name = "actor"},   {.name = "verb"},     {.name = "subject"},
                     {.name = "project"}, {.name = "decision"}, {.name = "limit", .type = "integer"},
                     {.name = "cursor"}};
  return routes;
}

}  // namespace berth::api
