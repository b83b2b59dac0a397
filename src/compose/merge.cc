#include "compose/merge.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "compose/load_rules.h"

namespace berth::compose {
namespace {

enum class Rule : std::uint8_t { sequence, build, hosts, replace, depends_on, names, logging, ipam };
using Rules = PathRules<Rule>;

const Rules& rules() {
  static const Rules kRules = {{"networks.*.ipam.config", Rule::ipam},
                               {"networks.*.labels", Rule::sequence},
                               {"volumes.*.labels", Rule::sequence},
                               {"services.*.annotations", Rule::sequence},
                               {"services.*.build", Rule::build},
                               {"services.*.build.args", Rule::sequence},
                               {"services.*.build.additional_contexts", Rule::sequence},
                               {"services.*.build.extra_hosts", Rule::hosts},
                               {"services.*.build.labels", Rule::sequence},
                               {"services.*.command", Rule::replace},
                               {"services.*.depends_on", Rule::depends_on},
                               {"services.*.deploy.labels", Rule::sequence},
                               {"services.*.dns", Rule::sequence},
                               {"services.*.dns_opt", Rule::sequence},
                               {"services.*.dns_search", Rule::sequence},
                               {"services.*.entrypoint", Rule::replace},
                               {"services.*.env_file", Rule::sequence},
                               {"services.*.environment", Rule::sequence},
                               {"services.*.extra_hosts", Rule::hosts},
                               {"services.*.healthcheck.test", Rule::replace},
                               {"services.*.label_file", Rule::sequence},
                               {"services.*.labels", Rule::sequence},
                               {"services.*.logging", Rule::logging},
                               {"services.*.models", Rule::names},
                               {"services.*.networks", Rule::names},
                               {"services.*.sysctls", Rule::sequence},
                               {"services.*.tmpfs", Rule::sequence},
                               {"services.*.ulimits.*", Rule::replace}};
  return kRules;
}

bool same(const Node& a, const Node& b) {
  return a.kind == b.kind && a.boolean == b.boolean && a.integer == b.integer && a.real == b.real && a.text == b.text &&
         std::ranges::equal(a.items, b.items,
                            [](const Node& x, const Node& y) { return x.key == y.key && same(x, y); });
}

// A list of names as a mapping from each to `value`.
Result<Node> to_mapping(const Context& context, Node value, const Node& entry) {
  if (!value.is_list()) return value;
  Node map = Node::map_at(value.mark);
  std::unordered_set<std::string_view> seen;
  for (const Node& name : value.items) {
    if (!name.is_text())
      return context.fail_at(name.mark, fmt::format("a name must be a text, not {}", name.kind_name()));
    if (!seen.insert(name.text).second) continue;
    Node copy = entry;
    copy.mark = copy.key_mark = name.mark;
    copy.key = name.text;
    map.items.push_back(std::move(copy));
  }
  return map;
}

class Merger {
 public:
  explicit Merger(Context& context) : context_(context) {}

  Result<void> merge(Node& base, Node over, Rules::At at, const std::string& path) {
    if (const Rule* rule = at.rule()) return special(base, std::move(over), *rule, {at, path});
    if (over.is_null()) return {};
    if (base.is_map() && over.is_map()) return members(base, std::move(over), at, path);
    if (base.is_list() && over.is_list()) {
      std::ranges::move(over.items, std::back_inserter(base.items));
      return {};
    }
    if (!base.is_scalar())
      return context_.fail_at(over.mark, fmt::format("cannot override {}: it is {} before and {} here", path,
                                                     base.kind_name(), over.kind_name()));
    base.become(std::move(over));
    return {};
  }

 private:
  struct Place {
    Rules::At at;
    const std::string& path;
  };

  Result<void> members(Node& base, Node over, Rules::At at, const std::string& path) {
    std::unordered_map<std::string_view, std::size_t> index;
    for (std::size_t i = 0; i < base.items.size(); ++i) index.emplace(base.items[i].key, i);
    const std::size_t before = base.items.size();
    std::vector<Node> fresh;
    for (Node& item : over.items) {
      const auto found = index.find(item.key);
      if (found == index.end()) {
        fresh.push_back(std::move(item));
        continue;
      }
      const std::string key = item.key;
      TRY(merge(base.items[found->second], std::move(item), at.below(key), path.empty() ? key : path + "." + key));
    }
    base.items.reserve(before + fresh.size());
    std::ranges::move(fresh, std::back_inserter(base.items));
    return {};
  }

  Result<void> special(Node& base, Node over, Rule rule, Place place) {
    if (rule == Rule::replace) return base.become(std::move(over)), Result<void>();
    if (over.is_null()) return {};
    if (base.is_null()) return base.become(std::move(over)), Result<void>();
    switch (rule) {
      case Rule::sequence:
        return append(base, std::move(over), false);
      case Rule::hosts:
        return append(base, std::move(over), true);
      case Rule::logging:
        return logging(base, std::move(over), place);
      case Rule::ipam:
        return ipam(base, std::move(over), place);
      default:
        return as_mappings(base, std::move(over), rule, place);
    }
  }

