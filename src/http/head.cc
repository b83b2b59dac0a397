#include "http/head.h"

#include <cstring>

#include "http/text.h"

namespace berth::http {
namespace {

Parsed refuse(int status, std::string_view reason) {
  return {.state = Parsed::State::refused, .status = status, .reason = reason};
}
Parsed complete(std::size_t consumed) {
  return {.state = Parsed::State::complete, .consumed = consumed};
}
bool went_on(const Parsed& parsed) {
  return parsed.state == Parsed::State::complete;
}

struct Line {
  std::string_view text{};
  std::size_t next = 0;  ///< where the following line starts
};

// The line at `from`, without its CRLF. `broken`: a bare LF, or a CR that cannot be that of a line end. A CR inside a
// whole line is left to those who read it, none of whom takes one: line_fault() then says what it is.
enum class LineState { ok, partial, broken };
LineState take_line(std::string_view buffer, std::size_t from, Line& line) {
  const char* start = buffer.data() + from;
  const std::size_t left = buffer.size() - from;
  const auto* feed = left == 0 ? nullptr : static_cast<const char*>(std::memchr(start, '\n', left));
  if (!feed) {
    const auto* carriage = left == 0 ? nullptr : static_cast<const char*>(std::memchr(start, '\r', left));
    // A CR may only be the last byte so far; anything after it cannot be its LF.
    const bool stray = carriage && carriage + 1 != start + left;
    return stray ? LineState::broken : LineState::partial;
  }
  if (feed == start || feed[-1] != '\r') return LineState::broken;
  const auto length = static_cast<std::size_t>(feed - start);
  line = {std::string_view(start, length - 1), from + length + 1};
  return LineState::ok;
}

Parsed line_fault(const Line& line, const Parsed& parsed) {
  return line.text.contains('\r') ? refuse(400, "bare CR or LF") : parsed;
}

bool valid_percents(std::string_view text) {
  for (std::size_t at = text.find('%'); at != std::string_view::npos; at = text.find('%', at + 1))
    if (at + 2 >= text.size() || !in_class(text[at + 1], kHexByte) || !in_class(text[at + 2], kHexByte)) return false;
  return true;
}

bool is_port(std::string_view text) {
  if (text.size() > 5) return false;
  unsigned value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return false;
    value = value * 10 + static_cast<unsigned>(c - '0');
  }
  return value <= 65535;
}

bool split_path(std::string_view text, RequestHead& head) {
  const std::size_t mark = text.find('?');
  head.path = text.substr(0, mark);
  head.query = mark == std::string_view::npos ? std::string_view() : text.substr(mark + 1);
  return all_in_class(head.path, kPathByte) && valid_percents(head.path) && all_in_class(head.query, kQueryByte);
}

// RFC 9112 3.2.2; the authority is checked by the caller.
bool parse_absolute(std::string_view target, RequestHead& head) {
  const std::size_t colon = target.find("://");
  if (colon == std::string_view::npos) return false;
  const std::string_view scheme = target.substr(0, colon);
  if (!same_name(scheme, "http") && !same_name(scheme, "https")) return false;
  const std::string_view rest = target.substr(colon + 3);
  const std::size_t end = rest.find_first_of("/?");
  head.form = Form::absolute;
  head.authority = rest.substr(0, end);
  if (head.authority.empty() || !is_authority(head.authority)) return false;
  if (!split_path(end == std::string_view::npos ? std::string_view() : rest.substr(end), head)) return false;
  if (head.path.empty()) head.path = "/";
  return true;
}

bool parse_target(RequestHead& head) {
  const std::string_view target = head.target;
  if (head.method == "CONNECT") {
    head.form = Form::authority;
    head.authority = target;
    return target.find(':') != std::string_view::npos && is_authority(target);
  }
  if (target == "*") {
    head.form = Form::asterisk;
    return head.method == "OPTIONS";
  }
  if (!target.empty() && target.front() == '/') {
    head.form = Form::origin;
    return split_path(target, head);
  }
  return parse_absolute(target, head);
}

// "HTTP/1.0" or "HTTP/1.1"; 505 for another version, 400 for what is none.
Parsed parse_version(std::string_view text, int& minor) {
  const bool shaped = text.size() == 8 && text.starts_with("HTTP/") && text[6] == '.' && text[5] >= '0' &&
                      text[5] <= '9' && text[7] >= '0' && text[7] <= '9';
  if (!shaped) return refuse(400, "malformed HTTP version");
  if (text[5] != '1' || text[7] > '1') return refuse(505, "HTTP version is neither 1.0 nor 1.1");
  minor = text[7] - '0';
  return complete(0);
}

Parsed parse_request_line(std::string_view line, RequestHead& head, const HeadLimits& limits) {
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) return refuse(400, "malformed request line");
  head.method = line.substr(0, first);
  head.target = line.substr(first + 1, last - first - 1);
  if (!is_token(head.method)) return refuse(400, "method is not a token");
  if (const Parsed version = parse_version(line.substr(last + 1), head.minor); !went_on(version)) return version;
  if (head.target.size() > limits.target) return refuse(414, "request target is too long");
  if (!parse_target(head)) return refuse(400, "malformed request target");
  return complete(0);
}

