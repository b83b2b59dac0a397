// The rule of routers that name none, as Traefik's `providers.docker.defaultRule` has it: text with {{ ... }}. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "edge/address.h"
#include "edge/rule_function.h"

namespace berth::edge {

/// The part of Go's template language that such rules use: .Name, .ContainerName, .Labels.key, texts, whole numbers,
/// calls of rule_function.h with `|` and parentheses, {{ if }} {{ else if }} {{ else }} {{ end }}; "{{-" and "-}}" take
/// away the space beside them. Immutable, any thread.
class RuleTemplate {
 public:
  /// Code::invalid: "1:9: ..." with the line and a caret in its detail, for what is no template, or more than 4 KiB or
  /// 16 levels of one. A word that Go or Sprig may know and we do not is no error here: fill() says it.
  static Result<RuleTemplate> parse(std::string_view text);

  /// The rule of one container. .Name is that of its service: of Compose "service-project", else the container's, in
  /// both cases normalized; a label that it does not have is "". Code::invalid as parse() for a word that is not known
  /// and a call that fails, and for a rule of more than 64 KiB.
  Result<std::string> fill(const Target& target) const;

  struct Value {
    enum class Kind { literal, name, container_name, labels, call };
    Kind kind = Kind::literal;
    RuleValue literal{};
    const RuleFunctionEntry* function = nullptr;
    std::vector<Value> arguments{};
    std::size_t at = 0;  ///< in the text, for errors
  };
  /// Of a run of them: text, a value to write, or the branches of an {{ if }}.
  struct Part {
    struct Branch {
      std::optional<Value> when{};  ///< else
      std::vector<Part> parts{};
    };
    std::string text{};
    std::optional<Value> value{};
    std::vector<Branch> branches{};
  };

 private:
  std::string text_;
  std::vector<Part> parts_;
  std::optional<Error> unknown_;
};

}  // namespace berth::edge
