// Which images are fetched and built.
#include <algorithm>

#include "base/text.h"
#include "base/units.h"
#include "compose/extension.h"
#include "compose/plan_build.h"

namespace berth::compose::detail {
namespace {

constexpr std::int64_t kDay = 24 * 60 * 60;
constexpr std::size_t kFewImages = 8;  // of which every other op names each

// What a service's pull_policy means.
struct Policy {
  enum class Kind { always, never, missing, build, refresh };
  Kind kind = Kind::missing;
  std::string text{};
  std::int64_t age = 0;  // seconds, for refresh
};

Result<Policy> policy_of(const Project& project, const Service& service) {
  using Kind = Policy::Kind;
  const std::string text(service.config["pull_policy"].text());
  if (text.empty() || text == "missing" || text == "if_not_present") return Policy{Kind::missing, text};
  if (text == "always") return Policy{Kind::always, text};
  if (text == "never") return Policy{Kind::never, text};
  if (text == "build") return Policy{Kind::build, text};
  if (text == "daily") return Policy{Kind::refresh, text, kDay};
  if (text == "weekly") return Policy{Kind::refresh, text, 7 * kDay};
  const bool every = text.starts_with("every_");
  const std::string_view after = service.config["pull_refresh_after"].text();
  const std::string_view age = every ? std::string_view(text).substr(6) : after;
  if (text == "refresh" && after.empty()) return Policy{Kind::refresh, text, 0};
  const auto duration = parse_duration(age);
  if ((!every && text != "refresh") || !duration || duration->count() < 0)
    return fail(Code::invalid, place(project, "services." + service.name + ".pull_policy") + "service \"" +
                                   service.name + "\": pull_policy \"" + text + "\"" +
                                   (every || text == "refresh" ? " names no time; write every_12h or every_3d"
                                                               : " is none of always, never, missing, build, daily, "
                                                                 "weekly, every_<duration>"));
  return Policy{Kind::refresh, text, std::chrono::duration_cast<std::chrono::seconds>(*duration).count()};
}

Result<Policy> policy_of(const Up& up, const Service& service) {
  const Policy own = TRY(policy_of(up.project, service));
  switch (up.options.pull) {
    case Pull::always:
      return Policy{Policy::Kind::always, "always"};
    case Pull::missing:
      return Policy{Policy::Kind::missing, "missing"};
    case Pull::never:
      return Policy{Policy::Kind::never, "never"};
    case Pull::policy:
      break;
  }
  return own;
}

// Whether a container of it is made, for which the image must be there.
bool needs_image(const Up& up, const Service& service) {
  const auto decisions = up.of(service.name);
  return is_build_only(service) ||
         std::any_of(decisions.begin(), decisions.end(), [](const Decision& one) { return one.makes_new(); });
}
bool keeps_container(const Up& up, const Service& service) {
  const auto decisions = up.of(service.name);
  return std::any_of(decisions.begin(), decisions.end(),
                     [](const Decision& one) { return !one.makes_new() && one.fate != Fate::remove; });
}

bool is_pinned(std::string_view reference) {
  return reference.find('@') != std::string_view::npos;
}

// "linux/arm64" is fine where "linux/arm64/v8" is wanted, and the reverse; what nobody says is fine.
bool fits(const plan::Image& image, std::string_view wanted) {
  const std::string_view has = image.platform;
  if (wanted.empty() || has.empty() || wanted == has) return true;
  const auto extends = [](std::string_view more, std::string_view less) {
    return more.starts_with(less) && more.substr(less.size()).starts_with("/");
  };
  return extends(has, wanted) || extends(wanted, has);
}

// Why an image that can be pulled is pulled again although it is there; "" when it is not.
std::string why_again(const Project& project, const plan::Image& image, const Policy& policy,
                      std::string_view reference) {
  if (policy.kind == Policy::Kind::always) return "pull policy: always";
  if (policy.kind != Policy::Kind::refresh || is_pinned(reference)) return {};
  const std::int64_t tagged_at = image.tagged_at, now = project.loaded_at;
  if (now < tagged_at + policy.age) return {};
  return "pull policy: " + policy.text + ", " +
         (tagged_at == 0 ? "and nothing says when it was pulled"
                         : "last pulled " + std::to_string((now - tagged_at) / 3600) + " hours ago");
}

// What is done about one image.
struct Supply {
  std::string pull{};   // why it is pulled, "" when it is not
  std::string build{};  // why it is built
};

Result<Supply> absent(const Up& up, const Service& service, const Policy& policy, const std::string& cause) {
  const std::string image = image_name(up.project, service);
  const bool builds = has_build(service), pullable = !service.config["image"].text().empty();
  const bool may_pull = pullable && policy.kind != Policy::Kind::never && policy.kind != Policy::Kind::build;
  const std::string at = place(up.project, "services." + service.name + (builds ? ".build" : ".image"));
  const std::string what = at + "service \"" + service.name + "\": image \"" + image + "\" is not on this engine";
  if (up.options.images_settled) return fail(Code::not_found, what);
  if (builds && up.options.build != Build::never)
    return Supply{.pull = may_pull ? "no such image; a registry may have it" : "", .build = cause};
  if (may_pull || (!builds && policy.kind == Policy::Kind::build)) return Supply{.pull = cause};
  if (builds) return fail(Code::not_found, what + " and may not be built (--no-build)");
  return fail(Code::not_found, what + " and may not be pulled (pull policy: never)");
}

Result<Supply> supply_of(const Up& up, const Service& service) {
  const std::string image = image_name(up.project, service);
  const Policy policy = TRY(policy_of(up, service));
  const plan::Image* found = up.observed.image(image);
  const std::string_view platform = service.config["platform"].text();
  const bool present = found && fits(*found, platform);
  Supply out;
  if (!up.options.images_settled) {
    if (has_build(service) && up.options.build == Build::always) return Supply{.build = "building was asked for"};
    if (has_build(service) && policy.kind == Policy::Kind::build && up.options.build != Build::never)
      return Supply{.build = "pull_policy: build"};
    if (present && !service.config["image"].text().empty())
      out.pull = why_again(up.project, *found, policy, image);
    else if (!found && !has_build(service) && policy.kind == Policy::Kind::always)
      out.pull = "pull policy: always";
  }
  if (!present && out.pull.empty() && needs_image(up, service))
    out = TRY(absent(up, service, policy,
                     found ? "the one on this engine is for " + found->platform + ", not " + std::string(platform)
                           : "no such image"));
  return out;
}

plan::PullImage pull_op(const Project& project, const Service& service) {
  const std::string_view own = service.config["platform"].text();
  return {.reference = image_name(project, service),
          .platform = own.empty() ? default_platform(project) : std::string(own)};
}

// Adds builds once for each image, and once for all that are built from the same.
class Builds {
 public:
  Builds(const Project& project, plan::PlanBuilder& builder) : project_(project), builder_(builder) {}

