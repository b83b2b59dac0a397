#include "edge/ready_transport.h"

#include <algorithm>

#include "base/text.h"

namespace berth::edge {
namespace {

using List = std::vector<std::shared_ptr<const ReadyTransport>>;

Result<io::TlsClientOptions> tls_options(const Transport& transport) {
  io::TlsClientOptions out{.server_name = {},
                           .ca_pem = join(transport.roots, "\n"),
                           .verify = !transport.insecure,
                           .peer_uri = transport.peer_uri};
  if (transport.certificates.empty()) return out;
  const PemPair& own = transport.certificates.front();
  out.identity = TRY(io::TlsIdentity::from_pem(own.chain, own.key));
  return out;
}

std::vector<std::string> protocols(ReadyTransport::Offer offer) {
  switch (offer) {
    case ReadyTransport::Offer::both:
      return {"h2", "http/1.1"};
    case ReadyTransport::Offer::http1:
      return {"http/1.1"};
    case ReadyTransport::Offer::none:
      break;
  }
  return {};
}

std::shared_ptr<const ReadyTransport> make(const Transport& options, const List& known) {
  const auto same = [&](const auto& each) { return each->options() == options; };
  if (const auto found = std::ranges::find_if(known, same); found != known.end()) return *found;
  return std::make_shared<ReadyTransport>(options);
}

Result<void> give(Service& service, const List& transports) {
  for (Upstream& each : service.upstreams) {
    if (each.transport.empty()) continue;
    const auto named = [&](const auto& one) { return one->options().name == each.transport; };
    const auto found = std::ranges::find_if(transports, named);
    if (found == transports.end())
      return fail(Code::invalid, "service \"" + service.name + "\": transport \"" + each.transport + "\" is missing");
    each.ready = *found;
  }
  return {};
}

}  // namespace

ReadyTransport::ReadyTransport(Transport options) : options_(std::move(options)) {
  auto tls = tls_options(options_);
  for (const Offer offer : {Offer::both, Offer::http1, Offer::none}) {
    auto made = tls ? Result<std::shared_ptr<io::TlsContext>>() : fail(tls.error());
    if (tls) {
      tls->alpn = protocols(options_.disable_http2 && offer == Offer::both ? Offer::http1 : offer);
      made = io::TlsContext::client(*tls);
    }
    if (made)
      contexts_[static_cast<std::size_t>(offer)] = std::move(*made);
    else
      fault_ = std::move(made.error()).within("serversTransport \"" + options_.name + "\"");
  }
}

Result<std::shared_ptr<io::TlsContext>> ReadyTransport::tls(Offer offer) const {
  const auto& context = contexts_[static_cast<std::size_t>(offer)];
  return context ? Result<std::shared_ptr<io::TlsContext>>(context) : fail(fault_);
}

std::chrono::milliseconds connect_time(const Upstream& upstream, const Settings& settings) {
  const bool own = upstream.ready && upstream.ready->options().dial.count() > 0;
  return own ? upstream.ready->options().dial : settings.connect_timeout;
}

std::chrono::milliseconds answer_time(const Upstream& upstream, const Settings& settings) {
  const bool own = upstream.ready && upstream.ready->options().response_header.count() > 0;
  return own ? upstream.ready->options().response_header : settings.response_timeout;
}

ReadyTransports ReadyTransports::changed(const std::optional<std::vector<Transport>>& http,
                                         const std::optional<TcpConfig>& tcp) const {
  ReadyTransports out;
  if (!http) out.http_ = http_;
  if (!tcp) out.tcp_ = tcp_;
  if (http)
    for (const Transport& each : *http) out.http_.push_back(make(each, http_));
  if (tcp)
    for (const Transport& each : tcp->transports) out.tcp_.push_back(make(each, tcp_));
  return out;
}

Result<void> ReadyTransports::hand_over(Service& service) const {
  return give(service, http_);
}

Result<void> ReadyTransports::hand_over(TcpService& service) const {
  return give(service.servers, tcp_);
}

std::vector<Transport> ReadyTransports::options() const {
  std::vector<Transport> out;
  for (const auto& each : http_) out.push_back(each->options());
  return out;
}

std::vector<std::string> ReadyTransports::faults() const {
  std::vector<std::string> out;
  for (const auto* list : {&http_, &tcp_}) {
    for (const auto& each : *list)
      if (const auto tls = each->tls(ReadyTransport::Offer::none); !tls) out.push_back(tls.error().message);
  }
  return out;
}

}  // namespace berth::edge
