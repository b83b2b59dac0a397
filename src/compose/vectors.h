// The small grammars of Compose, one input at a time: the hidden command `compose-vectors`.
#pragma once

#include "base/json.h"

namespace berth::compose {

/// `request` is {"env": {...}, "vectors": [{"id", "kind", "in"}...]}; the answer {id: {"value": ...} | {"error":
/// text}}. Kinds: template, dotenv, ports, volumes, durations, sizes, shlex, names. An unknown kind is an error of its
/// id.
Json vectors(const Json& request);

}  // namespace berth::compose