  static Result<void> append(Node& base, Node over, bool without_equal) {
    base.become(to_sequence(base.take()));
    std::unordered_set<std::string> have;
    if (without_equal)
      for (const Node& item : base.items) have.insert(to_json(item).canonical());
    Node added = to_sequence(std::move(over));
    for (Node& item : added.items)
      if (!without_equal || !have.contains(to_json(item).canonical())) base.items.push_back(std::move(item));
    return {};
  }

  Result<void> as_mappings(Node& base, Node over, Rule rule, Place place) {
    for (Node* side : {&base, &over}) {
      if (rule == Rule::build && side->is_text()) {
        Node build = Node::map_at(side->mark);
        build.set("context", Node::text_at(side->text, side->mark));
        side->become(std::move(build));
      } else {
        Node entry;
        if (rule == Rule::depends_on) {
          entry = Node::map_at({});
          entry.set("condition", Node::text_at("service_started", {}));
          entry.set("required", Node::boolean_at(true, {}));
        }
        side->become(TRY(to_mapping(context_, side->take(), entry)));
      }
      if (!side->is_map())
        return context_.fail_at(side->mark, fmt::format("{} must be a mapping, not {}", place.path, side->kind_name()));
    }
    return members(base, std::move(over), place.at, place.path);
  }

  // The options of one driver make no sense to another.
  Result<void> logging(Node& base, Node over, Place place) {
    if (!base.is_map() || !over.is_map())
      return context_.fail_at(over.mark, fmt::format("{} must be a mapping", place.path));
    const Node* old_driver = base.find("driver");
    const Node* driver = over.find("driver");
    if (old_driver == nullptr || driver == nullptr || same(*old_driver, *driver))
      return members(base, std::move(over), place.at, place.path);
    base.become(std::move(over));
    return {};
  }

  // Pools merge by subnet; what has another subnet takes the place of the base.
  Result<void> ipam(Node& base, Node over, Place place) {
    for (const Node* side : {&base, &over})
      if (!side->is_list() || !std::ranges::all_of(side->items, &Node::is_map))
        return context_.fail_at(side->mark, fmt::format("{} must be a list of mappings", place.path));
    Node result = Node::list_at(over.mark);
    const auto with_subnet = [&](std::string_view subnet) {
      return std::ranges::find(result.items, subnet, [](const Node& pool) { return pool.text_of("subnet"); });
    };
    for (const Node& old : base.items) {
      for (const Node& pool : over.items) {
        if (!context_.budget.take(count_nodes(pool), 0)) return context_.fail_at(pool.mark, "too many address pools");
        const auto there = with_subnet(pool.text_of("subnet"));
        if (pool.text_of("subnet") != old.text_of("subnet") && there == result.items.end()) {
          result.items.push_back(pool);
          continue;
        }
        Node merged = old;
        TRY(members(merged, pool, place.at, place.path));
        if (there == result.items.end())
          result.items.push_back(std::move(merged));
        else
          *there = std::move(merged);
      }
    }
    base.become(std::move(result));
    return {};
  }

  Context& context_;
};

void reset_below(Node& node, const NodePath& path, std::size_t depth) {
  if (!node.is_map()) return;
  if (depth + 1 == path.size()) return node.erase(path[depth]);
  if (Node* member = node.find(path[depth])) reset_below(*member, path, depth + 1);
}

}  // namespace

Node to_sequence(Node value) {
  if (value.is_list()) return value;
  Node list = Node::list_at(value.mark);
  if (value.is_text()) {
    list.items.push_back(Node::text_at(std::move(value.text), value.mark));
    return list;
  }
  for (Node& item : value.items) {
    const Mark mark = item.key_mark;
    if (item.is_null()) {
      list.items.push_back(Node::text_at(std::move(item.key), mark));
    } else if (item.is_list()) {
      for (const Node& entry : item.items)
        list.items.push_back(Node::text_at(item.key + "=" + entry.scalar_text(), entry.mark));
    } else {
      list.items.push_back(Node::text_at(item.key + "=" + item.scalar_text(), mark));
    }
  }
  std::ranges::sort(list.items, {}, &Node::text);
  return list;
}

Result<void> merge_models(Context& context, Node& base, Node over) {
  return Merger(context).merge(base, std::move(over), rules().root(), "");
}

Result<void> merge_entry(Context& context, Node& base, Node over, std::string_view section) {
  const std::string path = fmt::format("{}.{}", section, base.key);
  return Merger(context).merge(base, std::move(over), rules().root().below(section).below("*"), path);
}

void apply_resets(Node& model, const std::vector<NodePath>& resets) {
  for (const NodePath& path : resets)
    if (!path.empty()) reset_below(model, path, 0);
}

}  // namespace berth::compose
