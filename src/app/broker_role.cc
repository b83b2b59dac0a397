#include "app/broker_role.h"

#include <unistd.h>

#include <csignal>
#include <cstdio>

#include "app/broker_files.h"
#include "app/broker_place.h"
#include "base/text.h"
#include "engine/address.h"
#include "io/confine.h"
#include "io/dial.h"
#include "io/file.h"
#include "io/process.h"
#include "io/socket_options.h"

namespace berth::app {
namespace {

void say(const std::string& line) {
  std::fprintf(stderr, "berth broker: %s\n", line.c_str());
}

bool is_loopback(const io::Address& address) {
  return address.host() == "::1" || address.host().starts_with("127.");
}

class Process {
 public:
  Process(const BrokerOptions& options, const Environment& environment)
      : options_(options), environment_(environment), engine_([this] { return dialer(); }) {}

  Result<void> prepare(io::Loop& loop) {
    address_ = TRY(engine::parse_address(options_.engine));
    if (address_.kind == engine::Address::Kind::ssh)
      return fail(Code::invalid, "the broker reaches engines by unix:// and tcp://");
    if (!options_.log.empty()) log_ = TRY(io::AppendFile::open(options_.log));
    for (const BrokerListen& each : options_.listen) {
      Opened opened;
      opened.listener = TRY(open(loop, each, opened));
      opened.door = std::make_unique<broker::Door>(engine_, [this](const std::string& line) { keep(line); });
      opened_.push_back(std::move(opened));
    }
    return load();
  }

  /// New policies for all listeners, or none.
  Result<void> load() {
    PolicySource source{.folder = options_.folder, .roots = options_.roots};
    if (address_.kind == engine::Address::Kind::unix_socket) source.engine_socket = address_.path;
    std::vector<std::shared_ptr<const broker::Policy>> fresh;
    for (const BrokerListen& each : options_.listen) {
      source.policy = each.policy;
      auto policy = TRY(each.policy.empty() ? complete_policy(TRY(broker::policy_of_environment(environment_)), source)
                                            : policy_from(source));
      fresh.push_back(std::make_shared<const broker::Policy>(std::move(policy)));
    }
    for (std::size_t i = 0; i < fresh.size(); ++i) opened_[i].door->use(std::move(fresh[i]));
    return {};
  }

  io::Task<int> run(io::Signals& signals, io::Stream* supervisor) {
    io::Scope scope(co_await io::here());
    for (Opened& each : opened_) scope.spawn(serve(each, scope));
    scope.spawn(follow(signals, scope));
    if (plain_) scope.spawn(stay(scope));
    if (supervisor) scope.spawn(until_alone(*supervisor, scope));
    co_await scope.join();
    co_return status_;
  }

 private:
  struct Opened {
    std::unique_ptr<io::Listener> listener{};
    std::unique_ptr<broker::Door> door{};
    std::shared_ptr<io::TlsContext> tls{};
  };

  std::unique_ptr<io::Dialer> dialer() const {
    if (address_.kind == engine::Address::Kind::tcp)
      return std::make_unique<io::TcpDialer>(address_.host, static_cast<std::uint16_t>(address_.port));
    return std::make_unique<io::UnixDialer>(address_.path);
  }

  Result<std::unique_ptr<io::Listener>> open(io::Loop& loop, const BrokerListen& wanted, Opened& opened) {
    if (wanted.descriptor >= 0) return io::Listener::on(loop, io::inherited(wanted.descriptor));
    const Cut parts = cut(wanted.address, ':');
    if (parts.before == "unix") {
      const auto path = TRY(io::Address::unix_path(parts.after));
      auto listener = TRY(io::Listener::open(loop, path, {.backlog = 128, .mode = wanted.mode}));
      if (!wanted.group.empty()) TRY(io::give_to_group(std::string(parts.after), wanted.group));
      return listener;
    }
    if (parts.before != "tcp" && parts.before != "mtls")
      return fail(Code::invalid, "\"" + wanted.address + "\" is not unix:PATH, tcp:IP:PORT or mtls:IP:PORT");
    const auto address = TRY(io::Address::parse(parts.after));
    if (parts.before == "mtls") {
      opened.tls = TRY(tls());
    } else if (!is_loopback(address)) {
      if (auto refused = loop.run(place_.check()); !refused)
        return fail(std::move(refused.error()).within(address.text()));
      plain_ = true;
    }
    return io::Listener::open(loop, address, {.backlog = 128});
  }

