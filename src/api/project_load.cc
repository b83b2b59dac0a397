#include "api/project_load.h"

#include <algorithm>
#include <charconv>

#include "base/text.h"

namespace berth::api {
namespace {

std::string absolute(const ProjectFiles& files, const std::string& path) {
  return files.folder + '/' + path;
}

// Plans of images look at what Dockerfiles build on.
void add_dockerfiles(const ProjectFiles& files, compose::Project& project) {
  for (const auto* services : {&project.services, &project.disabled})
    for (const auto& service : *services) {
      const auto& build = service.config["build"];
      if (!build.is_object()) continue;
      std::string text(build["dockerfile_inline"].text());
      const auto path =
          std::string(build["context"].text()) + '/' + std::string(build["dockerfile"].text("Dockerfile"));
      if (text.empty() && lies_beneath(files.folder, path))
        if (const auto found = files.texts.find(path.substr(files.folder.size() + 1)); found != files.texts.end())
          text = found->second;
      project.dockerfiles[service.name] = text;
    }
}

// What a build would read of this host; berth itself reads it, so that no grant can allow it.
Result<void> check_build(const compose::Project& project, const compose::Service& service, std::string_view folder) {
  const auto& build = service.config["build"];
  if (!build.is_object()) return {};
  const auto refuse = [&](std::string_view field, std::string_view path) -> Result<void> {
    const auto at = project.origin("services." + service.name + ".build." + std::string(field)).text();
    return fail(Code::invalid, at + ": services." + service.name + ".build." + std::string(field) + ": \"" +
                                   std::string(path) + "\" is not in the project's folder; put it there");
  };
  const std::string_view context = build["context"].text();
  if (context.starts_with('/') && !lies_beneath(folder, context)) return refuse("context", context);
  const std::string_view dockerfile = build["dockerfile"].text();
  if (dockerfile.starts_with('/') || dockerfile.contains("..")) return refuse("dockerfile", dockerfile);
  for (const auto& [name, path] : build["additional_contexts"].members())
    if (path.text().starts_with('/') && !lies_beneath(folder, path.text()))
      return refuse("additional_contexts", path.text());
  if (!build["ssh"].is_empty()) return refuse("ssh", "ssh");
  return {};
}

Result<void> check_reach(const compose::Project& project, std::string_view folder) {
  for (const auto& service : project.services) TRY(check_build(project, service, folder));
  for (const auto& [kind, section] : {std::pair{"secrets.", &project.secrets}, std::pair{"configs.", &project.configs}})
    for (const auto& [name, declared] : section->members())
      if (const auto path = declared["file"].text(); !path.empty() && !lies_beneath(folder, path))
        return fail(Code::invalid, project.origin(kind + name).text() + ": " + kind + name + ".file: \"" +
                                       std::string(path) + "\" is not in the project's folder; put it there");
  return {};
}

// "/shop/compose.yaml:4:5: services.web: ..." in its parts; line 0 where there is none.
struct Place {
  std::string file{};
  int line = 0, column = 0;
  std::string message{};
};

bool take_number(std::string_view& text, int& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc{} || end == text.data() || end == text.data() + text.size() || *end != ':') return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()) + 1);
  return true;
}

Place place_of(std::string_view message) {
  for (std::size_t at = message.find(':'); at != std::string_view::npos; at = message.find(':', at + 1)) {
    Place out{.file = std::string(message.substr(0, at))};
    std::string_view rest = message.substr(at + 1);
    if (out.file.contains(' ')) break;
    if (take_number(rest, out.line) && take_number(rest, out.column)) {
      out.message = trim(rest);
      return out;
    }
  }
  return {.message = std::string(message)};
}

}  // namespace

bool lies_beneath(std::string_view folder, std::string_view path) {
  if (!path.starts_with(folder) || path.contains("/../") || path.ends_with("/..")) return false;
  return path.size() == folder.size() || path[folder.size()] == '/';
}

compose::Files files_of(const ProjectFiles& files) {
  std::map<std::string, std::string> texts;
  for (const auto& [path, text] : files.texts) texts[absolute(files, path)] = text;
  auto out = compose::memory_files(std::move(texts));
  out.remote = nullptr;  // nothing is fetched for the API
  return out;
}

Result<LoadedProject> load_project(const ProjectFiles& files, std::int64_t now) {
  return load_from(files, files_of(files), now);
}

Result<LoadedProject> load_from(const ProjectFiles& files, compose::Files view, std::int64_t now) {
  LoadedProject out;
  compose::LoadOptions options;
  options.working_dir = options.project_directory = files.folder;
  options.project_name = files.name;
  for (const auto& path : files.compose) options.files.push_back(absolute(files, path));
  for (const auto& path : files.env_files) options.env_files.push_back(absolute(files, path));
  out.files = std::move(view);
  out.project = TRY(compose::load(options, compose::recording(out.files, out.source.texts)));
  TRY(check_reach(out.project, files.folder));
  out.project.loaded_at = now;
  add_dockerfiles(files, out.project);
  out.source.load = std::move(options);
  return out;
}

Json problem_of(const Error& error, std::string_view folder) {
  auto place = place_of(error.message);
  if (lies_beneath(folder, place.file)) place.file.erase(0, folder.size() + 1);
  Json out = Json::object({{"file", place.file},
                           {"line", place.line},
                           {"column", place.column},
                           {"level", "error"},
                           {"message", place.message},
                           {"caret", error.detail}});
  return out;
}

Json warning_of(std::string_view text) {
  return Json::object(
      {{"file", ""}, {"line", 0}, {"column", 0}, {"level", "warning"}, {"message", text}, {"caret", ""}});
}

}  // namespace berth::api
