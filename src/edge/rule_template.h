// The rule of routers that name none, as Traefik's `providers.docker.defaultRule` has it: text with {{ ... }}. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "edge/address.h"

namespace berth::edge {

/// The part of Go's template language that such rules use: {{ .Name }}, {{ .ContainerName }}, {{ index .Labels "key"
/// }},
/// {{ .Labels.key }}, and of any of them {{ normalize X }}, {{ lower X }}, {{ X | normalize }}, in parentheses too;
/// "{{-" and "-}}" take away the space beside them. Immutable, any thread.
class RuleTemplate {
 public:
  /// Code::invalid: "1:9: ..." with the line and a caret in its detail, for all else. At most 4 KiB, 16 levels.
  static Result<RuleTemplate> parse(std::string_view text);

  /// The rule of one container. .Name is that of its service: of Compose "service-project", else the container's, in
  /// both cases normalized; a label that it does not have is "".
  std::string fill(const Target& target) const;

  enum class Source { text, name, container_name, label };
  enum class Change { normalize, lower };
  struct Part {
    Source source = Source::text;
    std::string text{};             ///< verbatim, or the label's key
    std::vector<Change> changes{};  ///< in this order
  };

 private:
  std::vector<Part> parts_;
};

/// Go's strings of letters and digits with one '-' between: "my_app.1" -> "my-app-1".
std::string normalize(std::string_view text);

}  // namespace berth::edge
