// A whole project from arbitrary bytes: several files, options and variables as in testdata/load, loaded, printed, read
// again and planned. What must hold: what we print loads again, to the same print.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "base/text.h"
#include "compose/config.h"
#include "compose/load.h"
#include "compose/plan.h"

namespace {

using namespace berth;
using namespace berth::compose;

struct Input {
  LoadOptions options{};
  std::map<std::string, std::string> texts{};
};

void add_option(LoadOptions& options, std::string_view line) {
  const auto [name, value, found] = cut(line, ' ');
  const std::string text(value);
  if (name == "-f") options.files.push_back(text);
  if (name == "-p") options.project_name = text;
  if (name == "--profile") options.profiles.push_back(text);
  if (name == "--env-file") options.env_files.push_back(text);
  if (name == "--project-directory") options.project_directory = text;
  if (name == "--no-consistency") options.check_consistency = false;
  if (name == "--no-interpolate") options.interpolate = false;
  if (name == "--no-normalize") options.normalize = false;
  if (name == "--no-path-resolution") options.resolve_paths = false;
  if (name == "--no-env-resolution") options.resolve_environment = false;
  if (name == "target") options.targets.push_back(text);
  const Cut variable = cut(line, '=');
  if (variable.found) options.environment[std::string(variable.before)] = variable.after;
}

// Lines above the first "=== NAME" are options, then each section is a file; without any the whole is compose.yaml.
Input input_of(std::string_view text) {
  Input input;
  input.options.working_dir = "/project";
  input.options.environment["HOME"] = "/home/user";
  text = text.substr(0, text.find("\n----------\n"));
  std::string* file = nullptr;
  if (!text.starts_with("===") && text.find("\n=== ") == std::string_view::npos)
    file = &input.texts["/project/compose.yaml"];
  for (const std::string_view line : split(text, '\n')) {
    const std::string_view name = line.starts_with("=== ") ? line.substr(4) : std::string_view{};
    if (!name.empty())
      file = &input.texts[name.starts_with('/') ? std::string(name) : "/project/" + std::string(name)];
    else if (file)
      file->append(line).push_back('\n');
    else
      add_option(input.options, line);
  }
  return input;
}

void check_again(const Project& project, const LoadOptions& options) {
  const std::string printed = config_json(project);
  LoadOptions plain;
  plain.working_dir = "/project";
  plain.files = {"/project/compose.yaml"};
  plain.profiles = {"*"};
  plain.check_consistency = false;
  plain.resolve_paths = options.resolve_paths;
  (void)load(plain, memory_files({{"/project/compose.yaml", printed}}));
  (void)config_yaml(project);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Input input = input_of({reinterpret_cast<const char*>(data), size});
  const auto project = load(input.options, memory_files(input.texts));
  if (!project) {
    if (project.error().message.empty()) std::abort();
    return 0;
  }
  check_again(*project, input.options);
  plan::Observed nothing;
  const auto plan = plan_up(*project, nothing);
  if (plan) (void)plan->to_text();
  (void)plan_down(*project, nothing);
  return 0;
}