Parsed parse_status_line(std::string_view line, ResponseHead& head) {
  if (line.size() < 12) return refuse(400, "malformed status line");
  if (const Parsed version = parse_version(line.substr(0, 8), head.minor); !went_on(version)) return version;
  int status = 0;
  for (const char c : line.substr(9, 3)) {
    if (c < '0' || c > '9') return refuse(400, "malformed status code");
    status = status * 10 + (c - '0');
  }
  // Real servers leave out the space before an empty reason.
  if (line[8] != ' ' || (line.size() > 12 && line[12] != ' ')) return refuse(400, "malformed status line");
  if (status < 100 || status > 599) return refuse(400, "status code out of range");
  head.status = status;
  head.reason = line.size() > 13 ? line.substr(13) : std::string_view();
  if (!all_in_class(head.reason, kFieldByte)) return refuse(400, "control byte in the reason phrase");
  return complete(0);
}

std::string_view name_fault(std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return "field line without a colon";
  if (colon > 0 && (line[colon - 1] == ' ' || line[colon - 1] == '\t'))
    return "white space between field name and colon";
  return "field name is not a token";
}

Parsed parse_field(std::string_view line, Field& field) {
  if (line.front() == ' ' || line.front() == '\t') return refuse(400, "folded field line");
  std::size_t end = 0;
  while (end < line.size() && in_class(line[end], kTchar)) ++end;
  if (end == 0 || end == line.size() || line[end] != ':') return refuse(400, name_fault(line));
  field.name = line.substr(0, end);
  field.value = trim_ows(line.substr(end + 1));
  if (!all_field_bytes(field.value)) return refuse(400, "control byte in a field value");
  return complete(0);
}

// The field lines from `at` to the empty line; `consumed` is the end of the head.
Parsed parse_fields(std::string_view buffer, std::size_t at, Fields& fields, const HeadLimits& limits) {
  while (true) {
    Line line;
    const LineState state = take_line(buffer, at, line);
    if (state == LineState::broken) return refuse(400, "bare CR or LF");
    if (state == LineState::partial) {
      if (buffer.size() >= limits.bytes) return refuse(431, "head is too large");
      return {};
    }
    if (line.next > limits.bytes) return refuse(431, "head is too large");
    at = line.next;
    if (line.text.empty()) return complete(at);
    Field field;
    if (const Parsed parsed = parse_field(line.text, field); !went_on(parsed)) return line_fault(line, parsed);
    if (fields.size() >= limits.fields || !fields.add(field)) return refuse(431, "too many field lines");
  }
}

Parsed read_length(std::string_view value, Framing& framing) {
  if (framing.length) return refuse(400, "more than one Content-Length");
  std::uint64_t length = 0;
  if (value.empty() || value.size() > 18) return refuse(400, "malformed Content-Length");
  for (const char c : value) {
    if (c < '0' || c > '9') return refuse(400, "malformed Content-Length");
    length = length * 10 + static_cast<std::uint64_t>(c - '0');
  }
  framing.length = length;
  return complete(0);
}

