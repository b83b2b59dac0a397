#include "api/image_prune.h"

#include <algorithm>
#include <set>

namespace berth::api {
namespace {

constexpr std::string_view kHeld = "berth/keep:";  // the names by which generations hold images

std::string owner_of(const Json& labels) {
  if (labels.contains("berth.owner")) return "berth";
  return std::string(labels["com.docker.compose.project"].text());
}

std::vector<std::string> tags_of(const Json& image) {
  std::vector<std::string> tags;
  for (const Json& tag : image["RepoTags"].items())
    if (tag.text() != "<none>:<none>") tags.emplace_back(tag.text());
  return tags;
}

bool is_held(const std::vector<std::string>& tags) {
  return std::ranges::any_of(tags, [](const std::string& tag) { return tag.starts_with(kHeld); });
}

// An image that was pulled by its digest has no tag, and is one that somebody wanted.
bool has_name(const Json& image, const std::vector<std::string>& tags) {
  return !tags.empty() || std::ranges::any_of(image["RepoDigests"].items(),
                                              [](const Json& digest) { return digest.text() != "<none>@<none>"; });
}

}  // namespace

std::vector<Prunable> prunable_images(const Json& images, const Json& containers) {
  std::set<std::string_view> used;
  for (const Json& container : containers.items()) used.insert(container["ImageID"].text());
  std::vector<Prunable> out;
  for (const Json& image : images.items()) {
    Prunable found{.id = std::string(image["Id"].text()),
                   .tags = tags_of(image),
                   .owner = owner_of(image["Labels"]),
                   .size = image["Size"].integer()};
    const bool wanted = used.contains(found.id) || is_held(found.tags);
    if (!wanted && (!found.owner.empty() || !has_name(image, found.tags))) out.push_back(std::move(found));
  }
  return out;
}

Json to_json(const Prunable& image) {
  Json tags = Json::array();
  for (const std::string& tag : image.tags) tags.push(tag);
  return Json::object({{"id", image.id},
                       {"tags", std::move(tags)},
                       {"owner", image.owner.empty() ? Json() : Json(image.owner)},
                       {"size", image.size}});
}

}  // namespace berth::api
