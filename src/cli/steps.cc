#include "cli/steps.h"

namespace berth::cli {

void note_step(const Session& session, std::string kind, std::string name, std::string text, plan::Phase phase) {
  const auto progress = session.progress_kind();
  if (progress == ProgressKind::quiet) return;
  const Item item{.kind = std::move(kind), .name = std::move(name), .text = std::move(text), .phase = phase};
  session.console.note(progress == ProgressKind::json ? json_line(item) : plain_line(item));
}

}  // namespace berth::cli
