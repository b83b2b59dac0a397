// A managed project from its files to the model, seeing nothing else of this host. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/project_folder.h"
#include "compose/keep.h"

namespace berth::api {

/// Where a project's files are meant to lie, and which they are.
struct ProjectFiles {
  std::string name{};
  std::string folder{};                  ///< absolute
  FileTexts texts{};                     ///< by path in the folder
  std::vector<std::string> compose{};    ///< paths in the folder, in order; empty: found by name
  std::vector<std::string> env_files{};  ///< empty: .env
};

struct LoadedProject {
  compose::Project project{};
  compose::Source source{};
  compose::Files files{};  ///< all of them
};
/// `now`: seconds since 1970. No variable of this process is seen, and no file but `files`. Code::invalid and not_found
/// as compose::load; invalid also for what reads beyond the folder (a build context elsewhere).
Result<LoadedProject> load_project(const ProjectFiles& files, std::int64_t now);
/// The same, reading from `view` in place of the texts.
Result<LoadedProject> load_from(const ProjectFiles& files, compose::Files view, std::int64_t now);
/// The loader's view of the files.
compose::Files files_of(const ProjectFiles& files);

/// {"file", "line", "column", "level", "message", "caret"}; paths in `folder` are shown within it.
Json problem_of(const Error& error, std::string_view folder);
Json warning_of(std::string_view text);

/// Whether the absolute path lies in the folder, or is it, as both are written.
bool lies_beneath(std::string_view folder, std::string_view path);

}  // namespace berth::api
