// The memory of a tree of processes, as `doctor --memory` prints it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace berth::cli {

/// One process as /proc tells it.
struct ProcessEntry {
  int pid = 0;
  int parent = 0;
  std::string name{};       ///< comm
  std::string arguments{};  ///< joined by spaces
};
/// `root` and everything below it, parents first. Pure.
std::vector<ProcessEntry> process_tree(const std::vector<ProcessEntry>& all, int root);
/// The supervisor: a berth whose first argument is "serve" and whose parent is none; 0 when there is none. Pure.
int find_serve(const std::vector<ProcessEntry>& all);
/// Bytes of the "Pss:" line of smaps_rollup; 0 when there is none. Pure.
std::int64_t parse_pss(std::string_view smaps_rollup);

std::vector<ProcessEntry> list_processes();
std::int64_t pss_of(int pid);

}  // namespace berth::cli
