// The program: hands the command line to the verb that its first word names, else to the Compose command line. The
// environment is read here and nowhere else.
#include <algorithm>
#include <csignal>
#include <string>
#include <vector>

#include "app/verbs.h"
#include "cli/run.h"
#include "io/heap.h"

extern "C" char** environ;

namespace {

berth::app::Environment environment_of_process() {
  berth::app::Environment out;
  for (char** entry = environ; entry && *entry; ++entry) {
    const std::string text = *entry;
    const auto sign = text.find('=');
    if (sign != std::string::npos && sign > 0) out[text.substr(0, sign)] = text.substr(sign + 1);
  }
  return out;
}

/// The processes of `berth serve` that mostly wait. The edge does not: its threads share nothing.
bool waits(const std::vector<std::string>& arguments) {
  constexpr std::string_view kRoles[] = {"serve", "core", "broker"};
  return !arguments.empty() && std::ranges::find(kRoles, arguments.front()) != std::end(kRoles);
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (waits(arguments)) berth::io::keep_heap_small();
  const auto environment = environment_of_process();
  std::vector<berth::cli::OtherVerb> shown;
  for (const auto& verb : berth::app::verbs()) {
    if (!arguments.empty() && arguments.front() == verb.name)
      return verb.run({arguments.begin() + 1, arguments.end()}, environment);
    if (!verb.group.empty()) shown.push_back({verb.name, verb.summary});
  }
  return berth::cli::run(arguments, environment, shown);
}
