// The text of a YAML source: what is checked before it is parsed, what a writer has to mind, hints for who wrote it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "compose/yaml.h"

namespace berth::compose {

/// Refuses, with the place, what YAML 1.2.2 section 5.1 does not allow in a source: bytes that are no UTF-8 and control
/// characters; and more than 100 lines that may be directives, since the parser compares each %TAG with those before.
/// Linear in the size of the source.
Result<void> check_yaml_text(const Sources& sources, std::uint16_t file);

/// What to do about a problem that libyaml found at `mark` of `text`: "; ..." to go behind its words, "" where they say
/// it all.
std::string_view yaml_hint(std::string_view problem, std::string_view text, Mark mark);

/// JSON in which what a YAML source may not hold, and what YAML 1.1 takes for the end of a line, is escaped too: read
/// as YAML it says the same.
std::string fit_for_yaml(std::string_view json);

}  // namespace berth::compose
