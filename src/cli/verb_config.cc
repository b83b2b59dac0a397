#include <algorithm>
#include <set>

#include "base/text.h"
#include "cli/pin_images.h"
#include "cli/variables.h"
#include "cli/verbs.h"
#include "compose/config.h"
#include "compose/config_hash.h"
#include "compose/create.h"
#include "io/file.h"
#include "plan/observed.h"

namespace berth::cli {
namespace {

std::string lines(const Texts& texts) {
  std::string out;
  for (const auto& text : texts) out += text + "\n";
  return out;
}

Texts keys(const Json& object) {
  Texts out;
  for (const auto& [key, value] : object.members()) out.push_back(key);
  std::ranges::sort(out);
  return out;
}

Texts profiles(const compose::Project& project) {
  std::set<std::string> out;
  for (const auto* list : {&project.services, &project.disabled})
    for (const auto& service : *list)
      for (const auto& profile : service.config["profiles"].items()) out.emplace(profile.text());
  return {out.begin(), out.end()};
}

// "web 5f3a..." for each service that is asked for.
Result<std::string> hashes(const compose::Project& project, const std::string& asked) {
  std::string out;
  for (const auto name : split(asked, ',')) {
    if (name != "*" && !project.find(name)) return fail(Code::not_found, "no such service: " + std::string(name));
    for (const auto& service : project.services) {
      if (name != "*" && service.name != name) continue;
      out += service.name + " " + compose::config_hash(project, service, {}) + "\n";
    }
  }
  return out;
}

std::string environment(const compose::Project& project) {
  std::string out;
  for (const auto& [name, value] : project.environment) out += name + "=" + value + "\n";
  return out;
}

// One of the flags that print a list in place of the model; nothing when none is given.
Result<std::optional<std::string>> list_text(const ConfigFlags& flags, const compose::Project& project) {
  Texts texts;
  if (flags.services) {
    for (const auto& service : project.services) texts.push_back(service.name);
  } else if (flags.images) {
    for (const auto& service : project.services) texts.push_back(compose::image_name(project, service));
  } else if (flags.volumes) {
    texts = keys(project.volumes);
  } else if (flags.networks) {
    texts = keys(project.networks);
  } else if (flags.profiles) {
    texts = profiles(project);
  } else if (flags.environment) {
    return environment(project);
  } else if (!flags.hash.empty()) {
    return TRY(hashes(project, flags.hash));
  } else if (flags.variables) {
    return variables_table(project.document);
  } else {
    return std::nullopt;
  }
  return lines(texts);
}

}  // namespace

io::Task<Result<int>> verb_config(Session& session) {
  const auto& flags = session.options.config;
  auto project = CO_TRY(co_await session.load({.targets = session.options.arguments}));
  if (flags.quiet) co_return kDone;
  if (flags.resolve_image_digests || flags.lock_image_digests) CO_TRY(co_await pin_images(session, project));
  auto listed = CO_TRY(list_text(flags, project));
  const compose::ConfigOptions how{.escape_dollars = !flags.no_interpolate};
  auto text = listed                   ? std::move(*listed)
              : flags.format == "json" ? compose::config_json(project, how)
                                       : compose::config_yaml(project, how);
  if (!text.empty() && !text.ends_with('\n')) text += '\n';
  if (flags.output.empty())
    session.console.print(text);
  else
    CO_TRY(io::write_file(flags.output, text));
  co_return kDone;
}

}  // namespace berth::cli
