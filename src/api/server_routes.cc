#include "api/server_desk.h"

namespace berth::api {
namespace {

using ServerAnswer = io::Task<Result<Reply>> (*)(ServerDesk& desk, Call& call);

Answer at_servers(ServerDesk& desk, ServerAnswer answer) {
  return [&desk, answer](Call& call) { return answer(desk, call); };
}

io::Task<Result<Reply>> list(ServerDesk& desk, Call& call) {
  co_return page(call, CO_TRY(co_await desk.list()));
}

io::Task<Result<Reply>> show(ServerDesk& desk, Call& call) {
  co_return Reply{.body = CO_TRY(co_await desk.check(std::string(call.parameter("name"))))};
}

Reply to_confirm(const engine::HostKey& key) {
  const std::string shown = engine::fingerprint_of(key);
  Reply reply = problem(409, "host_key",
                        "the host shows the key " + shown + " (" + key.type +
                            "); compare it with ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub there, and send it as "
                            "\"fingerprint\"");
  reply.body.set("fingerprint", shown);
  reply.body.set("keyType", key.type);
  return reply;
}

io::Task<Result<Reply>> add(ServerDesk& desk, Call& call) {
  const auto field = [&](std::string_view name) { return std::string(call.body[name].text()); };
  call.record.subject = "server:" + field("name").substr(0, 63);
  Server server{.name = field("name"),
                .address = CO_TRY(engine::parse_address(field("address"))),
                .identity = field("identity"),
                .ca = field("ca"),
                .certificate = field("certificate"),
                .key = field("key")};
  call.record.difference = Json::object({{"address", server.address.text()}, {"fingerprint", field("fingerprint")}});
  const auto outcome = CO_TRY(co_await desk.add(std::move(server), field("fingerprint")));
  if (!outcome.added) co_return to_confirm(outcome.host_key);
  co_return Reply{.status = 201, .body = to_json(outcome.server)};
}

io::Task<Result<Reply>> remove(ServerDesk& desk, Call& call) {
  const auto server = CO_TRY(co_await desk.remove(std::string(call.parameter("name"))));
  call.record.subject = "server:" + server.name;
  call.record.difference = Json::object({{"address", server.address.text()}});
  co_return Reply{.status = 204};
}

}  // namespace

Routes server_routes(ServerDesk& desk) {
  return {
      {.method = "GET",
       .path = "/api/v1/engines",
       .needs = Permission::engine,
       .where = Where::whole,
       .summary = "The engine beside berth and the servers, and whether they answer",
       .handler = at_servers(desk, list),
       .query = {{.name = "limit", .type = "integer", .meaning = "items of a page, at most 1000"},
                 {.name = "cursor", .meaning = "the `next` of the page before"}}},
      {.method = "GET",
       .path = "/api/v1/engines/{name}",
       .needs = Permission::engine,
       .where = Where::whole,
       .summary = "Connect to an engine now",
       .handler = at_servers(desk, show)},
      {.method = "POST",
       .path = "/api/v1/engines",
       .needs = Permission::settings,
       .where = Where::whole,
       .summary = "Add a server to look at; of ssh, once its key was confirmed (409 host_key tells the fingerprint)",
       .handler = at_servers(desk, add),
       .fields = {{.name = "name", .meaning = "lower case letters, digits and dashes", .required = true},
                  {.name = "address", .meaning = "ssh://user@host, tcp://host:port or unix:///path", .required = true},
                  {.name = "fingerprint", .meaning = "SHA256:... of the host's key"},
                  {.name = "identity", .meaning = "path on berth's host of the key to log in with"},
                  {.name = "ca", .meaning = "PEM"},
                  {.name = "certificate", .meaning = "PEM, ours"},
                  {.name = "key", .meaning = "PEM of our certificate; sealed, never shown"}},
       .verb = "server.add"},
      {.method = "DELETE",
       .path = "/api/v1/engines/{name}",
       .needs = Permission::settings,
       .where = Where::whole,
       .summary = "Forget a server; nothing changes there",
       .handler = at_servers(desk, remove),
       .verb = "server.remove"},
  };
}

}  // namespace berth::api
