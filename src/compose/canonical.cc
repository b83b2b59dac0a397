#include "compose/canonical.h"

#include <fmt/format.h>

#include <unordered_map>
#include <unordered_set>

#include "base/text.h"
#include "compose/load_rules.h"

namespace berth::compose {
namespace {

enum class Rule : std::uint8_t {
  file_mount,
  text,
  key_values,
  depends_on,
  dns,
  env_file,
  list,
  extends,
  gpus,
  names,
  volume,
  device,
  ports,
  build,
  ssh,
  ulimit,
  external
};
using Rules = PathRules<Rule>;

const Rules& rules() {
  static const Rules kRules = {{"services.*.build.secrets.*", Rule::file_mount},
                               {"services.*.build.provenance", Rule::text},
                               {"services.*.build.sbom", Rule::text},
                               {"services.*.build.additional_contexts", Rule::key_values},
                               {"services.*.depends_on", Rule::depends_on},
                               {"services.*.env_file", Rule::env_file},
                               {"services.*.label_file", Rule::list},
                               {"services.*.extends", Rule::extends},
                               {"services.*.gpus", Rule::gpus},
                               {"services.*.networks", Rule::names},
                               {"services.*.models", Rule::names},
                               {"services.*.volumes.*", Rule::volume},
                               {"services.*.dns", Rule::dns},
                               {"services.*.devices.*", Rule::device},
                               {"services.*.secrets.*", Rule::file_mount},
                               {"services.*.configs.*", Rule::file_mount},
                               {"services.*.ports", Rule::ports},
                               {"services.*.build", Rule::build},
                               {"services.*.build.ssh", Rule::ssh},
                               {"services.*.ulimits.*", Rule::ulimit},
                               {"services.*.build.ulimits.*", Rule::ulimit},
                               {"services.*.develop.watch.*.ignore", Rule::list},
                               {"services.*.develop.watch.*.include", Rule::list},
                               {"volumes.*", Rule::external},
                               {"networks.*", Rule::external},
                               {"secrets.*", Rule::external},
                               {"configs.*", Rule::external}};
  return kRules;
}

Node text_map(std::string_view key, const Node& value) {
  Node map = Node::map_at(value.mark);
  map.set(key, Node::text_at(value.text, value.mark));
  return map;
}

// Drops "" and null entries, which variables that are not set leave behind.
void drop_empty(Node& list) {
  std::erase_if(list.items, [](const Node& item) { return item.is_null() || (item.is_text() && item.text.empty()); });
}

// A mapping that is built key by key; the last of equal keys wins.
class KeyedNodes {
 public:
  void put(std::string_view key, Node value) {
    const auto [at, fresh] = index_.emplace(key, items_.size());
    value.key = key;
    value.key_mark = value.mark;
    if (fresh)
      items_.push_back(std::move(value));
    else
      items_[at->second] = std::move(value);
  }
  Node take(Mark mark) {
    Node map = Node::map_at(mark);
    map.items = std::move(items_);
    return map;
  }

 private:
  std::vector<Node> items_;
  std::unordered_map<std::string, std::size_t> index_;
};

class Canonical {
 public:
  Canonical(Context& context, bool lenient) : context_(context), lenient_(lenient) {}

  Result<void> walk(Node& node, Rules::At at) {
    if (at.dead()) return {};
    if (const Rule* rule = at.rule()) return apply(node, *rule, at);
    return below(node, at);
  }

 private:
  Result<void> below(Node& node, Rules::At at) {
    for (Node& item : node.items) TRY(walk(item, at.below(item.key)));
    return {};
  }

  std::unexpected<Error> refuse(const Node& node, std::string_view what) const {
    return context_.fail_at(node.mark, fmt::format("{} cannot be {}", what, node.kind_name()));
  }

  Result<void> apply(Node& node, Rule rule, Rules::At at) {
    switch (rule) {
      case Rule::file_mount:
        return mapping(node, "source", "a file mount");
      case Rule::text:
        return text(node);
      case Rule::key_values:
        return key_values(node);
      case Rule::depends_on:
        return depends_on(node);
      case Rule::env_file:
        return env_file(node);
      case Rule::list:
        return list(node);
      case Rule::dns:
        return dns(node);
      case Rule::extends:
        return mapping(node, "service", "extends");
      case Rule::gpus:
        return gpus(node);
      case Rule::names:
        return names(node);
      case Rule::volume:
        return volume(node);
      case Rule::device:
        return device(node);
      case Rule::ports:
        return ports(node);
      case Rule::build:
        TRY(mapping(node, "context", "build"));
        return below(node, at);
      case Rule::ssh:
        return ssh(node);
      case Rule::ulimit:
        return ulimit(node);
      case Rule::external:
        return external(node);
    }
    return {};
  }

