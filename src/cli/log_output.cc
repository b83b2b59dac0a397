#include "cli/log_output.h"

#include <algorithm>

#include "base/text.h"

namespace berth::cli {
namespace {

constexpr std::size_t kLongest = 64 * 1024;
constexpr Color kColors[] = {Color::cyan, Color::yellow, Color::green, Color::magenta, Color::blue};

void give(std::string_view line, const LineSplitter::Line& each) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  each(line);
}

}  // namespace

void LineSplitter::add(std::string_view bytes, const Line& each) {
  for (;;) {
    const auto end = bytes.find('\n');
    if (end == std::string_view::npos) break;
    if (left_.empty()) {
      give(bytes.substr(0, end), each);
    } else {
      left_ += bytes.substr(0, end);
      give(left_, each);
      left_.clear();
    }
    bytes.remove_prefix(end + 1);
  }
  left_ += bytes;
  if (left_.size() < kLongest) return;
  each(left_);
  left_.clear();
}

void LineSplitter::finish(const Line& each) {
  if (!left_.empty()) give(left_, each);
  left_.clear();
}

TimedLine cut_time(std::string_view line) {
  const auto [time, text, found] = cut(line, ' ');
  const bool is_time = time.size() >= 20 && time[4] == '-' && time[10] == 'T';
  return is_time ? TimedLine{time, text} : TimedLine{{}, line};
}

void LogPrinter::expect(std::string_view name, std::string_view service) {
  width_ = std::max(width_, name.size());
  places_.try_emplace(std::string(service), places_.size());
}

std::string LogPrinter::prefix_of(std::string_view name, std::string_view service, const Sink& sink) {
  expect(name, service);
  std::string text(name);
  text.append(width_ - name.size(), ' ').append("  | ");
  if (!style_.color || !sink.color) return text;
  return colored(kColors[places_.find(service)->second % std::size(kColors)], text);
}

void LogPrinter::print(std::string_view name, std::string_view service, bool error, TimedLine line) {
  const Sink& sink = error && style_.split_errors ? console_.err : console_.out;
  std::string text = style_.prefix ? prefix_of(name, service, sink) : std::string();
  if (style_.times && !line.time.empty()) text.append(line.time).append(" ");
  sink.write(text.append(line.text).append("\n"));
}

}  // namespace berth::cli
