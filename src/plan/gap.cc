#include "plan/gap.h"

#include <algorithm>
#include <map>
#include <optional>

namespace berth::plan {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kDefaultGrace = 10;
constexpr std::int64_t kDefaultInterval = 30;

// When a health check first says healthy: after its interval, or the shorter one of the start period.
std::int64_t first_probe(const Json& check) {
  const auto& test = check["Test"].items();
  if (test.empty() || test.front().text() == "NONE") return 0;
  const auto interval = check["Interval"].integer() == 0 ? kDefaultInterval * kSecond : check["Interval"].integer();
  const auto start = check["StartInterval"].integer();
  const auto first = check["StartPeriod"].integer() > 0 && start > 0 ? std::min(start, interval) : interval;
  return (first + kSecond - 1) / kSecond;
}

// The longest way through the DAG from a node that stops something.
class Ways {
 public:
  Ways(const Plan& plan, const Observed& observed) : plan_(plan), observed_(observed) {}

  struct Way {
    std::int64_t seconds = 0;
    std::string why{};
  };
  // From the start of `from` to the end of `to`; none when `to` does not come after it.
  std::optional<Way> between(const Node& from, const Node& to) const {
    if (to.id < from.id) return std::nullopt;
    std::vector<Step> steps(static_cast<std::size_t>(to.id) + 1);
    at(steps, from.id) = {.seconds = cost(from).seconds, .before = 0};
    for (int id = from.id + 1; id <= to.id; ++id) extend(steps, *plan_.find(id));
    if (from.id != to.id && at(steps, to.id).seconds < 0) return std::nullopt;
    std::vector<Way> parts{readiness(to, "health check")};
    for (int id = to.id; id != 0; id = at(steps, id).before) parts.push_back(cost(*plan_.find(id)));
    Way way;
    for (auto part = parts.rbegin(); part != parts.rend(); ++part) {
      way.seconds += part->seconds;
      if (!part->why.empty()) way.why += (way.why.empty() ? "" : ", ") + part->why;
    }
    return way;
  }

 private:
  struct Step {
    std::int64_t seconds = -1;  // -1: not after `from`
    int before = 0;
  };
  static Step& at(std::vector<Step>& steps, int id) { return steps[static_cast<std::size_t>(id)]; }

  void extend(std::vector<Step>& steps, const Node& node) const {
    Step& step = at(steps, node.id);
    for (const int before : node.after) {
      const Step& other = at(steps, before);
      if (other.seconds > step.seconds) step = {.seconds = other.seconds, .before = before};
    }
    if (step.seconds >= 0) step.seconds += cost(node).seconds;
  }

  static Way told(std::int64_t seconds, const std::string& what) {
    return seconds == 0 ? Way{} : Way{seconds, what + ' ' + std::to_string(seconds) + " s"};
  }

  Way cost(const Node& node) const {
    if (const auto* stop = std::get_if<StopContainer>(&node.op)) return grace(stop->container, stop->grace);
    if (const auto* restart = std::get_if<RestartContainer>(&node.op)) return grace(restart->container, restart->grace);
    if (std::holds_alternative<WaitContainer>(node.op)) return readiness(node, node.group + " ready");
    return {};
  }

  Way grace(const ContainerRef& ref, std::optional<std::int64_t> asked) const {
    const Container* container = observed_.container(ref.id);
    const Json none;
    const Json& own = container ? container->inspect["Config"]["StopTimeout"] : none;
    return told(asked.value_or(own.is_null() ? kDefaultGrace : own.integer()), "stop grace");
  }

  Way readiness(const Node& node, const std::string& what) const {
    const ContainerRef* ref = container_of(node.op);
    if (!ref) return {};
    if (const Node* created = plan_.find(ref->created_by)) {
      const Json& body = std::get<CreateContainer>(created->op).body;
      const Image* image = observed_.image(body["Image"].text());
      const bool own = !body["Healthcheck"]["Test"].is_empty();
      return told(own ? first_probe(body["Healthcheck"]) : image ? first_probe(image->config["Healthcheck"]) : 0, what);
    }
    const Container* container = observed_.container(ref->id);
    return container ? told(first_probe(container->inspect["Config"]["Healthcheck"]), what) : Way{};
  }

  const Plan& plan_;
  const Observed& observed_;
};

bool stops(const Node& node) {
  return std::holds_alternative<StopContainer>(node.op) || std::holds_alternative<RestartContainer>(node.op);
}

const Node* start_of(const Plan& plan, const Node& stop) {
  if (std::holds_alternative<RestartContainer>(stop.op)) return &stop;
  for (const Node& node : plan.nodes)
    if (std::holds_alternative<StartContainer>(node.op) && node.subject == stop.subject) return &node;
  return nullptr;
}

bool others_stay(const Plan& plan, const std::string& service) {
  return std::any_of(plan.keeps.begin(), plan.keeps.end(), [&](const Keep& keep) {
    return keep.subject.starts_with("service:" + service + ':') && keep.reason.starts_with("running");
  });
}

Gap gap_of(const Ways& ways, const Plan& plan, const Node& stop, const Node& start) {
  Gap gap{.service = stop.group};
  const auto way = ways.between(stop, start);
  if (others_stay(plan, stop.group))
    gap.why = "others of the service keep running";
  else if (!way)
    gap.why = "the new container starts first";
  else
    gap = {.service = stop.group, .seconds = way->seconds, .why = way->why};
  return gap;
}

}  // namespace

std::vector<Gap> gaps_of(const Plan& plan, const Observed& observed) {
  const Ways ways(plan, observed);
  std::map<std::string, Gap> longest;
  for (const Node& node : plan.nodes) {
    const Node* start = stops(node) ? start_of(plan, node) : nullptr;
    if (!start) continue;
    Gap gap = gap_of(ways, plan, node, *start);
    const auto [found, is_new] = longest.try_emplace(node.group, gap);
    if (!is_new && gap.seconds > found->second.seconds) found->second = std::move(gap);
  }
  std::vector<Gap> out;
  for (auto& [service, gap] : longest) out.push_back(std::move(gap));
  return out;
}

std::string to_text(const Gap& gap) {
  if (gap.seconds > 0) return "about " + std::to_string(gap.seconds) + " s (" + gap.why + ')';
  return gap.why.empty() ? "less than a second" : "none (" + gap.why + ')';
}

}  // namespace berth::plan
