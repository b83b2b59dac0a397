// What the API does with projects: plan, apply, verbs, history, by the same functions as the command line.
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "api/project_drift.h"
#include "api/project_folder.h"
#include "api/project_grants.h"
#include "api/project_load.h"
#include "auth/principal.h"

namespace berth::api {

/// Lines of a running job: `level` is "info", "warning", "error" or "progress".
using Tell = std::function<void(std::string_view level, std::string_view text)>;
struct JobWish {
  std::string kind{};  ///< "project.apply"
  std::string project{};
  std::string by{}, name{};  ///< id and name of who asked
};
/// Queues `work` and answers at once with the job's id.
using StartJob =
    std::function<io::Task<Result<std::string>>(JobWish wish, std::function<io::Task<Result<void>>(Tell tell)> work)>;

/// What the desk works on. Lives as long as the desk; functions are called on its loop.
struct ProjectWorld {
  ProjectFolders folders;
  std::string data{};            ///< generations and the key lie here
  std::string runtime_folder{};  ///< of locks
  std::function<io::Task<Result<std::shared_ptr<engine::Client>>>()> engine{};
  plan::Traffic* traffic = nullptr;
  StartJob start{};
  std::function<std::chrono::system_clock::time_point()> now = std::chrono::system_clock::now;
  /// What the broker lets berth have, with root's grants and the folders that root opened to all projects; absent: its
  /// own policy "core".
  std::function<Result<broker::Policy>()> policy{};
  /// X-Registry-Auth for a reference, "" for none.
  std::function<io::Task<Result<std::string>>(std::string reference)> registry_auth{};
  /// EdgeView::status; absent: no routes are known.
  std::function<Json()> edge_status{};
  /// Told of each project that now differs otherwise from its files.
  std::function<void(std::string_view name)> drifted{};
};

/// A project that a verb is about.
struct Subject {
  std::string name{};
  bool managed = false;
  std::optional<LoadedProject> loaded{};  ///< where berth manages it and its files are valid
  std::optional<Error> broken{};          ///< why they are not
  std::vector<std::string> paths{};       ///< of its files
};

/// Thread: its loop's.
class ProjectDesk {
 public:
  explicit ProjectDesk(ProjectWorld world);
  /// Looks for drift where somebody asked, until cancelled; without it none is known but of show().
  io::Task<void> run() { return drift_.run(); }

  const ProjectFolders& folders() const { return world_.folders; }
  ProjectWorld& world() { return world_; }

  /// Everything that `who` may view, by name. `stale` is null, or since when the engine does not answer and why.
  struct Listed {
    std::vector<Json> items{};
    Json stale{};
  };
  io::Task<Result<Listed>> list(auth::Principal who);
  /// Code::not_found where neither berth nor the engine has such a project.
  io::Task<Result<Json>> show(std::string name);
  /// Code::not_found where berth does not manage it, invalid where its files are.
  io::Task<Result<LoadedProject>> load(std::string name);
  /// Its files were changed.
  void touch(const std::string& name) { drift_.touch(name); }
  /// {"ok", "problems", "services"}, of `files` in place of those that are kept.
  io::Task<Result<Json>> validate(std::string name, std::optional<FileTexts> files);

  /// Which of what up can be asked for.
  struct PlanWish {
    std::vector<std::string> services{};
    Json options{};  ///< members of kPlanOptions
  };
  /// show_plan() with "plan", an id for apply(), and "grantsNeeded".
  io::Task<Result<Json>> plan(std::string name, PlanWish wish, auth::Principal who);
  /// The id of the job. Code::moved when the plan is not what would be done now; conflict when, without a plan, data
  /// would be at risk; denied for what no policy grants; busy while another change of the project runs.
  io::Task<Result<std::string>> apply(std::string name, std::string plan, auth::Principal who);
  /// "start", "stop", "restart", "down", "pull".
  io::Task<Result<std::string>> verb(std::string name, std::string verb, std::vector<std::string> services,
                                     auth::Principal who);
  io::Task<Result<Json>> removal(std::string name);
  /// down, with its volumes or without, and then its files.
  io::Task<Result<std::string>> remove(std::string name, bool volumes, auth::Principal who);

