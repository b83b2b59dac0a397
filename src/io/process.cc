#include "io/process.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <mutex>
#include <thread>

#include "io/edge_wait.h"

extern "C" char** environ;

namespace berth::io {
namespace {

Error error_of(std::string what, int error) {
  const Code code = error == ENOENT ? Code::not_found : error == EACCES ? Code::denied : Code::internal;
  return Error{code, std::move(what) + ": " + std::strerror(error)};
}

constexpr std::size_t kMostDescriptors = 1024;  // handed to a child

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (auto& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

// One of the three standard descriptors: the child's end, and ours when it is a pipe.
struct Standard {
  Fd child, ours;
};

Result<Standard> standard(Command::Pipe kind, bool is_input) {
  Standard out;
  if (kind == Command::Pipe::none) {
    out.child = Fd(::open("/dev/null", (is_input ? O_RDONLY : O_WRONLY) | O_CLOEXEC));
  } else if (kind == Command::Pipe::pipe) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) < 0) return fail(error_of("cannot make a pipe", errno));
    out.child = Fd(ends[is_input ? 0 : 1]);
    out.ours = Fd(ends[is_input ? 1 : 0]);
  }
  return out;
}

struct ChildPlan {
  const char* program;
  char* const* argv;
  char* const* environment;
  const char* directory;
  std::array<int, 3> standard;
  const std::map<int, int>* descriptors;
  int death_signal;
  bool new_session;
  pid_t parent;
  int report;
};

// Between fork and exec: async-signal-safe calls only.
[[noreturn]] void become_child(const ChildPlan& plan) {
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::signal(SIGPIPE, SIG_DFL);
  if (plan.new_session) ::setsid();
  if (plan.death_signal != 0) {
    ::prctl(PR_SET_PDEATHSIG, plan.death_signal);
    if (::getppid() != plan.parent) ::_exit(127);
  }
  bool ok = plan.directory[0] == '\0' || ::chdir(plan.directory) == 0;
  for (int fd = 0; fd < 3; ++fd) {
    const int from = plan.standard[static_cast<std::size_t>(fd)];
    if (from >= 0) ok = ok && ::dup2(from, fd) >= 0;
  }
  // Through higher numbers first: a source may sit on another's target.
  const int beyond = plan.descriptors->empty() ? 0 : plan.descriptors->rbegin()->first + 1;
  int moved[kMostDescriptors];
  std::size_t count = 0;
  for (const auto& [target, from] : *plan.descriptors) moved[count++] = ::fcntl(from, F_DUPFD, beyond);
  count = 0;
  for (const auto& [target, from] : *plan.descriptors) {
    ok = ok && ::dup2(moved[count], target) >= 0;
    ::close(moved[count++]);
  }
  if (ok) ::execvpe(plan.program, plan.argv, plan.environment);
  const int error = errno;
  [[maybe_unused]] const auto written = ::write(plan.report, &error, sizeof error);
  ::_exit(127);
}

// exec worked when the pipe closes empty.
int exec_error(const Fd& report) {
  int error = 0;
  ssize_t count;
  do {
    count = ::read(report.get(), &error, sizeof error);
  } while (count < 0 && errno == EINTR);
  return count == sizeof error ? error : 0;
}

int exit_code(int status) {
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

// Children that nobody waits for any more: reaped when the next one comes or begins.
class Unwaited {
 public:
  void reap_later(pid_t pid) {
    const std::lock_guard lock(mutex_);
    pids_.push_back(pid);
    reap_ended();
  }
  void reap() {
    const std::lock_guard lock(mutex_);
    reap_ended();
  }

 private:
  void reap_ended() {
    std::erase_if(pids_, [](pid_t pid) { return ::waitpid(pid, nullptr, WNOHANG) != 0; });
  }
  std::mutex mutex_;
  std::vector<pid_t> pids_;
};
Unwaited& unwaited() {
  static Unwaited all;
  return all;
}

}  // namespace

