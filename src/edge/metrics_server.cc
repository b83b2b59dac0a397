#include "edge/metrics_server.h"

#include "edge/ip.h"
#include "http/url.h"

namespace berth::edge {
namespace {

constexpr std::size_t kMostConnections = 16;
constexpr http::ServerOptions kOptions{
    .head = {.bytes = 16u << 10}, .head_deadline = std::chrono::seconds(10), .idle = std::chrono::seconds(120)};

bool is_plain_host(std::string_view authority) {
  const auto host = http::parse_url("http://" + std::string(authority));
  return host && (host->host == "localhost" || parse_ip(host->host));
}

}  // namespace

MetricsServer::MetricsServer(Text text) : text_(std::move(text)) {}

Result<std::string> MetricsServer::listen(io::Loop& loop, const std::string& text, bool shared) {
  const io::Address address = TRY(io::Address::parse(text));
  auto place = std::make_unique<Place>();
  place->listener = TRY(io::Listener::open(loop, address, {.reuse_port = shared}));
  const auto ip = parse_ip(address.host());
  const bool local = ip && ip->is_loopback();
  place->handler = [this, local](http::ServerRequest& request, http::ResponseWriter& response) {
    return answer(local, request, response);
  };
  places_.push_back(std::move(place));
  return places_.back()->listener->address().text();
}

io::Task<Result<void>> MetricsServer::answer(bool local, http::ServerRequest& request,
                                             http::ResponseWriter& response) const {
  const http::RequestHead& head = request.head();
  if (local && !is_plain_host(head.authority))
    co_return co_await response.send(421, {}, "ask by an IP address or as localhost\n");
  if (head.target.substr(0, head.target.find('?')) != "/metrics")
    co_return co_await response.send(404, {}, "there is /metrics\n");
  if (head.method != "GET" && head.method != "HEAD")
    co_return co_await response.send(405, {{"Allow", "GET, HEAD"}}, "GET it\n");
  const std::string text = co_await text_();
  co_return co_await response.send(200, {{"Content-Type", "text/plain; version=0.0.4; charset=utf-8"}}, text);
}

io::Task<void> MetricsServer::serve_one(std::unique_ptr<io::Stream> stream, const http::Handler& handler) {
  static_cast<void>(co_await http::serve_connection(std::move(stream), handler, kOptions));
  --open_;
}

io::Task<void> MetricsServer::serve(Place& place, io::Scope& scope) {
  while (true) {
    auto stream = co_await place.listener->accept();
    if (!stream) co_return;
    if (open_ >= kMostConnections) continue;
    ++open_;
    scope.spawn(serve_one(std::move(*stream), place.handler));
  }
}

io::Task<void> MetricsServer::serve() {
  io::Scope scope(co_await io::here());
  for (const auto& place : places_) scope.spawn(serve(*place, scope));
  co_await scope.join();
}

void MetricsServer::close() {
  for (const auto& place : places_) place->listener->close();
}

}  // namespace berth::edge
