// The codec of HTTP/1.1 beside a slow one that is written from the grammars of RFC 9110 and 9112 alone: both accept the
// same bytes and read the same in them. Requests, replies and chunked bodies.
#include <algorithm>
#include <cstdlib>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "http/body.h"
#include "http/head.h"

namespace {

using namespace berth::http;
using Lines = std::vector<std::string>;

void require(bool holds) {
  if (!holds) std::abort();
}

// The slow one: copies everything, looks at one rule after the other, knows no limits but those of HeadLimits.

const std::string kAlpha = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", kDigit = "0123456789";
const std::string kHex = kDigit + "abcdefABCDEF", kTcharSet = kAlpha + kDigit + "!#$%&'*+-.^_`|~";

bool only(const std::string& text, const std::string& allowed) {
  return text.find_first_not_of(allowed) == std::string::npos;
}
bool is_number(const std::string& text, std::size_t most_digits) {
  return !text.empty() && text.size() <= most_digits && only(text, kDigit);
}
std::string lowered(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text;
}
std::string trimmed(const std::string& text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}
bool has_no_controls(const std::string& text) {
  return std::ranges::all_of(text,
                             [](char c) { return c == '\t' || (static_cast<unsigned char>(c) >= 32 && c != 127); });
}
/// Visible ASCII without these.
bool visible_without(const std::string& text, const std::string& excluded) {
  return std::ranges::all_of(text, [&](char c) { return c > 32 && c < 127 && excluded.find(c) == std::string::npos; });
}
bool whole_escapes(const std::string& text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') continue;
    if (text.size() - i < 3 || !only(text.substr(i + 1, 2), kHex)) return false;
  }
  return true;
}
std::vector<std::string> items(const std::string& list) {
  std::vector<std::string> out;
  for (std::size_t from = 0; from <= list.size();) {
    const std::size_t comma = std::min(list.find(',', from), list.size());
    out.push_back(trimmed(list.substr(from, comma - from)));
    from = comma + 1;
  }
  return out;
}

/// The lines of the head at the front, without the empty one; nothing while its end is not there. `size` is its length.
std::optional<Lines> lines_of(const std::string& text, std::size_t& size) {
  const std::size_t end = text.find("\r\n\r\n");
  if (end == std::string::npos) return std::nullopt;
  size = end + 4;
  Lines lines;
  for (std::size_t from = 0; from <= end;) {
    const std::size_t next = text.find("\r\n", from);
    lines.push_back(text.substr(from, next - from));
    from = next + 2;
  }
  return lines;
}

using Pairs = std::vector<std::pair<std::string, std::string>>;
struct Slow {
  Pairs fields;
  bool chunked = false;
  std::optional<std::uint64_t> length;
  bool keep_alive = false;
};

std::vector<std::string> values(const Pairs& fields, const std::string& name) {
  std::vector<std::string> out;
  for (const auto& [key, value] : fields)
    if (lowered(key) == name) out.push_back(value);
  return out;
}
bool lists(const Pairs& fields, const std::string& name, const std::string& token) {
  for (const std::string& value : values(fields, name))
    for (const std::string& item : items(value))
      if (lowered(item) == token) return true;
  return false;
}

std::optional<Pairs> slow_fields(const Lines& lines, std::size_t first) {
  Pairs fields;
  for (std::size_t i = first; i < lines.size(); ++i) {
    const std::size_t colon = lines[i].find(':');
    if (colon == std::string::npos || colon == 0) return std::nullopt;
    const std::string name = lines[i].substr(0, colon), value = trimmed(lines[i].substr(colon + 1));
    if (!only(name, kTcharSet) || !has_no_controls(value)) return std::nullopt;
    fields.emplace_back(name, value);
  }
  if (fields.size() > Fields::kMost) return std::nullopt;
  return fields;
}

/// RFC 9112 6 and 9.3. False: ambiguous.
bool slow_framing(Slow& head, int minor) {
  const auto lengths = values(head.fields, "content-length"), codings = values(head.fields, "transfer-encoding");
  if (lengths.size() + codings.size() > 1) return false;
  if (!lengths.empty()) {
    if (!is_number(lengths[0], 18)) return false;
    head.length = std::strtoull(lengths[0].c_str(), nullptr, 10);
  }
  head.chunked = !codings.empty();
  if (head.chunked && (minor == 0 || lowered(codings[0]) != "chunked")) return false;
  head.keep_alive =
      !lists(head.fields, "connection", "close") && (minor == 1 || lists(head.fields, "connection", "keep-alive"));
  return true;
}

