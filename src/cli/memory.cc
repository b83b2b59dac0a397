#include "cli/memory.h"

#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "io/file.h"

namespace berth::cli {
namespace {

int number_of(std::string_view text) {
  int value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

bool is_serve(const ProcessEntry& one) {
  const auto rest = cut(one.arguments, ' ').after;
  return one.name == "berth" && (rest == "serve" || rest.starts_with("serve "));
}

ProcessEntry read_process(const std::string& pid) {
  ProcessEntry out{.pid = number_of(pid)};
  // "123 (name with ) in it) S 1 ..."
  const auto stat = io::read_file("/proc/" + pid + "/stat");
  const auto line = io::read_file("/proc/" + pid + "/cmdline");
  if (!stat || !line) return {};
  const auto open = stat->find('('), close = stat->rfind(')');
  if (open == std::string::npos || close == std::string::npos || close + 4 > stat->size()) return {};
  out.name = stat->substr(open + 1, close - open - 1);
  out.parent = number_of(std::string_view(*stat).substr(close + 4));
  out.arguments = *line;
  std::ranges::replace(out.arguments, '\0', ' ');
  out.arguments = trim(out.arguments);
  return out;
}

}  // namespace

std::vector<ProcessEntry> process_tree(const std::vector<ProcessEntry>& all, int root) {
  std::vector<ProcessEntry> out;
  for (const auto& one : all)
    if (one.pid == root) out.push_back(one);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const int parent = out[i].pid;
    for (const auto& one : all)
      if (one.parent == parent && one.pid != parent) out.push_back(one);
  }
  return out;
}

int find_serve(const std::vector<ProcessEntry>& all) {
  const auto found = std::ranges::find_if(all, is_serve);
  return found == all.end() ? 0 : found->pid;
}

std::int64_t parse_pss(std::string_view smaps_rollup) {
  for (const auto line : split(smaps_rollup, '\n'))
    if (line.starts_with("Pss:")) return std::int64_t{number_of(trim(line.substr(4)))} * 1024;
  return 0;
}

std::vector<ProcessEntry> list_processes() {
  std::vector<ProcessEntry> out;
  const auto names = io::list_folder("/proc");
  for (const auto& name : names ? *names : std::vector<std::string>{}) {
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    auto one = read_process(name);
    if (one.pid > 0) out.push_back(std::move(one));
  }
  return out;
}

std::int64_t pss_of(int pid) {
  const auto text = io::read_file("/proc/" + std::to_string(pid) + "/smaps_rollup");
  return text ? parse_pss(*text) : 0;
}

}  // namespace berth::cli
