// Where a command writes: data to `out`, messages to `err`, and what is known of the terminals behind them.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace berth::cli {

/// One output of the program.
struct Sink {
  std::function<void(std::string_view)> write;
  bool terminal = false;
  bool color = false;
};

/// SGR attributes; `colored` leaves the text alone when the sink has no colour.
enum class Color { plain, bold, dim, red, green, yellow, blue, magenta, cyan };
std::string colored(const Sink& sink, Color color, std::string_view text);
/// The same sequence with nothing decided: "\x1b[31m" ... "\x1b[0m".
std::string colored(Color color, std::string_view text);

struct Console {
  Sink out;
  Sink err;
  bool in_terminal = false;
  bool status_on_out = false;                        ///< COMPOSE_STATUS_STDOUT
  std::function<int()> columns = [] { return 80; };  ///< of the terminal behind `err`, now
  std::function<int()> rows = [] { return 24; };
  /// The next line of standard input without its end; none at its end. Blocks.
  std::function<std::optional<std::string>()> read_line = [] { return std::nullopt; };

  void print(std::string_view text) const { out.write(text); }
  /// Where progress is shown.
  const Sink& status() const { return status_on_out ? out : err; }
  /// "berth: message" and the detail's lines below it.
  void error(const Error& error) const;
  void warning(std::string_view text) const;
  /// A plain line for people.
  void note(std::string_view text) const;
};

/// Columns that the text takes on a terminal: escape sequences and continuation bytes of UTF-8 take none.
std::size_t display_width(std::string_view text);
/// At most `columns` wide, ending in "…" when cut; escape sequences stay whole.
std::string fit(std::string_view text, std::size_t columns);
/// The text without ASCII control characters but tab (texts of containers and engines may hold escape sequences).
std::string printable(std::string_view text);

/// Rows as aligned columns, two or three spaces apart, the first row being the header.
std::string table(const std::vector<std::vector<std::string>>& rows);

}  // namespace berth::cli
