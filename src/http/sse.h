// Server-sent events (WHATWG HTML 9.2) as text. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace berth::http {

struct Event {
  std::string_view id{};    ///< "" leaves the client's last one as it is
  std::string_view name{};  ///< "" is "message"
  std::string_view data{};  ///< any text; its lines arrive joined by "\n"
};
/// Appends it with the empty line that ends it. Line ends and NUL in `id` and `name` are dropped: they cannot be sent.
void append_event(std::string& out, const Event& event);
/// A comment, which clients drop: it shows that the connection lives.
inline constexpr std::string_view kHeartbeat = ":\n\n";
/// The number in a Last-Event-ID field; nothing for another text.
std::optional<std::uint64_t> last_event_number(std::string_view text);

}  // namespace berth::http