  io::Task<Result<std::vector<compose::GenerationHead>>> history(std::string name);
  /// Which generation, 0 for the one before the last; and how it was agreed to: by the id of a plan of going there, or
  /// by `confirmed`, without either only where no data would be at risk.
  struct BackWish {
    int generation = 0;
    std::string plan{};
    bool confirmed = false;
  };
  /// As plan(), of going back; with "generation". Code::not_found and conflict for one that cannot be had.
  io::Task<Result<Json>> plan_back(std::string name, int generation, auth::Principal who);
  /// Code::moved as apply().
  io::Task<Result<std::string>> roll_back(std::string name, BackWish wish, auth::Principal who);
  /// show_plan() of what differs from the files that the containers were made from, with "folder", "files" and
  /// "labels". Changes no container, network or volume; `confirmed` makes it a managed project, in its own folder.
  io::Task<Result<Json>> adopt(std::string name, bool confirmed, auth::Principal who);
  /// Takes away the engine's locks of managed projects whose owner on this host is dead: a core that was killed after
  /// its last change left nothing else.
  io::Task<Result<void>> clear_locks();
  /// Volumes of the engine's disk usage; null where it does not answer.
  io::Task<Json> volume_usage();

 private:
  struct Undertaking;
  using Shared = std::shared_ptr<Undertaking>;
  struct Promise {
    std::string id{};
    std::string project{};
    PlanWish wish{};
    int back = 0;  ///< the generation to which it leads; 0: to what the files say
    plan::SavedPlan saved{};
    std::set<std::string> risks{};  ///< that were shown
  };

  io::Task<Result<Subject>> subject_of(std::string name);
  io::Task<Result<Json>> look_for_drift(std::string name);
  io::Task<Result<Shared>> undertake(std::string name, PlanWish wish, const auth::Principal& who);
  io::Task<Result<Shared>> by_label(std::string name, const auth::Principal& who);
  Result<std::vector<GrantNeeded>> grants_of(const compose::Project& project) const;
  io::Task<Result<compose::Planned>> first_look(Shared what, engine::Client& client);
  /// Refuses while another one is under way, else starts the job.
  io::Task<Result<std::string>> begin(Shared what, std::string kind, const auth::Principal& who);
  io::Task<Result<void>> carry(Shared what, Tell tell);
  io::Task<Result<void>> carry_on(Undertaking& what, const Tell& tell);
  compose::Site site_of(Undertaking& what, engine::Client& client, const Tell& tell) const;
  compose::CarryOut carry_out_of(Undertaking& what, engine::Client& client, const Tell& tell) const;
  io::Task<Result<Shared>> going_back(std::string name, int generation, const auth::Principal& who);
  /// Shows what would be done, and keeps it under an id.
  io::Task<Result<Json>> promise(Shared what, Promise promise);
  Result<Promise> promised(const std::string& name, const std::string& plan) const;
  /// It is carried out only as promised.
  Result<void> bind(Undertaking& what, const Promise& promise) const;

  ProjectWorld world_;
  DriftBook drift_;
  std::deque<Promise> promises_;
  std::set<std::string, std::less<>> busy_;
  Json last_containers_ = Json::array();
  std::int64_t last_at_ = 0;  ///< milliseconds since 1970 of the last list that the engine gave
};

/// Runs blocking work on the pool.
template <class T>
io::Task<Result<T>> off_loop(std::function<Result<T>()> work) {
  std::optional<Result<T>> out;
  co_await io::on_pool([&] { out = work(); });
  co_return std::move(*out);
}

}  // namespace berth::api
