#include "broker/policy.h"

#include <algorithm>

#include "base/text.h"
#include "broker/bind.h"
#include "broker/body.h"

namespace berth::broker {
namespace {

// Every rule that rules.cc and rules_storage.cc know.
constexpr std::string_view kRules[] = {"annotations",
                                       "bind-spelling",
                                       "binds",
                                       "capabilities",
                                       "cgroup",
                                       "cgroup-parent",
                                       "container-namespaces",
                                       "devices",
                                       "external-ca",
                                       "hidden-paths",
                                       "host-cgroup",
                                       "host-ipc",
                                       "host-network",
                                       "host-pid",
                                       "host-userns",
                                       "host-uts",
                                       "isolation",
                                       "links",
                                       "log-driver",
                                       "masked-paths",
                                       "mount-propagation",
                                       "mount-types",
                                       "names",
                                       "network-attachment",
                                       "network-driver",
                                       "network-options",
                                       "oom",
                                       "plugins",
                                       "privileged",
                                       "runtime",
                                       "security-options",
                                       "storage-options",
                                       "swarm-driver",
                                       "sysctls",
                                       "volume-driver",
                                       "volume-options",
                                       "volumes-from"};

bool matches(std::string_view pattern, std::string_view name) {
  if (pattern == "*") return true;
  if (pattern.ends_with(".*")) return name.starts_with(pattern.substr(0, pattern.size() - 1));
  return pattern == name;
}

Result<void> mark(Policy& policy, std::string_view pattern, bool allowed) {
  const auto all = operations();
  bool any = false;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (!matches(pattern, all[i].name)) continue;
    any = true;
    policy.operations[i] = allowed && all[i].needs != Needs::refusal;
  }
  if (any) return {};
  std::vector<std::string_view> names;
  for (const Operation& each : all) names.push_back(each.name);
  return fail(Code::invalid, "operation \"" + std::string(pattern) + "\" does not exist" + suggestion(pattern, names));
}

Result<std::vector<std::string>> texts_of(const Json& value, std::string_view key) {
  std::vector<std::string> out;
  if (!value.is_null() && !value.is_array()) return fail(Code::invalid, std::string(key) + " is not a list");
  for (const Json& each : value.items()) {
    if (!each.is_text() || each.text().empty())
      return fail(Code::invalid, std::string(key) + " holds something that is not a text");
    out.emplace_back(each.text());
  }
  return out;
}

Result<Replies> replies_of(std::string_view text) {
  if (text == "whole") return Replies::whole;
  if (text == "labelled") return Replies::labelled;
  if (text == "redacted") return Replies::redacted;
  return fail(Code::invalid, "replies: \"" + std::string(text) + "\" is not whole, labelled or redacted");
}

Result<void> read_lists(const Json& value, Policy& policy) {
  for (const auto& pattern : TRY(texts_of(value["allow"], "allow"))) TRY(mark(policy, pattern, true));
  for (const auto& pattern : TRY(texts_of(value["deny"], "deny"))) TRY(mark(policy, pattern, false));
  for (auto& grant : TRY(texts_of(value["grants"], "grants"))) {
    TRY(check_grant(grant));
    policy.grants.push_back(std::move(grant));
  }
  for (const auto& root : TRY(texts_of(value["binds"], "binds"))) {
    auto path = canonical_path(root);
    if (!path) return fail(Code::invalid, "binds: \"" + root + "\" is not an absolute path without .. parts");
    policy.roots.push_back(*std::move(path));
  }
  for (auto& host : TRY(texts_of(value["registries"], "registries"))) policy.registries.push_back(std::move(host));
  return {};
}

Result<void> read_scalars(const Json& value, Policy& policy) {
  if (value.contains("replies")) policy.replies = TRY(replies_of(value["replies"].text()));
  if (const Json& labels = value["labels"]; !labels.is_null()) {
    if (!labels.is_object()) return fail(Code::invalid, "labels is not a map");
    for (const auto& [name, text] : labels.members()) {
      if (!text.is_text() || name.empty()) return fail(Code::invalid, "labels: \"" + name + "\" is not a text");
      policy.labels[name] = text.text();
    }
  }
  if (const Json& limit = value["body-limit"]; !limit.is_null()) {
    if (!limit.is_integer() || limit.integer() < 1024 || limit.integer() > (16 << 20))
      return fail(Code::invalid, "body-limit is not a number from 1024 to 16777216");
    policy.body_limit = static_cast<std::size_t>(limit.integer());
  }
  return {};
}

}  // namespace

