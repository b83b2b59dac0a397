// What a line of a log becomes on the wire. Pure.
#pragma once

#include <cstdint>
#include <string>

#include "api/log_lines.h"

namespace berth::api {

enum class LogForm {
  events,        ///< server-sent events {"stream", "at" in milliseconds, "text"}, their id nanoseconds since 1970
  plain_events,  ///< server-sent events whose data is the line itself
  text,
  stamped_text,  ///< each line with its time
  frames,        ///< WebSocket: a text message a line; bytes that are no UTF-8 become U+FFFD
};
inline constexpr std::size_t kLogForms = 5;

void append_line(std::string& out, LogForm form, const LogLine& line);
/// That so many lines are missing here.
void append_gap(std::string& out, LogForm form, std::uint64_t lost);
/// Tells lines apart: equal for the same line, read twice.
std::uint64_t mark_of(const LogLine& line);

}  // namespace berth::api
