// Lines of many containers on one output: prefixes, colours, times.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "cli/console.h"

namespace berth::cli {

/// Cuts a stream of bytes into lines; a carriage return before the newline is dropped. A line longer than 64 KiB is
/// given out in pieces.
class LineSplitter {
 public:
  using Line = std::function<void(std::string_view line)>;
  void add(std::string_view bytes, const Line& each);
  /// The last line without its newline.
  void finish(const Line& each);

 private:
  std::string left_;
};

/// "2026-01-02T15:04:05.000000001Z text" at its first space. The time is empty when there is none.
struct TimedLine {
  std::string_view time;
  std::string_view text;
};
TimedLine cut_time(std::string_view line);

struct LogStyle {
  bool prefix = true;
  bool color = true;
  bool times = false;
  bool split_errors = false;  ///< what a container writes to stderr goes to ours
};

/// Prints lines as "web-1  | text"; each service has its colour, by the order in which they were named.
class LogPrinter {
 public:
  LogPrinter(const Console& console, LogStyle style) : console_(console), style_(style) {}
  /// Makes room for a name; widths only grow.
  void expect(std::string_view name, std::string_view service);
  void print(std::string_view name, std::string_view service, bool error, TimedLine line);

 private:
  std::string prefix_of(std::string_view name, std::string_view service, const Sink& sink);

  const Console& console_;
  LogStyle style_;
  std::size_t width_ = 0;
  std::map<std::string, std::size_t, std::less<>> places_;  // service -> its place in the colours
};

}  // namespace berth::cli
