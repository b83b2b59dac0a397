#include "edge/file_value.h"

#include "base/text.h"
#include "edge/label_parse.h"

namespace berth::edge {

std::vector<std::string> list_of(const Json& json) {
  if (!json.is_array()) return parse_list(scalar(json));
  std::vector<std::string> out;
  for (const Json& item : json.items()) out.push_back(scalar(item));
  return out;
}

std::string file_name(std::string_view reference) {
  const Cut at = cut(reference, '@');
  return lower(at.found && at.after == "file" ? at.before : reference);
}

FileItems collect_items(const std::vector<Json>& trees, const std::string& side, const std::string& kind,
                        std::vector<FileNote>& notes) {
  FileItems items;
  for (std::size_t file = 0; file < trees.size(); ++file) {
    for (const auto& [name, tree] : trees[file][side][kind].members()) {
      if (items.try_emplace(name, FileItem{file, tree}).second) continue;
      notes.push_back({true, file, {side, kind, name}, "is defined in another file already, which counts"});
    }
  }
  return items;
}

}  // namespace berth::edge
