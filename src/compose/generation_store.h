// Where generations lie: a folder for a project on an engine, a file for each generation.
#pragma once

#include <string>
#include <vector>

#include "compose/generation.h"
#include "io/seal.h"

namespace berth::compose {

/// How many generations a project keeps.
inline constexpr std::size_t kGenerations = 20;

/// `<folder>/<number>.generation`: the head as one line, then the sealed body, bound to the head. A file is written
/// whole or not at all. Blocking; any thread; one writer at a time (who writes holds the project's lock).
class GenerationStore {
 public:
  explicit GenerationStore(std::string folder) : folder_(std::move(folder)) {}
  /// `state`/projects/<project>@<engine>.
  static std::string folder_of(const std::string& state, const std::string& project, const std::string& engine);

  const std::string& folder() const { return folder_; }
  /// Ascending; empty where nothing was kept.
  std::vector<int> numbers() const;
  /// Newest first. What cannot be read is left out and named in `damaged`.
  std::vector<GenerationHead> heads(std::vector<std::string>* damaged = nullptr) const;
  /// Code::not_found for a number that is not kept; invalid, naming the file, for one that was cut, changed or sealed
  /// with another key.
  Result<Generation> read(int number, const io::SealKey& key) const;
  /// Keeps it under the next number, which it returns, and drops what is beyond kGenerations.
  Result<int> keep(Generation generation, const io::SealKey& key);

 private:
  std::string path_of(int number) const;
  Result<std::string> text_of(int number) const;

  std::string folder_;
};

}  // namespace berth::compose
