// The classic builder, as far as an image's configuration goes: RUN does nothing.
#include <fmt/format.h>

#include "base/hash.h"
#include "base/text.h"
#include "testing/fake_route.h"

namespace berth::testing {
namespace {

constexpr std::string_view kPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
constexpr std::string_view kKnown[] = {"ADD",    "ARG",   "CMD",         "COPY",  "ENTRYPOINT", "ENV",
                                       "EXPOSE", "FROM",  "HEALTHCHECK", "LABEL", "MAINTAINER", "ONBUILD",
                                       "RUN",    "SHELL", "STOPSIGNAL",  "USER",  "VOLUME",     "WORKDIR"};

struct Instruction {
  int line = 0;
  std::string name;
  std::string rest;
};

struct Stage {
  std::string base;
  std::string name;
  std::vector<Instruction> steps{};  // with its FROM
};

std::string upper(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
  return out;
}

std::vector<Instruction> instructions_of(std::string_view text) {
  std::vector<Instruction> list;
  std::string pending;
  int number = 0, first = 0;
  for (const std::string_view raw : split(text, '\n')) {
    ++number;
    const std::string_view line = trim(raw);
    if (pending.empty()) first = number;
    if (line.starts_with('#') || (line.empty() && pending.empty())) continue;
    if (line.ends_with('\\')) {
      pending.append(line.substr(0, line.size() - 1)).append(" ");
      continue;
    }
    pending.append(line);
    const Cut parts = cut(pending, ' ');
    list.push_back({first, upper(parts.before), std::string(trim(parts.after))});
    pending.clear();
  }
  return list;
}

// ["a", "b"] as a list, anything else as a shell's command.
Json command_of(const std::string& rest) {
  if (rest.starts_with('['))
    if (const auto parsed = parse_json(rest)) return *parsed;
  return Json::array({"/bin/sh", "-c", rest});
}

void set_pairs(Json& config, std::string_view key, const std::string& rest) {
  const auto words = split_words(rest);
  if (!words) return;
  for (std::size_t i = 0; i < words->size(); ++i) {
    Cut pair = cut((*words)[i], '=');
    if (!pair.found && i + 1 < words->size()) pair.after = (*words)[++i];  // "ENV NAME value"
    if (key == "Labels") {
      config.slot("Labels").set(pair.before, pair.after);
    } else {
      Json kept = Json::array();
      for (const Json& item : config["Env"].items())
        if (cut(item.text(), '=').before != pair.before) kept.push(item);
      kept.push(fmt::format("{}={}", pair.before, pair.after));
      config.set("Env", std::move(kept));
    }
  }
}

std::int64_t nanoseconds(std::string_view text) {
  const auto passed = parse_time(text, 0);
  return passed ? -*passed : 0;
}

void set_health(Json& config, const std::string& rest) {
  Json check = Json::object();
  std::string_view left = rest;
  while (left.starts_with("--")) {
    const Cut word = cut(left, ' ');
    const Cut option = cut(word.before.substr(2), '=');
    const std::string_view name = option.before;
    if (name == "retries") check.set("Retries", std::atoi(std::string(option.after).c_str()));
    if (name == "interval") check.set("Interval", nanoseconds(option.after));
    if (name == "timeout") check.set("Timeout", nanoseconds(option.after));
    if (name == "start-period") check.set("StartPeriod", nanoseconds(option.after));
    left = trim(word.after);
  }
  const Cut kind = cut(left, ' ');
  Json test = Json::array();
  if (upper(kind.before) == "NONE") {
    test.push("NONE");
  } else if (const std::string command(trim(kind.after)); command.starts_with('[')) {
    test.push("CMD");
    for (const Json& word : command_of(command).items()) test.push(word);
  } else {
    test.push("CMD-SHELL");
    test.push(command);
  }
  config.set("Healthcheck", with(std::move(check), {{"Test", std::move(test)}}));
}

void apply(const Instruction& step, Json& config) {
  if (step.name == "CMD") config.set("Cmd", command_of(step.rest));
  if (step.name == "ENTRYPOINT") config.set("Entrypoint", command_of(step.rest));
  if (step.name == "ENV") set_pairs(config, "Env", step.rest);
  if (step.name == "LABEL") set_pairs(config, "Labels", step.rest);
  if (step.name == "WORKDIR") config.set("WorkingDir", step.rest);
  if (step.name == "USER") config.set("User", step.rest);
  if (step.name == "STOPSIGNAL") config.set("StopSignal", step.rest);
  if (step.name == "HEALTHCHECK") set_health(config, step.rest);
  if (step.name == "EXPOSE")
    for (const std::string_view port : split(step.rest, ' '))
      config.slot("ExposedPorts").set(std::string(port) + (port.find('/') == port.npos ? "/tcp" : ""), Json::object());
  if (step.name == "VOLUME") {
    const Json list = step.rest.starts_with('[') ? command_of(step.rest) : Json::array({step.rest});
    for (const Json& path : list.items()) config.slot("Volumes").set(path.text(), Json::object());
  }
}

std::vector<Stage> stages_of(std::vector<Instruction> steps) {
  std::vector<Stage> stages;
  for (Instruction& step : steps) {
    if (step.name == "FROM") {
      const auto words = split(step.rest, ' ');
      stages.push_back({.base = std::string(words[0]), .name = words.size() > 2 ? std::string(words[2]) : ""});
    }
    if (!stages.empty()) stages.back().steps.push_back(std::move(step));
  }
  return stages;
}

// One build as it goes: lines so far, and what went wrong.
struct Build {
  FakeState& state;
  const FakeArgs& args;
  std::vector<FakeEntry> context;
  std::vector<FakeStep> lines{};
  bool failed = false;