bool slow_port(const std::string& text) {
  return text.empty() || (is_number(text, 5) && std::stoi(text) <= 65535);
}
bool slow_authority(const std::string& text) {
  const bool literal = text.starts_with('[');
  const std::size_t end = literal ? text.find(']') : text.find(':');
  if (literal && (end == std::string::npos || end < 3 || !only(text.substr(1, end - 1), kHex + ":."))) return false;
  const std::string name = literal ? text.substr(0, end + 1) : text.substr(0, end);
  const std::string rest = text.substr(name.size());
  if (!literal && (name.empty() || !only(name, kAlpha + kDigit + "-._~%") || !whole_escapes(name))) return false;
  return rest.empty() || (rest[0] == ':' && slow_port(rest.substr(1)));
}

struct SlowRequest : Slow {
  std::string method, target, path, query, authority;
  int minor = 1;
};

bool slow_path(const std::string& text, SlowRequest& head) {
  const std::size_t mark = text.find('?');
  head.path = text.substr(0, mark);
  head.query = mark == std::string::npos ? "" : text.substr(mark + 1);
  return visible_without(head.path, "#\"<>\\") && whole_escapes(head.path) && visible_without(head.query, "#\"<>");
}

bool slow_target(SlowRequest& head) {
  const std::string& target = head.target;
  if (head.method == "CONNECT") {
    head.authority = target;
    return slow_authority(target) && target.find(':') != std::string::npos;
  }
  if (target == "*") return head.method == "OPTIONS";
  if (target.starts_with('/')) return slow_path(target, head);
  const std::string low = lowered(target);
  const std::size_t scheme = low.starts_with("http://") ? 7 : low.starts_with("https://") ? 8 : 0;
  if (scheme == 0) return false;
  const std::size_t end = std::min(target.find_first_of("/?", scheme), target.size());
  head.authority = target.substr(scheme, end - scheme);
  if (!slow_authority(head.authority) || !slow_path(target.substr(end), head)) return false;
  if (head.path.empty()) head.path = "/";
  return true;
}

bool slow_host(SlowRequest& head) {
  const auto hosts = values(head.fields, "host");
  if (hosts.size() > 1 || (hosts.empty() && head.minor == 1)) return false;
  if (hosts.empty()) return true;
  if (!hosts[0].empty() && !slow_authority(hosts[0])) return false;
  const bool absolute = head.method != "CONNECT" && head.target != "*" && !head.target.starts_with('/');
  if (absolute) return lowered(hosts[0]) == lowered(head.authority);
  if (head.method != "CONNECT") head.authority = hosts[0];
  return true;
}

std::optional<SlowRequest> slow_request(std::string text, std::size_t& size) {
  const std::size_t skipped = text.starts_with("\r\n") ? 2 : 0;  // RFC 9112 2.2
  text.erase(0, skipped);
  const auto lines = lines_of(text, size);
  size += skipped;
  if (!lines) return std::nullopt;
  SlowRequest head;
  const std::string& first = (*lines)[0];
  const std::size_t a = first.find(' '), b = first.rfind(' ');
  if (a == std::string::npos || a == b) return std::nullopt;
  head.method = first.substr(0, a);
  head.target = first.substr(a + 1, b - a - 1);
  const std::string version = first.substr(b + 1);
  if (version != "HTTP/1.1" && version != "HTTP/1.0") return std::nullopt;
  head.minor = version.back() - '0';
  if (head.method.empty() || !only(head.method, kTcharSet) || !slow_target(head)) return std::nullopt;
  auto fields = slow_fields(*lines, 1);
  if (!fields) return std::nullopt;
  head.fields = std::move(*fields);
  if (!slow_framing(head, head.minor) || !slow_host(head)) return std::nullopt;
  return head;
}

struct SlowReply : Slow {
  int status = 0;
  std::string reason;
};