  // A text is the short form of a mapping with one key.
  Result<void> mapping(Node& node, std::string_view key, std::string_view what) const {
    if (node.is_text()) node.become(text_map(key, node));
    if (!node.is_map()) return refuse(node, what);
    return {};
  }

  static Result<void> text(Node& node) {
    if (node.is_scalar()) node.become(Node::text_at(node.scalar_text(), node.mark));
    return {};
  }

  static Result<void> list(Node& node) {
    if (node.is_text()) node.become(to_list(node));
    return {};
  }

  static Result<void> dns(Node& node) {
    TRY(list(node));
    if (node.is_list()) drop_empty(node);
    return {};
  }

  Result<void> ulimit(const Node& node) const {
    if (!node.is_map() && node.kind != Kind::integer && !lenient_) return refuse(node, "a ulimit");
    return {};
  }

  static Node to_list(Node& entry) {
    Node entries = Node::list_at(entry.mark);
    entries.items.push_back(Node::text_at(std::move(entry.text), entry.mark));
    return entries;
  }

  Result<void> key_values(Node& node) {
    if (node.is_map()) return {};
    if (!node.is_list()) return refuse(node, "additional_contexts");
    KeyedNodes map;
    for (const Node& item : node.items) {
      const Cut parts = cut(item.text, '=');
      if (!parts.found && lenient_) return {};
      if (!parts.found)
        return context_.fail_at(item.mark, fmt::format("\"{}\" must have the form key=value", item.text));
      map.put(parts.before, Node::text_at(std::string(parts.after), item.mark));
    }
    node.become(map.take(node.mark));
    return {};
  }

  Result<void> depends_on(Node& node) {
    if (node.is_list()) TRY(names(node));
    if (!node.is_map()) return refuse(node, "depends_on");
    for (Node& item : node.items) {
      if (item.is_null()) item.become(Node::map_at(item.mark));
      if (!item.is_map()) return refuse(item, "an entry of depends_on");
      if (item.find("condition") == nullptr) item.set("condition", Node::text_at("service_started", item.mark));
      if (item.find("required") == nullptr) item.set("required", Node::boolean_at(true, item.mark));
    }
    return {};
  }

  Result<void> env_file(Node& node) {
    if (node.is_text()) node.become(to_list(node));
    if (!node.is_list()) return refuse(node, "env_file");
    for (Node& item : node.items) {
      if (item.is_text()) item.become(text_map("path", item));
      if (!item.is_map()) return refuse(item, "an entry of env_file");
      if (item.find("required") == nullptr) item.set("required", Node::boolean_at(true, item.mark));
    }
    return {};
  }

  Result<void> gpus(Node& node) {
    if (node.is_list()) return {};
    if (!node.is_text()) return refuse(node, "gpus");
    Node all = Node::list_at(node.mark);
    all.items.push_back(text_map("count", Node::text_at("all", node.mark)));
    node.become(std::move(all));
    return {};
  }

  Result<void> names(Node& node) {
    if (!node.is_list()) return {};
    Node map = Node::map_at(node.mark);
    std::unordered_set<std::string_view> seen;
    for (const Node& item : node.items) {
      if (!item.is_text()) return refuse(item, "a name");
      if (!seen.insert(item.text).second) continue;
      Node member = Node::null_at(item.mark);
      member.key_mark = item.mark;
      member.key = item.text;
      map.items.push_back(std::move(member));
    }
    node.become(std::move(map));
    return {};
  }

  Result<void> volume(Node& node) {
    if (node.is_map()) return {};
    if (!node.is_text()) return refuse(node, "a volume");
    auto mount = parse_volume(node.text);
    if (!mount && lenient_) return {};
    if (!mount) return context_.fail_at(node.mark, mount.error().message);
    if (!mount->target.empty()) mount->target = clean_path(mount->target);
    node.become(volume_node(*mount, node.mark));
    if (mount->bind) node.find("bind")->set("create_host_path", Node::boolean_at(true, node.mark));
    return {};
  }

