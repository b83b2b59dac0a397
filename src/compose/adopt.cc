#include "compose/adopt.h"

#include <algorithm>
#include <array>
#include <map>

#include "base/text.h"
#include "compose/create.h"
#include "compose/short.h"

namespace berth::compose {
namespace {

// docker-compose 1 writes the files as they were named, relative to the folder.
std::vector<std::string> paths_of(std::string_view label, const std::string& folder) {
  std::vector<std::string> out;
  for (const auto path : split(label, ','))
    if (!trim(path).empty()) out.push_back(path == "-" ? "-" : join_path(folder, trim(path)));
  return out;
}

}  // namespace

std::vector<LabelledSource> labelled_sources(const plan::Observed& observed) {
  std::vector<LabelledSource> out;
  for (const plan::Container& container : observed.containers) {
    const std::string folder(container.label(plan::label::kWorkingDir));
    LabelledSource source{.folder = folder,
                          .files = paths_of(container.label(plan::label::kConfigFiles), folder),
                          .env_files = paths_of(container.label(plan::label::kEnvironmentFile), folder)};
    if (container.oneoff || !folder.starts_with('/') || source.files.empty()) continue;
    const auto same = std::ranges::find_if(out, [&](const LabelledSource& other) {
      return other.folder == source.folder && other.files == source.files && other.env_files == source.env_files;
    });
    ++(same == out.end() ? out.emplace_back(std::move(source)) : *same).containers;
  }
  std::ranges::stable_sort(out, std::ranges::greater(), &LabelledSource::containers);
  return out;
}

std::vector<ForeignLabel> foreign_labels(const Project& project, const plan::Observed& observed) {
  const std::array<std::pair<std::string_view, std::string>, 3> here = {
      {{plan::label::kConfigFiles, join(project.files, ",")},
       {plan::label::kWorkingDir, project.working_dir},
       {plan::label::kVersion, std::string(kComposeVersion)}}};
  std::vector<ForeignLabel> out;
  for (const auto& [name, own] : here) {
    std::map<std::string, std::size_t, std::less<>> values;
    for (const plan::Container& container : observed.containers)
      if (!container.oneoff && project.find(container.service) && container.label(name) != own)
        ++values[std::string(container.label(name))];
    for (const auto& [value, count] : values)
      out.push_back({.name = std::string(name), .value = value, .here = own, .containers = count});
  }
  return out;
}

}  // namespace berth::compose
