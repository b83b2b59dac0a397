// A dispatcher behind an in-memory connection in virtual time, and a client that asks it.
#pragma once

#include <gtest/gtest.h>

#include "api/dispatch.h"
#include "http/client.h"
#include "testing/pair_dialer.h"

namespace berth::api {

/// What came back.
struct Got {
  int status = 0;
  Headers headers{};
  std::string text{};
  Json body{};
  std::string_view header(std::string_view name) const { return http::header(headers, name); }
};

/// `ask` as somebody at the local door, or over the edge with a token that names a principal of `people`.
class DeskWorld {
 public:
  explicit DeskWorld(Routes routes, DispatchOptions options = {}) {
    options.identify = [this](const http::RequestHead& head, std::string client) {
      return identify(head, std::move(client));
    };
    options.keep = [this](job::Entry entry) { return keep(std::move(entry)); };
    auto made = Dispatch::make(std::move(routes), std::move(options));
    EXPECT_TRUE(made) << (made ? "" : made.error().message);
    if (made) dispatch = std::move(*made);
  }

  Got ask(http::Request request) {
    Got got;
    loop->run(converse(std::move(request), got));
    return got;
  }
  Got get(std::string target, std::string as = {}) { return ask(request("GET", std::move(target), std::move(as))); }
  Got send(std::string method, std::string target, Json body, std::string as = {}) {
    auto asked = request(std::move(method), std::move(target), std::move(as));
    if (!body.is_null()) {
      asked.body = body.dump();
      asked.headers.emplace_back("Content-Type", "application/json");
    }
    return ask(std::move(asked));
  }
  static http::Request request(std::string method, std::string target, std::string as = {}) {
    http::Request out{.method = std::move(method), .target = std::move(target), .host = "berth.localhost"};
    if (!as.empty()) out.headers.emplace_back("Authorization", "Bearer " + as);
    return out;
  }

  std::unique_ptr<io::Loop> loop = testing::simulated_loop();
  std::unique_ptr<Dispatch> dispatch;
  Door door{.client = "192.0.2.7"};
  std::map<std::string, auth::Principal, std::less<>> people;
  std::vector<job::Entry> kept;
  Result<void> keeps{};

 private:
  io::Task<Result<auth::Principal>> identify(const http::RequestHead& head, std::string client) {
    const std::string_view value = head.fields.get("Authorization");
    if (value.empty()) co_return auth::Principal{.from = client};
    const auto at = people.find(value.substr(7));
    if (at == people.end()) co_return fail(Code::denied, "no such token");
    co_return at->second;
  }
  io::Task<Result<std::int64_t>> keep(job::Entry entry) {
    kept.push_back(std::move(entry));
    if (!keeps) co_return fail(keeps.error());
    co_return static_cast<std::int64_t>(kept.size());
  }
  io::Task<void> serve(testing::PairDialer& dialer) {
    auto stream = co_await testing::accept(dialer);
    if (!stream) co_return;
    const http::Handler handler = [this](http::ServerRequest& request, http::ResponseWriter& response) {
      return dispatch->answer(door, request, response);
    };
    const auto served = co_await http::serve_connection(std::move(*stream), handler);
    static_cast<void>(served);
  }
  io::Task<void> converse(http::Request request, Got& got) {
    auto* dialer = new testing::PairDialer();
    dialer->most = 1;
    http::Pool pool{std::unique_ptr<io::Dialer>(dialer)};
    io::Scope scope(co_await io::here());
    scope.spawn(serve(*dialer));
    auto result = co_await fetch(pool, std::move(request));
    if (result) got = std::move(*result);
    scope.cancel();
    co_await scope.join();
  }
  static io::Task<Result<Got>> fetch(http::Pool& pool, http::Request request) {
    auto exchange = CO_TRY(co_await pool.exchange(std::move(request)));
    Got got{.status = exchange.reply.status, .headers = exchange.reply.headers};
    got.text = CO_TRY(co_await exchange.body.all(16u << 20));
    if (auto parsed = parse_json(got.text)) got.body = std::move(*parsed);
    co_return got;
  }
};

}  // namespace berth::api
