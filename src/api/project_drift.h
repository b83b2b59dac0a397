// Whether what runs differs from what a project's files say, known without planning anew for everybody who asks.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "compose/carry_out.h"
#include "io/scope.h"

namespace berth::api {

/// How drift is planned: what nobody declares any more goes, and nobody's requests are looked at.
compose::UpOptions drift_options();
/// {"count", "changed", "missing", "extra"}, each a list of {"service", "object", "cause"}: what such a plan would make
/// anew, make, and remove. What only stands still does not count, nor do images that may be newer in a registry.
Json drift_of(const compose::Planned& planned);

/// Keeps the last finding of each project with its age, and looks again when somebody asks about an old one; nobody
/// asks, nothing is done. One project at a time. Thread: its loop's.
class DriftBook {
 public:
  struct Options {
    /// As drift_of(), null where there is nothing to compare. An error leaves what was known.
    std::function<io::Task<Result<Json>>(std::string name)> look{};
    std::function<std::int64_t()> now{};              ///< milliseconds since 1970
    std::function<void(std::string_view)> changed{};  ///< told of each project whose finding is another one
  };
  explicit DriftBook(Options options) : options_(std::move(options)) {}

  /// What is known, with "at"; null before the first look. `print` stands for what runs: a look at another one is old,
  /// and so is one of a minute ago.
  Json of(const std::string& name, std::string_view print);
  /// The same, after a look where there was none at this.
  io::Task<Json> settled(std::string name, std::string print);
  /// What was found is old: its files changed, or a change of it ended.
  void touch(const std::string& name);
  /// Looks until cancelled.
  io::Task<void> run();

 private:
  struct Found {
    Json drift{};
    std::int64_t at = 0;     ///< of the finding; 0: none yet
    std::int64_t tried = 0;  ///< of the last look, in vain or not
    std::string print{};
    bool wanted = false;
  };
  bool old(const Found& found, std::string_view print) const;
  void want(const std::string& name, Found& found, std::string_view print);
  io::Task<bool> look(std::string name);  ///< whether it found something else than before
  static Json shown(const Found& found);

  Options options_;
  std::map<std::string, Found, std::less<>> found_;
  std::deque<std::string> wanted_;
  io::Event asked_;
};

}  // namespace berth::api
