#include "api/log_form.h"

#include <functional>

#include "base/json.h"
#include "base/utf8.h"
#include "http/sse.h"
#include "http/websocket.h"

namespace berth::api {
namespace {

using Kind = http::WebSocketMessage::Kind;

std::string id_of(const LogLine& line) {
  return line.at == 0 ? std::string() : std::to_string(line.at);
}

std::string event_data(const LogLine& line) {
  std::string out = line.err ? R"({"stream":"err","at":)" : R"({"stream":"out","at":)";
  out.append(std::to_string(line.at / 1'000'000)).append(R"(,"text":)");
  return out.append(quote_json(line.text)).append("}");
}

std::string gap_text(std::uint64_t lost) {
  return "[berth] " + std::to_string(lost) + " lines are missing here: they came faster than they were read";
}

}  // namespace

void append_line(std::string& out, LogForm form, const LogLine& line) {
  switch (form) {
    case LogForm::events:
      return http::append_event(out, {.id = id_of(line), .data = event_data(line)});
    case LogForm::plain_events:
      return http::append_event(out, {.id = id_of(line), .data = line.text});
    case LogForm::stamped_text:
      out.append(line.stamp).append(" ");
      [[fallthrough]];
    case LogForm::text:
      out.append(line.text).append("\n");
      return;
    case LogForm::frames:
      return http::append_frame(out, Kind::text, clean_utf8(line.text));
  }
}

void append_gap(std::string& out, LogForm form, std::uint64_t lost) {
  switch (form) {
    case LogForm::events:
    case LogForm::plain_events:
      return http::append_event(out, {.name = "gap", .data = "{\"lost\":" + std::to_string(lost) + "}"});
    case LogForm::text:
    case LogForm::stamped_text:
      out.append(gap_text(lost)).append("\n");
      return;
    case LogForm::frames:
      return http::append_frame(out, Kind::text, gap_text(lost));
  }
}

std::uint64_t mark_of(const LogLine& line) {
  constexpr std::uint64_t kOdd = 0x9E37'79B9'7F4A'7C15;
  const auto at = static_cast<std::uint64_t>(line.at) * 2 + (line.err ? 1 : 0);
  return std::hash<std::string_view>{}(line.text) ^ (at * kOdd);
}

}  // namespace berth::api
