#include "edge/acme_client.h"

#include "http/url.h"
#include "io/dial.h"

namespace berth::edge {
namespace {

constexpr auto kMost = std::chrono::seconds(30);
constexpr std::size_t kMostBody = 256u << 10;
constexpr int kTries = 3;

std::chrono::sys_seconds wall_now() {
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

io::Task<Result<AcmeReply>> exchange(http::Pool& pool, http::Request request) {
  auto exchange = CO_TRY(co_await pool.exchange(std::move(request)));
  const auto field = [&](std::string_view name) { return http::header(exchange.reply.headers, name); };
  AcmeReply reply{.status = exchange.reply.status,
                  .body = {},
                  .nonce = std::string(field("replay-nonce")),
                  .location = std::string(field("location")),
                  .retry_after = parse_retry_after(field("retry-after"), wall_now())};
  reply.body = CO_TRY(co_await exchange.body.all(kMostBody));
  co_return reply;
}

}  // namespace

Result<http::Pool*> AcmeClient::pool_for(const std::string& text) {
  const auto url = TRY(http::parse_url(text));
  auto& pool = pools_[url.scheme + "://" + url.authority()];
  if (!pool) {
    std::shared_ptr<io::TlsContext> tls;
    if (url.scheme == "https") tls = TRY(io::TlsContext::client({.server_name = url.host, .ca_pem = ca_pem_}));
    pool = std::make_unique<http::Pool>(std::make_unique<io::TcpDialer>(url.host, url.port, std::move(tls)));
  }
  return pool.get();
}

io::Task<Result<AcmeReply>> AcmeClient::ask_once(const AcmeStep& step) {
  http::Pool* pool = CO_TRY(pool_for(step.url));
  const auto url = CO_TRY(http::parse_url(step.url));
  http::Request request{.method = step.method, .target = url.target(), .host = url.authority(), .body = step.body};
  request.headers.emplace_back("User-Agent", "berth");
  if (!step.body.empty()) request.headers.emplace_back("Content-Type", "application/jose+json");
  auto reply = co_await io::within(kMost, exchange(*pool, std::move(request)));
  if (!reply) co_return fail(std::move(reply.error()).within(step.method + " " + printable(step.url)));
  co_return reply;
}

io::Task<Result<AcmeReply>> AcmeClient::ask(const AcmeStep& step) {
  // Should the first one have come through, the CA tells that its nonce was used, and the flow signs anew.
  for (int i = 1;; ++i) {
    auto reply = co_await ask_once(step);
    if (reply || reply.error().code != Code::unavailable || i == kTries) co_return reply;
    CO_TRY(co_await io::sleep_for(std::chrono::seconds(i)));
  }
}

io::Task<Result<AcmeReply>> AcmeClient::get(std::string url) {
  const AcmeStep step{.kind = AcmeStep::Kind::ask, .method = "GET", .url = std::move(url)};
  auto reply = CO_TRY(co_await ask(step));
  if (reply.status != 200)
    co_return fail(Code::unavailable, "GET " + printable(step.url) + ": it answered " + std::to_string(reply.status));
  co_return reply;
}

namespace {

/// One step of the outside world.
io::Task<Result<void>> perform(AcmeFlow& flow, AcmeClient& client, ChallengeBoard& board,
                               std::vector<AcmeAnswer>& shown) {
  const AcmeStep& step = flow.step();
  if (step.kind == AcmeStep::Kind::ask) {
    const auto reply = CO_TRY(co_await client.ask(step));
    flow.take(reply);
    co_return Result<void>{};
  }
  if (step.kind == AcmeStep::Kind::present) {
    shown = step.answers;
    CO_TRY(co_await board.show(shown));
  } else {
    CO_TRY(co_await io::sleep_for(step.pause));
  }
  flow.go_on();
  co_return Result<void>{};
}

bool is_over(const AcmeFlow& flow) {
  return flow.step().kind == AcmeStep::Kind::done || flow.step().kind == AcmeStep::Kind::failed;
}

}  // namespace

io::Task<std::expected<std::string, AcmeFailure>> run_flow(AcmeFlow& flow, AcmeClient& client, ChallengeBoard& board,
                                                           std::function<void(const AcmeProgress&)> progressed) {
  std::vector<AcmeAnswer> shown;
  AcmeProgress before = flow.progress();
  while (!is_over(flow)) {
    if (auto done = co_await perform(flow, client, board, shown); !done) flow.give_up(std::move(done).error());
    if (flow.progress() == before) continue;
    before = flow.progress();
    progressed(before);
  }
  if (!shown.empty()) co_await board.hide(std::move(shown));
  const AcmeStep& last = flow.step();
  if (last.kind == AcmeStep::Kind::done) co_return last.chain;
  co_return std::unexpected(AcmeFailure{last.error, last.retry_after});
}

}  // namespace berth::edge
