#include "cli/live.h"

#include "base/text.h"

namespace berth::cli {
namespace {

// From the top left corner; each line ends with what is behind it erased, and below the last one everything.
std::string in_place(const std::string& picture) {
  return "\x1b[H" + replace_all(picture, "\n", "\x1b[K\n") + "\x1b[J";
}

}  // namespace

io::Task<Result<int>> draw_live(Session& session, io::Duration pause, Frame frame) {
  session.interrupt_note = " ";
  const auto& sink = session.console.out;
  if (sink.terminal) sink.write("\x1b[2J");
  for (;;) {
    const auto picture = CO_TRY(co_await frame(session));
    sink.write(sink.terminal ? in_place(picture) : picture);
    CO_TRY(co_await io::sleep_for(pause));
  }
}

}  // namespace berth::cli
