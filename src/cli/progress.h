// What people see while a plan is applied. The board is a value that is told what happens and draws itself; the
// reporter puts it on a terminal or prints one line per change of state.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/console.h"
#include "io/loop.h"
#include "plan/apply.h"

namespace berth::cli {

/// One object that a plan works on, as it stands.
struct Item {
  std::string group{};  ///< service, "" for what is shared
  std::string kind{};   ///< "container", "network", "volume", "image"
  std::string name{};
  std::string text{};    ///< "created", "pulling 40% 12/30 MB"
  std::string detail{};  ///< of a failure or a step
  plan::Phase phase = plan::Phase::started;
  bool active = false;
  io::Time begun{};
  io::Time ended{};
  std::size_t total = 0, finished = 0;  ///< ops
  /// Layers of a pull: id -> bytes now and in all.
  std::map<std::string, std::pair<std::int64_t, std::int64_t>> layers{};
};

struct View {
  std::size_t columns = 80;
  std::size_t rows = 24;
  bool color = false;
};

/// Pure: time is an argument.
class Board {
 public:
  explicit Board(const plan::Plan& plan);
  /// Takes one event in; returns the object when its text changed.
  const Item* take(const plan::Progress& event, io::Time now);
  /// The tree as lines that fit the view; `spin` counts the redraws.
  std::vector<std::string> draw(const View& view, io::Time now, std::size_t spin) const;
  std::size_t finished() const;
  std::size_t total() const { return tasks_.size(); }

 private:
  Item& task_of(const plan::Node& node);
  void draw_group(const std::string& group, std::vector<std::string>& lines, const View& view, io::Time now,
                  std::size_t spin) const;

  std::vector<Item> tasks_;
  std::map<std::pair<std::string_view, std::string>, std::size_t> places_;  // kind and name -> index of tasks_
  std::vector<std::string> groups_;                                         // in order of appearance, "" first
  io::Time begun_{};
};

/// "creating", "created", ...: what an op's phase is called.
std::string phase_text(const plan::Op& op, plan::Phase phase);
/// One line for a log: "container shop-web-1  started".
std::string plain_line(const Item& task);
/// {"id", "parent_id", "status", "text", ...} as docker compose prints with --progress json.
std::string json_line(const Item& task);

enum class ProgressKind { tty, plain, json, quiet };

/// Redraws at most ten times a second. Thread: loop only.
class Reporter {
 public:
  Reporter(const Console& console, ProgressKind kind, io::Loop& loop, const plan::Plan& plan);
  ~Reporter();
  plan::ProgressFn sink();
  const Board& board() const { return board_; }
  /// The last drawing; nothing moves afterwards.
  void finish();

 private:
  class Ticker;
  void take(const plan::Progress& event);
  void redraw();

  const Console& console_;
  ProgressKind kind_;
  io::Loop& loop_;
  Board board_;
  std::unique_ptr<Ticker> ticker_;
  std::size_t drawn_ = 0;  // lines on the terminal
  std::size_t spin_ = 0;
};

}  // namespace berth::cli
