// What of a YAML source is checked before it is parsed.
#pragma once

#include <cstdint>

#include "compose/yaml.h"

namespace berth::compose {

/// Refuses, with the place, what YAML 1.2.2 section 5.1 does not allow in a source: bytes that are no UTF-8 and control
/// characters. Refuses too what makes the parser slow, endless or silent and what no real file has: directives other
/// than %YAML 1.1 or 1.2 and %TAG, escaped tags and directives of more than 1 KiB, 10,000 open brackets.
/// Linear in the size of the source.
Result<void> check_yaml_text(const Sources& sources, std::uint16_t file);

}  // namespace berth::compose
