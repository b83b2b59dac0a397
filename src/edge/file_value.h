// What edge/file_config and its parts share: values of YAML as texts, and named things of several files.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_fold.h"
#include "edge/file_config.h"

namespace berth::edge {

/// The items of a list, or of a text with commas.
std::vector<std::string> list_of(const Json& json);
/// The name that a reference means: "name@file" and "name" are the same in files, and names have no case.
std::string file_name(std::string_view reference);

/// Keys from the root, as FileNote has them.
using FilePath = std::vector<std::string>;

/// One named thing, and which file has it.
struct FileItem {
  std::size_t file = 0;
  Json tree;
};
using FileItems = std::map<std::string, FileItem, std::less<>>;

/// All `side`.`kind` of the files ("http", "routers") by name. What an earlier file has already is an error in `notes`
/// and left out. `trees` with keys in lower case.
FileItems collect_items(const std::vector<Json>& trees, const std::string& side, const std::string& kind,
                        std::vector<FileNote>& notes);

}  // namespace berth::edge