bool Policy::allows(const Operation& operation) const {
  const auto place = static_cast<std::size_t>(&operation - broker::operations().data());
  return place < operations.size() && operations[place];
}

Result<Policy> named_policy(std::string_view name) {
  std::string known;
  for (const NamedPolicy& each : named_policies()) {
    if (each.name == name) return parse_policy(TRY(parse_strict(each.text)), std::string(name));
    known += (known.empty() ? "" : ", ") + std::string(each.name);
  }
  return fail(Code::not_found, "no policy is named \"" + std::string(name) + "\"; there are " + known);
}

Result<Policy> parse_policy(const Json& value, std::string name) {
  constexpr std::string_view kKeys[] = {"extends", "allow",      "deny",    "grants",    "binds",
                                        "labels",  "registries", "replies", "body-limit"};
  if (!value.is_object()) return fail(Code::invalid, "a policy is a map of keys");
  for (const auto& [key, each] : value.members())
    if (std::find(std::begin(kKeys), std::end(kKeys), key) == std::end(kKeys))
      return fail(Code::invalid, "\"" + key + "\" is not a key of a policy" + suggestion(key, kKeys));
  Policy policy;
  if (value.contains("extends")) policy = TRY(named_policy(value["extends"].text()));
  policy.name = std::move(name);
  policy.operations.resize(operations().size());
  TRY(read_lists(value, policy));
  TRY(read_scalars(value, policy));
  return policy;
}

std::span<const std::string_view> rules() {
  return kRules;
}

Result<void> check_grant(std::string_view field) {
  const Cut parts = cut(field, '=');
  if (std::find(std::begin(kRules), std::end(kRules), parts.before) == std::end(kRules))
    return fail(Code::invalid,
                "\"" + std::string(parts.before) + "\" is not a rule" + suggestion(parts.before, kRules));
  const bool path = parts.before == "binds" || parts.before == "hidden-paths";
  if (path && (!parts.found || !canonical_path(parts.after)))
    return fail(Code::invalid,
                std::string(parts.before) + " needs an absolute path: " + std::string(parts.before) + "=/srv/media");
  if (parts.before == "bind-spelling")
    return fail(Code::invalid, "bind-spelling cannot be granted: write the path plainly");
  return {};
}

bool covers(std::string_view grant, const Finding& finding) {
  const Cut parts = cut(grant, '=');
  if (parts.before != finding.rule) return false;
  if (finding.rule == "binds") return parts.found && is_beneath(finding.value, parts.after);
  return !parts.found || parts.after == finding.value;
}

Result<std::vector<Exception>> parse_exceptions(std::string_view text) {
  const Json value = TRY(parse_strict(text));
  std::vector<Exception> out;
  for (const Json& each : value["grants"].items()) {
    Exception exception{std::string(each["project"].text()), std::string(each["field"].text())};
    if (!is_name(exception.project)) return fail(Code::invalid, "a grant without the name of a project");
    TRY(check_grant(exception.field));
    out.push_back(std::move(exception));
  }
  return out;
}

std::string exceptions_text(const std::vector<Exception>& exceptions) {
  Json list = Json::array();
  for (const Exception& each : exceptions) list.push(Json::object({{"project", each.project}, {"field", each.field}}));
  return Json::object({{"grants", std::move(list)}}).dump(1) + "\n";
}

}  // namespace berth::broker