  Result<void> device(Node& node) {
    if (node.is_map()) return {};
    if (!node.is_text()) return refuse(node, "a device");
    const auto parts = split(node.text, ':');
    if (parts.size() > 3 && lenient_) return {};
    if (parts.size() > 3)
      return context_.fail_at(node.mark,
                              fmt::format("device \"{}\" has too many colons; use the long form", node.text));
    Node map = Node::map_at(node.mark);
    const auto part = [&](std::size_t at, std::string_view fallback) {
      return Node::text_at(std::string(parts.size() > at && !parts[at].empty() ? parts[at] : fallback), node.mark);
    };
    map.set("source", part(0, ""));
    map.set("target", part(1, parts[0]));
    map.set("permissions", parts.size() > 2 ? Node::text_at(std::string(parts[2]), node.mark) : part(3, "rwm"));
    node.become(std::move(map));
    return {};
  }

  Result<void> ports(Node& node) {
    if (!node.is_list()) return refuse(node, "ports");
    Node list = Node::list_at(node.mark);
    for (Node& item : node.items) {
      if (item.is_map()) {
        list.items.push_back(std::move(item));
        continue;
      }
      if (!item.is_text() && item.kind != Kind::integer) return refuse(item, "a port");
      const auto parsed = parse_ports(item.scalar_text());
      if (!parsed && lenient_) {
        list.items.push_back(std::move(item));
        continue;
      }
      if (!parsed) return context_.fail_at(item.mark, parsed.error().message);
      if (!context_.budget.take(5 * parsed->size(), 0)) return context_.fail_at(item.mark, "too many ports");
      for (const Port& port : *parsed) list.items.push_back(port_node(port, item.mark));
    }
    node.become(std::move(list));
    return {};
  }

  Result<void> ssh(Node& node) {
    if (!node.is_list()) return {};
    KeyedNodes map;
    for (const Node& item : node.items) {
      const Cut parts = cut(item.text, '=');
      if (!item.is_text() || (!parts.found && parts.before != "default"))
        return context_.fail_at(item.mark, fmt::format("invalid ssh key \"{}\": write default or id=path", item.text));
      map.put(parts.before,
              parts.found ? Node::text_at(std::string(parts.after), item.mark) : Node::null_at(item.mark));
    }
    node.become(map.take(node.mark));
    return {};
  }

  // `external: {name: x}` is the old form of `external: true, name: x`.
  Result<void> external(Node& node) {
    Node* external = node.is_map() ? node.find("external") : nullptr;
    if (external == nullptr || !external->is_map()) return {};
    const Node* old_name = external->find("name");
    const Node name = old_name == nullptr ? Node() : *old_name;
    external->become(Node::boolean_at(true, external->mark));
    if (name.is_null()) return {};
    context_.warnings.push_back(fmt::format("{}: external.name is deprecated; set name and external: true", node.key));
    const Node* own = node.find("name");
    if (own != nullptr && own->text != name.text)
      return context_.fail_at(own->mark, fmt::format("{}: name and external.name conflict; only use name", node.key));
    node.set("name", name);
    return {};
  }

  Context& context_;
  bool lenient_;
};

}  // namespace

Node port_node(const Port& port, Mark mark) {
  Node node = Node::map_at(mark);
  node.items.reserve(5);
  node.set("mode", Node::text_at("ingress", mark));
  if (!port.host_ip.empty()) node.set("host_ip", Node::text_at(port.host_ip, mark));
  if (port.target != 0) node.set("target", Node::integer_at(port.target, mark));
  if (!port.published.empty()) node.set("published", Node::text_at(port.published, mark));
  node.set("protocol", Node::text_at(port.protocol, mark));
  return node;
}

Node volume_node(const VolumeMount& mount, Mark mark) {
  Node node = Node::map_at(mark);
  node.set("type", Node::text_at(mount.bind ? "bind" : "volume", mark));
  if (!mount.source.empty()) node.set("source", Node::text_at(mount.source, mark));
  if (!mount.target.empty()) node.set("target", Node::text_at(mount.target, mark));
  if (mount.read_only) node.set("read_only", Node::boolean_at(true, mark));
  Node bind = Node::map_at(mark);
  if (!mount.selinux.empty()) bind.set("selinux", Node::text_at(mount.selinux, mark));
  if (!mount.propagation.empty()) bind.set("propagation", Node::text_at(mount.propagation, mark));
  Node volume = Node::map_at(mark);
  if (mount.nocopy) volume.set("nocopy", Node::boolean_at(true, mark));
  if (mount.bind || !bind.items.empty()) node.set("bind", std::move(bind));
  if ((!mount.bind && mount.options) || mount.nocopy) node.set("volume", std::move(volume));
  return node;
}

Result<void> make_canonical(Context& context, Node& root, bool lenient) {
  return Canonical(context, lenient).walk(root, rules().root());
}

}  // namespace berth::compose
