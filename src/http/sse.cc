#include "http/sse.h"

#include <charconv>

namespace berth::http {
namespace {

void append_word(std::string& out, std::string_view field, std::string_view value) {
  if (value.empty()) return;
  out.append(field).append(": ");
  for (const char c : value)
    if (c != '\n' && c != '\r' && c != '\0') out += c;
  out += '\n';
}

}  // namespace

void append_event(std::string& out, const Event& event) {
  append_word(out, "id", event.id);
  append_word(out, "event", event.name);
  std::string_view rest = event.data;
  while (true) {
    const std::size_t end = rest.find_first_of("\r\n");
    out.append("data: ").append(rest.substr(0, end)).append("\n");
    if (end == std::string_view::npos) break;
    const bool pair = rest[end] == '\r' && end + 1 < rest.size() && rest[end + 1] == '\n';
    rest.remove_prefix(end + (pair ? 2 : 1));
  }
  out += '\n';
}

std::optional<std::uint64_t> last_event_number(std::string_view text) {
  std::uint64_t number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) return {};
  return number;
}

}  // namespace berth::http