  // The node; after `before`, which is 0 or the pull that may make it needless.
  Result<int> add(const Service& service, const BuildWish& wish, std::string cause, int before) {
    const std::string image = image_name(project_, service);
    plan::BuildImage op = TRY(build_op(project_, service, wish));
    const std::string key = service.config["build"].dump() + op.platform + (op.pull ? "p" : "") +
                            (op.no_cache ? "n" : "") + std::to_string(before);
    const auto [same, is_new] = keys_.try_emplace(key);
    if (!is_new && before == 0) {
      auto& first = std::get<plan::BuildImage>(builder_.node(same->second).op);
      first.tags.push_back(image);
      first.tags.insert(first.tags.end(), op.tags.begin(), op.tags.end());
      return nodes_[&service] = same->second;
    }
    for (std::string& warning : build_warnings(project_, service))
      builder_.plan().warnings.push_back(std::move(warning));
    op.if_absent = before != 0;
    same->second = builder_.add({.op = std::move(op),
                                 .after = {before},
                                 .subject = "image:" + image,
                                 .cause = std::move(cause),
                                 .group = service.name});
    return nodes_[&service] = same->second;
  }
  bool has(const Service& service) const { return nodes_.contains(&service); }

  // Adds the services that were not asked for but whose images the builds use, where `is_absent`, and puts what is used
  // before what uses it.
  template <class IsAbsent>
  Result<void> complete(const BuildWish& wish, IsAbsent is_absent) {
    if (nodes_.empty()) return {};
    const BuildNeeds needs(project_);
    TRY(needs.check_circles());
    std::vector<const Service*> open;
    for (const auto& [service, node] : nodes_) open.push_back(service);
    while (!open.empty()) {
      const Service* user = open.back();
      open.pop_back();
      for (const BuildNeed& need : needs.of(*user)) {
        if (has(*need.service) || !is_absent(need)) continue;
        (void)TRY(add(*need.service, wish, "the build of " + user->name + " uses it", 0));
        open.push_back(need.service);
      }
    }
    for (const auto& [service, node] : nodes_)
      for (const BuildNeed& need : needs.of(*service))
        if (has(*need.service)) builder_.order(nodes_.at(need.service), node);
    return {};
  }

