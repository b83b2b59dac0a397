// One Compose model over another.
#pragma once

#include "compose/load_context.h"
#include "compose/yaml.h"

namespace berth::compose {

/// Merges `over` into `base`: mappings member by member, lists appended, scalars replaced (null keeps the base), with
/// Compose's own rules for commands, key=value lists, ports, networks and so on. Code::invalid with the place where
/// the two have different types.
Result<void> merge_models(Context& context, Node& base, Node over);
/// The same for one service, or one entry of `section` such as "volumes".
Result<void> merge_entry(Context& context, Node& base, Node over, std::string_view section);

/// In lists whose entries have an identity (a port, a mount target, the key of key=value) the last of equal entries
/// wins and takes the place of the first.
Result<void> keep_last(Context& context, Node& root);

/// Removes from `model` what the paths name.
void apply_resets(Node& model, const std::vector<NodePath>& resets);

/// A mapping as a list of key=value, sorted; a list as it is; one text as a list of it.
Node to_sequence(Node value);

}  // namespace berth::compose
