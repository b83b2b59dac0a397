#include "edge/h2_head.h"

namespace berth::edge {
namespace {

// The upgrade of RFC 8441 is that of RFC 6455 for upstreams; the key is for caches that do not understand, and has no
// secret in it.
constexpr std::string_view kUpgrade =
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: YmVydGggYmVydGggYmVydA==\r\n";

http::Parsed refused(int status, std::string_view reason) {
  return {.state = http::Parsed::State::refused, .status = status, .reason = reason};
}

}  // namespace

void H2Head::add(std::string_view name, std::string_view value, std::size_t most) {
  bytes_ += name.size() + value.size() + 32;
  too_large_ = too_large_ || bytes_ > most;
  if (too_large_) return;
  if (name == ":method") {
    method_ = value;
  } else if (name == ":scheme") {
    scheme_ = value;
  } else if (name == ":authority") {
    authority_ = value;
  } else if (name == ":path") {
    path_ = value;
  } else if (name == ":protocol") {
    protocol_ = value;
  } else if (name == "host" && host_.empty()) {
    host_ = value;
  } else if (name == "cookie") {  // may come in pieces (RFC 9113 8.2.3)
    cookie_.append(cookie_.empty() ? "" : "; ").append(value);
  } else {
    fields_.append(name).append(": ").append(value).append("\r\n");
  }
}

http::Parsed H2Head::refusal() {
  if (too_large_) return refused(431, "the request's head is too large");
  const bool connect = method_ == "CONNECT";
  if (connect && !protocol_.empty() && protocol_ != "websocket")
    return refused(501, "only websocket is available by CONNECT");
  if (authority_.empty()) authority_ = host_;
  if (!host_.empty() && !http::same_name(host_, authority_)) return refused(400, "two hosts");
  const bool has_scheme = !connect || is_tunnel();
  if (has_scheme && scheme_ != "https" && scheme_ != "http") return refused(400, "an unknown scheme");
  return {.state = http::Parsed::State::complete};
}

void H2Head::write() {
  const bool tunnel = is_tunnel();
  const std::string_view target = method_ == "CONNECT" && !tunnel ? authority_ : path_;
  text_.clear();
  text_.append(tunnel ? "GET" : std::string_view(method_)).append(" ").append(target);
  text_.append(" HTTP/1.1\r\nHost: ").append(authority_).append("\r\n").append(fields_);
  if (!cookie_.empty()) text_.append("cookie: ").append(cookie_).append("\r\n");
  if (tunnel) text_.append(kUpgrade);
  text_ += "\r\n";
}

http::Parsed H2Head::parse(http::RequestHead& head, const http::HeadLimits& limits, bool ended) {
  if (http::Parsed wrong = refusal(); wrong.state == http::Parsed::State::refused) return wrong;
  write();
  http::HeadLimits wider = limits;
  wider.bytes = text_.size();
  http::Parsed parsed = http::parse_request(text_, head, wider);
  if (parsed.state == http::Parsed::State::refused) return parsed;
  if (parsed.state == http::Parsed::State::need_more || parsed.consumed != text_.size())
    return refused(400, "the head is not one head");
  if (is_tunnel()) return parsed;
  if (!head.upgrade.empty() || head.framing.chunked) return refused(400, "a field of a connection");
  // RFC 9113 8.1.1: END_STREAM ends a body; upstreams of HTTP/1.1 need to know that there is one.
  head.framing.chunked = !ended && !head.framing.length;
  return parsed;
}

void H2Head::clear() {
  for (std::string* each : {&method_, &scheme_, &authority_, &path_, &protocol_, &host_, &cookie_, &fields_})
    each->clear();
  bytes_ = 0;
  too_large_ = false;
}

}  // namespace berth::edge
