#include "cli/steps.h"

namespace berth::cli {

void note_step(const Session& session, std::string kind, std::string name, std::string text, plan::Phase phase) {
  const auto progress = session.progress_kind().value_or(ProgressKind::plain);
  if (progress == ProgressKind::quiet) return;
  const Item item{.kind = std::move(kind), .name = std::move(name), .text = std::move(text), .phase = phase};
  session.console.status().write((progress == ProgressKind::json ? json_line(item) : plain_line(item)) + "\n");
}

}  // namespace berth::cli