  Result<std::shared_ptr<io::TlsContext>> tls() const {
    if (options_.certificate.empty() || options_.key.empty() || options_.client_ca.empty())
      return fail(Code::invalid, "mtls needs --certificate, --key and --client-ca");
    const auto identity =
        TRY(io::TlsIdentity::from_pem(TRY(io::read_file(options_.certificate)), TRY(io::read_file(options_.key))));
    const auto policy = TRY(io::TlsPolicy::make({.client_auth = io::TlsPolicy::ClientAuth::require_and_verify,
                                                 .client_ca = TRY(io::read_file(options_.client_ca))}));
    return io::TlsContext::server(
        {.choose = [identity, policy](const io::ClientHello&) { return io::TlsChoice{identity, policy}; }});
  }

  io::Task<void> serve(Opened& each, io::Scope& scope) {
    const auto ended = co_await each.door->serve(*each.listener, each.tls);
    if (ended || ended.error().code == Code::cancelled) co_return;
    say(ended.error().message);
    status_ = 1;
    scope.cancel();
  }

  // The container may be put on another network at any time.
  io::Task<void> stay(io::Scope& scope) {
    const auto left = co_await place_.until_left();
    if (left.error().code == Code::cancelled) co_return;
    say(left.error().message);
    status_ = 1;
    scope.cancel();
  }

  io::Task<void> follow(io::Signals& signals, io::Scope& scope) {
    while (true) {
      const auto signal = co_await signals.next();
      if (!signal) co_return;
      if (*signal != SIGHUP) break;
      const auto loaded = load();
      say(loaded ? "read its policies again" : "keeps its policies: " + loaded.error().text());
    }
    scope.cancel();
  }

  io::Task<void> until_alone(io::Stream& supervisor, io::Scope& scope) {
    char bytes[64];
    while (true) {
      const auto count = co_await io::read_some(supervisor, bytes);
      if (!count || *count == 0) break;
    }
    scope.cancel();
  }

  void keep(const std::string& line) {
    if (log_ && log_->write(line + "\n")) return;
    std::fprintf(stderr, "%s\n", line.c_str());
  }

  const BrokerOptions& options_;
  const Environment& environment_;
  engine::Address address_;
  broker::Engine engine_;
  PlainPlace place_{engine_};
  bool plain_ = false;  ///< a listener is plain TCP on another address than loopback
  std::vector<Opened> opened_;
  std::optional<io::AppendFile> log_;
  int status_ = 0;
};

}  // namespace

std::string broker_folder(const std::string& data, bool apart) {
  return apart || ::geteuid() == 0 ? std::string(kBrokerFolder) : data + "/broker.d";
}

std::string encode_broker(const BrokerOptions& options) {
  Json listen = Json::array(), roots = Json::array();
  for (const BrokerListen& each : options.listen)
    listen.push(Json::object({{"policy", each.policy}, {"address", each.address}, {"fd", each.descriptor}}));
  for (const std::string& each : options.roots) roots.push(each);
  return Json::object({{"engine", options.engine},
                       {"listen", std::move(listen)},
                       {"folder", options.folder},
                       {"roots", std::move(roots)},
                       {"log", options.log},
                       {"pid_file", options.pid_file},
                       {"account", options.account},
                       {"supervisor", options.supervisor}})
      .dump();
}

Result<BrokerOptions> decode_broker(std::string_view text) {
  const Json json = TRY(parse_json(text));
  BrokerOptions options{.engine = std::string(json["engine"].text()), .folder = std::string(json["folder"].text())};
  for (const Json& each : json["listen"].items())
    options.listen.push_back({.policy = std::string(each["policy"].text()),
                              .address = std::string(each["address"].text()),
                              .descriptor = static_cast<int>(each["fd"].integer(-1))});
  for (const Json& each : json["roots"].items()) options.roots.emplace_back(each.text());
  options.log = json["log"].text();
  options.pid_file = json["pid_file"].text();
  options.account = json["account"].text();
  options.supervisor = static_cast<int>(json["supervisor"].integer(-1));
  return options;
}

Result<int> run_broker(const BrokerOptions& options, const Environment& environment) {
  io::Loop loop;
  const auto signals = TRY(io::Signals::open(loop, {SIGTERM, SIGINT, SIGHUP}));
  if (!options.pid_file.empty()) TRY(io::write_file(options.pid_file, std::to_string(::getpid()) + "\n"));
  Process process(options, environment);
  TRY(process.prepare(loop));
  if (!options.account.empty() && TRY(io::become_account(options.account, "docker"))) io::end_with_parent(SIGTERM);
  std::unique_ptr<io::Stream> supervisor;
  if (options.supervisor >= 0) supervisor = TRY(io::stream_on(loop, io::inherited(options.supervisor), "supervisor"));
  return loop.run(process.run(*signals, supervisor.get()));
}

}  // namespace berth::app