 private:
  const Project& project_;
  plan::PlanBuilder& builder_;
  std::map<std::string, int> keys_;
  struct ByName {
    bool operator()(const Service* a, const Service* b) const { return a->name < b->name; }
  };
  std::map<const Service*, int, ByName> nodes_;
};

}  // namespace

Result<void> emit_images(Up& up) {
  Builds builds(up.project, up.builder);
  const BuildWish wish{.pull = up.options.pull == Pull::always};
  for (const Service* service : up.services) {
    const Supply supply = TRY(supply_of(up, *service));
    if (supply.pull.empty() && supply.build.empty()) continue;
    const std::string image = image_name(up.project, *service);
    if (keeps_container(up, *service)) up.builder.plan().again = true;
    if (up.images.contains(image)) continue;
    int node = 0;
    if (!supply.pull.empty()) {
      node = up.builder.add({.op = pull_op(up.project, *service),
                             .subject = "image:" + image,
                             .cause = supply.pull,
                             .group = service->name,
                             .best_effort = has_build(*service) && up.options.build != Build::never});
    }
    if (!supply.build.empty()) node = TRY(builds.add(*service, wish, supply.build, node));
    up.images[image] = node;
  }
  TRY(builds.complete(wish, [&](const BuildNeed& need) {
    const std::string image = image_name(up.project, *need.service);
    return !up.observed.image(image) && !up.images.contains(image);
  }));
  // All that follows waits for every image: an edge each from many to many would be a square.
  if (up.images.size() > kFewImages)
    up.images_there = up.builder.add({.op = plan::Pause{.what = "until all images are there"},
                                      .after = up.image_nodes(),
                                      .subject = "images",
                                      .cause = std::to_string(up.images.size()) + " images come first"});
  return {};
}

}  // namespace berth::compose::detail

namespace berth::compose {
namespace {

using detail::has_build;

Result<plan::Plan> plan_builds(const Project& project, const plan::Observed& observed, const ImageOptions& options,
                               const std::vector<const Service*>& services) {
  plan::PlanBuilder builder(project.name);
  detail::Builds builds(project, builder);
  const detail::BuildWish wish{
      .pull = options.pull, .no_cache = options.no_cache, .classic = options.classic, .memory = options.memory};
  detail::Names seen;
  for (const Service* service : services)
    if (has_build(*service) && seen.insert(image_name(project, *service)).second)
      (void)TRY(builds.add(*service, wish, "building was asked for", 0));
  TRY(builds.complete(wish, [&](const detail::BuildNeed& need) {
    return need.named || !observed.image(image_name(project, *need.service));
  }));
  return builder.take();
}

// Whether `berth pull` leaves it out: as docker compose, one that is there with a tag of its own and may stay.
Result<std::string> why_kept(const Project& project, const plan::Observed& observed, const Service& service,
                             const ImageOptions& options) {
  using Kind = detail::Policy::Kind;
  const detail::Policy policy = TRY(detail::policy_of(project, service));
  const std::string image = image_name(project, service);
  const plan::Image* found = observed.image(image);
  if (options.missing_only) return std::string(found ? "present" : "");
  if (policy.kind == Kind::never || policy.kind == Kind::build) return "pull policy: " + policy.text;
  const bool latest = image.ends_with(":latest") || image.find(':', image.rfind('/') + 1) == std::string::npos;
  const bool stays = policy.kind == Kind::missing && !policy.text.empty() && !latest;
  return std::string(found && stays ? "present" : "");
}

}  // namespace

Result<plan::Plan> plan_images(const Project& project, const plan::Observed& observed, const ImageOptions& options) {
  const auto services = TRY(detail::start_order(project, options.services, options.with_dependencies));
  if (options.build) return plan_builds(project, observed, options, services);
  plan::PlanBuilder builder(project.name);
  detail::Names seen;
  for (const Service* service : services) {
    const std::string image = image_name(project, *service);
    const bool builds = has_build(*service);
    const bool pulls = !service->config["image"].text().empty() && (options.include_buildable || !builds);
    if (!pulls || !seen.insert(image).second) continue;
    if (const std::string kept = TRY(why_kept(project, observed, *service, options)); !kept.empty()) {
      const plan::Image* found = observed.image(image);
      builder.plan().keeps.push_back({"image:" + image, found ? found->id : std::string(), kept});
      continue;
    }
    builder.add({.op = detail::pull_op(project, *service),
                 .subject = "image:" + image,
                 .cause = "pulling was asked for",
                 .group = service->name,
                 // An image that can be built need not be on a registry.
                 .best_effort = builds});
  }
  return builder.take();
}

}  // namespace berth::compose
