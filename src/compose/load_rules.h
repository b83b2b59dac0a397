// Rules by path: "services.*.build.args" and what a stage does there.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace berth::compose {

/// A tree of paths with a Rule at some of them. A star stands for any key and for any entry of a list.
/// Immutable after construction.
template <class Rule>
class PathRules {
  struct Step {
    std::vector<std::pair<std::string_view, std::uint32_t>> children;
    std::uint32_t star = 0;
    std::optional<Rule> rule;
  };

 public:
  /// REQUIRES: the paths outlive this (literals).
  PathRules(std::initializer_list<std::pair<std::string_view, Rule>> rules) : steps_(1) {
    for (const auto& [path, rule] : rules) add(path, rule);
  }

  /// A place in the tree while a stage descends; "dead" when no rule is at or below it.
  class At {
   public:
    explicit At(const PathRules& rules) : rules_(&rules) {}
    bool dead() const { return rules_ == nullptr; }
    const Rule* rule() const {
      return rules_ == nullptr || !rules_->steps_[step_].rule ? nullptr : &*rules_->steps_[step_].rule;
    }
    /// The place of a member; of a list's entry with the key "".
    At below(std::string_view key) const {
      At next = *this;
      if (rules_ == nullptr) return next;
      const Step& step = rules_->steps_[step_];
      next.step_ = step.star;
      for (const auto& [name, child] : step.children)
        if (name == key) next.step_ = child;
      if (next.step_ == 0) next.rules_ = nullptr;
      return next;
    }

   private:
    const PathRules* rules_;
    std::uint32_t step_ = 0;
  };
  At root() const { return At(*this); }

 private:
  void add(std::string_view path, const Rule& rule) {
    std::uint32_t at = 0;
    while (!path.empty()) {
      const std::string_view key = path.substr(0, path.find('.'));
      path.remove_prefix(std::min(key.size() + 1, path.size()));
      at = child(at, key);
    }
    steps_[at].rule = rule;
  }

  std::uint32_t child(std::uint32_t at, std::string_view key) {
    if (key == "*" && steps_[at].star != 0) return steps_[at].star;
    for (const auto& [name, step] : steps_[at].children)
      if (name == key) return step;
    const auto fresh = static_cast<std::uint32_t>(steps_.size());
    steps_.emplace_back();
    if (key == "*")
      steps_[at].star = fresh;
    else
      steps_[at].children.emplace_back(key, fresh);
    return fresh;
  }

  std::vector<Step> steps_;
};

}  // namespace berth::compose
