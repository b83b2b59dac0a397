// What of a YAML source is checked before it is parsed.
#pragma once

#include <cstdint>

#include "compose/yaml.h"

namespace berth::compose {

/// Refuses, with the place, what YAML 1.2.2 section 5.1 does not allow in a source: bytes that are no UTF-8 and control
/// characters; and more than 100 lines that may be directives, since the parser compares each %TAG with those before.
/// Linear in the size of the source.
Result<void> check_yaml_text(const Sources& sources, std::uint16_t file);

}  // namespace berth::compose
