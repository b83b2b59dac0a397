// `berth upgrade`: asks the running `berth serve` to put the program at its path in its own place.
#include <csignal>
#include <cstdio>
#include <thread>

#include "app/listening.h"
#include "app/verbs.h"
#include "cli/exit_status.h"
#include "io/file.h"

namespace berth::app {
namespace {

constexpr std::string_view kHelp =
    "Usage: berth upgrade [--data DIR]\n\n"
    "Has the running berth serve replace itself by the program that lies at its path now: the new edge accepts before\n"
    "the old one stops, listeners stay open, and open connections may end within 30 s. A new program that does not\n"
    "start changes nothing. The same as SIGUSR2 to the serve.\n\n"
    "Flags:\n"
    "  --data DIR  data folder of berth serve (default /var/lib/berth)\n";

constexpr std::chrono::milliseconds kMost{60'000}, kAgain{50};

int complain(const std::string& message, int status) {
  std::fprintf(stderr, "berth upgrade: %s\n", message.c_str());
  return status;
}

Result<pid_t> serve_of(const std::string& data) {
  const std::string none = "no berth serve with --data " + data + " runs";
  // Who holds the folder runs; the number alone may be anybody's by now.
  if (!io::exists(data + "/lock") || io::FileLock::take(data + "/lock")) return fail(Code::unavailable, none);
  const auto text = io::read_file(data + "/serve.pid");
  const pid_t pid = text ? static_cast<pid_t>(std::atoi(text->c_str())) : 0;
  if (pid <= 1) return fail(Code::unavailable, none);
  return pid;
}

int upgrade(const std::string& data) {
  const auto pid = serve_of(data);
  if (!pid) return complain(pid.error().message, cli::kFailed);
  const std::int64_t before = read_upgrade(data).number;
  if (::kill(*pid, SIGUSR2) != 0)
    return complain("process " + std::to_string(*pid) + " cannot be signalled; run this as its user", cli::kFailed);
  for (auto waited = std::chrono::milliseconds{}; waited < kMost; waited += kAgain) {
    std::this_thread::sleep_for(kAgain);
    const UpgradeOutcome outcome = read_upgrade(data);
    if (outcome.number <= before) continue;
    if (!outcome.why.empty()) return complain(outcome.why, cli::kFailed);
    std::printf("upgraded to %s\n", outcome.program.c_str());
    return cli::kDone;
  }
  return complain("berth serve did not say within 60 s what came of it; its log may", cli::kFailed);
}

}  // namespace

int run_upgrade(const std::vector<std::string>& arguments, const Environment&) {
  std::string data = "/var/lib/berth";
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i] == "--help" || arguments[i] == "-h") return std::fputs(std::string(kHelp).c_str(), stdout) < 0;
    if (arguments[i].starts_with("--data="))
      data = arguments[i].substr(7);
    else if (arguments[i] == "--data" && i + 1 < arguments.size())
      data = arguments[++i];
    else
      return complain("\"" + arguments[i] + "\" is not known here; berth upgrade --help shows what is", cli::kBadUsage);
  }
  return upgrade(data);
}

}  // namespace berth::app
