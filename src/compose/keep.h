// Keeping a generation after a change, and finding those that were kept: the engine's own id, the key, the images'
// tags.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "compose/generation_store.h"
#include "engine/client.h"
#include "plan/observed.h"
#include "plan/plan.h"
#include "plan/saved.h"

namespace berth::compose {

/// Repository of the tags that hold the images of the last generations.
inline constexpr std::string_view kKeepRepository = "berth/keep";

/// The key that saved plans are hashed and generations are sealed with, and its folder.
struct State {
  std::string folder{};
  io::SealKey key;
};
/// The first of `folders` where there is a key or one can be made; Code::denied where there is none.
Result<State> open_state(const std::vector<std::string>& folders);

/// What a project was loaded from: how, and the texts.
struct Source {
  LoadOptions load{};
  Texts texts{};
  Remotes remotes{};
};

/// Where generations are kept, and what they say of who made them.
struct Keeping {
  std::vector<std::string> folders{};  ///< for open_state; none: nothing is kept
  Files files{};                       ///< that secrets and configs are read from
  std::string who{};
  std::string command{};
  std::chrono::system_clock::time_point time{};
};

/// What was applied, for a generation.
struct Change {
  const Project& project;
  const plan::Plan& plan;
  const plan::Observed& observed;  ///< before the change
  const std::map<int, std::string>& results;
  Json events{};       ///< as Generation::events
  std::string note{};  ///< for history
};
/// What is asked of the host and the engine before a generation can be kept; it may be asked while a plan is applied.
struct Shelf {
  State state;
  std::string engine{};          ///< its own random id
  std::set<std::string> tags{};  ///< that hold the project's images
};
io::Task<Result<Shelf>> open_shelf(engine::Client& client, std::vector<std::string> folders, std::string project);
/// Keeps a generation, whose number it returns, and tags its images. What it is given lives until the task ends.
io::Task<Result<int>> keep_generation(engine::Client& client, const Keeping& keeping, const Source& source,
                                      Change change, const Shelf& shelf);

/// The project's generations, opened: Code::not_found where the engine is not known to berth.
struct History {
  GenerationStore store;
  io::SealKey key;
};
io::Task<Result<History>> open_history(engine::Client& client, std::vector<std::string> folders, std::string project);

/// Drops the tags by which a project's images are held; what no container and no other tag uses goes with them.
io::Task<Result<void>> drop_kept_images(engine::Client& client, std::string project);

/// `plan` as a value for a file, hashed under `key` and `salt`; who saves it adds the command line and the time.
plan::SavedPlan saved_plan(const Project& project, const Texts& texts, const plan::Plan& plan, const std::string& salt,
                           const io::SealKey& key);

/// "2026-11-22T05:30:00Z"
std::string time_text(std::chrono::system_clock::time_point time);

}  // namespace berth::compose
