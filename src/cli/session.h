// One run of the command line: what was asked, where it runs, and what verbs take from both.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "cli/console.h"
#include "cli/exit_status.h"
#include "cli/help.h"
#include "cli/options.h"
#include "cli/progress.h"
#include "compose/recorded.h"
#include "engine/client.h"
#include "io/seal.h"
#include "plan/traffic.h"

namespace berth::cli {

/// The process as the command line sees it. Nothing else is read from the environment.
struct World {
  std::map<std::string, std::string> environment{};
  std::string working_dir{};     ///< absolute
  std::string runtime_folder{};  ///< of locks and control sockets
  Texts state_folders{};         ///< for generations and keys: the first that can be written is used
  Console console{};
  compose::Files files{};
  std::vector<OtherVerb> others{};
  /// Dials an engine; empty: the engine room's own way.
  std::function<std::unique_ptr<io::Dialer>(const engine::Address&)> dialer{};
  std::function<std::chrono::system_clock::time_point()> now = std::chrono::system_clock::now;

  std::string variable(const std::string& name) const;
};

/// How the project is loaded for a verb.
struct LoadWish {
  Texts targets{};                ///< services that must exist and whose profiles are enabled
  bool with_dependencies = true;  ///< false: --no-deps
  std::map<std::string, int> scale{};
  bool every_profile = false;  ///< verbs on what exists look at disabled services too
};

/// A project that a verb works on.
struct Target {
  compose::Project project{};
  bool by_label = false;  ///< there is no Compose file: only the name is known
};

/// Thread: loop only.
class Session {
 public:
  Session(const Options& asked, const World& world, io::Loop& loop);

  const Options& options;
  const World& world;
  const Console& console;
  io::Loop& loop;
  io::Cancel cancel;    ///< requested by the first Ctrl-C
  io::Event resized{};  ///< set when the terminal changed its size
  /// attach: SIGINT and the like are collected in `signals`, with `signalled` set, and cancel nothing.
  bool hands_on_signals = false;
  std::vector<int> signals{};
  io::Event signalled{};
  /// What the first Ctrl-C says; verbs change it.
  std::string interrupt_note{};

  /// Loads the project and prints its warnings, after fetching what URLs name where that is allowed. An unknown target
  /// is not_found.
  io::Task<Result<compose::Project>> load(LoadWish wish = {});
  /// As load; without a Compose file but with a project name, what carries the project's label.
  io::Task<Result<Target>> load_or_name(LoadWish wish = {});
  /// What load() read.
  const compose::Texts& texts() const { return texts_; }
  /// What load() fetched, or found in the cache.
  compose::Remotes remotes() const;
  /// A COMPOSE_* variable, of the process or of the project's env files; "" when it is not set.
  std::string setting(const std::string& name) const;
  /// The options that load() uses.
  Result<compose::LoadOptions> load_options(const LoadWish& wish) const;
  /// The engine that the command line points at, connected once.
  io::Task<Result<engine::Client*>> engine();
  /// What sends requests to the containers of engine(): every `berth serve` that follows it.
  io::Task<Result<plan::Traffic*>> traffic();
  /// Where control sockets of serves lie.
  std::vector<std::string> control_folders() const;
  /// Text of docker's config.json, "" when there is none.
  Result<std::string> docker_config() const;
  Result<ProgressKind> progress_kind() const;
  Result<std::size_t> parallel() const;
  /// The stage of the last failure, for its exit status.
  Stage stage() const { return stage_; }
  void failed_in(Stage stage) { stage_ = stage; }
  /// `return session.usage("...")`: a wrong command line.
  std::unexpected<Error> usage(std::string message);

 private:
  Stage stage_ = Stage::engine;
  std::unique_ptr<engine::Client> client_;
  compose::Texts texts_;
  std::optional<std::string> input_;  // standard input, once it was read as a file
  std::map<std::string, Result<compose::RemoteFile>> remotes_;
  mutable std::optional<std::map<std::string, std::string>> settings_;

  compose::Files files(std::string& wanted);
  io::Task<Result<compose::Project>> load_files(LoadWish wish);
  std::unique_ptr<plan::Traffic> traffic_;
};

/// "web=3" texts. Code::invalid otherwise.
Result<std::map<std::string, int>> parse_scale(const Texts& texts);

}  // namespace berth::cli
