// What a plan may cost its user in data: marks on its nodes, from facts alone. Pure.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "plan/observed.h"
#include "plan/plan.h"

namespace berth::plan {

/// Names of volumes on the engine that the project declares, in services that are switched off too: none of them is an
/// orphan.
using Claimed = std::set<std::string, std::less<>>;

/// Marks nodes of `plan` (Risk::data, or notice for what a flag asked for):
/// - a new volume that takes the place of one that a container of the service has mounted there now, or that is the
///   project's own under a similar key which nobody declares any more;
/// - an anonymous volume that goes with its container, or that its successor does not mount;
/// - a database that would be started with another major version over the data of the old one.
/// `renewed`: new anonymous volumes were asked for (-V).
void mark_risks(Plan& plan, const Observed& observed, const Claimed& claimed, bool renewed = false);

/// What else an engine holds; looked up only for a plan that makes volumes.
struct Neighbours {
  std::vector<Volume> volumes{};        ///< that Compose labelled, of every project
  std::vector<Container> containers{};  ///< of other projects with the same working directory; `mounts` may be empty
};
/// Whether mark_neighbours has something to look at.
bool makes_volumes(const Plan& plan);
/// Marks new volumes for which another project has one of the same key: Risk::data when that project comes from the
/// same working directory and does not run (it was renamed), else a notice when only the names are similar.
void mark_neighbours(Plan& plan, const Neighbours& neighbours);

/// Leading version numbers of a stateful image as far as they decide whether its data can be read: "16" of
/// "postgres:16.2-alpine", "9.6" of "postgres:9.6.1"; from the tag, else from PG_MAJOR, MYSQL_MAJOR, ... of `config`.
/// "" for an image that is not known to keep data, or whose version cannot be told.
std::string data_version(std::string_view reference, const Json& config);

}  // namespace berth::plan
