#include "broker/server.h"

#include <ctime>

#include "broker/forward.h"
#include "io/socket_options.h"

namespace berth::broker {
namespace {

using std::chrono::seconds;

constexpr auto kQuestion = seconds(20);
constexpr auto kFresh = seconds(30);
constexpr std::size_t kMostReply = 8u << 20;
constexpr std::size_t kMostClients = 512;

std::string now_text() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  char text[32];
  return {text, std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts)};
}

std::string name_of(const io::Stream& stream) {
  const auto user = io::peer_user(stream);
  if (!user) return stream.peer();
  return "uid=" + std::to_string(user->user) + " pid=" + std::to_string(user->process);
}

std::string path_of(const Reference& reference) {
  if (reference.kind == "networks" || reference.kind == "volumes" || reference.kind == "services" ||
      reference.kind == "secrets" || reference.kind == "configs")
    return "/" + reference.kind + "/" + reference.name;
  return "/" + reference.kind + "/" + reference.name + "/json";
}

io::Task<Result<Json>> ask(http::Pool& pool, std::string target) {
  auto exchange = CO_TRY(co_await pool.exchange({.target = target, .host = "docker"}));
  const std::string text = CO_TRY(co_await exchange.body.all(kMostReply));
  if (exchange.reply.status == 404) co_return fail(Code::not_found, "no such object");
  if (exchange.reply.status != 200)
    co_return fail(Code::unavailable, "the engine answers " + std::to_string(exchange.reply.status) + " to " + target);
  co_return parse_json(text);
}

}  // namespace

http::Pool Engine::pool() const {
  return http::Pool(dial_(), {.idle = 0});
}

io::Task<Result<Json>> Engine::get(std::string target) {
  http::Pool fresh = pool();
  auto reply = co_await io::within(kQuestion, ask(fresh, std::move(target)));
  if (!reply && reply.error().code != Code::not_found) forget();
  co_return reply;
}

io::Task<Result<Versions>> Engine::versions() {
  const io::Time now = (co_await io::here()).loop->now();
  if (versions_ && now - asked_ < kFresh) co_return *versions_;
  const Json reply = CO_TRY(co_await get("/version"));
  versions_ = CO_TRY(common_versions(reply["ApiVersion"].text(), reply["MinAPIVersion"].text()));
  asked_ = now;
  co_return *versions_;
}

io::Task<Result<Json>> Engine::inspect(Reference reference) {
  if (!is_name(reference.name)) co_return fail(Code::not_found, "no object is named so");
  const Versions known = CO_TRY(co_await versions());
  co_return co_await get("/v1." + std::to_string(known.newest) + path_of(reference));
}

io::Task<Result<Json>> Engine::labels_of(Reference reference) {
  Json reply = CO_TRY(co_await inspect(reference));
  if (reference.kind == "exec") {
    reference = {"containers", std::string(reply["ContainerID"].text())};
    reply = CO_TRY(co_await inspect(reference));
  }
  if (reference.kind == "containers") co_return reply.at("Config.Labels");
  if (reference.kind == "networks" || reference.kind == "volumes") co_return reply["Labels"];
  co_return reply.at("Spec.Labels");
}

io::Task<Result<void>> Door::serve(io::Listener& listener, std::shared_ptr<io::TlsContext> tls) {
  io::Scope scope(co_await io::here());
  Result<void> outcome;
  while (outcome) {
    auto stream = co_await listener.accept();
    if (!stream) {
      outcome = fail(std::move(stream).error());
    } else if (clients_ < kMostClients) {
      scope.spawn(serve_client(std::move(*stream), tls));
    }
  }
  scope.cancel();
  co_await scope.join();
  co_return outcome;
}

io::Task<void> Door::serve_client(std::unique_ptr<io::Stream> stream, std::shared_ptr<io::TlsContext> tls) {
  struct Counted {
    std::size_t& count;
    explicit Counted(std::size_t& all) : count(all) { ++count; }
    ~Counted() { --count; }
  } const counted(clients_);
  std::string name = name_of(*stream);
  if (tls) {
    auto secure = io::tls_over(std::move(stream), tls);
    if (!co_await io::within(seconds(10), secure->handshake())) co_return;
    stream = std::move(secure);
  }
  const http::Handler handler = [this, &name](http::ServerRequest& request, http::ResponseWriter& response) {
    return handle(name, request, response);
  };
  // How one connection ends is its client's matter.
  static_cast<void>(co_await http::serve_connection(std::move(stream), handler, {.idle = std::chrono::minutes(10)}));
}

io::Task<Result<void>> Door::handle(const std::string& name, http::ServerRequest& request,
                                    http::ResponseWriter& response) {
  const Forward::Client client{name, policy_};
  const std::string method(request.head().method), target(request.head().target.substr(0, 512));
  Forward forward(engine_, client, request, response);
  auto outcome = co_await forward.run();
  if (!forward.verdict().allowed()) note(name, method, target, forward.verdict());
  co_return outcome;
}

void Door::note(const std::string& client, std::string_view method, std::string_view target, const Verdict& verdict) {
  ++denied_;
  // Without the query: it may hold what is nobody's business in a log.
  log_(Json::object({{"time", now_text()},
                     {"event", "denied"},
                     {"policy", policy_->name},
                     {"client", client},
                     {"method", method},
                     {"path", target.substr(0, target.find('?'))},
                     {"rule", verdict.rule},
                     {"status", verdict.status},
                     {"message", verdict.message}})
           .dump());
}

}  // namespace berth::broker
