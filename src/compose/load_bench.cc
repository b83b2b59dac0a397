// How long a project takes from text to Project.
#include "compose/load.h"

#include <benchmark/benchmark.h>

namespace berth::compose {
namespace {

// Services as users write them: a variable, a list environment, short ports and volumes, a health check.
std::string file_of(int services) {
  std::string out = "services:\n";
  for (int i = 0; i < services; ++i) {
    const std::string n = std::to_string(i);
    out += "  web" + n + ":\n    image: registry.test/web:${TAG:-1}\n    restart: unless-stopped\n    environment:\n" +
           "      - MODE=production\n      - URL=http://web" + n + ":80/?a=b\n    ports: [\"" +
           std::to_string(20000 + i) + ":80\"]\n    volumes: [\"data" + n + ":/data\", \"./conf:/etc/conf:ro\"]\n" +
           "    healthcheck:\n      test: [CMD, /web, --health]\n      interval: 5s\n" +
           (i > 0 ? "    depends_on: [web" + std::to_string(i - 1) + "]\n" : "");
  }
  out += "volumes:\n";
  for (int i = 0; i < services; ++i) out += "  data" + std::to_string(i) + ":\n";
  return out;
}

void load_project(benchmark::State& state) {
  const Files files = memory_files({{"/project/compose.yaml", file_of(static_cast<int>(state.range(0)))}});
  LoadOptions options;
  options.working_dir = "/project";
  for (auto _ : state) {
    auto project = load(options, files);
    if (!project) state.SkipWithError(project.error().message.c_str());
    benchmark::DoNotOptimize(project);
  }
}
BENCHMARK(load_project)->Arg(2)->Arg(10)->Arg(50)->Arg(100)->Arg(1000)->Arg(10000)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace berth::compose
