#include "compose/load_discover.h"

#include <fmt/format.h>

#include "base/text.h"
#include "compose/load_stages.h"
#include "compose/short.h"

namespace berth::compose {
namespace {

constexpr std::array<std::string_view, 4> kNames = {"compose.yaml", "compose.yml", "docker-compose.yml",
                                                    "docker-compose.yaml"};
constexpr std::array<std::string_view, 4> kOverrideNames = {
    "compose.override.yml", "compose.override.yaml", "docker-compose.override.yml", "docker-compose.override.yaml"};

class Discovery {
 public:
  explicit Discovery(Context& context) : context_(context), options_(context.options) {
    found_.environment = options_.environment;
    found_.environment.emplace("PWD", options_.working_dir);
  }

  Result<Found> run() {
    for (const std::string& file : options_.files) TRY(add_file(file));
    take_env_files();
    TRY(read_env());
    TRY(take_file_variable());
    if (found_.files.empty()) find_files();
    if (found_.files.empty())
      return fail(Code::not_found,
                  fmt::format("no configuration file provided: none of {} in {} or above it",
                              join(std::vector<std::string>(kNames.begin(), kNames.end()), ", "), folder()));
    // The folder of the files may be another than the one we stand in, with a .env of its own.
    take_env_files();
    TRY(read_env());
    found_.folder = folder();
    if (!options_.project_directory.empty()) found_.repository.clear();
    const std::string* compatibility = variable("COMPOSE_COMPATIBILITY");
    found_.compatibility = options_.compatibility || (compatibility != nullptr && is_on(*compatibility));
    found_.profiles = options_.profiles;
    if (const std::string* profiles = variable("COMPOSE_PROFILES"); found_.profiles.empty() && profiles != nullptr)
      for (const std::string_view profile : split(*profiles, ',')) found_.profiles.emplace_back(trim(profile));
    return std::move(found_);
  }

  // After run(): also of what could not be found.
  const Environment& environment() const { return found_.environment; }

 private:
  const std::string* variable(const std::string& name) const {
    const auto at = found_.environment.find(name);
    return at == found_.environment.end() ? nullptr : &at->second;
  }

  Result<void> add_file(const std::string& file) {
    RemoteFile found{.path = file};
    if (file != "-") found = TRY(context_.locate(options_.working_dir, file));
    if (found_.files.empty()) found_.repository = found.repository;
    found_.files.push_back(std::move(found.path));
    return {};
  }

  std::string absolute(const std::string& path) const {
    return path == "-" ? path : join_path(options_.working_dir, path);
  }

  std::string folder() const {
    if (!options_.project_directory.empty()) return absolute(options_.project_directory);
    for (const std::string& file : found_.files)
      if (file != "-") return parent_path(file);
    return options_.working_dir;
  }

  void take_env_files() {
    std::vector<std::string> asked = options_.env_files;
    if (const auto at = options_.environment.find("COMPOSE_ENV_FILES");
        asked.empty() && at != options_.environment.end() && !at->second.empty())
      for (const std::string_view file : split(at->second, ',')) asked.emplace_back(file);
    if (!asked.empty()) {
      found_.env_files.clear();
      for (const std::string& file : asked) found_.env_files.push_back(absolute(file));
      return;
    }
    if (const auto off = options_.environment.find("COMPOSE_DISABLE_ENV_FILE");
        off != options_.environment.end() && is_on(off->second))
      return;
    std::string usual = join_path(folder(), ".env");
    if (context_.files.kind(usual) == Files::Kind::file) found_.env_files = {std::move(usual)};
  }

  Result<void> read_env() {
    if (found_.env_files == read_) return {};
    read_ = found_.env_files;
    found_.environment.merge(TRY(read_env_files(context_, found_.env_files, found_.environment)));
    return {};
  }

  Result<void> take_file_variable() {
    const std::string* value = variable("COMPOSE_FILE");
    if (!found_.files.empty() || value == nullptr || value->empty()) return {};
    const std::string* separator = variable("COMPOSE_PATH_SEPARATOR");
    for (const std::string_view file :
         split(*value, separator == nullptr || separator->empty() ? ':' : (*separator)[0])) {
      TRY(add_file(std::string(file)));
      if (file != "-" && context_.files.kind(found_.files.back()) == Files::Kind::absent)
        return fail(Code::not_found, fmt::format("COMPOSE_FILE: {} does not exist", found_.files.back()));
    }
    return {};
  }

  std::vector<std::string> there(std::span<const std::string_view> names, const std::string& in) const {
    std::vector<std::string> paths;
    for (const std::string_view name : names) {
      std::string path = join_path(in, name);
      if (context_.files.kind(path) != Files::Kind::absent) paths.push_back(std::move(path));
    }
    return paths;
  }

  void take_first(const std::vector<std::string>& paths, std::string_view what) {
    if (paths.empty()) return;
    if (paths.size() > 1)
      context_.warnings.push_back(
          fmt::format("found multiple {} files: {}; using {}", what, join(paths, ", "), paths[0]));
    found_.files.push_back(paths[0]);
  }

  void find_files() {
    for (std::string in = folder();; in = parent_path(in)) {
      const auto paths = there(kNames, in);
      take_first(paths, "config");
      if (!paths.empty()) take_first(there(kOverrideNames, in), "override");
      if (!paths.empty() || in == parent_path(in)) return;
    }
  }

  Context& context_;
  const LoadOptions& options_;
  Found found_;
  std::vector<std::string> read_;
};

std::unexpected<Error> not_normal(std::string_view name) {
  return fail(Code::invalid,
              fmt::format("invalid project name \"{}\": must consist only of lowercase alphanumeric "
                          "characters, hyphens, and underscores as well as start with a letter or number",
                          name));
}

}  // namespace

Result<Found> discover(Context& context) {
  return Discovery(context).run();
}

std::map<std::string, std::string> environment_of(const LoadOptions& options, const Files& files) {
  Context context{.options = options, .files = files};
  Discovery discovery(context);
  auto found = discovery.run();
  return found ? std::move(found->environment) : discovery.environment();
}

bool is_on(std::string_view text) {
  const std::string word = lower(trim(text));
  return word == "1" || word == "t" || word == "true" || word == "y" || word == "yes";
}

Result<std::string> find_name(Context& context, const Found& found, const std::vector<const Node*>& roots) {
  const auto variable = found.environment.find("COMPOSE_PROJECT_NAME");
  std::string given = context.options.project_name;
  if (given.empty() && variable != found.environment.end()) given = variable->second;
  if (!given.empty()) {
    if (normalize_project_name(given) != given) return not_normal(given);
    return given;
  }
  const Node* named = nullptr;
  for (const Node* root : roots)
    if (const Node* name = root->is_map() ? root->find("name") : nullptr;
        name != nullptr && !name->scalar_text().empty())
      named = name;
  if (named == nullptr) {
    std::string name = normalize_project_name(base_name(found.folder));
    if (name.empty())
      return fail(Code::invalid, fmt::format("project name must not be empty: nothing in \"{}\" can be one; use -p",
                                             base_name(found.folder)));
    return name;
  }
  std::string text = named->scalar_text();
  if (context.options.interpolate) {
    auto value = substitute(text, lookup_in(found.environment), context.unset);
    if (!value) return context.fail_at(named->mark, fmt::format("name: {}", value.error().message));
    text = *std::move(value);
  }
  std::string name = context.options.normalize ? normalize_project_name(text) : text;
  // An empty value of a variable means no name, a name that has no usable letter is a mistake.
  if (name.empty()) return context.fail_at(named->mark, "project name must not be empty");
  return name;
}

}  // namespace berth::compose
