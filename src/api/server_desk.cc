#include "api/server_desk.h"

#include "api/event_log.h"
#include "base/ulid.h"
#include "engine/dialer.h"
#include "engine/system.h"
#include "io/file.h"

namespace berth::api {
namespace {

constexpr auto kFirst = std::chrono::seconds(5);   // for a new desk to know whether its engine answers
constexpr auto kCheck = std::chrono::seconds(10);  // for a connection that somebody waits for

struct Facts {
  std::string version, api_version;
};

io::Task<Result<Facts>> facts_of(engine::Client& client) {
  const Json told = CO_TRY(co_await engine::engine_version(client));
  co_return Facts{.version = std::string(told["Version"].text()), .api_version = client.version().text()};
}

io::Task<Result<Facts>> ask(engine::Endpoint endpoint) {
  auto dialer = CO_TRY(engine::make_dialer(endpoint.address, endpoint.access));
  const auto client = CO_TRY(co_await engine::Client::connect(endpoint.address, std::move(dialer)));
  co_return co_await facts_of(*client);
}

void set_state(Json& row, const Result<Facts>& facts) {
  row.set("state", facts ? "up" : "down");
  row.set("version", facts ? Json(facts->version) : Json());
  row.set("apiVersion", facts ? Json(facts->api_version) : Json());
  row.set("why", facts ? Json() : Json(facts.error().message));
}

Json local_row(const std::string& address) {
  return Json::object({{"id", "local"}, {"name", "local"}, {"kind", "local"}, {"address", address}});
}

std::optional<engine::TlsTexts> tls_of(const Server& server) {
  if (server.ca.empty()) return {};
  return engine::TlsTexts{.ca = server.ca, .certificate = server.certificate, .key = server.key};
}

// Whether certificates and key are what they should be.
Result<void> check_texts(const Server& server) {
  const auto dialer = engine::make_dialer(server.address, {.tls = tls_of(server)});
  return dialer ? Result<void>() : fail(dialer.error());
}

// What a dial says that cannot be tried at all.
class NoDialer final : public io::Dialer {
 public:
  NoDialer(std::string name, Error why) : name_(std::move(name)), why_(std::move(why)) {}
  std::string name() const override { return name_; }
  io::Task<Result<std::unique_ptr<io::Stream>>> dial() override { co_return fail(why_); }

 private:
  std::string name_;
  Error why_;
};

std::unique_ptr<io::Dialer> dialer_of(const engine::Endpoint& endpoint) {
  auto made = engine::make_dialer(endpoint.address, endpoint.access);
  if (made) return std::move(*made);
  return std::make_unique<NoDialer>(endpoint.address.text(), made.error());
}

}  // namespace

struct ServerDesk::Entry {
  io::Event told;  ///< up or down for the first time
  io::Event gone;
  std::optional<Facts> facts{};  ///< since it is up
  std::shared_ptr<job::Feed> events{};
  std::unique_ptr<EngineDesk> desk{};

