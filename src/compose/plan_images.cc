// Which images are fetched and built.
#include <algorithm>

#include "compose/plan_parts.h"

namespace berth::compose::detail {
namespace {

std::string_view policy_of(const Up& up, const Service& service) {
  switch (up.options.pull) {
    case Pull::always:
      return "always";
    case Pull::missing:
      return "missing";
    case Pull::never:
      return "never";
    case Pull::policy:
      break;
  }
  return service.config["pull_policy"].text("missing");
}

bool has_build(const Service& service) {
  return service.config["build"].is_object();
}

// Whether a container of it is made, for which the image must be there.
bool needs_image(const Up& up, const Service& service) {
  const auto decisions = up.of(service.name);
  return std::any_of(decisions.begin(), decisions.end(), [](const Decision& one) { return one.makes_new(); });
}
bool keeps_container(const Up& up, const Service& service) {
  const auto decisions = up.of(service.name);
  return std::any_of(decisions.begin(), decisions.end(),
                     [](const Decision& one) { return !one.makes_new() && one.fate != Fate::remove; });
}

// Why the image is fetched or built; "" when it is not.
Result<std::string> why(const Up& up, const Service& service) {
  const std::string image = image_name(up.project, service);
  const bool absent = up.observed.image(image) == nullptr;
  const bool builds = has_build(service);
  const std::string_view policy = policy_of(up, service);
  if (!up.options.images_settled) {
    if (builds && up.options.build == Build::always) return "building was asked for";
    if (builds && policy == "build" && up.options.build != Build::never) return "pull_policy: build";
    if (!builds && policy == "always") return "pull policy: always";
  }
  if (!absent || !needs_image(up, service)) return std::string();
  const std::string at = place(up.project, "services." + service.name + (builds ? ".build" : ".image"));
  const std::string what = at + "service \"" + service.name + "\": image \"" + image + "\" is not on this engine";
  if (up.options.images_settled) return fail(Code::not_found, what);
  if (builds && up.options.build == Build::never)
    return fail(Code::not_found, what + " and may not be built (--no-build)");
  if (!builds && policy == "never") return fail(Code::not_found, what + " and may not be pulled (pull policy: never)");
  return std::string("no such image");
}

plan::Op build_op(const Project& project, const Service& service, bool pull, bool no_cache) {
  const Json& build = service.config["build"];
  plan::BuildImage op{.tag = image_name(project, service),
                      .build = build,
                      .platform = std::string(service.config["platform"].text()),
                      .shown = service.name,
                      .pull = pull || build["pull"].boolean(),
                      .no_cache = no_cache || build["no_cache"].boolean()};
  for (const Json& tag : build["tags"].items()) op.tags.emplace_back(tag.text());
  return op;
}

plan::Op pull_op(const Project& project, const Service& service) {
  return plan::PullImage{.reference = image_name(project, service),
                         .platform = std::string(service.config["platform"].text())};
}

}  // namespace

Result<void> emit_images(Up& up) {
  for (const Service* service : up.services) {
    const std::string cause = TRY(why(up, *service));
    if (cause.empty()) continue;
    const std::string image = image_name(up.project, *service);
    if (keeps_container(up, *service)) up.builder.plan().again = true;
    if (up.images.contains(image)) continue;
    const bool pull_bases = up.options.pull == Pull::always;
    up.images[image] = up.builder.add(
        {.op = has_build(*service) ? build_op(up.project, *service, pull_bases, false) : pull_op(up.project, *service),
         .subject = "image:" + image,
         .cause = cause,
         .group = service->name});
  }
  return {};
}

}  // namespace berth::compose::detail

namespace berth::compose {

Result<plan::Plan> plan_images(const Project& project, const plan::Observed& observed, const ImageOptions& options) {
  plan::PlanBuilder builder(project.name);
  detail::Names seen;
  for (const Service* service : TRY(detail::start_order(project, options.services, options.with_dependencies))) {
    const std::string image = image_name(project, *service);
    const bool builds = detail::has_build(*service);
    const bool pulls = !service->config["image"].text().empty() && (options.include_buildable || !builds);
    if (!(options.build ? builds : pulls) || !seen.insert(image).second) continue;
    if (options.missing_only && observed.image(image)) {
      builder.plan().keeps.push_back({"image:" + image, observed.image(image)->id, "present"});
      continue;
    }
    builder.add({.op = options.build ? detail::build_op(project, *service, options.pull, options.no_cache)
                                     : detail::pull_op(project, *service),
                 .subject = "image:" + image,
                 .cause = options.build ? "building was asked for" : "pulling was asked for",
                 .group = service->name,
                 // An image that can be built need not be on a registry.
                 .best_effort = !options.build && builds});
  }
  return builder.take();
}

}  // namespace berth::compose
