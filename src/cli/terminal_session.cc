#include "cli/terminal_session.h"

#include <fcntl.h>
#include <unistd.h>

#include "io/process.h"
#include "io/socket.h"

namespace berth::cli {
namespace {

// A terminal's flags belong to every program on it: the shell must find it blocking again.
class BlockingAgain {
 public:
  BlockingAgain() : flags_(::fcntl(STDIN_FILENO, F_GETFL)) {}
  ~BlockingAgain() {
    if (flags_ >= 0) ::fcntl(STDIN_FILENO, F_SETFL, flags_);
  }
  BlockingAgain(const BlockingAgain&) = delete;

 private:
  int flags_;
};

io::Task<void> close_input(engine::Attachment& attachment) {
  (void)co_await attachment.close_input();
}

io::Task<void> copy_input(engine::Attachment& attachment, io::Stream& input) {
  char buffer[16384];
  for (;;) {
    const auto count = co_await io::read_some(input, buffer);
    if (!count && count.error().code == Code::cancelled) co_return;
    if (!count || *count == 0) break;
    if (!co_await attachment.write({buffer, *count})) co_return;
  }
  co_await close_input(attachment);
}

io::Task<void> follow_size(Session& session, const Terminal& how) {
  for (;;) {
    // Without a process yet the first resize may fail; the next one, or the next change, makes it good.
    if (const auto size = io::terminal_size(STDOUT_FILENO)) (void)co_await how.resize(size->columns, size->rows);
    if (!co_await session.resized.wait()) co_return;
    session.resized.reset();
  }
}

io::Task<Result<void>> copy_output(Session& session, engine::Attachment& attachment) {
  for (;;) {
    const auto piece = CO_TRY(co_await attachment.next());
    if (!piece) co_return Result<void>{};
    const auto& sink = piece->channel == engine::Channel::err ? session.console.err : session.console.out;
    sink.write(piece->bytes);
  }
}

}  // namespace

io::Task<Result<void>> connect_terminal(Session& session, engine::Attachment& attachment, Terminal how) {
  const BlockingAgain blocking_again;
  io::Scope scope(co_await io::here());
  std::unique_ptr<io::RawTerminal> raw;
  std::unique_ptr<io::Stream> input;
  if (how.tty && io::is_terminal(STDIN_FILENO)) raw = CO_TRY(io::RawTerminal::enter(STDIN_FILENO));
  if (how.input) {
    // What cannot be waited for (/dev/null) has nothing to say.
    auto opened = io::stream_on(session.loop, io::Fd(::dup(STDIN_FILENO)));
    if (opened) input = std::move(*opened);
    scope.spawn(input ? copy_input(attachment, *input) : close_input(attachment));
  }
  if (how.tty && how.resize) scope.spawn(follow_size(session, how));
  auto result = co_await copy_output(session, attachment);
  scope.cancel();
  co_await scope.join();
  co_return result;
}

}  // namespace berth::cli
