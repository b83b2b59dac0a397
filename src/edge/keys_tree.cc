#include <charconv>

#include "base/text.h"
#include "edge/keys.h"

namespace berth::edge {
namespace {

/// "services[2]" -> the item 2 of the list "services", made when it is missing. Null: not a place that can be.
Json* place(Json& at, std::string_view part) {
  const Cut index = cut(part, '[');
  if (!index.found) return &at.slot(part);
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(index.after.data(), index.after.data() + index.after.size(), number);
  if (error != std::errc{} || number > 64 || std::string_view(end, 1) != "]") return nullptr;
  Json& list = at.slot(index.before);
  if (!list.is_null() && !list.is_array()) return nullptr;
  while (list.size() <= number) list.push(Json::object());
  return &list.items_mut()[number];
}

void put(Json& tree, std::string_view path, const std::string& value) {
  Json* at = &tree;
  for (const std::string_view part : split(path, '.')) {
    // "true" beside deeper keys only says that they are there.
    if (!at->is_object() && !at->is_null()) *at = Json::object();
    at = place(*at, part);
    if (!at) return;
  }
  if (at->is_null()) *at = value;
}

}  // namespace

Json tree_of(const std::map<std::string, std::string, std::less<>>& fields) {
  Json tree = Json::object();
  for (const auto& [path, value] : fields) put(tree, lower(path), value);
  return tree;
}

Json lower_keys(const Json& tree) {
  if (tree.is_array()) {
    Json out = Json::array();
    for (const Json& item : tree.items()) out.push(lower_keys(item));
    return out;
  }
  if (!tree.is_object()) return tree;
  Json out = Json::object();
  for (const auto& [name, value] : tree.members()) out.set(lower(name), lower_keys(value));
  return out;
}

}  // namespace berth::edge
