#include "cli/plan_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "plan/gap.h"
#include "plan/tree.h"

namespace berth::cli {
namespace {

Color color_of(plan::Deed deed) {
  switch (deed) {
    case plan::Deed::create:
    case plan::Deed::start:
    case plan::Deed::pull:
    case plan::Deed::build:
      return Color::green;
    case plan::Deed::recreate:
    case plan::Deed::restart:
    case plan::Deed::change:
      return Color::yellow;
    case plan::Deed::remove:
    case plan::Deed::stop:
      return Color::red;
    case plan::Deed::keep:
    case plan::Deed::wait:
      return Color::dim;
  }
  return Color::plain;
}

// Details of a leaf, without its indentation.
std::vector<std::string> lines_below(const plan::Leaf& leaf, const Sink& sink) {
  std::vector<std::string> out;
  for (const auto& difference : leaf.differences)
    if (auto text = plan::to_text(difference); text != leaf.cause) out.push_back(printable(text));
  for (const auto& risk : leaf.risks)
    out.push_back(leaf.risk == plan::Risk::data ? colored(sink, Color::red, "data at risk: " + printable(risk))
                                                : "note: " + printable(risk));
  return out;
}

// The fields stand below the line: with several the cause would only repeat them.
std::string cause_of(const plan::Leaf& leaf) {
  const auto count = leaf.differences.size();
  return count > 1 ? fmt::format("{} fields differ", count) : printable(leaf.cause);
}

class Tree {
 public:
  explicit Tree(const Sink& sink) : sink_(sink) {}

  void branch(std::string_view title) { out_ += fmt::format("{}\n", title); }

  void leaf(const plan::Leaf& leaf, std::size_t width, bool last) {
    const auto deed = colored(sink_, color_of(leaf.deed), fmt::format("{:<8}", plan::to_text(leaf.deed)));
    const auto pad = std::string(width - display_width(leaf.object), ' ');
    out_ += fmt::format("{} {}{}  {}  {}\n", last ? "└─" : "├─", leaf.object, pad, deed,
                        colored(sink_, Color::dim, cause_of(leaf)));
    for (const auto& line : lines_below(leaf, sink_)) out_ += fmt::format("{}      {}\n", last ? "  " : "│ ", line);
  }

  std::string take() { return std::move(out_); }

 private:
  const Sink& sink_;
  std::string out_;
};

std::string title_of(const plan::Branch& branch, const std::vector<plan::Gap>& gaps, const Sink& sink) {
  const auto gap = std::ranges::find(gaps, branch.service, &plan::Gap::service);
  const auto name = colored(sink, Color::bold, branch.service.empty() ? "shared" : branch.service);
  return gap == gaps.end() ? name : name + ", away: " + plan::to_text(*gap);
}

}  // namespace

std::string plan_text(const plan::Plan& plan, const plan::Observed& observed, const Sink& sink) {
  Tree tree(sink);
  const auto gaps = plan::gaps_of(plan, observed);
  for (const auto& branch : plan::tree_of(plan, observed)) {
    tree.branch(title_of(branch, gaps, sink));
    std::size_t width = 0;
    for (const auto& leaf : branch.leaves) width = std::max(width, display_width(leaf.object));
    for (const auto& leaf : branch.leaves) tree.leaf(leaf, width, &leaf == &branch.leaves.back());
  }
  auto out = tree.take();
  for (const auto& rollout : plan.rollouts)
    if (rollout.told)
      out += "service:" + rollout.service +
             (rollout.start_first ? " is replaced start-first, without a gap\n"
                                  : " stops first: " + printable(rollout.reason) + '\n');
  for (const auto& foreign : plan.foreign) out += "~ " + foreign.subject + ": " + foreign.reason + "\n";
  return out + summary(plan) + "\n";
}

}  // namespace berth::cli
