#include "cli/watch_rules.h"

#include <algorithm>

#include "base/text.h"

namespace berth::cli {
namespace {

// What editors and git leave for a moment.
constexpr std::string_view kPassing =
    "**/.git\n**/.idea\n**/*~\n**/.*.sw?\n**/.*.swpx\n**/.#*\n**/#*#\n**/4913\n**/*___jb_tmp___\n**/.goutputstream-*\n";

// "b/c" of "/a/b/c" below "/a"; nothing when it is not below or the same.
std::optional<std::string_view> below(std::string_view file, std::string_view folder) {
  if (!file.starts_with(folder)) return std::nullopt;
  file.remove_prefix(folder.size());
  if (file.empty() || folder == "/") return file;
  if (file.front() != '/') return std::nullopt;
  return file.substr(1);
}

const engine::IgnorePatterns& passing() {
  static const auto patterns = engine::IgnorePatterns::parse(kPassing);
  return *patterns;
}

// One text or a list of them.
std::string lines_of(const Json& texts) {
  std::string out(texts.text());
  for (const auto& text : texts.items()) out.append(out.empty() ? "" : "\n").append(text.text());
  return out;
}

Result<WatchRule> rule_of(const compose::Service& service, const Json& trigger, const ReadText& read) {
  const auto action = trigger["action"].text();
  WatchRule rule{.service = service.name,
                 .path = std::string(trigger["path"].text()),
                 .target = std::string(trigger["target"].text()),
                 .rebuild = action == "rebuild",
                 .sync = action.starts_with("sync"),
                 .restart = action == "restart" || action == "sync+restart",
                 .exec = action == "sync+exec" ? trigger["exec"] : Json(),
                 .initial_sync = trigger["initial_sync"].boolean(),
                 .only_included = !lines_of(trigger["include"]).empty(),
                 .context = std::string(service.config.at("build.context").text())};
  while (rule.path.size() > 1 && rule.path.ends_with('/')) rule.path.pop_back();
  const auto parsed = [&](const std::string& text) -> Result<engine::IgnorePatterns> {
    auto patterns = engine::IgnorePatterns::parse(text);
    if (!patterns) return fail(std::move(patterns).error().within("service \"" + service.name + "\": develop.watch"));
    return patterns;
  };
  rule.ignore = TRY(parsed(lines_of(trigger["ignore"])));
  rule.include = TRY(parsed(lines_of(trigger["include"])));
  if (rule.context.starts_with('/')) rule.docker_ignore = TRY(parsed(read(rule.context + "/.dockerignore")));
  return rule;
}

}  // namespace

bool WatchRule::skips(const std::string& folder) const {
  const auto inner = below(folder, path);
  if (!inner) return !below(path, folder);  // a parent of the rule's path is on its way
  if (inner->empty()) return false;
  if (passing().excludes(*inner) || (ignore.excludes(*inner) && !ignore.may_return_below(*inner))) return true;
  const auto in_context = context.empty() ? std::nullopt : below(folder, context);
  return in_context && docker_ignore.excludes(*in_context) && !docker_ignore.may_return_below(*in_context);
}

bool WatchRule::covers(const std::string& file) const {
  const auto inner = below(file, path);
  if (!inner) return false;
  if (!inner->empty() && (passing().excludes(*inner) || ignore.excludes(*inner))) return false;
  if (only_included && !inner->empty() && !include.excludes(*inner)) return false;
  const auto in_context = context.empty() ? std::nullopt : below(file, context);
  return !in_context || in_context->empty() || !docker_ignore.excludes(*in_context);
}

std::string WatchRule::place(const std::string& file) const {
  const auto inner = *below(file, path);
  if (inner.empty()) return target;
  return target + (target.ends_with('/') ? "" : "/") + std::string(inner);
}

Result<std::vector<WatchRule>> watch_rules(const compose::Project& project, const std::vector<std::string>& services,
                                           const ReadText& read) {
  std::vector<WatchRule> out;
  for (const auto& service : project.services) {
    if (!services.empty() && std::ranges::find(services, service.name) == services.end()) continue;
    for (const auto& trigger : service.config.at("develop.watch").items())
      out.push_back(TRY(rule_of(service, trigger, read)));
  }
  return out;
}

std::map<std::string, WatchDeed> watch_deeds(const std::vector<WatchRule>& rules,
                                             const std::vector<std::string>& files) {
  std::map<std::string, WatchDeed> out;
  for (const auto& rule : rules)
    for (const auto& file : files) {
      if (!rule.covers(file)) continue;
      auto& deed = out[rule.service];
      deed.rebuild = deed.rebuild || rule.rebuild;
      deed.restart = deed.restart || rule.restart;
      if (rule.sync) deed.sync[rule.place(file)] = file;
      if (!rule.exec.is_null() && std::ranges::find(deed.execs, rule.exec) == deed.execs.end())
        deed.execs.push_back(rule.exec);
    }
  return out;
}

}  // namespace berth::cli
