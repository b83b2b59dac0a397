// Does a model follow the Compose schema?
#pragma once

#include "compose/load_context.h"
#include "compose/short.h"
#include "compose/validate_schema.h"

namespace berth::compose {

/// Code::invalid for the first key that does not exist (with a suggestion), value of a wrong type, missing key or
/// double entry below `root`; the message has the place and the path.
Result<void> validate(const Context& context, const Node& root);
/// One value against one type of the schema; `path` is for messages.
Result<void> validate_value(const Context& context, const Node& value, const Type& type, const std::string& path);

/// Rules beside the schema: which members exclude each other. REQUIRES: canonical.
Result<void> validate_rules(const Context& context, const Node& root);

}  // namespace berth::compose