Result<std::unique_ptr<Process>> Process::start(Loop& loop, Command command) {
  if (command.descriptors.size() > kMostDescriptors) return fail(Code::invalid, "too many descriptors for a child");
  unwaited().reap();
  std::unique_ptr<Process> process(new Process(loop));
  Standard in = TRY(standard(command.input, true));
  Standard out = TRY(standard(command.output, false));
  Standard err = TRY(standard(command.errors, false));
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) < 0) return fail(error_of("cannot make a pipe", errno));
  Fd report(ends[0]), child_report(ends[1]);
  std::vector<char*> argv = pointers(command.argv);
  std::vector<char*> environment;
  if (command.environment) environment = pointers(*command.environment);
  const ChildPlan plan{command.program.empty() ? argv[0] : command.program.c_str(),
                       argv.data(),
                       command.environment ? environment.data() : environ,
                       command.directory.c_str(),
                       {in.child.get(), out.child.get(), err.child.get()},
                       &command.descriptors,
                       command.death_signal,
                       command.new_session,
                       ::getpid(),
                       child_report.get()};
  process->pid_ = ::fork();
  if (process->pid_ < 0) return fail(error_of("cannot start " + command.argv[0], errno));
  if (process->pid_ == 0) become_child(plan);
  child_report.reset();
  if (const int error = exec_error(report)) {
    ::waitpid(process->pid_, nullptr, 0);
    process->pid_ = -1;
    return fail(error_of("cannot start " + command.argv[0], error));
  }
  TRY(process->follow());
  if (in.ours) process->input = TRY(stream_on(loop, std::move(in.ours), command.argv[0]));
  if (out.ours) process->output = TRY(stream_on(loop, std::move(out.ours), command.argv[0]));
  if (err.ours) process->errors = TRY(stream_on(loop, std::move(err.ours), command.argv[0]));
  return process;
}

Result<void> Process::follow() {
  watch_.fd = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0));
  if (watch_.fd < 0) return fail(error_of("cannot watch process " + std::to_string(pid_), errno));
  watch_.readable = false;
  return loop_.poller().add(watch_);
}

Result<std::unique_ptr<Process>> Process::adopt(Loop& loop, pid_t pid) {
  std::unique_ptr<Process> process(new Process(loop));
  process->pid_ = pid;
  TRY(process->follow());
  return process;
}

Process::~Process() {
  if (watch_.fd < 0) return;
  loop_.poller().remove(watch_);
  ::close(watch_.fd);
  if (!status_ && pid_ > 0) unwaited().reap_later(pid_);
}

Task<Result<int>> Process::wait() {
  while (!status_) {
    int status = 0;
    const pid_t got = ::waitpid(pid_, &status, WNOHANG);
    if (got == pid_) {
      status_ = exit_code(status);
    } else if (got < 0 && errno != EINTR) {
      co_return fail(error_of("cannot wait for a child", errno));
    } else if (got == 0) {
      watch_.readable = false;
      // It may have ended between waitpid and here; a pidfd stays readable then, but gives no new edge.
      pollfd poll{watch_.fd, POLLIN, 0};
      if (::poll(&poll, 1, 0) == 0) CO_TRY(co_await EdgeWait(watch_.readers, watch_.readable));
    }
  }
  co_return *status_;
}

void Process::kill(int signal) {
  if (!status_ && pid_ > 0) ::kill(pid_, signal);
}

namespace {

struct Collected {
  Result<std::string> text = std::string();
};

// One that failed ends the whole conversation: the child may wait for ever for us to read on.
Task<void> collect(Stream& stream, Collected& into, std::size_t limit, Scope& scope) {
  into.text = co_await read_to_end(stream, limit);
  if (!into.text) scope.cancel();
}

Task<void> feed(Stream& stream, const std::string& input) {
  // A child that does not read all of its input is no error of ours.
  (void)co_await write_all(stream, input);
  stream.close();
}

Task<Result<Output>> converse(Process& process, const std::string& input, std::size_t limit) {
  Scope scope(co_await here());
  Collected out, err;
  scope.spawn(feed(*process.input, input));
  scope.spawn(collect(*process.output, out, limit, scope));
  scope.spawn(collect(*process.errors, err, limit, scope));
  co_await scope.join();
  Output result;
  result.out = CO_TRY(std::move(out.text));
  result.err = CO_TRY(std::move(err.text));
  result.status = CO_TRY(co_await process.wait());
  co_return result;
}

}  // namespace

