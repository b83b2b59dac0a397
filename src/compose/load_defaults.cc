#include "compose/config_hash.h"
#include "compose/load_rules.h"
#include "compose/load_stages.h"

namespace berth::compose {
namespace {

enum class Rule : std::uint8_t { build, secret, port, request, bind };
using Rules = PathRules<Rule>;

const Rules& rules() {
  static const Rules kRules = {
      {"services.*.build", Rule::build},    {"services.*.secrets.*", Rule::secret},
      {"services.*.ports.*", Rule::port},   {"services.*.deploy.resources.reservations.devices.*", Rule::request},
      {"services.*.gpus.*", Rule::request}, {"services.*.volumes.*.bind", Rule::bind}};
  return kRules;
}

void add(Node& node, std::string_view key, Node value) {
  value.mark = node.mark;
  if (node.find(key) == nullptr) node.set(key, std::move(value));
}

void apply(Node& node, Rule rule, bool marks) {
  switch (rule) {
    case Rule::build:
      return add(node, "context", Node::text_at(".", {}));
    case Rule::secret:
      return add(node, "target", Node::text_at("/run/secrets/" + std::string(node.text_of("source")), {}));
    case Rule::port:
      add(node, "protocol", Node::text_at("tcp", {}));
      return add(node, "mode", Node::text_at("ingress", {}));
    case Rule::request:
      if (node.find("device_ids") == nullptr) add(node, "count", Node::text_at("all", {}));
      return;
    case Rule::bind:
      if (marks && node.find("create_host_path") == nullptr) add(node, kImpliedKey, Node::boolean_at(true, {}));
      return add(node, "create_host_path", Node::boolean_at(true, {}));
  }
}

void walk(Node& node, Rules::At at, bool marks) {
  if (at.dead()) return;
  if (const Rule* rule = at.rule()) {
    if (node.is_map()) apply(node, *rule, marks);
    return;
  }
  for (Node& item : node.items) walk(item, at.below(item.key), marks);
}

}  // namespace

void set_defaults(Node& model, bool marks) {
  walk(model, rules().root(), marks);
}

}  // namespace berth::compose
