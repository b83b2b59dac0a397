#include "app/api_client.h"

#include "base/text.h"
#include "http/client.h"
#include "http/url.h"
#include "io/scope.h"
#include "io/socket.h"

namespace berth::app {
namespace {

constexpr std::size_t kMost = 64u << 20;
constexpr auto kAnswer = std::chrono::seconds(60);

Code code_of(std::string_view text) {
  for (const Code code : {Code::invalid, Code::not_found, Code::conflict, Code::denied, Code::unavailable,
                          Code::timeout, Code::cancelled, Code::busy, Code::moved, Code::internal})
    if (to_text(code) == text) return code;
  return text == "unauthorized" ? Code::denied : Code::unavailable;
}

io::Task<Result<ApiAnswer>> converse(http::Pool& api, ApiQuestion question) {
  http::Request request{.method = question.method, .target = "/api/v1" + question.path, .host = "berth.localhost"};
  // A change needs an origin; this socket's is the machine itself.
  request.headers.emplace_back("Origin", "https://berth.localhost");
  if (!question.body.is_null()) {
    request.headers.emplace_back("Content-Type", "application/json");
    request.body = question.body.dump();
  }
  auto exchange = CO_TRY(co_await api.exchange(std::move(request)));
  const std::string text = CO_TRY(co_await exchange.body.all(kMost));
  auto body = text.empty() ? Result<Json>(Json()) : parse_json(text);
  if (!body) co_return fail(Code::internal, "the API did not answer with JSON");
  co_return ApiAnswer{.status = exchange.reply.status, .body = std::move(*body)};
}

io::Task<Result<ApiAnswer>> ask(ApiQuestion question) {
  http::Pool api(std::make_unique<io::UnixDialer>(question.data + "/api.sock"));
  const std::string data = question.data;
  auto answer = co_await exchange_api(api, std::move(question));
  if (answer || answer.error().code == Code::denied) co_return answer;
  co_return fail(answer.error().code, "no berth serve with --data " + data + " answers: " + answer.error().message);
}

using Tell = std::function<void(const Json& line)>;

// One event of a job: the job where it is its end.
Result<Json> take_event(std::string_view block, const Tell& tell) {
  std::string_view name, data;
  for (const auto line : split(block, '\n')) {
    if (line.starts_with("event: ")) name = line.substr(7);
    if (line.starts_with("data: ")) data = line.substr(6);
  }
  if (data.empty()) return Json();
  Json value = TRY(parse_json(data));
  if (name == "end") return value;
  if (name.empty()) tell(value);
  return Json();
}

io::Task<Result<Json>> read_events(http::Exchange& exchange, const Tell& tell) {
  std::string held;
  while (true) {
    const auto piece = CO_TRY(co_await exchange.body.next());
    if (piece.empty()) co_return fail(Code::unavailable, "the lines of the job broke off");
    held += piece;
    for (auto end = held.find("\n\n"); end != std::string::npos; end = held.find("\n\n")) {
      Json job = CO_TRY(take_event(std::string_view(held).substr(0, end), tell));
      if (!job.is_null()) co_return job;
      held.erase(0, end + 2);
    }
    if (held.size() > kMost) co_return fail(Code::internal, "the API sent an event without an end");
  }
}

io::Task<Result<Json>> follow(const std::string& data, const std::string& id, const Tell& tell) {
  http::Pool api(std::make_unique<io::UnixDialer>(data + "/api.sock"));
  http::Request request{.target = "/api/v1/jobs/" + http::percent_encode(id) + "/events", .host = "berth.localhost"};
  auto exchange = CO_TRY(co_await io::within(kAnswer, api.exchange(std::move(request))));
  if (exchange.reply.status == 200) co_return co_await read_events(exchange, tell);
  const std::string text = CO_TRY(co_await exchange.body.all(kMost));
  co_return body_of({.status = exchange.reply.status, .body = CO_TRY(parse_json(text))});
}

}  // namespace

io::Task<Result<ApiAnswer>> exchange_api(http::Pool& api, ApiQuestion question) {
  co_return co_await io::within(kAnswer, converse(api, std::move(question)));
}

Result<Json> body_of(ApiAnswer answer) {
  if (answer.status < 400) return std::move(answer.body);
  return fail(code_of(answer.body["code"].text()),
              std::string(answer.body["message"].text("the API refuses without a reason")));
}

Result<Json> ask_api(ApiQuestion question) {
  io::Loop loop;
  return body_of(TRY(loop.run(ask(std::move(question)))));
}

Result<Json> follow_job(const std::string& data, const std::string& id, const std::function<void(const Json&)>& tell) {
  io::Loop loop;
  return loop.run(follow(data, id, tell));
}

Result<std::vector<Json>> ask_api_list(const std::string& data, const std::string& path) {
  std::vector<Json> items;
  std::string cursor;
  do {
    const Json page = TRY(ask_api({.data = data, .path = path + "?limit=1000" + cursor}));
    items.insert(items.end(), page["items"].items().begin(), page["items"].items().end());
    cursor = page["next"].is_null() ? "" : "&cursor=" + http::percent_encode(page["next"].text());
  } while (!cursor.empty());
  return items;
}

}  // namespace berth::app
