#include "auth/web.h"

#include <algorithm>
#include <charconv>

#include "base/base64.h"
#include "http/client.h"
#include "http/url.h"
#include "io/dial.h"

namespace berth::auth {
namespace {

constexpr auto kMost = std::chrono::seconds(10);
constexpr std::size_t kMostBody = 512u << 10;
constexpr int kMostPages = 10;

http::Request request_of(const http::Url& url, const WebRequest& wanted) {
  http::Request request{.target = url.target(), .host = url.authority()};
  request.headers = {{"User-Agent", "berth"}, {"Accept", "application/json"}};
  if (!wanted.bearer.empty()) request.headers.emplace_back("Authorization", "Bearer " + wanted.bearer);
  if (!wanted.basic.empty()) request.headers.emplace_back("Authorization", "Basic " + encode_base64(wanted.basic));
  if (wanted.form.empty()) return request;
  request.method = "POST";
  request.headers.emplace_back("Content-Type", "application/x-www-form-urlencoded");
  request.body = http::encode_query(wanted.form);
  return request;
}

/// Seconds; a date, which the RFC allows too, is as good as nothing said.
std::int64_t seconds_of(std::string_view text) {
  constexpr std::int64_t kDay = 86'400;
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  return error == std::errc() && end == text.data() + text.size() ? std::clamp<std::int64_t>(seconds, 0, kDay) : 0;
}

io::Task<Result<Answer>> exchange(http::Pool& pool, http::Request request) {
  auto exchange = CO_TRY(co_await pool.exchange(std::move(request)));
  const std::string body = CO_TRY(co_await exchange.body.all(kMostBody));
  co_return Answer{.status = exchange.reply.status,
                   .retry_after = seconds_of(http::header(exchange.reply.headers, "Retry-After")),
                   .next = next_page(http::header(exchange.reply.headers, "Link")),
                   .body = parse_json(body, {.bytes = kMostBody, .depth = 20}).value_or(Json())};
}

io::Task<Result<Answer>> ask(const http::Url& url, WebRequest wanted) {
  std::shared_ptr<io::TlsContext> tls;
  if (url.scheme == "https") tls = CO_TRY(io::TlsContext::client({.server_name = url.host, .ca_pem = wanted.ca}));
  http::Pool pool(std::make_unique<io::TcpDialer>(url.host, url.port, std::move(tls)));
  auto answer = co_await io::within(kMost, exchange(pool, request_of(url, wanted)));
  // Whatever keeps it from answering, a name, a certificate or time: it may do later.
  if (!answer && answer.error().code != Code::internal) answer.error().code = Code::unavailable;
  co_return answer;
}

bool same_origin(const std::string& one, const std::string& other) {
  const auto a = http::parse_url(one), b = http::parse_url(other);
  return a && b && a->scheme == b->scheme && a->authority() == b->authority();
}

}  // namespace

Error within_address(Error error, std::string_view address) {
  const auto url = http::parse_url(address);
  return url ? std::move(error).within(url->scheme + "://" + url->authority() + url->path) : error;
}

io::Task<Result<Answer>> fetch(WebRequest wanted) {
  const auto url = CO_TRY(http::parse_url(wanted.url));
  auto answer = co_await ask(url, wanted);
  if (!answer) co_return fail(within_address(std::move(answer.error()), wanted.url));
  co_return answer;
}

io::Task<Result<Json>> fetch_json(WebRequest wanted) {
  const std::string address = wanted.url;
  auto json = good_answer(CO_TRY(co_await fetch(std::move(wanted))));
  if (!json) co_return fail(within_address(std::move(json.error()), address));
  co_return json;
}

io::Task<Result<Json>> fetch_pages(WebRequest wanted) {
  Json all = Json::array();
  for (int page = 0; page < kMostPages; ++page) {
    auto answer = CO_TRY(co_await fetch(wanted));
    const std::string next = answer.next;
    auto json = good_answer(std::move(answer));
    if (!json) co_return fail(within_address(std::move(json.error()), wanted.url));
    if (!json->is_array()) co_return page == 0 ? std::move(*json) : std::move(all);
    for (const Json& item : json->items()) all.push(item);
    if (next.empty() || !same_origin(wanted.url, next)) break;
    wanted.url = next;
  }
  co_return all;
}

}  // namespace berth::auth
