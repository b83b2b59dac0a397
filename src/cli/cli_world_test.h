// A world for tests of the command line: files in memory, a fake engine, virtual time.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "base/text.h"
#include "cli/run.h"
#include "testing/fake_engine.h"
#include "testing/simulation.h"

namespace berth::cli {

inline constexpr std::string_view kShop = R"(services:
  web:
    image: web:1
    environment:
      MODE: ${MODE:-slow}
    depends_on: [db]
  db:
    image: db:1
)";

inline const Json kCommand = Json::object({{"Cmd", Json::array({"serve"})}});

struct CliWorld {
  explicit CliWorld(testing::FakeEngineOptions options = {}) : engine(*loop, std::move(options)) {
    folder = ::testing::TempDir() + "berth-cli-" + std::to_string(::getpid());
    files["/shop/compose.yaml"] = kShop;
    engine.add_image("web:1", {.config = kCommand,
                               .process = {.output = {{"hello from web\n", false, std::chrono::seconds(1)},
                                                      {"late\n", true, std::chrono::seconds(3)}}}});
    engine.add_image(
        "db:1", {.config = kCommand, .process = {.output = {{"hello from db\n", false, std::chrono::seconds(2)}}}});
    world.environment = {{"HOME", "/root"}};
    world.working_dir = "/shop";
    world.runtime_folder = folder;
    world.console.out.write = [this](std::string_view text) { out += text; };
    world.console.err.write = [this](std::string_view text) { err += text; };
    world.dialer = [this](const engine::Address&) { return engine.dialer(); };
    world.now = [this] { return std::chrono::system_clock::from_time_t(1'767'225'600) + since_start(); };
  }
  ~CliWorld() { std::filesystem::remove_all(folder); }

  std::chrono::system_clock::duration since_start() const {
    return std::chrono::duration_cast<std::chrono::system_clock::duration>(loop->now().time_since_epoch());
  }

  // Runs `berth LINE`; words are divided by spaces, "_" in a word stands for one.
  int run(std::string_view line) {
    Texts words;
    for (const auto word : split(line, ' ')) words.push_back(replace_all(word, "_", " "));
    return run_words(words);
  }
  int run_words(const Texts& words) {
    out.clear();
    err.clear();
    world.files = compose::memory_files(files);
    return run_in(world, *loop, words);
  }

  std::unique_ptr<io::Loop> loop = testing::simulated_loop();
  testing::FakeEngine engine;
  World world;
  std::map<std::string, std::string> files;
  std::string folder, out, err;
};

}  // namespace berth::cli
