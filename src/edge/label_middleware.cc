#include "edge/label_middleware.h"

#include <algorithm>

#include "base/text.h"
#include "edge/keys.h"

namespace berth::edge {
namespace {

class ChainReader {
 public:
  explicit ChainReader(const Trees& defined) : defined_(defined) {}

  Result<void> read(const std::vector<std::string>& references, int depth) {
    for (const std::string& reference : references) TRY(read_one(reference, depth));
    return {};
  }
  std::vector<Middleware> actions;

 private:
  Result<void> read_one(const std::string& reference, int depth) {
    const auto name = local_name(reference);
    const auto found = name ? defined_.find(*name) : defined_.end();
    if (found == defined_.end()) {
      std::vector<std::string_view> names;
      for (const auto& [each, fields] : defined_) names.push_back(each);
      return fail(Code::invalid, "middleware \"" + reference + "\" is not defined" + suggestion(reference, names));
    }
    if (depth > 8) return fail(Code::invalid, "middleware \"" + reference + "\" is part of a chain that never ends");
    if (actions.size() > 64) return fail(Code::invalid, "there are more than 64 middlewares");
    const Json& tree = found->second;
    if (tree.size() == 1 && tree.contains("chain")) {
      const Json& listed = tree["chain"]["middlewares"];
      std::vector<std::string> inner = parse_list(listed.text());
      for (const Json& item : listed.items()) inner.emplace_back(item.text());
      return read(inner, depth + 1);
    }
    auto action = action_of(tree);
    if (!action) return fail(std::move(action.error()).within("middleware \"" + *name + "\""));
    actions.push_back({*name, std::move(*action)});
    return {};
  }

  /// `tree` has one member, named by the kind.
  static Result<Action> action_of(const Json& tree) {
    if (tree.size() == 0) return fail(Code::invalid, "is empty");
    if (tree.size() > 1) {
      return fail(Code::invalid, "is both " + tree.members()[0].first + " and " + tree.members()[1].first);
    }
    const auto& [kind, options] = tree.members().front();
    auto action = read_action(kind == "ipwhitelist" ? "ipallowlist" : kind, options);
    if (action || action.error().code != Code::not_found) return action;
    // Without one of these a route would be open, or not what it should be.
    return fail(Code::invalid, action.error().message + "; the route is not served without it");
  }

  const Trees& defined_;
};

}  // namespace

Result<std::vector<Middleware>> chain_of(const std::vector<std::string>& references, const Trees& defined) {
  ChainReader reader(defined);
  TRY(reader.read(references, 0));
  return std::move(reader.actions);
}

}  // namespace berth::edge
