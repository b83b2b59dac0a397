#include "compose/validate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <unordered_set>

#include "base/text.h"
#include "compose/validate_trail.h"

namespace berth::compose {
namespace {

std::uint8_t bits_of(const Node& node) {
  switch (node.kind) {
    case Kind::null:
      return kNull;
    case Kind::boolean:
      return kBoolean;
    case Kind::integer:
      return kInteger;
    case Kind::real:
      return node.real == std::floor(node.real) ? kInteger | kReal : kReal;
    case Kind::text:
      return kText;
    case Kind::list:
      return kList;
    case Kind::map:
      return kMap;
  }
  return 0;
}

std::string wanted(std::uint8_t accepts) {
  std::vector<std::string> names;
  if ((accepts & kText) != 0) names.emplace_back("string");
  if ((accepts & kReal) != 0)
    names.emplace_back("number");
  else if ((accepts & kInteger) != 0)
    names.emplace_back("integer");
  if ((accepts & kBoolean) != 0) names.emplace_back("boolean");
  if ((accepts & kList) != 0) names.emplace_back("list");
  if ((accepts & kMap) != 0) names.emplace_back("mapping");
  if (names.empty()) return "null";
  const std::string last = std::move(names.back());
  names.pop_back();
  return names.empty() ? last : join(names, ", ") + " or " + last;
}

bool matches(std::string_view key, Keys keys) {
  if (keys == Keys::any) return !key.empty();
  const auto in = [&](char c) {
    const bool small = c >= 'a' && c <= 'z';
    if (keys == Keys::lower) return small;
    return small || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
  };
  return !key.empty() && std::ranges::all_of(key, in);
}

class Validator {
 public:
  explicit Validator(const Context& context) : context_(context) {}

  Result<void> check(const Node& node, const Type& type, const Trail& trail) const {
    if ((bits_of(node) & type.accepts) == 0)
      return refuse(node, trail, fmt::format("must be a {}, not {}", wanted(type.accepts), node.kind_name()));
    switch (node.kind) {
      case Kind::text:
        return check_text(node, type, trail);
      case Kind::integer:
        if (node.integer < type.least)
          return refuse(node, trail, fmt::format("must be greater than or equal to {}", type.least));
        if (node.integer > type.most)
          return refuse(node, trail, fmt::format("must be less than or equal to {}", type.most));
        return {};
      case Kind::list:
        return check_list(node, type, trail);
      case Kind::map:
        return type.fields.empty() ? check_free_map(node, type, trail) : check_map(node, type, trail);
      default:
        return {};
    }
  }

 private:
  std::unexpected<Error> refuse(const Node& node, const Trail& trail, std::string_view why) const {
    return context_.fail_at(node.mark, fmt::format("{} {}", trail.text(), why));
  }

  Result<void> check_text(const Node& node, const Type& type, const Trail& trail) const {
    if (!type.choices.empty() && std::ranges::find(type.choices, node.text) == type.choices.end())
      return refuse(node, trail,
                    fmt::format("must be one of {}{}", choices(type), suggestion(node.text, type.choices)));
    if (type.matches != nullptr && !type.matches(node.text))
      return refuse(node, trail, fmt::format("has the invalid value \"{}\"", node.text));
    return {};
  }

  static std::string choices(const Type& type) {
    return join(std::vector<std::string>(type.choices.begin(), type.choices.end()), ", ");
  }

  Result<void> check_list(const Node& node, const Type& type, const Trail& trail) const {
    if (type.items == nullptr) return {};
    for (std::size_t i = 0; i < node.items.size(); ++i) TRY(check(node.items[i], *type.items, {&trail, {}, i}));
    if (!type.unique || node.items.size() < 2) return {};
    std::unordered_set<std::string> seen;
    for (std::size_t i = 0; i < node.items.size(); ++i)
      if (!seen.insert(to_json(node.items[i]).canonical()).second)
        return refuse(node.items[i], {&trail, {}, i}, "is the same as an entry before it");
    return {};
  }

  Result<void> check_free_map(const Node& node, const Type& type, const Trail& trail) const {
    for (const Node& item : node.items) {
      if (matches(item.key, type.keys)) {
        if (type.values != nullptr) TRY(check(item, *type.values, {&trail, item.key}));
      } else if (type.keys == Keys::any || type.keys == Keys::name) {
        return context_.fail_at(
            item.key_mark,
            fmt::format("{} has the invalid name \"{}\": use letters, digits, . _ and -", trail.text(), item.key));
      }
    }
    return {};
  }

  Result<void> check_map(const Node& node, const Type& type, const Trail& trail) const {
    for (const Node& item : node.items) {
      if (const Field* field = find_field(type, item.key))
        TRY(check(item, *field->type, {&trail, item.key}));
      else if (is_unknown(item, type))
        return unknown(node, type, trail);
    }
    for (const std::string_view name : type.required)
      if (node.find(name) == nullptr) return refuse(node, trail, fmt::format("has no {}, which is required", name));
    return {};
  }