Task<Result<Output>> run_command(Command command, std::string input, std::size_t limit) {
  const Context context = co_await here();
  command.input = command.output = command.errors = Command::Pipe::pipe;
  auto process = CO_TRY(Process::start(*context.loop, std::move(command)));
  auto result = co_await converse(*process, input, limit);
  if (!result) {
    process->kill(SIGKILL);
    (void)co_await shielded(process->wait());
  }
  co_return result;
}

Error become(const std::vector<std::string>& argv, const std::vector<int>& keep) {
  std::vector<std::string> texts = argv;
  const std::vector<char*> words = pointers(texts);
  sigset_t none, before;
  ::sigemptyset(&none);
  for (const int fd : keep) ::fcntl(fd, F_SETFD, 0);
  ::pthread_sigmask(SIG_SETMASK, &none, &before);
  ::execv(words[0], words.data());
  const Error error = error_of("cannot run " + argv[0], errno);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  for (const int fd : keep) ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  return error;
}

// Signals

Result<std::unique_ptr<Signals>> Signals::open(Loop& loop, std::vector<int> signals) {
  std::unique_ptr<Signals> out(new Signals(loop));
  sigset_t set;
  ::sigemptyset(&set);
  for (const int signal : signals) ::sigaddset(&set, signal);
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  out->watch_.fd = ::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
  if (out->watch_.fd < 0) return fail(error_of("cannot watch signals", errno));
  TRY(loop.poller().add(out->watch_));
  return out;
}

Signals::~Signals() {
  if (watch_.fd < 0) return;
  loop_.poller().remove(watch_);
  ::close(watch_.fd);
}

Task<Result<int>> Signals::next() {
  while (true) {
    signalfd_siginfo info;
    if (::read(watch_.fd, &info, sizeof info) == sizeof info) co_return static_cast<int>(info.ssi_signo);
    watch_.readable = false;
    CO_TRY(co_await EdgeWait(watch_.readers, watch_.readable));
  }
}

std::uint64_t resident_memory() {
  const Fd file(::open("/proc/self/statm", O_RDONLY | O_CLOEXEC));
  char text[128] = "";
  if (!file || ::read(file.get(), text, sizeof text - 1) <= 0) return 0;
  char* pages = nullptr;
  static_cast<void>(std::strtoull(text, &pages, 10));  // the first number: virtual memory
  return std::strtoull(pages, nullptr, 10) * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

// Terminal

bool is_terminal(int fd) {
  return ::isatty(fd) == 1;
}

std::optional<TerminalSize> terminal_size(int fd) {
  winsize size{};
  if (::ioctl(fd, TIOCGWINSZ, &size) < 0 || size.ws_col == 0) return std::nullopt;
  return TerminalSize{size.ws_col, size.ws_row};
}

struct RawTerminal::Saved {
  int fd = -1;
  termios mode{};
};

namespace {
// For exit() with raw mode on: the destructor does not run then.
int raw_fd = -1;
termios raw_saved;
void restore_at_exit() {
  if (raw_fd >= 0) ::tcsetattr(raw_fd, TCSADRAIN, &raw_saved);
}
}  // namespace

RawTerminal::RawTerminal(std::unique_ptr<Saved> saved) : saved_(std::move(saved)) {}

Result<std::unique_ptr<RawTerminal>> RawTerminal::enter(int fd) {
  auto saved = std::make_unique<Saved>();
  saved->fd = fd;
  if (::tcgetattr(fd, &saved->mode) < 0) return fail(error_of("the input is not a terminal", errno));
  termios raw = saved->mode;
  ::cfmakeraw(&raw);
  static const int registered = std::atexit(restore_at_exit);
  (void)registered;
  raw_saved = saved->mode;
  raw_fd = fd;
  if (::tcsetattr(fd, TCSADRAIN, &raw) < 0) return fail(error_of("cannot set the terminal", errno));
  return std::unique_ptr<RawTerminal>(new RawTerminal(std::move(saved)));
}

RawTerminal::~RawTerminal() {
  ::tcsetattr(saved_->fd, TCSADRAIN, &saved_->mode);
  raw_fd = -1;
}

unsigned usable_cores() {
  // std::thread::hardware_concurrency() counts those of the machine.
  cpu_set_t allowed;
  if (::sched_getaffinity(0, sizeof allowed, &allowed) == 0) return static_cast<unsigned>(CPU_COUNT(&allowed));
  return std::max(1u, std::thread::hardware_concurrency());
}

}  // namespace berth::io
