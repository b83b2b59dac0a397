#include <algorithm>

#include <fmt/format.h>

#include "cli/checks.h"
#include "cli/memory.h"
#include "cli/verbs.h"

namespace berth::cli {
namespace {

std::string_view text_of(Verdict verdict) {
  return verdict == Verdict::ok ? "ok" : verdict == Verdict::warn ? "warn" : "fail";
}

void print_check(const Session& session, const Check& check) {
  const auto color = check.verdict == Verdict::ok     ? Color::green
                     : check.verdict == Verdict::warn ? Color::yellow
                                                      : Color::red;
  const auto verdict = fmt::format("{:<4}", text_of(check.verdict));
  session.console.print(
      fmt::format("{}  {:<16}{}\n", colored(session.console.out, color, verdict), check.what, check.found));
  if (!check.advice.empty()) session.console.print(fmt::format("{:22}-> {}\n", "", check.advice));
}

void print_json(const Session& session, const Check& check) {
  session.console.print(
      Json::object(
          {{"verdict", text_of(check.verdict)}, {"what", check.what}, {"found", check.found}, {"advice", check.advice}})
          .dump() +
      "\n");
}

Result<int> print_memory(const Session& session) {
  const auto all = list_processes();
  const int root = find_serve(all);
  if (root == 0) return fail(Code::not_found, "berth serve does not run here");
  std::int64_t sum = 0;
  auto list = Json::array();
  std::vector<std::vector<std::string>> rows = {{"PID", "PSS", "COMMAND"}};
  for (const auto& one : process_tree(all, root)) {
    const auto bytes = pss_of(one.pid);
    sum += bytes;
    list.push(Json::object({{"pid", one.pid}, {"pss", bytes}, {"command", one.arguments}}));
    rows.push_back({std::to_string(one.pid), fmt::format("{:.1f} MiB", static_cast<double>(bytes) / 1048576),
                    fit(printable(one.arguments), 60)});
  }
  if (session.options.doctor.format == "json") {
    session.console.print(Json::object({{"pss", sum}, {"processes", std::move(list)}}).dump() + "\n");
    return kDone;
  }
  rows.push_back({"all", fmt::format("{:.1f} MiB", static_cast<double>(sum) / 1048576), ""});
  session.console.print(table(rows));
  return kDone;
}

}  // namespace

io::Task<Result<int>> verb_doctor(Session& session) {
  const auto& flags = session.options.doctor;
  if (flags.format != "text" && flags.format != "json")
    co_return session.usage("--format " + flags.format + ": text or json");
  if (flags.memory) co_return print_memory(session);
  auto checks = co_await engine_checks(session);
  std::ranges::move(serve_checks(flags.data), std::back_inserter(checks));
  std::ranges::move(host_checks(), std::back_inserter(checks));
  bool failed = false;
  for (const auto& check : checks) {
    failed = failed || check.verdict == Verdict::fail;
    flags.format == "json" ? print_json(session, check) : print_check(session, check);
  }
  co_return failed ? kFailed : kDone;
}

}  // namespace berth::cli
