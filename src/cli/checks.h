// What `doctor` looks at; each check is one line of its report.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "cli/session.h"

namespace berth::cli {

enum class Verdict { ok, warn, fail };

/// One line: what was looked at, what was found, what to do.
struct Check {
  Verdict verdict = Verdict::ok;
  std::string what{};
  std::string found{};
  std::string advice{};
};

/// Pure judgements over texts and numbers.
Check judge_forwarding(std::string_view forward_rules, std::string_view filter_chains);
Check judge_disk(const std::string& path, std::uint64_t free_bytes, std::uint64_t all_bytes);
Check judge_clock(std::chrono::milliseconds skew);
/// `status` of a berth serve: the containers that Traefik routes by default and berth does not.
Check judge_exposure(const Json& status);

/// Checks that need no engine: ports, the kernel's cgroups, whether the clock is synchronised.
std::vector<Check> host_checks();
/// What the berth serve with this data folder leaves out; nothing where none ran yet.
std::vector<Check> serve_checks(const std::string& data);
/// The engine, and when it runs on this host its network and its disk.
io::Task<std::vector<Check>> engine_checks(Session& session);

}  // namespace berth::cli
