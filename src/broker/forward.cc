#include "broker/forward.h"

#include <algorithm>
#include <filesystem>

#include "base/text.h"
#include "broker/older.h"
#include "broker/reply.h"
#include "broker/scope.h"
#include "http/text.h"

namespace berth::broker {
namespace {

constexpr std::size_t kMostReply = 64u << 20;  // of a reply that is read whole, to be rewritten
constexpr std::size_t kJudgedBytes = 16;       // more than every magic number
constexpr std::string_view kRawStreams[] = {"application/vnd.docker.raw-stream",
                                            "application/vnd.docker.multiplexed-stream"};

// What the engine may say in its head; framing is our own.
constexpr std::string_view kReplyFields[] = {
    "Content-Type", "Api-Version", "Docker-Experimental", "Ostype", "Server",
    "Swarm",        "Location",    "Cache-Control",       "Pragma", "X-Docker-Container-Path-Stat"};
// What of the client's head has a meaning for the engine.
constexpr std::string_view kRequestFields[] = {"X-Registry-Auth", "X-Registry-Config"};

template <std::size_t N>
bool is_one_of(std::string_view name, const std::string_view (&known)[N]) {
  return std::any_of(std::begin(known), std::end(known), [&](std::string_view each) { return equal_fold(each, name); });
}

http::Headers reply_headers(const http::Reply& reply, const Versions& versions) {
  http::Headers out;
  for (const auto& [name, value] : reply.headers) {
    if (equal_fold(name, "Api-Version")) {
      out.emplace_back("Api-Version", "1." + std::to_string(versions.newest));
    } else if (is_one_of(name, kReplyFields)) {
      out.emplace_back(name, value);
    } else if (equal_fold(name, "Builder-Version")) {
      out.emplace_back("Builder-Version", "1");  // the other one needs /session, which is carried for nobody
    }
  }
  return out;
}

std::optional<std::uint64_t> length_of(const http::Reply& reply) {
  const std::string_view text = http::header(reply.headers, "Content-Length");
  if (text.empty() || text.size() > 18) return std::nullopt;
  std::uint64_t length = 0;
  for (const char c : text) length = length * 10 + static_cast<std::uint64_t>(c - '0');
  return length;
}

bool is_raw_stream(const http::Reply& reply) {
  return is_one_of(http::header(reply.headers, "Content-Type"), kRawStreams);
}

// A base64 text with JSON in it: only its alphabet goes on.
bool is_base64(std::string_view text) {
  return text.size() <= (64u << 10) && std::all_of(text.begin(), text.end(), [](char c) {
           return http::in_class(c, http::kUnreserved) || c == '+' || c == '/' || c == '=';
         });
}

std::string denial_text(const std::string& message) {
  return Json::object({{"message", message}}).dump() + "\n";
}

// One direction of a tunnel: until the sender ends, then tells the receiver.
io::Task<void> pump(http::Upgraded& from, http::Upgraded& to, io::Scope* ends) {
  char bytes[16384];
  while (true) {
    const auto count = co_await from.read(bytes);
    if (!count || *count == 0) break;
    if (!co_await to.write(std::string_view(bytes, *count))) break;
  }
  to.shutdown_write();
  if (ends) ends->cancel();
}

}  // namespace

io::Task<Result<void>> Forward::run() {
  auto versions = co_await engine_.versions();
  if (!versions) {
    co_return co_await response_.send_json(503, denial_text(versions.error().message));
  }
  versions_ = *versions;
  CO_TRY(co_await decide());
  if (!verdict_.allowed()) co_return co_await refuse();
  const Operation& operation = *verdict_.match.operation;
  const bool detached = operation.name == "exec.start" && parse_json(verdict_.body)->operator[]("Detach").boolean();
  if (operation.needs == Needs::tunnel && !detached) co_return co_await tunnel();
  if (streams_body(operation)) co_return co_await upload();
  co_return co_await plain();
}

io::Task<Result<void>> Forward::decide() {
  const http::RequestHead& head = request_.head();
  verdict_ = decide_head(policy_, versions_,
                         {.method = head.method,
                          .target = head.target,
                          .has_body = !request_.finished(),
                          .wants_upgrade = !head.upgrade.empty(),
                          .content_type = head.fields.get("Content-Type"),
                          .content_encoding = head.fields.get("Content-Encoding"),
                          .from_browser = head.fields.find("Origin") || head.fields.find("Sec-Fetch-Site")});
  if (verdict_.allowed() && !head.upgrade.empty() && !equal_fold(head.upgrade, "tcp"))
    deny("upgrade", "only an upgrade to tcp is carried");
  for (const std::string_view name : kRequestFields)
    if (verdict_.allowed() && !is_base64(head.fields.get(name))) deny("headers", std::string(name) + " is not base64");
  if (verdict_.allowed() && !streams_body(*verdict_.match.operation)) CO_TRY(co_await read_body());
  if (verdict_.allowed()) check_binds();
  if (verdict_.allowed()) CO_TRY(co_await check_references());
  if (verdict_.allowed()) CO_TRY(co_await check_networks());
  co_return Result<void>{};
}

io::Task<Result<void>> Forward::read_body() {
  std::string text;
  while (!request_.finished()) {
    const std::string_view piece = CO_TRY(co_await request_.next());
    if (piece.empty()) break;
    if (text.size() + piece.size() > policy_.body_limit) {
      deny("body-limit", "the request's body is longer than " + std::to_string(policy_.body_limit) + " bytes", 413);
      response_.close_after();
      co_return Result<void>{};
    }
    text.append(piece);
  }
  verdict_ = decide_body(policy_, std::move(verdict_), text);
  co_return Result<void>{};
}

// A link inside of an allowed folder may lead out of it. Who owns the folder can still change it afterwards.
void Forward::check_binds() {
  for (const std::string& path : verdict_.binds) {
    std::error_code error;
    const std::string real = std::filesystem::weakly_canonical(path, error).string();
    if (error)
      return deny("binds", path + " cannot be looked at (" + error.message() +
                               "), and a link there might lead elsewhere; let the broker's account pass the folders "
                               "above it (chmod o+x, or setfacl -m u:ACCOUNT:x)");
    if (real == path) continue;
    const Json labels = parse_json(verdict_.body)->operator[]("Labels");
    const Finding finding{"binds", real, "bind of " + path};
    const auto denied = denied_by(policy_, {finding}, labels["com.docker.compose.project"].text());
    if (!denied.empty()) return deny(denied[0].rule, path + " leads to " + real + ", which the policy does not grant");
  }
}

io::Task<Result<void>> Forward::check_references() {
  for (const Reference& each : verdict_.references) {
    const auto labels = co_await engine_.labels_of(each);
    if (!labels && labels.error().code != Code::not_found) co_return fail(labels.error());
    if (labels && in_scope(policy_, *labels)) continue;
    const bool in_path = each.name == verdict_.match.name;
    deny("labels", each.kind.substr(0, each.kind.size() - 1) + " " + each.name + " does not exist for this client",
         in_path ? 404 : 403);
    co_return Result<void>{};
  }
  co_return Result<void>{};
}

// Engines take a network's id, or the front of it, for its name: the host's own has to be known by any of them.
io::Task<Result<void>> Forward::check_networks() {
  for (const std::string& name : verdict_.networks) {
    const auto network = co_await engine_.inspect({"networks", name});
    if (!network && network.error().code != Code::not_found) co_return fail(network.error());
    if (!network) deny("network-attachment", "network " + name + " does not exist", 404);
    if (!network || (*network)["Driver"].text() != "host") continue;
    const Finding finding{"host-network", name, "network " + name};
    const Json labels = parse_json(verdict_.body)->operator[]("Labels");
    if (!denied_by(policy_, {finding}, labels["com.docker.compose.project"].text()).empty())
      deny(finding.rule, finding.where + " is the host's own, which the policy does not grant");
  }
  co_return Result<void>{};
}

void Forward::deny(std::string_view rule, std::string message, int status) {
  verdict_.status = status;
  verdict_.rule = rule;
  verdict_.message = std::move(message);
}

io::Task<Result<void>> Forward::refuse() {
  if (request_.head().upgrade.empty())
    co_return co_await response_.send_json(verdict_.status, denial_text(verdict_.message));
  response_.close_after();  // what follows may be meant for the other protocol
  co_return co_await response_.send_json(verdict_.status, denial_text(verdict_.message));
}

http::Request Forward::outgoing() const {
  const Operation& operation = *verdict_.match.operation;
  http::Request out{.method = std::string(operation.method), .target = verdict_.target(versions_), .host = "docker"};
  for (const std::string_view name : kRequestFields)
    if (const auto value = request_.head().fields.find(name)) out.headers.emplace_back(name, *value);
  if (!verdict_.body.empty()) {
    out.headers.emplace_back("Content-Type", "application/json");
    out.body = verdict_.body;
  }
  return out;
}

io::Task<Result<void>> Forward::plain() {
  http::Pool pool = engine_.pool();
  auto exchange = co_await pool.exchange(outgoing());
  if (!exchange) {
    engine_.forget();
    co_return co_await response_.send_json(503, denial_text("the engine does not answer: " + exchange.error().message));
  }
  io::Scope scope(co_await io::here());
  Result<void> outcome;
  scope.spawn(relay_watched(*exchange, scope, outcome));
  scope.spawn(watch(scope));
  co_await scope.join();
  co_return outcome;
}

// Logs and events of a quiet engine would outlive a client that went away.
io::Task<void> Forward::watch(io::Scope& scope) {
  if (co_await request_.until_gone()) scope.cancel();
}

io::Task<void> Forward::relay_watched(http::Exchange& exchange, io::Scope& scope, Result<void>& outcome) {
  outcome = co_await relay(exchange);
  scope.cancel();
}

io::Task<Result<void>> Forward::relay(http::Exchange& exchange) {
  const int status = exchange.reply.status;
  const Operation& operation = *verdict_.match.operation;
  const bool redacted = is_redacted(policy_, operation);
  if (status == 200 && redacted && operation.name == "system.events") co_return co_await relay_events(exchange);
  if (status == 200 && (redacted || lacks(operation, verdict_.client, versions_)))
    co_return co_await relay_rewritten(exchange);
  http::Headers headers = reply_headers(exchange.reply, versions_);
  if (status == 204 || status == 304) co_return co_await response_.send(status, std::move(headers), "");
  CO_TRY(co_await response_.begin(status, std::move(headers), length_of(exchange.reply)));
  if (operation.method == "HEAD") co_return co_await response_.finish();
  while (true) {
    const std::string_view piece = CO_TRY(co_await exchange.body.next());
    if (piece.empty()) break;
    CO_TRY(co_await response_.write(piece));
  }
  co_return co_await response_.finish();
}

io::Task<Result<void>> Forward::relay_rewritten(http::Exchange& exchange) {
  const Operation& operation = *verdict_.match.operation;
  const std::string text = CO_TRY(co_await exchange.body.all(kMostReply));
  Json reply = CO_TRY(parse_json(text));
  if (is_redacted(policy_, operation)) reply = redact(policy_, operation, reply);
  if (lacks(operation, verdict_.client, versions_)) reply = as_older(operation, *verdict_.client, std::move(reply));
  co_return co_await response_.send_json(200, reply.dump() + "\n");
}

io::Task<Result<void>> Forward::relay_events(http::Exchange& exchange) {
  CO_TRY(co_await response_.begin(200, {{"Content-Type", "application/json"}}));
  EventRedactor redactor(policy_);
  while (true) {
    const std::string_view piece = CO_TRY(co_await exchange.body.next());
    if (piece.empty()) break;
    CO_TRY(co_await response_.write(CO_TRY(redactor.feed(piece))));
  }
  co_return co_await response_.finish();
}

// The client's bytes, once their beginning is what it may be.
io::Task<Result<std::string_view>> Forward::next_piece() {
  const bool archive = verdict_.match.operation->name == "containers.archive-put";
  if (!archive || std::exchange(judged_, true)) co_return co_await request_.next();
  while (front_.size() < kJudgedBytes) {  // it may come byte by byte
    const std::string_view piece = CO_TRY(co_await request_.next());
    if (piece.empty()) break;
    front_ += piece;
  }
  if (looks_compressed(front_)) {
    deny("compressed-archive", "an archive has to come uncompressed");
    co_return fail(Code::denied, verdict_.message);
  }
  co_return front_;
}

io::Task<Result<void>> Forward::upload() {
  if (request_.finished()) co_return co_await plain();
  http::Request out = outgoing();
  out.headers.emplace_back("Content-Type", "application/x-tar");
  http::Pool pool = engine_.pool();
  const auto consume = [this](http::Exchange& exchange) { return relay(exchange); };
  auto outcome = co_await pool.upload(std::move(out), [this] { return next_piece(); }, consume);
  if (outcome || response_.started()) co_return outcome;
  response_.close_after();
  const bool denied = !verdict_.allowed();
  if (!denied) engine_.forget();
  co_return co_await response_.send_json(denied ? 403 : 503, denial_text(outcome.error().message));
}

io::Task<Result<void>> Forward::tunnel() {
  http::Request out = outgoing();
  const bool upgrades = !request_.head().upgrade.empty();
  if (upgrades) {
    out.headers.emplace_back("Connection", "Upgrade");
    out.headers.emplace_back("Upgrade", "tcp");
  }
  http::Pool pool = engine_.pool();
  auto handshake = co_await pool.upgrade(std::move(out), true);
  if (!handshake) {
    engine_.forget();
    co_return co_await response_.send_json(503,
                                           denial_text("the engine does not answer: " + handshake.error().message));
  }
  http::Headers headers = reply_headers(handshake->reply, versions_);
  const int status = handshake->reply.status;
  if (!handshake->connection) co_return co_await response_.send(status, std::move(headers), handshake->body);
  if ((status == 101 && !upgrades) || (status == 200 && !is_raw_stream(handshake->reply)))
    co_return co_await response_.send_json(502, denial_text("the engine's reply is no stream"));
  http::Upgraded client = CO_TRY(co_await response_.upgrade(status, std::move(headers)));
  io::Scope scope(co_await io::here());
  scope.spawn(pump(client, *handshake->connection, nullptr));
  scope.spawn(pump(*handshake->connection, client, &scope));
  co_await scope.join();
  co_return Result<void>{};
}

}  // namespace berth::broker