Parsed read_coding(std::string_view value, Framing& framing) {
  if (framing.chunked) return refuse(400, "more than one Transfer-Encoding");
  if (same_name(value, "chunked")) {
    framing.chunked = true;
    return complete(0);
  }
  // A single or listed other coding is one that we do not speak; a list that repeats chunked is an attack.
  std::string_view rest = value;
  bool malformed = value.empty();
  bool chunked = false;
  while (!rest.empty()) {
    const std::string_view item = next_item(rest);
    malformed = malformed || chunked || !is_token(item.substr(0, item.find(';')));
    chunked = chunked || same_name(item, "chunked");
  }
  return malformed ? refuse(400, "malformed Transfer-Encoding") : refuse(501, "transfer coding other than chunked");
}

// RFC 9112 6.1 to 6.3: one framing, or none at all.
Parsed read_framing(const Fields& fields, int minor, Framing& framing) {
  if (!fields.may_have("content-length") && !fields.may_have("transfer-encoding")) return complete(0);
  for (const Field& field : fields) {
    Parsed parsed = complete(0);
    if (same_name(field.name, "content-length")) parsed = read_length(field.value, framing);
    if (same_name(field.name, "transfer-encoding")) parsed = read_coding(field.value, framing);
    if (!went_on(parsed)) return parsed;
  }
  if (framing.chunked && framing.length) return refuse(400, "both Content-Length and Transfer-Encoding");
  if (framing.chunked && minor == 0) return refuse(400, "Transfer-Encoding in HTTP/1.0");
  return complete(0);
}

template <class Head>
void read_connection(Head& head) {
  head.keep_alive = head.minor == 1;
  if (!head.fields.may_have("connection")) return;
  bool close = false, keep = false, upgrade = false;
  for (const Field& field : head.fields) {
    if (!same_name(field.name, "connection")) continue;
    for (std::string_view rest = field.value; !rest.empty();) {
      const std::string_view item = next_item(rest);
      close = close || same_name(item, "close");
      keep = keep || same_name(item, "keep-alive");
      upgrade = upgrade || same_name(item, "upgrade");
    }
  }
  head.keep_alive = !close && (head.minor == 1 || keep);
  if (head.minor == 1 && upgrade) head.upgrade = head.fields.get("upgrade");
}

Parsed read_host(RequestHead& head, HostRule rule) {
  std::optional<std::string_view> host;
  for (const Field& field : head.fields) {
    if (!same_name(field.name, "host")) continue;
    if (host) return refuse(400, "more than one Host");
    host = field.value;
  }
  if (!host) {
    if (rule == HostRule::required && head.minor == 1) return refuse(400, "no Host");
    return complete(0);
  }
  if (!host->empty() && !is_authority(*host)) return refuse(400, "malformed Host");
  if (head.form == Form::origin || head.form == Form::asterisk) head.authority = *host;
  // RFC 9112 3.2.2 lets the target win; two different names for one request are a routing attack.
  if (head.form == Form::absolute && !same_name(*host, head.authority))
    return refuse(400, "Host differs from the request target");
  return complete(0);
}

// Where the first line starts, past one empty line; `partial` while that is open.
LineState skip_empty_line(std::string_view buffer, std::size_t& at) {
  if (!buffer.starts_with('\r')) return LineState::ok;
  if (buffer.size() == 1) return LineState::partial;
  if (buffer[1] != '\n') return LineState::broken;
  at = 2;
  return LineState::ok;
}

}  // namespace

bool same_text(std::string_view a, std::string_view b) {
  return same_letters(a, b);
}

std::optional<std::string_view> Fields::find(std::string_view name) const {
  if (!may_have(name)) return std::nullopt;
  for (const Field& field : *this)
    if (same_name(field.name, name)) return field.value;
  return std::nullopt;
}

bool Fields::has_token(std::string_view name, std::string_view token) const {
  if (!may_have(name)) return false;
  for (const Field& field : *this) {
    if (!same_name(field.name, name)) continue;
    std::string_view rest = field.value;
    while (!rest.empty())
      if (same_name(next_item(rest), token)) return true;
  }
  return false;
}

bool Fields::add(Field field) {
  if (count_ == kRoom) return false;
  fields_[count_++] = field;
  names_ |= std::uint64_t{1} << mark_of(field.name);
  return true;
}

