#include "compose/rollback.h"

#include "base/text.h"
#include "compose/create.h"

namespace berth::compose {
namespace {

using Names = std::vector<std::string>;

std::string how_to_get(const KeptImage& image) {
  if (!image.digests.empty()) return "docker pull " + image.digests.front();
  return "it was built here or loaded; build it again from the sources of then";
}

void missing_objects(const Project& project, const plan::Observed& observed, Names& missing) {
  for (const auto& [key, declared] : project.networks.members())
    if (is_external(declared) && !observed.network(network_name(project, key)))
      missing.push_back("external network " + network_name(project, key) + " is gone");
  for (const auto& [key, declared] : project.volumes.members())
    if (is_external(declared) && !observed.volume(volume_name(project, key)))
      missing.push_back("external volume " + volume_name(project, key) + " is gone");
}

}  // namespace

Names missing_for(const Generation& generation, const Project& project, const plan::Observed& observed,
                  const Files& files) {
  Names out;
  for (const auto& [service, image] : generation.head.images)
    if (project.find(service) && (image.id.empty() || !observed.image(image.id)))
      out.push_back("image " + image.reference + " (" + image.id.substr(0, 19) + ") of service " + service +
                    " is gone: " + how_to_get(image));
  missing_objects(project, observed, out);
  for (const auto& [kind, section] : {std::pair{"secret ", &project.secrets}, std::pair{"config ", &project.configs}})
    for (const auto& [name, declared] : section->members())
      if (const std::string path(declared["file"].text()); !path.empty() && files.kind(path) == Files::Kind::absent)
        out.push_back(kind + name + ": " + path + " is gone");
  return out;
}

Names changed_since(const Generation& generation, const Project& project, const Files& files) {
  Names out;
  for (const auto& [kind, section] : {std::pair{"secrets.", &project.secrets}, std::pair{"configs.", &project.configs}})
    for (const auto& [name, declared] : section->members()) {
      const auto then = generation.secrets.find(kind + name);
      if (then == generation.secrets.end()) continue;
      const auto now = files.read(std::string(declared["file"].text()));
      if (now && *now != then->second)
        out.push_back(std::string(declared["file"].text()) + " is not as it was in generation " +
                      std::to_string(generation.head.number) + "; it stays as it is now");
    }
  return out;
}

UpOptions rollback_options() {
  return {.build = Build::never, .pull = Pull::never, .remove_orphans = true, .back = true};
}

Result<int> generation_to(const std::vector<int>& numbers, int asked) {
  if (asked != 0) return asked;
  if (numbers.size() < 2)
    return fail(Code::not_found, "there is no earlier generation to go back to; see berth history");
  return numbers[numbers.size() - 2];
}

Error cannot_go_back(int number, const Names& missing) {
  return {.code = Code::not_found,
          .message = "generation " + std::to_string(number) + " cannot be brought back, nothing was changed",
          .detail = join(missing, "\n")};
}

}  // namespace berth::compose
