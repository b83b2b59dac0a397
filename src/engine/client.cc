#include "engine/client.h"

#include "engine/dialer.h"
#include "http/url.h"
#include "io/scope.h"

namespace berth::engine {
namespace {

constexpr std::size_t kMostErrorText = 64u << 10;

Code code_of_status(int status) {
  switch (status) {
    case 400:
      return Code::invalid;
    case 401:
    case 403:
      return Code::denied;
    case 404:
      return Code::not_found;
    case 409:
      return Code::conflict;
    case 503:
      return Code::unavailable;
    default:
      return status < 500 && status >= 400 ? Code::invalid : Code::internal;
  }
}

bool is_success(int status) {
  return status / 100 == 2 || status == 304;
}

Error error_of(int status, std::string_view body) {
  std::string message;
  if (const auto json = parse_json(body); json) message = (*json)["message"].text();
  if (message.empty()) message = body.substr(0, 500);
  while (message.ends_with('\n') || message.ends_with(' ')) message.pop_back();
  if (message.empty()) message = "the engine answers " + std::to_string(status) + " without a reason";
  return {code_of_status(status), std::move(message)};
}

http::Request request_of(const Call& call, std::string_view prefix) {
  http::Request request{.method = call.method, .host = "docker"};
  request.target = std::string(prefix) + call.path;
  if (!call.query.empty()) request.target += "?" + http::encode_query(call.query);
  request.headers = call.headers;
  if (!call.body.is_null()) {
    request.body = call.body.dump();
    request.headers.emplace_back("Content-Type", "application/json");
  }
  return request;
}

io::Task<Result<http::Exchange>> checked(http::Pool& pool, http::Request request) {
  auto exchange = CO_TRY(co_await pool.exchange(std::move(request)));
  if (is_success(exchange.reply.status)) co_return exchange;
  const std::string body = CO_TRY(co_await exchange.body.all(kMostErrorText));
  co_return fail(error_of(exchange.reply.status, body));
}

// `limit` bounds the reply.
io::Task<Result<Json>> whole(http::Pool& pool, http::Request request, std::size_t limit) {
  auto exchange = CO_TRY(co_await checked(pool, std::move(request)));
  const std::string body = CO_TRY(co_await exchange.body.all(limit));
  if (body.find_first_not_of(" \r\n") == std::string::npos) co_return Json();
  const std::string_view type = http::header(exchange.reply.headers, "content-type");
  if (type.starts_with("text/plain")) co_return Json(body);
  co_return parse_json(body, {.bytes = limit});
}

std::string subject_of(const Call& call, const Address& address) {
  return call.method + " " + call.path + " of the engine at " + address.text();
}

// A timeout in words; other errors as they are.
template <class T>
Result<T> named(Result<T> result, const std::string& subject, std::chrono::milliseconds deadline) {
  const bool late = !result && result.error().code == Code::timeout;
  const auto seconds = std::chrono::duration<double>(deadline).count();
  const std::string text = std::to_string(seconds);
  if (late) result.error().message = subject + ": no answer within " + text.substr(0, text.find('.') + 2) + " s";
  return result;
}

template <class T>
io::Task<T> limited(std::chrono::milliseconds deadline, io::Task<T> task) {
  if (deadline.count() == 0) co_return co_await std::move(task);
  co_return co_await io::within(deadline, std::move(task));
}

// Newest and, where the engine may be too new for us, oldest version of an engine.
io::Task<Result<EngineRange>> ask_range(http::Pool& pool, std::string name) {
  auto exchange = CO_TRY(co_await checked(pool, {.method = "GET", .target = "/_ping", .host = "docker"}));
  CO_TRY(co_await exchange.body.all(kMostErrorText));
  const auto newest = parse_api_version(http::header(exchange.reply.headers, "api-version"));
  if (newest && *newest <= kNewestApi) co_return EngineRange{.newest = *newest};
  const auto version = co_await whole(pool, {.method = "GET", .target = "/version", .host = "docker"}, kMostErrorText);
  const auto told = parse_api_version(version ? (*version)["ApiVersion"].text() : "");
  if (!newest && !told) co_return fail(Code::unavailable, name + ": what answers there is no container engine");
  EngineRange range{.newest = newest ? *newest : *told};
  if (const auto oldest = parse_api_version(version ? (*version)["MinAPIVersion"].text() : ""); oldest)
    range.oldest = *oldest;
  co_return range;
}

io::Task<Result<void>> consume_success(http::Exchange& exchange, const http::Consumer& consume) {
  if (is_success(exchange.reply.status)) co_return co_await consume(exchange);
  const std::string body = CO_TRY(co_await exchange.body.all(kMostErrorText));
  co_return fail(error_of(exchange.reply.status, body));
}

}  // namespace

std::string path_of(std::string_view pattern, std::string_view name) {
  const std::size_t hole = pattern.find("{}");
  if (hole == std::string_view::npos) return std::string(pattern);
  return std::string(pattern.substr(0, hole)) + http::percent_encode(name) + std::string(pattern.substr(hole + 2));
}

std::string filters_text(const Query& filters) {
  Json json = Json::object();
  for (const auto& [name, value] : filters) json.slot(name).push(value);
  return json.dump();
}

Client::Client(Address address, std::unique_ptr<io::Dialer> dialer)
    : address_(std::move(address)), pool_(std::move(dialer)) {}

io::Task<Result<std::unique_ptr<Client>>> Client::connect(Address address, std::unique_ptr<io::Dialer> dialer) {
  if (!dialer) dialer = CO_TRY(make_dialer(address));
  std::unique_ptr<Client> client(new Client(std::move(address), std::move(dialer)));
  CO_TRY(co_await client->settle_version());
  co_return client;
}

io::Task<Result<void>> Client::settle_version() {
  constexpr std::chrono::seconds kDeadline{30};
  auto range = co_await limited(kDeadline, ask_range(pool_, address_.text()));
  range = named(std::move(range), subject_of({.path = "/_ping"}, address_), kDeadline);
  auto version = negotiate(CO_TRY(std::move(range)));
  if (!version) co_return fail(std::move(version.error()).within(address_.text()));
  version_ = *version;
  co_return Result<void>{};
}

Result<void> Client::require(Feature feature, std::string_view subject) const {
  if (has(feature)) return {};
  return fail(Code::invalid, std::string(subject) + " needs " + std::string(name_of(feature)) +
                                 ", which came with API " + since(feature).text() + "; this engine speaks " +
                                 version_.text());
}

// Whether `refusal` is that of our version, and another one is spoken from now on: the engine was upgraded or replaced
// while we live. It refuses before it acts, so that the call may be repeated.
bool Client::adapt(const Error& refusal) {
  if (refusal.code != Code::invalid) return false;
  const auto range = range_from_refusal(refusal.message, version_);
  if (!range) return false;
  const auto version = negotiate(*range);
  if (!version || *version == version_) return false;
  version_ = *version;
  return true;
}

io::Task<Result<Json>> Client::call(Call call) {
  auto reply = co_await limited(call.deadline, whole(pool_, request_of(call, prefix()), call.reply_limit));
  if (!reply && adapt(reply.error()))
    reply = co_await limited(call.deadline, whole(pool_, request_of(call, prefix()), call.reply_limit));
  co_return named(std::move(reply), subject_of(call, address_), call.deadline);
}

io::Task<Result<http::Exchange>> Client::stream(Call call) {
  auto exchange = co_await limited(call.deadline, checked(pool_, request_of(call, prefix())));
  if (!exchange && adapt(exchange.error())) {
    auto again = co_await limited(call.deadline, checked(pool_, request_of(call, prefix())));
    co_return named(std::move(again), subject_of(call, address_), call.deadline);
  }
  co_return named(std::move(exchange), subject_of(call, address_), call.deadline);
}

io::Task<Result<void>> Client::upload(Call call, http::Source source, http::Consumer consume) {
  call.headers.emplace_back("Content-Type", "application/x-tar");
  http::Request request = request_of(call, prefix());
  const http::Consumer successes = [&](http::Exchange& exchange) { return consume_success(exchange, consume); };
  co_return co_await pool_.upload(std::move(request), std::move(source), successes);
}

io::Task<Result<http::Upgraded>> Client::upgrade(Call call) {
  const std::string subject = subject_of(call, address_);
  call.headers.emplace_back("Connection", "Upgrade");
  call.headers.emplace_back("Upgrade", "tcp");
  http::Request request = request_of(call, prefix());
  auto handshake = co_await limited(call.deadline, pool_.upgrade(std::move(request), true));
  auto answered = CO_TRY(named(std::move(handshake), subject, call.deadline));
  if (!answered.connection) co_return fail(error_of(answered.reply.status, answered.body));
  co_return *std::move(answered.connection);
}

}  // namespace berth::engine
