#include <fmt/format.h>

#include "compose/extension.h"
#include "compose/load_finish.h"
#include "compose/load_stages.h"

namespace berth::compose {
namespace {

// The x-* members at any depth, in the shape of the model; null where there is none.
Json extensions_of(const Node& node) {
  Json out;
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    const Node& item = node.items[i];
    const bool extension = node.is_map() && item.key.starts_with("x-") && item.key != kContentKey;
    Json value = extension ? to_json(item) : extensions_of(item);
    if (extension || !value.is_null()) out.slot(node.is_list() ? std::to_string(i) : item.key) = std::move(value);
  }
  return out;
}

// Entries of a section have names, which may begin with x- too.
Json extensions_of_entries(const Node& section) {
  Json out;
  for (const Node& entry : section.items)
    if (Json found = extensions_of(entry); !found.is_null()) out.set(entry.key, std::move(found));
  return out;
}

Result<void> check_build_only(const Context& context, const Node& model, const Service& service) {
  const Json& label = service.config["labels"][kBuildOnlyLabel];
  const std::string_view value = label.text();
  if (label.is_null() || value == "true" || value == "1" || value == "false" || value == "0") return {};
  return context.fail_at(
      mark_of(model, {"services", service.name, "labels", kBuildOnlyLabel}),
      fmt::format("service \"{}\": the label {} is true or false, not \"{}\"", service.name, kBuildOnlyLabel, value));
}

}  // namespace

Result<void> take_extensions(const Context& context, const Node& model, Project& project) {
  project.extensions = Json::object();
  for (const Node& section : model.items)
    if (!section.key.starts_with("x-"))
      if (Json found = extensions_of_entries(section); !found.is_null())
        project.extensions.set(section.key, std::move(found));
  for (const auto* services : {&project.services, &project.disabled})
    for (const Service& service : *services) {
      TRY(check_build_only(context, model, service));
      if (const auto ready = readiness_of(project, service.name); !ready)
        return context.fail_at(mark_of(model, {"services", service.name, kReadyKey}),
                               fmt::format("service \"{}\": {}", service.name, ready.error().message));
    }
  return {};
}

}  // namespace berth::compose
