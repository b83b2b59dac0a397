#include <fmt/format.h>

#include <charconv>

#include "base/text.h"
#include "compose/interpolate.h"
#include "compose/load_rules.h"

namespace berth::compose {
namespace {

// The types of the Compose schema that a text takes on: interpolation only makes texts.
enum class Cast : std::uint8_t { integer, real, boolean };
using Casts = PathRules<Cast>;

const Casts& casts() {
  static const Casts kCasts = {{"services.*.cpu_count", Cast::integer},
                               {"services.*.cpu_percent", Cast::real},
                               {"services.*.cpu_period", Cast::integer},
                               {"services.*.cpu_quota", Cast::integer},
                               {"services.*.cpu_rt_period", Cast::integer},
                               {"services.*.cpu_rt_runtime", Cast::integer},
                               {"services.*.cpus", Cast::real},
                               {"services.*.cpu_shares", Cast::integer},
                               {"services.*.init", Cast::boolean},
                               {"services.*.depends_on.*.required", Cast::boolean},
                               {"services.*.depends_on.*.restart", Cast::boolean},
                               {"services.*.deploy.replicas", Cast::integer},
                               {"services.*.deploy.update_config.parallelism", Cast::integer},
                               {"services.*.deploy.update_config.max_failure_ratio", Cast::real},
                               {"services.*.deploy.rollback_config.parallelism", Cast::integer},
                               {"services.*.deploy.rollback_config.max_failure_ratio", Cast::real},
                               {"services.*.deploy.restart_policy.max_attempts", Cast::integer},
                               {"services.*.deploy.placement.max_replicas_per_node", Cast::integer},
                               {"services.*.healthcheck.retries", Cast::integer},
                               {"services.*.healthcheck.disable", Cast::boolean},
                               {"services.*.oom_kill_disable", Cast::boolean},
                               {"services.*.oom_score_adj", Cast::integer},
                               {"services.*.pids_limit", Cast::integer},
                               {"services.*.ports.*.target", Cast::integer},
                               {"services.*.privileged", Cast::boolean},
                               {"services.*.read_only", Cast::boolean},
                               {"services.*.scale", Cast::integer},
                               {"services.*.stdin_open", Cast::boolean},
                               {"services.*.tty", Cast::boolean},
                               {"services.*.ulimits.*", Cast::integer},
                               {"services.*.ulimits.*.hard", Cast::integer},
                               {"services.*.ulimits.*.soft", Cast::integer},
                               {"services.*.volumes.*.read_only", Cast::boolean},
                               {"services.*.volumes.*.volume.nocopy", Cast::boolean},
                               {"networks.*.external", Cast::boolean},
                               {"networks.*.internal", Cast::boolean},
                               {"networks.*.attachable", Cast::boolean},
                               {"networks.*.enable_ipv4", Cast::boolean},
                               {"networks.*.enable_ipv6", Cast::boolean},
                               {"volumes.*.external", Cast::boolean},
                               {"secrets.*.external", Cast::boolean},
                               {"configs.*.external", Cast::boolean}};
  return kCasts;
}

bool to_integer(Node& node) {
  std::string_view text = node.text;
  if (text.starts_with('+')) text.remove_prefix(1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), node.integer);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return false;
  node.kind = Kind::integer;
  return true;
}

class Interpolator {
 public:
  explicit Interpolator(const Interpolation& with) : with_(with) {}

  Result<void> walk(Node& node, Casts::At at) {
    if (node.is_text()) return text(node, at);
    for (Node& item : node.items) {
      if (node.is_map()) keys_.push_back(item.key);
      TRY(walk(item, at.below(item.key)));
      if (node.is_map()) keys_.pop_back();
    }
    return {};
  }

 private:
  std::unexpected<Error> refuse(const Node& node, std::string why) const {
    return fail(with_.sources.error(node.mark, fmt::format("{}: {}", fmt::join(keys_, "."), why)));
  }

  Result<void> text(Node& node, Casts::At at) {
    if (node.text.find('$') != std::string::npos) {
      auto value = substitute(node.text, with_.lookup, with_.unset);
      if (!value) return refuse(node, value.error().message);
      if (!with_.budget.take(0, value->size()))
        return refuse(node, "the values grow too big when variables are replaced");
      node.text = *std::move(value);
    }
    if (const Cast* cast = at.rule()) return convert(node, *cast);
    return {};
  }

  Result<void> convert(Node& node, Cast cast) {
    constexpr std::array<std::string_view, 3> kNames = {"an integer", "a number", "true or false"};
    const bool done = cast == Cast::integer ? to_integer(node) : cast == Cast::real ? to_real(node) : to_boolean(node);
    if (!done)
      return refuse(node, fmt::format("failed to cast to expected type: \"{}\" is not {}", node.text.substr(0, 80),
                                      kNames[static_cast<std::size_t>(cast)]));
    node.text.clear();
    return {};
  }

  static bool to_real(Node& node) {
    if (!parse_real(node.text, node.real)) return false;
    node.kind = Kind::real;
    return true;
  }

  bool to_boolean(Node& node) {
    const std::string word = lower(node.text);
    const bool yes = word == "y" || word == "yes" || word == "on";
    const bool no = word == "n" || word == "no" || word == "off";
    if (yes || no)
      with_.warnings.push_back(
          fmt::format("\"{}\" for boolean is not supported by YAML 1.2, please use `{}`", node.text, yes));
    else if (word != "true" && word != "false")
      return false;
    node.kind = Kind::boolean;
    node.boolean = yes || word == "true";
    return true;
  }

  const Interpolation& with_;
  std::vector<std::string_view> keys_;
};

}  // namespace

Result<void> interpolate(Node& root, const Interpolation& with) {
  return Interpolator(with).walk(root, casts().root());
}

}  // namespace berth::compose
