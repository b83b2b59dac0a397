// What the edge makes of a request and of a reply, from arbitrary bytes: the head that goes on is one that the strict
// parser reads as what was decided upon, and nothing in it pretends to come from the edge. The first byte says where
// the request came in; a request and a reply are parted by a NUL.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/text.h"
#include "edge/cleaning.h"
#include "edge/forward.h"
#include "edge/path.h"

namespace {

using namespace berth;
using namespace berth::edge;
using http::same_name;
using State = http::Parsed::State;

void require(bool held) {
  if (!held) __builtin_trap();
}

std::vector<std::string_view> values(const http::Fields& fields, std::string_view name) {
  std::vector<std::string_view> out;
  for (const http::Field& field : fields)
    if (same_name(field.name, name)) out.push_back(field.value);
  return out;
}
bool is_only(const http::Fields& fields, std::string_view name, std::string_view value) {
  return values(fields, name) == std::vector<std::string_view>{value};
}

/// The canonical path by its definition: segment for segment.
void check_path(std::string_view path) {
  require(path.starts_with('/'));
  std::vector<std::string_view> segments = split(path.substr(1), '/');
  for (std::size_t i = 0; i < segments.size(); ++i) {
    require(segments[i] != "." && segments[i] != "..");
    require(!segments[i].empty() || i + 1 == segments.size());
  }
  for (const std::string_view bad : {"%2F", "%2f", "%5C", "%5c", "%00", "%25", "\\", "%2E", "%2e", "%41"})
    require(!path.contains(bad));
  std::string storage;
  const auto again = canonical_path(path, storage);
  require(again.has_value() && *again == path);
}

struct Place {
  Hop hop;
  bool trusted = false, websocket = false;
};
Place place_of(unsigned char byte) {
  Place place;
  place.hop.listener = (byte & 1) != 0 ? Listener::web : Listener::websecure;
  place.hop.peer_text = "192.0.2.7";
  place.hop.server = "berth";
  place.trusted = (byte & 2) != 0;
  place.websocket = (byte & 4) != 0;
  return place;
}

/// No field of the client's connection, none that CGI would mix up, none by which it would speak for the edge.
void check_fields(const http::Fields& fields, const http::RequestHead& asked, const Place& place) {
  for (const http::Field& field : fields) require(!field.name.contains('_'));
  for (const std::string_view name :
       {"keep-alive", "te", "trailer", "proxy-connection", "proxy-authorization", "http2-settings", "expect"})
    require(values(fields, name).empty());
  require(values(fields, "connection").size() == (place.websocket ? 1u : 0u));
  require(values(fields, "upgrade").size() == (place.websocket ? 1u : 0u));
  require(values(fields, "cookie") == values(asked.fields, "cookie"));
  require(values(fields, "authorization") == values(asked.fields, "authorization"));
  require(is_only(fields, "host", asked.authority));
  if (place.trusted) return;
  require(is_only(fields, "x-forwarded-for", "192.0.2.7") && is_only(fields, "x-real-ip", "192.0.2.7"));
  require(is_only(fields, "x-forwarded-host", asked.authority));
  require(is_only(fields, "x-forwarded-proto", place.hop.scheme()));
  require(values(fields, "forwarded").empty() && values(fields, "x-forwarded-prefix").empty());
  for (const http::Field& field : fields) require(!lower(field.name).starts_with("x-original-"));
}

void check_request(const http::RequestHead& asked, const Place& place) {
  std::string host, storage;
  if (!request_host(asked.authority, host)) return;
  const auto path = canonical_path(asked.path, storage);
  if (!path) return;
  check_path(*path);
  Rewritten rewritten;
  rewritten.begin(*path);
  static const Route kRoute{.name = "r", .rule = {}, .priority = 0, .listeners = {}, .service = {}};
  std::string out;
  http::RequestHead cleaned = asked;
  clean_request(cleaned, place.trusted);
  append_request(out, {.head = cleaned,
                       .route = kRoute,
                       .rewritten = rewritten,
                       .hop = place.hop,
                       .host = asked.authority,
                       .trusted = place.trusted,
                       .websocket = place.websocket});
  http::RequestHead sent;
  const auto parsed =
      http::parse_request(out, sent, {.bytes = out.size() + 1, .target = out.size(), .fields = http::Fields::kRoom});
  require(parsed.state == State::complete && parsed.consumed == out.size());
  require(sent.method == asked.method && sent.path == *path && sent.query == asked.query);
  require(http::body_of(sent) == http::body_of(asked));
  check_fields(sent.fields, asked, place);
}

void check_reply(std::string_view text, const http::RequestHead& asked) {
  http::ResponseHead reply;
  const auto parsed = http::parse_response(text, reply);
  if (parsed.state != State::complete || reply.status < 200) return;
  const http::BodyKind body = http::body_of(reply, asked.method);
  clean_reply(reply);
  const ReplyShape shape = shape_reply(asked, reply, body.end != http::BodyKind::End::none, true);
  std::string out;
  append_reply(out, reply, shape);
  http::ResponseHead sent;
  const auto again =
      http::parse_response(out, sent, {.bytes = out.size() + 1, .target = 0, .fields = http::Fields::kRoom});
  require(again.state == State::complete && again.consumed == out.size() && sent.status == reply.status);
  const http::BodyKind ends = http::body_of(sent, asked.method);
  // The client finds the end where the edge does, or by the end of the connection.
  using End = http::BodyKind::End;
  require(ends.end == End::length ? ends == body : ends.end != End::close || !sent.keep_alive);
  require((ends.end == End::none) == (body.end == End::none));
  for (const std::string_view name : {"keep-alive", "trailer", "upgrade", "proxy-authenticate"})
    require(values(sent.fields, name).empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::size_t middle = text.find('\0');
  http::RequestHead asked;
  if (http::parse_request(text.substr(0, middle), asked).state != State::complete) return 0;
  if (asked.form == http::Form::origin || asked.form == http::Form::absolute) check_request(asked, place_of(data[0]));
  if (middle != std::string_view::npos) check_reply(text.substr(middle + 1), asked);
  return 0;
}
