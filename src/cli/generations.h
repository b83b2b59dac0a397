// Generations on the command line: where a project's lie, and keeping one after a change.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "cli/session.h"
#include "compose/generation_store.h"
#include "plan/apply.h"

namespace berth::cli {

/// Repository of the tags that hold the images of the last generations.
inline constexpr std::string_view kKeepRepository = "berth/keep";

/// What a project was loaded from: how, and the texts.
struct Source {
  compose::LoadOptions load{};
  compose::Texts texts{};
  compose::Remotes remotes{};
};
/// Of the project that `session` loaded; without the targets that were named, for a generation is of the whole.
Result<Source> source_of(const Session& session, LoadWish wish);

/// What was applied, for a generation.
struct Change {
  const compose::Project& project;
  const plan::Plan& plan;
  const plan::Observed& observed;  ///< before the change
  const std::map<int, std::string>& results;
  Json events{};  ///< as Generation::events
};
/// What is asked of the host and the engine before a generation can be kept; it may be asked while a plan is applied.
struct Shelf {
  State state;
  std::string engine{};          ///< its own random id
  std::set<std::string> tags{};  ///< that hold the project's images
};
io::Task<Result<Shelf>> open_shelf(Session& session, std::string project);
/// Keeps a generation and tags its images. A failure is a warning: the change itself is done. `note` is for history.
io::Task<void> keep_generation(Session& session, const Source& source, Change change, std::string note,
                               Result<Shelf> shelf);

/// The project's generations, opened: Code::not_found where the engine is not known to berth.
struct History {
  compose::GenerationStore store;
  io::SealKey key;
};
io::Task<Result<History>> open_history(Session& session, std::string project);
/// -p, else what the files say, else (they cannot be read) the last project that was brought up from this folder.
io::Task<Result<std::string>> history_project(Session& session);
/// "3" as a number; Code::invalid for anything else.
Result<int> generation_number(std::string_view text);

/// Drops the tags by which a project's images are held; what no container and no other tag uses goes with them.
io::Task<Result<void>> drop_kept_images(Session& session, std::string project);

}  // namespace berth::cli
