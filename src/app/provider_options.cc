#include "app/provider_options.h"

#include <algorithm>

#include "app/static_tree.h"
#include "base/json_fold.h"
#include "base/text.h"
#include "edge/label_parse.h"

namespace berth::app {
namespace {

/// Those after kUsed say how Traefik reaches and asks the engine.
constexpr std::string_view kKeys[] = {"exposedByDefault",   "network",  "constraints", "defaultRule", "useBindPortIP",
                                      "allowEmptyServices", "endpoint", "watch",       "username",    "password",
                                      "httpClientTimeout",  "tls"};
constexpr std::size_t kUsed = 6;

std::string at(std::string_view key) {
  return std::string(kProviders) + ".docker." + std::string(key);
}

Result<void> check_keys(const Json& docker) {
  for (const auto& [key, value] : docker.members()) {
    const auto same = [&](std::string_view known) { return equal_fold(known, key); };
    if (std::ranges::none_of(kKeys, same))
      return fail(Code::invalid, at(key) + ": is not known" + suggestion(key, kKeys));
    const bool used = std::ranges::any_of(std::span(kKeys).first(kUsed), same);
    if (used && (value.is_object() || value.is_array())) return fail(Code::invalid, at(key) + ": is not a text");
  }
  return {};
}

Result<void> read_flag(const Json& docker, std::string_view key, bool& into) {
  const std::string text = scalar(folded_member(docker, key));
  if (text.empty()) return {};
  const auto flag = edge::parse_bool(text);
  if (!flag) return fail(Code::invalid, at(key) + ": \"" + text + "\" is neither true nor false");
  into = *flag;
  return {};
}

}  // namespace

Result<edge::LabelOptions> read_provider(const Json& tree) {
  edge::LabelOptions out;
  const Json& docker = folded_member(folded_member(tree, kProviders), "docker");
  TRY(check_keys(docker));
  TRY(read_flag(docker, "exposedByDefault", out.exposed_by_default));
  TRY(read_flag(docker, "useBindPortIP", out.use_bind_port_ip));
  TRY(read_flag(docker, "allowEmptyServices", out.allow_empty_services));
  out.network = scalar(folded_member(docker, "network"));
  if (const std::string text = scalar(folded_member(docker, "constraints")); !text.empty()) {
    auto rule = edge::parse_rule(text, edge::RuleKind::labels);
    if (!rule) return fail(std::move(rule.error()).within(at("constraints")));
    out.constraints = std::move(*rule);
  }
  if (const std::string text = scalar(folded_member(docker, "defaultRule")); !text.empty()) {
    auto rule = edge::RuleTemplate::parse(text);
    if (!rule) return fail(std::move(rule.error()).within(at("defaultRule")));
    out.default_rule = std::move(*rule);
  }
  return out;
}

}  // namespace berth::app