  void tell(const KeptEvent& event) const { events->publish(event.kind, to_json(event).dump()); }
};

ServerDesk::ServerDesk(store::Database& store, const io::SealKey& key, ServerOptions options)
    : store_(store), key_(key), options_(std::move(options)) {}
ServerDesk::~ServerDesk() = default;

io::Task<void> ServerDesk::run() {
  const io::Context context = co_await io::here();
  io::Scope scope(context);
  loop_ = context.loop;
  scope_ = &scope;
  io::Event never;
  const auto ended = co_await never.wait();
  static_cast<void>(ended);
  scope_ = nullptr;
  co_await scope.join();
}

io::Task<void> ServerDesk::keep(std::shared_ptr<Entry> entry) {
  io::Scope scope(co_await io::here());
  scope.spawn(entry->desk->run());
  const auto gone = co_await entry->gone.wait();
  static_cast<void>(gone);
  scope.cancel();
  co_await scope.join();
}

std::shared_ptr<ServerDesk::Entry> ServerDesk::enter(const std::string& name, engine::Endpoint endpoint) {
  auto entry = std::make_shared<Entry>();
  Entry& known = *entry;  // which owns the desk that calls
  entry->events = std::make_shared<job::Feed>(*loop_, job::Feed::Limits{}, static_cast<std::uint64_t>(options_.now()));
  entry->desk = std::make_unique<EngineDesk>(
      EngineDesk::Options{.address = endpoint.address.text(),
                          .dialer = [endpoint] { return dialer_of(endpoint); },
                          .now = [this] { return options_.now() / 1000; },
                          .happened = [&known](const engine::EngineEvent& event) { known.tell(kept_event(event)); },
                          .state_changed = [this, &known, name] { state_changed(known, name); }});
  entries_[name] = entry;
  scope_->spawn(keep(entry));
  return entry;
}

void ServerDesk::state_changed(Entry& entry, const std::string& name) const {
  entry.facts.reset();
  entry.told.set();
  const bool down = !entry.desk || !entry.desk->stale().is_null();
  entry.tell({.at = options_.now() / 1000, .kind = "engine", .action = down ? "down" : "up", .id = name});
}

Result<engine::Endpoint> ServerDesk::endpoint_of(const Server& server) const {
  engine::Endpoint out{.address = server.address, .access = {.tls = tls_of(server)}};
  if (server.address.kind != engine::Address::Kind::ssh) return out;
  const std::string alias = "berth-" + server.name;
  TRY(io::make_folder(options_.folder, 0700));
  TRY(io::write_file(known_hosts(server), alias + " " + server.host_key.type + " " + server.host_key.key + "\n", 0600));
  out.access.ssh = {.program = options_.ssh,
                    .control_folder = options_.control,
                    .pinned = engine::SshFiles::Pinned{
                        .known_hosts = known_hosts(server), .alias = alias, .identity = server.identity}};
  return out;
}

io::Task<Result<Server>> ServerDesk::find(std::string name) {
  co_return co_await store_.read<Server>(
      [&](store::Transaction& transaction) { return find_server(transaction, key_, name); });
}

io::Task<Result<std::shared_ptr<ServerDesk::Entry>>> ServerDesk::entry_of(std::string name) {
  if (!scope_) co_return fail(Code::unavailable, "the engines are not followed yet");
  if (const auto found = entries_.find(name); found != entries_.end()) co_return found->second;
  const auto server = CO_TRY(co_await find(name));
  auto endpoint = CO_TRY(endpoint_of(server));
  if (!scope_) co_return fail(Code::unavailable, "berth is stopping");
  const auto found = entries_.find(name);  // somebody else may have asked meanwhile
  co_return found == entries_.end() ? enter(name, std::move(endpoint)) : found->second;
}

io::Task<Result<OtherEngine>> ServerDesk::of(std::string name) {
  auto entry = CO_TRY(co_await entry_of(std::move(name)));
  const auto told = co_await io::within(
      kFirst, [](Entry& known) -> io::Task<Result<void>> { co_return co_await known.told.wait(); }(*entry));
  static_cast<void>(told);  // it says itself that it was not asked yet
  EngineDesk* desk = entry->desk.get();
  auto events = entry->events;
  co_return OtherEngine{.desk = std::shared_ptr<EngineDesk>(std::move(entry), desk), .events = std::move(events)};
}

namespace {

io::Task<Result<Facts>> facts_of(const EngineDesk& desk) {
  const auto client = CO_TRY(desk.client());
  co_return co_await io::within(kFirst, facts_of(*client));
}

}  // namespace

io::Task<void> ServerDesk::describe(Json& row) {
  const std::string name(row["name"].text());
  if (name == "local") {
    set_state(row, co_await facts_of(*options_.local));
    co_return;
  }
  auto desk = co_await of(name);
  const auto entry = entries_.find(name);
  if (desk && entry != entries_.end())
    co_await describe_server(entry->second, row);
  else
    set_state(row, fail(desk ? Error{Code::not_found, "the server was removed"} : desk.error()));
}

io::Task<void> ServerDesk::describe_server(std::shared_ptr<Entry> entry, Json& into) {
  const auto client = entry->desk->client();
  Result<Facts> facts = fail(Code::unavailable, std::string(entry->desk->stale()["why"].text()));
  if (client && !entry->facts) {
    facts = co_await io::within(kFirst, facts_of(**client));
    if (facts) entry->facts = *facts;
  } else if (client) {
    facts = *entry->facts;
  }
  set_state(into, facts);
}

io::Task<Result<std::vector<Json>>> ServerDesk::list() {
  const auto servers = CO_TRY(co_await store_.read<std::vector<Server>>(list_servers));
  std::vector<Json> rows;
  if (options_.local) rows.push_back(local_row(options_.local->address()));
  for (const Server& server : servers) rows.push_back(to_json(server));
  io::Scope scope(co_await io::here());
  for (Json& row : rows) scope.spawn(describe(row));
  co_await scope.join();
  co_return rows;
}

io::Task<Result<Json>> ServerDesk::check(std::string name) {
  if (name == "local" && options_.local) {
    Json row = local_row(options_.local->address());
    co_await describe(row);
    co_return row;
  }
  const auto server = CO_TRY(co_await find(std::move(name)));
  const auto endpoint = CO_TRY(endpoint_of(server));
  Json row = to_json(server);
  auto facts = co_await io::within(kCheck, ask(endpoint));
  if (!facts && facts.error().code == Code::timeout)
    facts =
        fail(Code::timeout, endpoint.address.text() + ": no answer within " + std::to_string(kCheck.count()) + " s");
  set_state(row, facts);
  co_return row;
}

io::Task<Result<ServerDesk::Added>> ServerDesk::add(Server server, std::string fingerprint) {
  CO_TRY(check_server(server));
  Added out;
  if (server.address.kind == engine::Address::Kind::ssh) {
    out.host_key = CO_TRY(co_await engine::scan_host_key(server.address, options_.scan));
    const std::string shown = engine::fingerprint_of(out.host_key);
    if (fingerprint.empty()) co_return out;
    if (fingerprint != shown)
      co_return fail(Code::denied, server.address.text() + ": the host shows " + shown + ", not " + fingerprint +
                                       ": somebody may listen in, or the fingerprint is of another key of the host");
  } else if (!fingerprint.empty()) {
    co_return fail(Code::invalid, "a fingerprint goes with ssh:// addresses");
  }
  server.host_key = out.host_key;
  server.created_at = options_.now();
  server.id = "server_" + encode_ulid(server.created_at / 1000, io::random_bytes(10));
  if (server.address.kind == engine::Address::Kind::tcp) CO_TRY(check_texts(server));
  const auto added = co_await store_.write<int>([&](store::Transaction& transaction) -> Result<int> {
    TRY(add_server(transaction, key_, server));
    return 0;
  });
  if (!added) co_return fail(added.error());
  out.added = true;
  out.server = std::move(server);
  co_return out;
}

io::Task<Result<Server>> ServerDesk::remove(std::string name) {
  if (name == "local") co_return fail(Code::conflict, "the engine beside berth cannot be removed");
  auto server = CO_TRY(
      co_await store_.write<Server>([&](store::Transaction& transaction) { return remove_server(transaction, name); }));
  if (const auto found = entries_.find(name); found != entries_.end()) {
    found->second->gone.set();
    entries_.erase(found);
  }
  if (io::exists(known_hosts(server))) CO_TRY(io::remove_file(known_hosts(server)));
  co_return server;
}

}  // namespace berth::api