  void say(std::string text) { lines.push_back({.message = Json::object({{"stream", std::move(text)}})}); }
  void fail(std::string_view message, int code = 0) {
    lines.push_back({.message = error_step(message, code)});
    failed = true;
  }
};

// The source of a COPY that is not in the context.
std::string missing_source(const Build& build, const Instruction& step) {
  if (step.name != "COPY" && step.name != "ADD") return {};
  auto words = split(step.rest, ' ');
  if (step.rest.find("--from=") != std::string::npos || words.size() < 2) return {};
  words.pop_back();
  for (std::string_view source : words) {
    if (source.starts_with("--") || source.find("://") != source.npos) continue;
    while (source.starts_with("./") || source.starts_with('/')) source.remove_prefix(source.find('/') + 1);
    if (source.empty() || source == "." || source.find_first_of("*?[") != source.npos) continue;
    const std::string wanted(source.ends_with('/') ? source.substr(0, source.size() - 1) : source);
    const bool there = std::ranges::any_of(build.context, [&](const FakeEntry& entry) {
      return entry.name == wanted || entry.name.starts_with(wanted + "/");
    });
    if (!there) return wanted;
  }
  return {};
}

// The base image of a stage, pulled where needed; null on failure.
const FakeStoredImage* base_of(Build& build, const Stage& stage) {
  const bool pull = build.args.flag("pull");
  const FakeStoredImage* known = build.state.find_image(stage.base);
  if (known && !pull) return known;
  const auto full = full_reference(stage.base);
  const FakeRemote* remote = full ? find_remote(build.state, *full, "") : nullptr;
  if (remote) return &store_image(build.state, *full, remote->image);
  if (known) return known;
  build.fail(full ? pull_denied(*full) : full.error());
  return nullptr;
}

// Begins a stage: the configuration of its base image, with a PATH; false when there is no such image.
bool begin_stage(Build& build, const std::vector<Stage>& stages, const Stage& stage, Json& config, std::string& base) {
  const auto earlier = std::ranges::find(stages, stage.base, &Stage::name);
  if (stage.base == "scratch" || (earlier != stages.end() && &*earlier < &stage)) return true;
  const FakeStoredImage* image = base_of(build, stage);
  if (!image) return false;
  base = image->id;
  config = image->image.config;
  const auto& environment = config["Env"].items();
  if (std::ranges::none_of(environment, [](const Json& item) { return item.text().starts_with("PATH="); }))
    config.slot("Env").push(kPath);
  build.say(fmt::format(" ---> {}\n", short_image(image->id)));
  return true;
}

// One instruction but FROM; false when it fails.
bool run_step(Build& build, const Instruction& step, Json& config) {
  if (const std::string missing = missing_source(build, step); !missing.empty()) {
    build.fail(
        fmt::format("{} failed: file not found in build context or excluded by .dockerignore: stat {}: file "
                    "does not exist",
                    step.name, missing));
    return false;
  }
  const std::string id = build.state.new_id("step").substr(0, 12);
  apply(step, config);
  build.say(fmt::format(" ---> Running in {}\n", id));
  build.say(fmt::format("Removing intermediate container {}\n", id));
  build.say(fmt::format(" ---> {}\n", build.state.new_id("step").substr(0, 12)));
  return true;
}

// The configuration that a stage makes; `base` is the image's that it began with.
Json run_stage(Build& build, const std::vector<Stage>& stages, const Stage& stage, std::string& base) {
  Json config = image_config_defaults();
  std::size_t number = 0;
  bool command_set = false;
  for (const Instruction& step : stage.steps) {
    build.say(fmt::format("Step {}/{} : {}{}{}", ++number, stage.steps.size(), step.name, step.rest.empty() ? "" : " ",
                          step.rest));
    build.say("\n");
    const bool goes_on =
        step.name == "FROM" ? begin_stage(build, stages, stage, config, base) : run_step(build, step, config);
    if (!goes_on) return {};
    // An ENTRYPOINT drops the CMD of the base image.
    command_set = command_set || step.name == "CMD";
    if (step.name == "ENTRYPOINT" && !command_set) config.set("Cmd", nullptr);
  }
  return config;
}

std::string digest_of(const Build& build, std::string_view dockerfile, std::string_view base) {
  std::string all(dockerfile);
  all.append(base).append(build.args.value("buildargs")).append(build.args.value("labels"));
  all.append(build.args.value("target")).append(build.args.value("platform"));
  for (const FakeEntry& entry : build.context) all.append(entry.name).append("\n").append(entry.content);
  return "sha256:" + sha256_hex(all);
}

FakeReply finish(Build& build, std::vector<std::string> tags, FakeImage image, std::string parent) {
  build.lines.push_back({.message = Json::object({{"aux", Json::object({{"ID", image.id}})}})});
  build.say(fmt::format("Successfully built {}\n", short_image(image.id)));
  for (const std::string& tag : tags) build.say(fmt::format("Successfully tagged {}\n", tag));
  FakeState& state = build.state;
  const auto store = [&state, tags, image, parent] {
    for (const std::string& tag : tags) {
      FakeStoredImage& stored = store_image(state, tag, image);
      stored.built = true;
      stored.parent = parent;
      state.emit("image", "tag", stored.id, Json::object({{"name", tag}}));
    }
    if (tags.empty()) {
      FakeStoredImage& stored = store_image(state, image.id + "@", image);
      stored.built = true;
    }
  };
  return tell_steps(state, std::move(build.lines), store);
}

FakeReply run_script(Build& build, const FakeBuild& script, std::vector<std::string> tags, std::string id) {
  for (const std::string& line : script.output) build.say(line + "\n");
  for (FakeStep& line : build.lines) line.after = script.line_time;
  if (!script.error.empty()) {
    build.fail(script.error, script.error_code);
    return tell_steps(build.state, std::move(build.lines), [] {});
  }
  FakeImage image = script.image;
  if (image.id.empty()) image.id = std::move(id);
  if (const auto labels = parse_json(build.args.value("labels")))
    for (const auto& [key, value] : labels->members()) image.config.slot("Labels").set(key, value);
  return finish(build, std::move(tags), std::move(image), "");
}

FakeReply interpret(Build& build, const std::string& text, std::vector<std::string> tags) {
  auto steps = instructions_of(text);
  const std::string labels(build.args.value("labels"));
  if (const auto wanted = parse_json(labels))
    for (const auto& [key, value] : wanted->members())
      steps.push_back({.name = "LABEL", .rest = fmt::format("{}={}", key, value.text())});
  const auto stages = stages_of(std::move(steps));
  const std::string target(build.args.value("target"));
  const auto chosen = target.empty() ? std::prev(stages.end()) : std::ranges::find(stages, target, &Stage::name);
  if (chosen == stages.end()) return refuse(400, fmt::format("failed to reach build target {} in Dockerfile", target));
  std::string base;
  Json config;
  for (auto stage = stages.begin(); !build.failed; ++stage) {
    config = run_stage(build, stages, *stage, base);
    if (stage == chosen) break;
  }
  if (build.failed) return tell_steps(build.state, std::move(build.lines), [] {});
  return finish(build, std::move(tags), {.config = std::move(config), .id = digest_of(build, text, base)}, base);
}

// What makes the builder refuse before it begins.
std::optional<FakeReply> check_dockerfile(const std::string& name, const std::string& text) {
  const auto steps = instructions_of(text);
  if (steps.empty()) return refuse(400, fmt::format("the Dockerfile ({}) cannot be empty", name));
  for (const Instruction& step : steps)
    if (std::ranges::find(kKnown, step.name) == std::end(kKnown))
      return refuse(400, fmt::format("dockerfile parse error line {}: unknown instruction: {}", step.line, step.name));
  if (std::ranges::none_of(steps, [](const Instruction& step) { return step.name == "FROM"; }))
    return refuse(400, "no build stage in current context");
  return std::nullopt;
}

FakeReply build(FakeState& state, const FakeArgs& args) {
  std::vector<std::string> tags;
  for (const std::string& tag : args.values("t")) {
    const auto full = full_reference(tag);
    if (!full) return refuse(state.at_least(42) ? 400 : 500, full.error());
    tags.push_back(*full);
  }
  auto context = read_tar(args.request.body);
  if (!context) return refuse(500, "archive/tar: invalid tar header");
  for (FakeEntry& entry : *context)
    while (entry.name.starts_with("./")) entry.name.erase(0, 2);
  std::string name(args.value("dockerfile"));
  if (name.empty()) name = "Dockerfile";
  while (name.starts_with("./")) name.erase(0, 2);
  const auto file = std::ranges::find(*context, name, &FakeEntry::name);
  if (file == context->end()) return refuse(500, fmt::format("Cannot locate specified Dockerfile: {}", name));
  const std::string text = file->content;
  if (auto refusal = check_dockerfile(name, text)) return *refusal;
  Build job{state, args, std::move(*context)};
  for (auto script = state.builds.rbegin(); script != state.builds.rend(); ++script)
    for (const std::string& tag : tags)
      if (glob(script->tag, tag)) return run_script(job, *script, tags, digest_of(job, text, ""));
  return interpret(job, text, tags);
}

}  // namespace

const std::vector<FakeRoute>& build_routes() {
  static const std::vector<FakeRoute> routes{{"POST", "/build", build}};
  return routes;
}

}  // namespace berth::testing
