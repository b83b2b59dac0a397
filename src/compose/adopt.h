// Taking over what others brought up: where their containers say that they come from, and what they go on saying. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "compose/project.h"
#include "plan/observed.h"

namespace berth::compose {

/// Where containers of a project were made from, as their labels say. Paths are absolute.
struct LabelledSource {
  std::string folder{};
  std::vector<std::string> files{};
  std::vector<std::string> env_files{};
  std::size_t containers = 0;  ///< how many say so

  friend bool operator==(const LabelledSource&, const LabelledSource&) = default;
};
/// Those of the observed project's containers, one-offs aside; what most of them say first. Containers that name no
/// files are not counted.
std::vector<LabelledSource> labelled_sources(const plan::Observed& observed);

/// A label of containers that says something else than berth would write here. An engine cannot change the labels of a
/// container, so it stays until the container is recreated for another reason.
struct ForeignLabel {
  std::string name{};
  std::string value{};         ///< "" where containers lack it
  std::string here{};          ///< what a container made now would say
  std::size_t containers = 0;  ///< how many say `value`

  friend bool operator==(const ForeignLabel&, const ForeignLabel&) = default;
};
/// Of the containers of the project's services: the folder, files and version labels that differ; by name and value.
std::vector<ForeignLabel> foreign_labels(const Project& project, const plan::Observed& observed);

}  // namespace berth::compose
