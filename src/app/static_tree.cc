#include "app/static_tree.h"

#include <algorithm>

#include "app/entry_points.h"
#include "app/provider_options.h"
#include "app/resolver_options.h"
#include "app/yaml_files.h"
#include "base/json_fold.h"
#include "base/text.h"

namespace berth::app {
namespace {

/// A part of the tree that flags may set.
struct Root {
  std::string_view name;
  std::size_t least;      ///< parts of a path
  std::size_t position;   ///< of `must` among them
  std::string_view must;  ///< "": anything
  std::string_view usage;
};
constexpr Root kRoots[] = {
    {kResolvers, 3, 2, "acme", "--certificatesresolvers.NAME.acme.KEY=VALUE"},
    {kEntryPoints, 3, 0, "", "--entrypoints.NAME.address=:PORT"},
    {kProviders, 2, 1, "docker", "--providers.docker.KEY=VALUE; files are served by berth edge --config"},
};

const Root* root_of(std::string_view name) {
  const auto found = std::ranges::find_if(kRoots, [&](const Root& root) { return equal_fold(root.name, name); });
  return found == std::end(kRoots) ? nullptr : found;
}

void merge(Json& into, const Json& from) {
  for (const auto& [name, value] : from.members()) {
    Json& slot = into.slot(folded_name(into, name));
    if (slot.is_object() && value.is_object())
      merge(slot, value);
    else
      slot = value;
  }
}

/// `path` of `from` over that of `into`, where it is a map.
void take_over(Json& into, const Json& from, std::initializer_list<std::string_view> path) {
  const Json* part = &from;
  for (const std::string_view key : path) part = &folded_member(*part, key);
  if (!part->is_object()) return;
  Json* slot = &into;
  for (const std::string_view key : path) slot = &slot->slot(folded_name(*slot, key));
  if (!slot->is_object()) *slot = Json::object();
  merge(*slot, *part);
}

}  // namespace

bool is_static_flag(std::string_view argument) {
  return argument.starts_with("--") && argument.contains('.') && root_of(cut(argument.substr(2), '.').before);
}

Result<void> set_static(Json& tree, std::string_view path, std::string_view value) {
  const auto parts = split(path, '.');
  const Root* root = root_of(parts[0]);
  if (!root) return fail(Code::invalid, "\"" + std::string(path) + "\" is no static key");
  const bool fits =
      parts.size() >= root->least && (root->must.empty() || equal_fold(parts[root->position], root->must));
  if (!fits) return fail(Code::invalid, "write " + std::string(root->usage));
  if (std::ranges::count(parts, std::string_view()) > 0)
    return fail(Code::invalid, "a part of \"" + std::string(path) + "\" is empty; write " + std::string(root->usage));
  Json* at = &tree.slot(root->name);
  for (std::size_t i = 1; i < parts.size(); ++i) {
    if (!at->is_object()) *at = Json::object();
    at = &at->slot(folded_name(*at, parts[i]));
  }
  // A bare --providers.docker only says that it is on.
  if (root->must == "docker" && parts.size() == 2)
    *at = at->is_object() ? *at : Json::object();
  else
    *at = value;
  return {};
}

Result<void> merge_static_file(Json& tree, const std::string& path) {
  const YamlFiles files = TRY(read_yaml_files({path}));
  for (std::size_t i = 0; i < files.trees.size(); ++i) {
    const Json& whole = files.trees[i];
    if (const auto provider = read_provider(whole); !provider) return fail(placed(files, i, provider.error()));
    if (const auto options = read_tls_options(whole); !options) return fail(placed(files, i, options.error()));
    take_over(tree, whole, {kResolvers});
    take_over(tree, whole, {kEntryPoints});
    take_over(tree, whole, {kProviders, "docker"});
    take_over(tree, whole, {"tls", "options"});
    take_over(tree, whole, {"http", "serversTransports"});
    take_over(tree, whole, {"tcp", "serversTransports"});
  }
  return {};
}

Result<Statics> read_statics(const Json& tree, const std::vector<std::string>& hosts, const Environment& environment) {
  Statics out{.resolvers = TRY(read_resolvers(tree, environment)),
              .tls_options = TRY(read_tls_options(tree)),
              .transports = TRY(read_transports(tree)),
              .labels = TRY(read_provider(tree))};
  out.labels.entry_points = TRY(read_entry_points(tree, hosts));
  for (const edge::Resolver& each : out.resolvers) out.labels.resolvers.push_back(each.name);
  out.labels.transports = edge::names_of(out.transports.http);
  out.labels.tcp_transports = edge::names_of(out.transports.tcp);
  for (const edge::TlsOptions& each : out.tls_options) out.labels.tls_options.push_back(each.name);
  return out;
}

}  // namespace berth::app
