#include "edge/detached.h"

#include "edge/shared.h"

namespace berth::edge {

io::Task<bool> Nobody::gone() {
  io::Event never;
  co_return (co_await never.wait()).has_value();
}

Detached::Detached(const Request& from) : hop(from.hop), host(from.host), path(from.path), client(from.client) {
  http::append_head(text, from.head);
  parsed = http::parse_request(text, work.head).state == http::Parsed::State::complete;
  work.rewritten = from.rewritten;
}

Request Detached::request(Shared& shared, const Live& live, const Routes::Entry& entry) {
  return {.shared = shared,
          .live = live,
          .hop = hop,
          .work = work,
          .head = work.head,
          .rewritten = work.rewritten,
          .body = &nobody,
          .tally = tally,
          .host = host,
          .path = path,
          .client = client,
          .entry = &entry,
          .service = entry.service.get()};
}

}  // namespace berth::edge
