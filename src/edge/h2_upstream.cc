#include "edge/h2_upstream.h"

#include "edge/handler.h"

namespace berth::edge {
namespace {

constexpr std::size_t kMostWaiting = 64u << 10;

/// Fields that HTTP/2 says in another way.
bool is_of_http1(std::string_view name) {
  return http::same_name(name, "host") || http::same_name(name, "connection") ||
         http::same_name(name, "transfer-encoding") || http::same_name(name, "upgrade") ||
         http::same_name(name, "sec-websocket-key");
}

}  // namespace

Result<void> H2Upstream::begin(const Opening& opening) {
  const std::string_view head = opening.head;
  http::RequestHead request;
  const auto parsed = http::parse_request(
      head, request, {.bytes = head.size() + 1, .target = head.size(), .fields = http::Fields::kRoom});
  if (parsed.state != http::Parsed::State::complete) return fail(Code::internal, "a head of ours does not parse");
  waits_for_settings_ = opening.request.wants_websocket();
  fields_ = {{":method", waits_for_settings_ ? "CONNECT" : request.method},
             {":scheme", trunk_->scheme()},
             {":path", request.target},
             {":authority", request.authority}};
  if (waits_for_settings_) fields_.emplace_back(":protocol", "websocket");
  for (const http::Field& field : request.fields)
    if (!is_of_http1(field.name)) fields_.emplace_back(field.name, field.value);
  if (opening.takes_trailers) fields_.emplace_back("te", "trailers");
  return waits_for_settings_ ? Result<void>{} : ask(opening.has_body);
}

Result<void> H2Upstream::ask(bool has_body) {
  if (trunk_->request(one_, fields_, has_body)) return {};
  return fail(Code::unavailable, "the upstream takes no more requests on this connection");
}

io::Task<Result<void>> H2Upstream::ask_for_websocket() {
  while (!trunk_->is_settled()) {
    if (trunk_->is_over()) co_return fail(Code::unavailable, "the upstream closed the connection");
    trunk_->changed().reset();
    CO_TRY(co_await trunk_->changed().wait());
  }
  waits_for_settings_ = false;
  if (trunk_->takes_websockets()) co_return ask(true);
  refusal_ = {502, "The service takes no WebSockets."};
  co_return fail(Code::unavailable, "a WebSocket for a service that takes none over HTTP/2");
}

std::unexpected<Error> H2Upstream::gone(std::string_view when) const {
  if (one_.lost) return fail(Code::unavailable, trunk_->why() + std::string(when));
  return fail(Code::unavailable, "the upstream reset the stream" + std::string(when));
}

// Sending.

io::Task<Result<void>> H2Upstream::send(std::string_view data) {
  if (one_.refused) co_return Result<void>{};  // read_head() tells, and the request may be made elsewhere
  if (!one_.open) co_return gone("");
  one_.out.append(data);
  trunk_->push(one_);
  while (one_.waiting() >= kMostWaiting) {
    one_.room.reset();
    CO_TRY(co_await one_.room.wait());
    if (!one_.open && !one_.refused) co_return gone("");
    if (!one_.open) break;
  }
  co_return Result<void>{};
}

void H2Upstream::end_body(const http::Fields* trailers) {
  if (trailers)
    for (const http::Field& field : *trailers) one_.trailers.emplace_back(field.name, field.value);
  one_.out_ended = true;
  if (one_.open) trunk_->push(one_);
}

// Reading.

io::Task<Result<void>> H2Upstream::read_head(http::ResponseHead& head) {
  head.fields.clear();
  head.framing = {};
  head.keep_alive = true;
  head.upgrade = {};
  head.status = 0;
  while (!one_.head_ended) {
    if (!one_.open) co_return gone("");
    one_.came.reset();
    CO_TRY(co_await one_.came.wait());
  }
  if (one_.head.spans.size() > http::Fields::kMost) co_return fail(Code::invalid, "the reply has too many fields");
  head.status = one_.status;
  head.framing.length = one_.length;
  one_.head.show(head.fields);
  co_return Result<void>{};
}

std::string_view H2Upstream::unread() const {
  if (one_.shown.empty()) one_.shown.swap(one_.in);
  return one_.shown;
}

io::Task<Result<bool>> H2Upstream::more() {
  while (!has_bytes()) {
    if (one_.in_ended) {
      if (one_.trailers_in.size() == 0) one_.tail.show(one_.trailers_in);
      co_return false;
    }
    if (!one_.open) co_return gone(" in the middle of its reply");
    one_.came.reset();
    CO_TRY(co_await one_.came.wait());
  }
  co_return true;
}

}  // namespace berth::edge
