// Flags of plan and of the verbs on plans and generations.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace berth::cli {

struct PlanFlags {
  std::string verb = "up";
  bool detailed_exitcode = false;
  std::string format = "text";
  std::string out{};  ///< file to save the plan in
};

/// apply, history, diff and rollback.
struct HistoryFlags {
  std::string format = "text";
  bool yes = false;
  bool wait = false;
  std::optional<std::int64_t> timeout{};  ///< seconds
};

}  // namespace berth::cli
