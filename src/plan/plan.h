// The plan: a DAG of ops, each with its subject and its cause, as a value that prints itself. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "plan/diff.h"
#include "plan/op.h"

namespace berth::plan {

/// What may be lost.
enum class Risk {
  none,
  notice,  ///< told and never asked about: it was asked for by a flag, or is a guess
  data,    ///< data that berth does not bring back: a volume, what a container wrote outside of volumes is not counted
};

/// One op in its place.
struct Node {
  int id = 0;  ///< 1, 2, ... in topological order
  Op op{};
  std::vector<int> after{};               ///< ids that must have succeeded first, ascending; all smaller than `id`
  std::string subject{};                  ///< "service:web:1", "network:default", "volume:data", "image:nginx:1"
  std::string cause{};                    ///< why, in words: "no container yet", `Env.DEBUG: "0" -> "1"`
  std::vector<Difference> differences{};  ///< the fields behind the cause, where there are some
  Risk risk = Risk::none;
  std::string risk_note{};   ///< which data, and how it would be lost; "" where the op says it itself
  std::string group{};       ///< the service that it serves, "" for what is shared
  bool best_effort = false;  ///< its failure is a warning and stops nobody
  bool replacing = false;    ///< one of the ops that put a new container in the place of an old one
  /// Runs only when one of `after` failed, and undoes what its container's creation did; passed over otherwise, and
  /// when there is no such container.
  bool rescue = false;
};

/// Something that stays as it is, and why: for `plan` and `explain`.
struct Keep {
  std::string subject{};
  std::string id{};      ///< of the object; a volume's or network's name
  std::string reason{};  ///< "running, nothing differs"
};
/// Something that carries the project's names or labels but is not the project's to change.
struct Foreign {
  std::string subject{};  ///< "container:old-web", "network:shared"
  std::string id{};
  std::string reason{};
};

/// How a service's containers are replaced: for `plan`, and for whoever estimates the gap.
struct Rollout {
  std::string service{};
  bool start_first = false;
  bool told = false;     ///< requests go to it, or start-first was asked for: worth a line
  std::string reason{};  ///< why the old container stops first; "" with start_first
};

struct Counts {
  std::size_t create = 0;    ///< new networks, volumes, containers
  std::size_t recreate = 0;  ///< containers that replace one
  std::size_t change = 0;    ///< start, stop, restart, kill, rename, connect, ... of what stays
  std::size_t remove = 0;    ///< removed for good
  std::size_t images = 0;    ///< pulled, built, removed
  friend bool operator==(const Counts&, const Counts&) = default;
};

struct Plan {
  std::string project{};
  std::vector<Node> nodes{};  ///< in topological order
  std::vector<Keep> keeps{};
  std::vector<Foreign> foreign{};
  std::vector<Rollout> rollouts{};      ///< of services whose running containers are replaced, by name
  std::vector<std::string> warnings{};  ///< for stderr, in order
  /// Images are fetched or built, after which more may differ: observe, and plan again with `images_settled`.
  bool again = false;

  /// No op at all. One that only waits is not empty but changes nothing.
  bool empty() const { return nodes.empty(); }
  bool changes() const;
  Counts counts() const;
  /// `[1, 2] -> #3 service:web:1, CreateContainer shop-web-1, no container yet`, one line a node; then "= kept", "~
  /// foreign" and "! warning" lines. Values of secrets are sizes.
  std::string to_text() const;
  /// The same as data, for people's tools and for saved plans: what is secret is hashed under `key` (redact.h), so that
  /// two plans over one world are equal exactly when their JSON under one key is.
  Json to_json(std::string_view key) const;
  /// The nodes, keeps, foreign objects and warnings that concern a subject ("service:web:1"), a service or an object's
  /// name; "" when there is none.
  std::string explain(std::string_view subject) const;
  const Node* find(int id) const;
};
/// "2 to create, 1 to recreate, 3 to pull or build": one line, "nothing to do" when empty.
std::string summary(const Plan& plan);

/// Collects nodes in any order; take() puts them into topological order and numbers them. What planners write with.
class PlanBuilder {
 public:
  explicit PlanBuilder(std::string project) { plan_.project = std::move(project); }
  /// Adds a node and returns its id, to refer to it until take(). Zeros in its `after` are dropped.
  int add(Node node);
  Node& node(int id) { return plan_.nodes[static_cast<std::size_t>(id) - 1]; }
  /// A further edge; nothing when `before` is 0 or both are the same.
  void order(int before, int id);
  /// What stands beside the nodes.
  Plan& plan() { return plan_; }
  /// The plan; among nodes that could come next the one added first does. Code::internal for a cycle of edges.
  Result<Plan> take();

 private:
  Plan plan_;
};

}  // namespace berth::plan
