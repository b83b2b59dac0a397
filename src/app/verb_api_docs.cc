// `berth api-docs`: the OpenAPI of the route table, without a serve.
#include <cstdio>
#include <filesystem>

#include "app/platform.h"
#include "app/verbs.h"
#include "cli/exit_status.h"
#include "io/loop.h"
#include "io/temporary.h"

namespace berth::app {
namespace {

constexpr std::string_view kHelp =
    "Usage: berth api-docs\n\n"
    "Prints the OpenAPI 3.1 document of the HTTP API of this program's berth serve, as /api/v1/openapi.json of a\n"
    "running one gives it. No serve and no engine is needed.\n";

// The table is made of what works on a store: an empty one in a folder that is gone afterwards.
Result<Json> describe() {
  const auto folder = TRY(io::TemporaryFolder::make(std::filesystem::temp_directory_path().string(), "berth-api-docs"));
  io::Loop loop;
  Platform platform({.data = folder.path(), .engine = "unix:///var/run/docker.sock", .runtime_folder = folder.path()});
  return loop.run(platform.describe());
}

}  // namespace

int run_api_docs(const std::vector<std::string>& arguments, const Environment&) {
  const bool help = arguments.size() == 1 && (arguments[0] == "--help" || arguments[0] == "-h");
  if (help) {
    std::printf("%s", std::string(kHelp).c_str());
    return cli::kDone;
  }
  if (!arguments.empty()) {
    std::fprintf(stderr, "berth: api-docs takes no \"%s\"; berth api-docs --help shows what it does\n",
                 arguments[0].c_str());
    return cli::kBadUsage;
  }
  const auto document = describe();
  if (!document) {
    std::fprintf(stderr, "berth: %s\n", document.error().text().c_str());
    return cli::kFailed;
  }
  std::printf("%s\n", document->dump(2).c_str());
  return cli::kDone;
}

}  // namespace berth::app
