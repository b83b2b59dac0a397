// JSON of Traefik's files and flags: members by names without case, values that are text or typed.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"

namespace berth {

/// The name of the member of `object` that equals `name` without case, or `name` itself.
std::string folded_name(const Json& object, std::string_view name);
/// That member, or a null value.
const Json& folded_member(const Json& object, std::string_view name);
/// That member for writing; null without one, or when `object` is none.
Json* find_folded(Json& object, std::string_view name);

/// A scalar as a label or flag would say it: "5432" for 5432, "" for null.
std::string scalar(const Json& json);

}  // namespace berth
