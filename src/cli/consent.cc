#include "cli/consent.h"

namespace berth::cli {
namespace {

std::string risk_text(const plan::Node& node) {
  return plan::describe(node.op) + ": " + (node.risk_note.empty() ? node.cause : node.risk_note);
}

}  // namespace

Result<void> ask_for_risks(Session& session, const plan::Plan& plan, bool yes) {
  Texts risks;
  for (const auto& node : plan.nodes)
    if (node.risk == plan::Risk::data) risks.push_back(risk_text(node));
  if (risks.empty() || yes) return {};
  if (!session.console.in_terminal) {
    const auto others = risks.size() > 1 ? " (and " + std::to_string(risks.size() - 1) + " more)" : std::string();
    return fail(Code::denied, "data is at risk: " + risks.front() + others + "; look at berth plan, then say --yes");
  }
  for (const auto& risk : risks) session.console.note("data is at risk: " + risk);
  session.console.err.write("Go on? [y/N] ");
  const auto answer = session.console.read_line();
  if (answer && (*answer == "y" || *answer == "Y" || *answer == "yes")) return {};
  return fail(Code::cancelled, "nothing was changed");
}

}  // namespace berth::cli
