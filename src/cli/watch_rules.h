// develop.watch: which change of a source asks for which deed. Pure but for the reader it is given.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "compose/project.h"
#include "engine/ignore.h"

namespace berth::cli {

/// One trigger of a service.
struct WatchRule {
  std::string service{};
  std::string path{};    ///< absolute file or folder
  std::string target{};  ///< absolute in the container
  bool rebuild = false, sync = false, restart = false;
  Json exec{};  ///< of sync+exec, else null
  bool initial_sync = false;
  engine::IgnorePatterns ignore{};  ///< relative to `path`
  bool only_included = false;
  engine::IgnorePatterns include{};
  std::string context{};                   ///< build context, "" without one
  engine::IgnorePatterns docker_ignore{};  ///< relative to `context`

  /// Whether a change of `file` (absolute) is its matter.
  bool covers(const std::string& file) const;
  /// Whether nothing below `folder` (absolute) is.
  bool skips(const std::string& folder) const;
  /// Where `file` is in the container. REQUIRES: covers(file).
  std::string place(const std::string& file) const;
};

/// The text of a file, "" when there is none.
using ReadText = std::function<std::string(const std::string& path)>;
/// Of the named services, all when empty. Code::invalid names the service and the pattern that is malformed.
Result<std::vector<WatchRule>> watch_rules(const compose::Project& project, const std::vector<std::string>& services,
                                           const ReadText& read);

/// What one service needs after some changes.
struct WatchDeed {
  bool rebuild = false;  ///< then nothing else is needed
  bool restart = false;
  std::map<std::string, std::string> sync{};  ///< place in the container -> source
  std::vector<Json> execs{};                  ///< each once
};
std::map<std::string, WatchDeed> watch_deeds(const std::vector<WatchRule>& rules,
                                             const std::vector<std::string>& files);

}  // namespace berth::cli
