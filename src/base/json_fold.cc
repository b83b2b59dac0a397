#include "base/json_fold.h"

#include "base/text.h"

namespace berth {

std::string folded_name(const Json& object, std::string_view name) {
  for (const auto& [key, value] : object.members())
    if (equal_fold(key, name)) return key;
  return std::string(name);
}

const Json& folded_member(const Json& object, std::string_view name) {
  return object[folded_name(object, name)];
}

Json* find_folded(Json& object, std::string_view name) {
  if (!object.is_object()) return nullptr;
  for (auto& [key, value] : object.members_mut())
    if (equal_fold(key, name)) return &value;
  return nullptr;
}

std::string scalar(const Json& json) {
  return json.is_text() ? std::string(json.text()) : json.is_null() ? std::string() : json.dump();
}

}  // namespace berth