  static bool is_unknown(const Node& item, const Type& type) {
    return !type.open && !(type.extensible && item.key.starts_with("x-")) && find_field(type, item.key) == nullptr;
  }

  // All unknown keys of a mapping at once: a foreign file is seen as one.
  std::unexpected<Error> unknown(const Node& node, const Type& type, const Trail& trail) const {
    std::vector<std::string_view> names;
    for (const Field& field : type.fields) names.push_back(field.name);
    const Node& first = *std::ranges::find_if(node.items, [&](const Node& item) { return is_unknown(item, type); });
    std::string others;
    for (const Node& item : node.items)
      if (&item != &first && is_unknown(item, type) && others.size() < 200) others += fmt::format(", \"{}\"", item.key);
    const std::string where = trail.text();
    return context_.fail_at(
        first.key_mark, fmt::format("{}unknown key \"{}\"{}{}", where.empty() ? "" : where + ": ", first.key,
                                    suggestion(first.key, names), others.empty() ? "" : "; also" + others.substr(1)));
  }

  const Context& context_;
};

Result<void> check_exclusive(const Context& context, const Node& root, std::string_view section,
                             std::span<const std::string_view> keys) {
  const Node* entries = root.find(section);
  if (entries == nullptr || !entries->is_map()) return {};
  for (const Node& entry : entries->items) {
    if (!entry.is_map()) continue;
    const auto given = std::ranges::count_if(keys, [&](std::string_view key) { return entry.find(key) != nullptr; });
    const std::string names = join(std::vector<std::string>(keys.begin(), keys.end()), "|");
    if (given > 1)
      return context.fail_at(entry.key_mark,
                             fmt::format("{}.{}: {} attributes are mutually exclusive", section, entry.key, names));
    if (given == 0 && entry.find("driver") == nullptr && entry.find("external") == nullptr)
      return context.fail_at(entry.key_mark, fmt::format("{}.{}: one of {} must be set", section, entry.key, names));
  }
  return {};
}

Result<void> check_volumes(const Context& context, const Node& root) {
  const Node* volumes = root.find("volumes");
  if (volumes == nullptr) return {};
  for (const Node& volume : volumes->items) {
    const Node* external = volume.is_map() ? volume.find("external") : nullptr;
    if (external == nullptr || !external->boolean) continue;
    for (const Node& member : volume.items)
      if (member.key != "name" && member.key != "external" && !member.key.starts_with("x-"))
        return context.fail_at(member.key_mark,
                               fmt::format("volumes.{}: conflicting parameters \"external\" and \"{}\" specified",
                                           volume.key, member.key));
  }
  return {};
}

Result<void> check_requests(const Context& context, const Node* requests, const std::string& path) {
  if (requests == nullptr || !requests->is_list()) return {};
  for (const Node& request : requests->items)
    if (request.is_map() && request.find("count") != nullptr && request.find("device_ids") != nullptr)
      return context.fail_at(request.mark,
                             fmt::format("{}: \"count\" and \"device_ids\" attributes are exclusive", path));
  return {};
}

const Node* descend(const Node* node, std::initializer_list<std::string_view> keys) {
  for (const std::string_view key : keys) node = node != nullptr && node->is_map() ? node->find(key) : nullptr;
  return node;
}

Result<void> check_service(const Context& context, const Node& service) {
  const std::string path = "services." + service.key;
  if (const Node* ports = service.find("ports"); ports != nullptr && ports->is_list())
    for (const Node& port : ports->items)
      if (const std::string_view ip = port.text_of("host_ip"); !ip.empty() && !is_ip(ip))
        return context.fail_at(port.mark, fmt::format("{}.ports: invalid ip address: {}", path, ip));
  if (const Node* watch = descend(&service, {"develop", "watch"}); watch != nullptr && watch->is_list())
    for (const Node& trigger : watch->items)
      if (trigger.text_of("path").empty())
        return context.fail_at(trigger.mark, fmt::format("{}.develop.watch.path: value can't be blank", path));
  TRY(check_requests(context, service.find("gpus"), path + ".gpus"));
  return check_requests(context, descend(&service, {"deploy", "resources", "reservations", "devices"}),
                        path + ".deploy.resources.reservations.devices");
}

}  // namespace

Result<void> validate(const Context& context, const Node& root) {
  return Validator(context).check(root, compose_schema(), {});
}

Result<void> validate_value(const Context& context, const Node& value, const Type& type, const std::string& path) {
  return Validator(context).check(value, type, {.key = path});
}

Result<void> validate_rules(const Context& context, const Node& root) {
  constexpr std::array<std::string_view, 3> kConfigSources = {"file", "environment", "content"};
  constexpr std::array<std::string_view, 2> kSecretSources = {"file", "environment"};
  TRY(check_exclusive(context, root, "configs", kConfigSources));
  TRY(check_exclusive(context, root, "secrets", kSecretSources));
  TRY(check_volumes(context, root));
  const Node* services = root.find("services");
  if (services == nullptr || !services->is_map()) return {};
  for (const Node& service : services->items)
    if (service.is_map()) TRY(check_service(context, service));
  return {};
}

}  // namespace berth::compose
