#include "compose/plan_build.h"

#include <algorithm>

#include "base/text.h"
#include "engine/dockerfile.h"
#include "engine/reference.h"

namespace berth::compose::detail {
namespace {

constexpr std::string_view kServiceContext = "service:";

std::string variable(const Project& project, const std::string& name) {
  const auto found = project.environment.find(name);
  return found == project.environment.end() ? std::string() : found->second;
}

// A service of the project, in an active profile and asked for or not.
const Service* find_any(const Project& project, std::string_view name) {
  if (const Service* service = project.find(name)) return service;
  const auto found = std::find_if(project.disabled.begin(), project.disabled.end(),
                                  [&](const Service& service) { return service.name == name; });
  return found == project.disabled.end() ? nullptr : &*found;
}

std::string at(const Project& project, const Service& service, const std::string& attribute) {
  return place(project, "services." + service.name + ".build." + attribute) + "service \"" + service.name +
         "\": build." + attribute;
}

// A cache source as engines take it: an image. "" for a kind that they do not have.
std::string cache_image(std::string_view entry) {
  if (entry.find('=') == std::string_view::npos) return std::string(entry);
  std::string type, image;
  for (const std::string_view part : split(entry, ',')) {
    const Cut pair = cut(trim(part), '=');
    if (pair.before == "type") type = pair.after;
    if (pair.before == "ref") image = pair.after;
  }
  return type == "registry" ? image : std::string();
}

bool is_inline_cache(const Json& entry) {
  return trim(entry.text()) == "type=inline";
}

bool is_off(const Json& value) {
  const std::string_view text = value.text();
  return value.is_null() || text.empty() || text == "false";
}

void add_labels(const Project& project, const Service& service, Json& build) {
  Json& labels = build.slot("labels");
  labels.set(plan::label::kProject, project.name);
  labels.set(plan::label::kService, service.name);
  labels.set(plan::label::kVersion, kComposeVersion);
}

// Other services' images in the place of their names.
void resolve_contexts(const Project& project, Json& build) {
  const Json contexts = build["additional_contexts"];
  for (const auto& [name, value] : contexts.members()) {
    if (!value.text().starts_with(kServiceContext)) continue;
    const Service* other = find_any(project, value.text().substr(kServiceContext.size()));
    if (other) build.slot("additional_contexts").set(name, "docker-image://" + image_name(project, *other));
  }
}

void resolve_cache(Json& build) {
  Json images = Json::array();
  for (const Json& entry : build["cache_from"].items())
    if (std::string image = cache_image(entry.text()); !image.empty()) images.push(std::move(image));
  if (build.contains("cache_from")) build.set("cache_from", std::move(images));
  const auto& targets = build["cache_to"].items();
  if (std::any_of(targets.begin(), targets.end(), is_inline_cache))
    build.slot("args").set("BUILDKIT_INLINE_CACHE", "1");
}

std::vector<std::string> platforms_of(const Service& service) {
  std::vector<std::string> out;
  for (const Json& platform : service.config["build"]["platforms"].items()) out.emplace_back(platform.text());
  return out;
}

// The one platform to build for; "" for the engine's own.
std::string platform_of(const Project& project, const Service& service) {
  const auto listed = platforms_of(service);
  const std::string own(service.config["platform"].text());
  if (!own.empty()) return own;
  const std::string usual = default_platform(project);
  if (listed.empty() || std::find(listed.begin(), listed.end(), usual) != listed.end()) return usual;
  return listed.size() == 1 ? listed.front() : std::string();
}

engine::Arguments arguments_of(const Json& build) {
  engine::Arguments out;
  for (const auto& [name, value] : build["args"].members())
    if (!value.is_null()) out[name] = value.text();
  return out;
}

// One text for an image however it is written.
std::string familiar(std::string_view name) {
  const auto reference = engine::parse_reference(name);
  return reference ? reference->text() : std::string(name);
}

// Depth first; `path` holds the services that are entered and not left.
struct Circles {
  const Project& project;
  const BuildNeeds& needs;
  Names done{};
  std::vector<std::string> path{};

