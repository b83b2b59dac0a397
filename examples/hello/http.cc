#include "http.h"

#include <algorithm>
#include <charconv>

namespace {

constexpr size_t kMostHead = 64 * 1024;
constexpr size_t kMostBody = 1024 * 1024;

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

/// A whole text that is one number in `base`; false for anything else.
bool to_number(std::string_view text, size_t& number, int base) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  return error == std::errc{} && end == text.data() + text.size();
}

std::string_view take_line(std::string_view& text) {
  const size_t end = text.find("\r\n");
  std::string_view line = text.substr(0, end);
  text.remove_prefix(end == text.npos ? text.size() : end + 2);
  return line;
}

bool parse_head(std::string_view head, Request& request) {
  std::string_view line = take_line(head);
  const size_t first = line.find(' ');
  const size_t last = line.rfind(' ');
  if (first == line.npos || last == first || line.substr(last + 1, 7) != "HTTP/1.") return false;
  request.method = line.substr(0, first);
  const std::string_view target = line.substr(first + 1, last - first - 1);
  const size_t mark = target.find('?');
  request.path = target.substr(0, mark);
  request.query = mark == target.npos ? "" : target.substr(mark + 1);
  while (!head.empty()) {
    line = take_line(head);
    const size_t colon = line.find(':');
    if (colon == line.npos || colon == 0) return false;
    request.headers.emplace_back(line.substr(0, colon), trimmed(line.substr(colon + 1)));
  }
  return true;
}

/// Decodes a chunked body at `used`; moves `used` behind it. Trailers are refused.
Parsed take_chunks(std::string_view buffer, size_t& used, std::string& body) {
  while (body.size() <= kMostBody) {
    const size_t end = buffer.find("\r\n", used);
    if (end == buffer.npos) return buffer.size() - used > 64 ? Parsed::bad : Parsed::more;
    size_t size = 0;
    const std::string_view line = buffer.substr(used, end - used);
    if (!to_number(line.substr(0, line.find(';')), size, 16) || size > kMostBody) return Parsed::bad;
    if (buffer.size() < end + 2 + size + 2) return Parsed::more;
    if (buffer.substr(end + 2 + size, 2) != "\r\n") return Parsed::bad;
    body += buffer.substr(end + 2, size);
    used = end + 2 + size + 2;
    if (size == 0) return Parsed::done;
  }
  return Parsed::bad;
}

Parsed take_body(std::string_view buffer, size_t& used, Request& request) {
  if (same_text(request.header("transfer-encoding"), "chunked")) return take_chunks(buffer, used, request.body);
  const std::string_view length = request.header("content-length");
  size_t size = 0;
  if (!length.empty() && (!to_number(length, size, 10) || size > kMostBody)) return Parsed::bad;
  if (buffer.size() < used + size) return Parsed::more;
  request.body = buffer.substr(used, size);
  used += size;
  return Parsed::done;
}

}  // namespace

bool same_text(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, lower, lower);
}

std::string_view Request::header(std::string_view name) const {
  auto found = std::ranges::find_if(headers, [&](const auto& header) { return same_text(header.first, name); });
  return found == headers.end() ? std::string_view{} : found->second;
}

int Request::number(std::string_view name, int otherwise, int most) const {
  std::string_view rest = query;
  while (!rest.empty()) {
    const std::string_view pair = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
    size_t value = 0;
    if (pair.starts_with(name) && pair.substr(name.size()).starts_with('=') &&
        to_number(pair.substr(name.size() + 1), value, 10))
      return static_cast<int>(std::clamp<size_t>(value, 1, static_cast<size_t>(most)));
  }
  return otherwise;
}

Parsed take_request(std::string& buffer, Request& request) {
  const size_t end = buffer.find("\r\n\r\n");
  if (end == buffer.npos) return buffer.size() > kMostHead ? Parsed::bad : Parsed::more;
  const std::string_view text = buffer;
  request = {};
  if (end > kMostHead || !parse_head(text.substr(0, end), request)) return Parsed::bad;
  size_t used = end + 4;
  if (Parsed body = take_body(text, used, request); body != Parsed::done) return body;
  const bool http10 = text.substr(0, text.find("\r\n")).ends_with("HTTP/1.0");
  request.keep_alive = !http10 && !same_text(request.header("connection"), "close");
  buffer.erase(0, used);
  return Parsed::done;
}

std::string escape_html(std::string_view text) {
  std::string out;
  for (char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string response_head(std::string_view status, std::string_view type, std::string_view extra) {
  std::string head = "HTTP/1.1 ";
  head.append(status).append("\r\n");
  if (!type.empty()) head.append("Content-Type: ").append(type).append("\r\n");
  return head.append(extra).append("\r\n");
}

std::string chunk(std::string_view text) {
  char size[16];
  auto end = std::to_chars(size, size + sizeof size, text.size(), 16).ptr;
  return std::string(size, end).append("\r\n").append(text).append("\r\n");
}
