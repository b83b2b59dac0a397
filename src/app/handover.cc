#include "app/handover.h"

#include <algorithm>

namespace berth::app {
namespace {

constexpr std::string_view kReplace = "com.docker.compose.replace";

std::string_view replaced_by(const edge::Target& target) {
  const auto label = std::ranges::find(target.labels, kReplace, [](const auto& each) { return each.first; });
  return label == target.labels.end() ? std::string_view() : std::string_view(label->second);
}

}  // namespace

void Handover::apply(std::vector<edge::Target>& targets) const {
  std::set<std::string, std::less<>> running;
  for (const edge::Target& target : targets)
    if (target.running) running.insert(target.id);
  std::erase_if(targets, [&](const edge::Target& target) {
    return running.contains(replaced_by(target)) && !admitted_.contains(target.id);
  });
  for (edge::Target& target : targets) target.leaving = leaving_.contains(target.id);
}

void Handover::forget_gone(const std::vector<edge::Target>& targets) {
  std::set<std::string> known;
  for (const edge::Target& target : targets) known.insert(target.id);
  for (auto* ids : {&admitted_, &leaving_}) std::erase_if(*ids, [&](const auto& id) { return !known.contains(id); });
}

}  // namespace berth::app