  Result<void> enter(const Service& service) {
    if (done.contains(service.name)) return {};
    const auto begun = std::find(path.begin(), path.end(), service.name);
    if (begun != path.end()) {
      std::string text;
      for (auto one = begun; one != path.end(); ++one) text += *one + " -> ";
      return fail(Code::invalid, place(project, "services." + path.back() + ".build") +
                                     "builds need each other in a circle: " + text + service.name);
    }
    path.push_back(service.name);
    for (const BuildNeed& need : needs.of(service)) TRY(enter(*need.service));
    path.pop_back();
    done.insert(service.name);
    return {};
  }
};

}  // namespace

std::string default_platform(const Project& project) {
  return variable(project, "DOCKER_DEFAULT_PLATFORM");
}

bool has_build(const Service& service) {
  return service.config["build"].is_object();
}

Result<plan::BuildImage> build_op(const Project& project, const Service& service, const BuildWish& wish) {
  Json build = service.config["build"];
  constexpr std::string_view kSession =
      ": a build by the engine's API alone has no way to hand it over; build this image with `docker buildx build` and "
      "name it in `image`, or take it out";
  if (!build["secrets"].is_empty()) return fail(Code::invalid, at(project, service, "secrets") + std::string(kSession));
  if (!build["ssh"].is_empty()) return fail(Code::invalid, at(project, service, "ssh") + std::string(kSession));
  plan::BuildImage op{.tag = image_name(project, service),
                      .platform = platform_of(project, service),
                      .shown = service.name,
                      .pull = wish.pull || build["pull"].boolean(),
                      .no_cache = wish.no_cache || build["no_cache"].boolean() || !build["no_cache_filter"].is_empty(),
                      .memory = wish.memory,
                      .classic = wish.classic || variable(project, "DOCKER_BUILDKIT") == "0"};
  for (const Json& tag : build["tags"].items()) op.tags.emplace_back(tag.text());
  add_labels(project, service, build);
  resolve_contexts(project, build);
  resolve_cache(build);
  op.build = std::move(build);
  return op;
}

std::vector<std::string> build_warnings(const Project& project, const Service& service) {
  const Json& build = service.config["build"];
  std::vector<std::string> out;
  const auto warn = [&](const std::string& attribute, std::string_view text) {
    out.push_back(at(project, service, attribute) + ": " + std::string(text));
  };
  for (const Json& entry : build["cache_from"].items())
    if (cache_image(entry.text()).empty())
      warn("cache_from", "engines read a cache from images only (an image, or type=registry,ref=IMAGE); \"" +
                             std::string(entry.text()) + "\" is ignored");
  for (const Json& entry : build["cache_to"].items())
    if (!is_inline_cache(entry))
      warn("cache_to", "engines keep their cache themselves and write type=inline only; \"" +
                           std::string(entry.text()) + "\" is ignored");
  if (!build["no_cache_filter"].is_empty())
    warn("no_cache_filter", "this engine takes all stages or none: every stage is built anew");
  if (build["privileged"].boolean()) warn("privileged", "engines give build steps no privileges; ignored");
  for (const Json& entry : build["entitlements"].items())
    if (entry.text() != "network.host" || build["network"].text() != "host")
      warn("entitlements", "\"" + std::string(entry.text()) +
                               "\" cannot be granted through the engine's API (network.host comes with network: host); "
                               "ignored");
  for (const std::string attribute : {"provenance", "sbom"})
    if (!is_off(build[attribute])) warn(attribute, "images built by an engine carry no attestations; ignored");
  if (platforms_of(service).size() > 1) {
    const std::string chosen = platform_of(project, service);
    warn("platforms", "an engine builds for one platform at a time; this builds for " +
                          (chosen.empty() ? std::string("its own") : chosen) +
                          " (choose with `platform` or DOCKER_DEFAULT_PLATFORM)");
  }
  return out;
}

BuildNeeds::BuildNeeds(const Project& project) : project_(project) {
  for (const auto* services : {&project.services, &project.disabled})
    for (const Service& service : *services)
      if (has_build(service)) by_image_.emplace(familiar(image_name(project, service)), &service);
}

std::vector<BuildNeed> BuildNeeds::of(const Service& service) const {
  std::vector<BuildNeed> out;
  if (!has_build(service)) return out;
  const Json& build = service.config["build"];
  const auto add = [&](const Service* other, bool named) {
    const bool known = std::any_of(out.begin(), out.end(), [&](const BuildNeed& one) { return one.service == other; });
    if (other && other != &service && !known && has_build(*other)) out.push_back({other, named});
  };
  for (const auto& member : build["additional_contexts"].members())
    if (const std::string_view value = member.second.text(); value.starts_with(kServiceContext))
      add(find_any(project_, value.substr(kServiceContext.size())), true);
  const auto text = project_.dockerfiles.find(service.name);
  if (text == project_.dockerfiles.end()) return out;
  const std::string own = familiar(image_name(project_, service));
  for (const std::string& base : engine::base_images(engine::scan_dockerfile(text->second), arguments_of(build))) {
    const std::string name = familiar(base);
    const auto [first, last] = by_image_.equal_range(name);
    for (auto other = first; other != last && name != own; ++other) add(other->second, false);
  }
  return out;
}

Result<void> BuildNeeds::check_circles() const {
  Circles circles{.project = project_, .needs = *this};
  for (const Service& service : project_.services) TRY(circles.enter(service));
  return {};
}

}  // namespace berth::compose::detail
