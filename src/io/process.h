// Child processes (argv only, never a shell), signals, and the terminal.
#pragma once

#include <sys/types.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "io/socket.h"

namespace berth::io {

struct Command {
  std::vector<std::string> argv;                          ///< argv[0] is looked up in PATH unless it holds a slash
  std::string program{};                                  ///< what is run; empty: argv[0]
  std::optional<std::vector<std::string>> environment{};  ///< "KEY=value"; none: inherited
  std::string directory{};                                ///< empty: inherited
  enum class Pipe { inherit, none, pipe };                ///< none: /dev/null
  Pipe input = Pipe::none, output = Pipe::pipe, errors = Pipe::inherit;
  std::map<int, int> descriptors{};  ///< number in the child (>= 3) -> our descriptor
  int death_signal = 0;              ///< sent to the child when this process dies
  bool new_session = false;          ///< setsid: not reached by the terminal's Ctrl-C
};

/// A running child. Destroying it does not end it; a child that was not waited for is reaped later. Thread: its loop's.
class Process {
 public:
  /// Code::not_found when the program does not exist, Code::denied when it may not be run.
  static Result<std::unique_ptr<Process>> start(Loop& loop, Command command);
  /// A child of this process that something before become() started.
  static Result<std::unique_ptr<Process>> adopt(Loop& loop, pid_t pid);
  ~Process();
  pid_t pid() const { return pid_; }
  /// The pipes asked for, else nullptr.
  std::unique_ptr<Stream> input, output, errors;
  /// The exit status; 128 + signal for a killed one. An error when cancelled (the child runs on).
  Task<Result<int>> wait();
  void kill(int signal);

 private:
  explicit Process(Loop& loop) : loop_(loop) {}
  Result<void> follow();
  Loop& loop_;
  pid_t pid_ = -1;
  Descriptor watch_;  // pidfd
  std::optional<int> status_;
};

struct Output {
  int status = 0;
  std::string out, err;
};
/// Runs to the end with `input` on its standard input; at most `limit` bytes of output.
Task<Result<Output>> run_command(Command command, std::string input, std::size_t limit = 1 << 20);

/// Runs argv[0] in this process's place, which keeps its id, children and the descriptors in `keep` under their
/// numbers. Comes back only when that fails; then all is as before.
Error become(const std::vector<std::string>& argv, const std::vector<int>& keep);

/// CPUs that this process may use, at least 1.
unsigned usable_cores();

/// Turns signals into something to await; blocks them for the process. Make it before any thread starts.
class Signals {
 public:
  static Result<std::unique_ptr<Signals>> open(Loop& loop, std::vector<int> signals);
  ~Signals();
  /// The number of the next signal.
  Task<Result<int>> next();

 private:
  explicit Signals(Loop& loop) : loop_(loop) {}
  Loop& loop_;
  Descriptor watch_;
};

/// Bytes of memory that this process has in use; 0 when unknown.
std::uint64_t resident_memory();

/// The terminal on a descriptor.
struct TerminalSize {
  int columns = 80, rows = 24;
};
bool is_terminal(int fd);
/// Nothing when `fd` is not a terminal.
std::optional<TerminalSize> terminal_size(int fd);

/// Raw mode until destroyed; the old mode comes back also when the program is ended by exit().
class RawTerminal {
 public:
  static Result<std::unique_ptr<RawTerminal>> enter(int fd);
  ~RawTerminal();

 private:
  struct Saved;
  std::unique_ptr<Saved> saved_;
  explicit RawTerminal(std::unique_ptr<Saved> saved);
};

}  // namespace berth::io
