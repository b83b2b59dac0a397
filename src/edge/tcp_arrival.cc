#include "edge/tcp_arrival.h"

#include "base/text.h"
#include "edge/tcp_peek.h"
#include "io/socket_options.h"

namespace berth::edge {
namespace {

constexpr std::string_view kPostgresGss("\0\0\0\x08\x04\xd2\x16\x30", 8);

Endpoint endpoint_of(const io::Address& address) {
  const auto ip = parse_ip(address.host());
  return {ip ? *ip : Ip{}, address.port()};
}

std::string text_of(const Endpoint& end) {
  return (end.ip.is_v4() ? end.ip.text() : "[" + end.ip.text() + "]") + ":" + std::to_string(end.port);
}

}  // namespace

const std::string_view kPostgresTls("\0\0\0\x08\x04\xd2\x16\x2f", 8);

Arrival::Arrival(std::unique_ptr<io::Stream> stream) : stream_(std::move(stream)) {
  const auto peer = io::Address::parse(stream_->peer());
  const auto own = io::local_address(*stream_);
  if (!peer) return;
  ends_.known = own.has_value();
  ends_.source = endpoint_of(*peer);
  if (own) ends_.destination = endpoint_of(*own);
}

io::Task<Result<bool>> Arrival::more() {
  char buffer[2048];
  const std::size_t count = CO_TRY(co_await io::read_some(*stream_, buffer));
  bytes_.append(buffer, count);
  co_return count > 0;
}

io::Task<Result<void>> Arrival::read_proxy_header() {
  ProxyHeader header;
  while (true) {
    const ProxyParsed parsed = parse_proxy_header(bytes_, header);
    if (parsed.state == ProxyParsed::State::refused)
      co_return fail(Code::invalid, "the PROXY header " + std::string(parsed.reason));
    if (parsed.state == ProxyParsed::State::complete) {
      bytes_.erase(0, parsed.consumed);
      break;
    }
    if (!CO_TRY(co_await more())) co_return fail(Code::invalid, "the connection ended inside its PROXY header");
  }
  if (!header.known) co_return Result<void>{};
  ends_ = header;
  peer_ = text_of(header.source);
  co_return Result<void>{};
}

io::Task<Result<bool>> Arrival::answer_question() {
  const bool tls = bytes_ == kPostgresTls, gss = bytes_ == kPostgresGss;
  if (!tls && !gss) co_return false;
  CO_TRY(co_await io::write_all(*stream_, tls ? "S" : "N"));
  bytes_.clear();
  postgres_ = tls;
  co_return true;
}

io::Task<Result<void>> Arrival::read_greeting(bool tls_served) {
  using State = ClientGreeting::State;
  for (int questions = 0;;) {
    // Nobody may send more behind a question before its answer (CVE-2021-23222): it must be all there is.
    const bool asks = tls_served && !postgres_ && questions < 2 && !bytes_.empty() &&
                      kPostgresTls.substr(0, 7).starts_with(std::string_view(bytes_).substr(0, 7));
    if (asks && bytes_.size() >= 8) {
      ++questions;
      if (CO_TRY(co_await answer_question())) continue;
    }
    greeting_ = parse_greeting(bytes_);
    const bool undecided = greeting_.state == State::need_more || (asks && bytes_.size() < 8);
    if (!undecided) co_return Result<void>{};
    if (!CO_TRY(co_await more())) co_return fail(Code::unavailable, "the client went away");
  }
}

std::unique_ptr<io::Stream> Arrival::release() {
  if (bytes_.empty() && peer_.empty()) return std::move(stream_);
  return std::make_unique<PeekedStream>(std::move(stream_), std::move(bytes_), std::move(peer_));
}

}  // namespace berth::edge