std::optional<SlowReply> slow_reply(const std::string& text, std::size_t& size) {
  const auto lines = lines_of(text, size);
  if (!lines) return std::nullopt;
  SlowReply head;
  const std::string& first = (*lines)[0];
  const bool shaped = first.size() >= 12 && (first.starts_with("HTTP/1.1 ") || first.starts_with("HTTP/1.0 ")) &&
                      is_number(first.substr(9, 3), 3) && (first.size() == 12 || first[12] == ' ');
  if (!shaped) return std::nullopt;
  head.status = std::stoi(first.substr(9, 3));
  head.reason = first.size() > 13 ? first.substr(13) : "";
  if (head.status < 100 || head.status > 599 || !has_no_controls(head.reason)) return std::nullopt;
  auto fields = slow_fields(*lines, 1);
  if (!fields) return std::nullopt;
  head.fields = std::move(*fields);
  if (!slow_framing(head, first[7] - '0')) return std::nullopt;
  return head;
}

/// The data of a chunked body that is whole, and what follows it.
struct SlowBody {
  std::string data, rest;
};
std::optional<SlowBody> slow_body(const std::string& text) {
  SlowBody body;
  std::size_t at = 0;
  const auto line = [&]() -> std::optional<std::string> {
    const std::size_t end = text.find("\r\n", at);
    if (end == std::string::npos) return std::nullopt;
    const std::string found = text.substr(at, end - at);
    at = end + 2;
    return found;
  };
  while (true) {
    const auto head = line();
    if (!head) return std::nullopt;
    const std::size_t mark = head->find(';');
    const std::string digits = head->substr(0, mark);
    if (digits.empty() || digits.size() > 15 || !only(digits, kHex) || !has_no_controls(*head)) return std::nullopt;
    if (mark != std::string::npos && head->size() - mark - 1 > BodyLimits{}.extension) return std::nullopt;
    const std::uint64_t size = std::strtoull(digits.c_str(), nullptr, 16);
    if (size == 0) break;
    if (text.size() - at < size + 2 || text.substr(at + size, 2) != "\r\n") return std::nullopt;
    body.data += text.substr(at, size);
    at += size + 2;
  }
  for (auto trailer = line(); trailer; trailer = line()) {
    if (trailer->empty()) {
      body.rest = text.substr(at);
      return body;
    }
    if (!slow_fields({*trailer}, 0)) return std::nullopt;
  }
  return std::nullopt;
}

// The comparison.

void same_parts(const Slow& slow, const Fields& fields, const Framing& framing, bool keep_alive) {
  require(fields.size() == slow.fields.size());
  for (std::size_t i = 0; i < fields.size(); ++i) {
    require(fields.begin()[i].name == slow.fields[i].first);
    require(fields.begin()[i].value == slow.fields[i].second);
  }
  require(framing.chunked == slow.chunked && framing.length == slow.length && keep_alive == slow.keep_alive);
}

void compare_requests(const std::string& text) {
  RequestHead fast;
  std::size_t size = 0;
  const Parsed parsed = parse_request(text, fast);
  const auto slow = slow_request(text, size);
  require(slow.has_value() == (parsed.state == Parsed::State::complete));
  if (!slow) return;
  require(parsed.consumed == size && fast.minor == slow->minor);
  require(fast.method == slow->method && fast.target == slow->target && fast.authority == slow->authority);
  require(fast.path == slow->path && fast.query == slow->query);
  same_parts(*slow, fast.fields, fast.framing, fast.keep_alive);
}

void compare_replies(const std::string& text) {
  ResponseHead fast;
  std::size_t size = 0;
  const Parsed parsed = parse_response(text, fast);
  const auto slow = slow_reply(text, size);
  require(slow.has_value() == (parsed.state == Parsed::State::complete));
  if (!slow) return;
  require(parsed.consumed == size && fast.status == slow->status && fast.reason == slow->reason);
  same_parts(*slow, fast.fields, fast.framing, fast.keep_alive);
}

void compare_bodies(const std::string& text) {
  BodyDecoder decoder({BodyKind::End::chunked, 0});
  std::string_view input = text;
  std::string data;
  BodyDecoder::Step step = decoder.next(input);
  for (; step.what == BodyDecoder::Next::data; step = decoder.next(input)) data += step.data;
  const auto slow = slow_body(text);
  require(slow.has_value() == (step.what == BodyDecoder::Next::end));
  if (slow) require(slow->data == data && slow->rest == input);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* bytes, std::size_t size) {
  if (size > (8u << 10)) return 0;  // below every limit in bytes
  const std::string text(reinterpret_cast<const char*>(bytes), size);
  compare_requests(text);
  compare_replies(text);
  compare_bodies(text);
  return 0;
}