Parsed parse_request(std::string_view buffer, RequestHead& head, const HeadLimits& limits, HostRule host) {
  head.fields.clear();
  head.framing = {};
  head.path = head.query = head.authority = head.upgrade = {};
  std::size_t at = 0;
  const LineState start = skip_empty_line(buffer, at);
  if (start == LineState::broken) return refuse(400, "bare CR or LF");
  if (start == LineState::partial) return {};
  Line line;
  const LineState first = take_line(buffer, at, line);
  if (first == LineState::broken) return refuse(400, "bare CR or LF");
  if (first == LineState::partial) {
    std::string_view method = buffer.substr(at, buffer.substr(at).find(' '));
    if (method.ends_with('\r')) method.remove_suffix(1);
    // A TLS hello or HTTP/2 in binary shows here, and need not wait for a line end that never comes.
    if (!all_in_class(method, kTchar)) return refuse(400, "method is not a token");
    if (buffer.size() > limits.target + 64) return refuse(414, "request target is too long");
    return buffer.size() >= limits.bytes ? refuse(431, "head is too large") : Parsed{};
  }
  if (const Parsed parsed = parse_request_line(line.text, head, limits); !went_on(parsed))
    return line_fault(line, parsed);
  const Parsed fields = parse_fields(buffer, line.next, head.fields, limits);
  if (!went_on(fields)) return fields;
  if (const Parsed parsed = read_framing(head.fields, head.minor, head.framing); !went_on(parsed)) return parsed;
  if (const Parsed parsed = read_host(head, host); !went_on(parsed)) return parsed;
  read_connection(head);
  head.expect_continue = head.minor == 1 && same_name(head.fields.get("expect"), "100-continue");
  return fields;
}

Parsed parse_response(std::string_view buffer, ResponseHead& head, const HeadLimits& limits) {
  head.fields.clear();
  head.framing = {};
  head.upgrade = {};
  Line line;
  const LineState first = take_line(buffer, 0, line);
  if (first == LineState::broken) return refuse(400, "bare CR or LF");
  if (first == LineState::partial) return buffer.size() >= limits.bytes ? refuse(431, "head is too large") : Parsed{};
  if (const Parsed parsed = parse_status_line(line.text, head); !went_on(parsed)) return line_fault(line, parsed);
  const Parsed fields = parse_fields(buffer, line.next, head.fields, limits);
  if (!went_on(fields)) return fields;
  if (const Parsed parsed = read_framing(head.fields, head.minor, head.framing); !went_on(parsed)) return parsed;
  read_connection(head);
  return fields;
}

bool is_token(std::string_view text) {
  return !text.empty() && all_in_class(text, kTchar);
}

bool is_field_value(std::string_view text) {
  return all_in_class(text, kFieldByte) && trim_ows(text) == text;
}

bool is_authority(std::string_view text) {
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos || end < 3) return false;
    for (const char c : text.substr(1, end - 1))
      if (!in_class(c, kHexByte) && c != ':' && c != '.') return false;
    const std::string_view rest = text.substr(end + 1);
    return rest.empty() || (rest.front() == ':' && is_port(rest.substr(1)));
  }
  const std::size_t colon = text.find(':');
  const std::string_view name = text.substr(0, colon);
  if (name.empty() || !all_in_class(name, kHostByte) || !valid_percents(name)) return false;
  return colon == std::string_view::npos || is_port(text.substr(colon + 1));
}

void append_request_line(std::string& out, std::string_view method, std::string_view target) {
  out.append(method).append(" ").append(target).append(" HTTP/1.1\r\n");
}

void append_status_line(std::string& out, int status, std::string_view reason) {
  out.append("HTTP/1.1 ").append(std::to_string(status)).append(" ").append(reason).append("\r\n");
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
  const std::size_t before = out.size(), after = before + name.size() + value.size() + 4;
  out.resize_and_overwrite(after, [&](char* bytes, std::size_t) {
    char* at = bytes + before;
    std::memcpy(at, name.data(), name.size());
    at += name.size();
    std::memcpy(at, ": ", 2);
    if (!value.empty()) std::memcpy(at + 2, value.data(), value.size());
    std::memcpy(at + 2 + value.size(), "\r\n", 2);
    return after;
  });
}

void append_head(std::string& out, const RequestHead& head) {
  append_request_line(out, head.method, head.target);
  for (const Field& field : head.fields) append_field(out, field.name, field.value);
  out.append("\r\n");
}

void append_head(std::string& out, const ResponseHead& head) {
  append_status_line(out, head.status, head.reason);
  for (const Field& field : head.fields) append_field(out, field.name, field.value);
  out.append("\r\n");
}

}  // namespace berth::http
