#include "plan/plan.h"

#include <algorithm>

#include "plan/redact.h"

namespace berth::plan {
namespace {

std::string line_of(const Node& node) {
  std::string line = "[";
  for (std::size_t i = 0; i < node.after.size(); ++i) line += (i ? ", " : "") + std::to_string(node.after[i]);
  line += "] -> #" + std::to_string(node.id) + ' ' + node.subject + ", " + std::string(name_of(node.op)) + ' ' +
          object_of(node.op) + ", " + node.cause;
  if (node.risk != Risk::none)
    line += (node.risk == Risk::data ? " (data risk" : " (notice") +
            (node.risk_note.empty() ? "" : ": " + node.risk_note) + ')';
  return line + '\n';
}
std::string line_of(const Keep& keep) {
  return "= " + keep.subject + ", " + keep.reason + '\n';
}
std::string line_of(const Rollout& rollout) {
  return "^ service:" + rollout.service + (rollout.start_first ? ", start-first" : ", stop-first: " + rollout.reason) +
         '\n';
}
std::string line_of(const Foreign& foreign) {
  return "~ " + foreign.subject + ", " + foreign.reason + '\n';
}

void count(const Node& node, Counts& counts) {
  const Op& op = node.op;
  const auto is = [&]<class... T>(std::variant<T...>*) { return (std::holds_alternative<T>(op) || ...); };
  using Creations = std::variant<CreateNetwork, CreateVolume, CreateContainer>;
  using Removals = std::variant<RemoveNetwork, RemoveVolume, RemoveContainer>;
  using Images = std::variant<PullImage, BuildImage, RemoveImage>;
  if (is(static_cast<Creations*>(nullptr)))
    node.replacing ? ++counts.recreate : ++counts.create;
  else if (is(static_cast<Images*>(nullptr)))
    ++counts.images;
  else if (is(static_cast<Removals*>(nullptr)))
    counts.remove += node.replacing ? 0 : 1;
  else if (const ContainerRef* container = container_of(op); container && container->created_by == 0)
    counts.change += node.replacing || is_wait(op) ? 0 : 1;
}

Json json_of(const Difference& difference, std::string_view key) {
  const auto shown = [&](const Json& value) { return difference.secret ? hashed_value(value, key) : value; };
  Json out = Json::object({{"path", difference.path}});
  out.set("before", shown(difference.before));
  out.set("after", shown(difference.after));
  return out;
}

Json hashed_files(const std::vector<CopiedFile>& files, std::string_view key) {
  Json out = Json::object();
  for (const CopiedFile& file : files) out.set(file.target, hashed_value(Json(file.content), key));
  return out;
}

// Commands and environments of hooks may hold secrets: only whether they changed is told.
Json command_of(const ExecHook& hook) {
  Json words = Json::array();
  for (const auto* list : {&hook.command, &hook.environment})
    for (const std::string& word : *list) words.push(word);
  words.push(hook.user);
  words.push(hook.working_dir);
  words.push(hook.privileged);
  return Json(words.dump());
}

void add_probe(Json& out, const std::optional<Probe>& probe) {
  if (probe) out.set("probe", to_text(*probe));
}

// What the op says beyond its object.
Json details_of(const Op& op, std::string_view key) {
  Json out = Json::object();
  std::visit(
      [&](const auto& one) {
        if constexpr (requires { one.body; }) out.set("body", redacted_body(one.body, key));
        if constexpr (requires { one.build; }) out.set("build", redacted_body(one.build, key));
        if constexpr (requires { one.platform; }) out.set("platform", one.platform);
        if constexpr (requires { one.endpoint; }) out.set("endpoint", one.endpoint);
        if constexpr (requires { one.volumes; }) out.set("volumes", one.volumes);
        if constexpr (requires { one.container.id; }) out.set("id", one.container.id);
        if constexpr (requires { one.files; }) out.set("files", hashed_files(one.files, key));
        if constexpr (requires { one.hook; }) out.set("command", hashed_value(command_of(one), key));
        if constexpr (requires { one.probe; }) add_probe(out, one.probe);
      },
      op);
  return out;
}

Json json_of(const Node& node, std::string_view key) {
  Json after = Json::array();
  for (const int id : node.after) after.push(id);
  Json differences = Json::array();
  for (const Difference& difference : node.differences) differences.push(json_of(difference, key));
  Json out = Json::object({{"id", node.id}, {"after", std::move(after)}, {"subject", node.subject}});
  out.set("op", name_of(node.op));
  out.set("object", object_of(node.op));
  out.set("cause", node.cause);
  out.set("differences", std::move(differences));
  out.set("risk", node.risk == Risk::data ? "data" : node.risk == Risk::notice ? "notice" : "none");
  if (!node.risk_note.empty()) out.set("risk_note", node.risk_note);
  if (!node.group.empty()) out.set("service", node.group);
  if (node.best_effort) out.set("best_effort", true);
  if (node.replacing) out.set("replacing", true);
  if (node.rescue) out.set("rescue", true);
  out.set("details", details_of(node.op, key));
  return out;
}

template <class T>
Json list_of(const std::vector<T>& things) {
  Json out = Json::array();
  for (const T& thing : things)
    out.push(Json::object({{"subject", thing.subject}, {"id", thing.id}, {"reason", thing.reason}}));
  return out;
}

// "service:web:1" is meant by itself, by "service:web", by "web" and by "web:1".
bool meant(std::string_view subject, std::string_view asked) {
  const auto starts = [&](std::string_view text) {
    return text == asked || (text.starts_with(asked) && text.size() > asked.size() && text[asked.size()] == ':');
  };
  const std::size_t colon = subject.find(':');
  return starts(subject) || (colon != std::string_view::npos && starts(subject.substr(colon + 1)));
}

void append(std::string& text, std::size_t number, std::string_view what) {
  if (number == 0) return;
  if (!text.empty()) text += ", ";
  text += std::to_string(number) + ' ' + std::string(what);
}

}  // namespace

bool Plan::changes() const {
  return std::any_of(nodes.begin(), nodes.end(), [](const Node& node) { return !is_wait(node.op); });
}

Counts Plan::counts() const {
  Counts counts;
  for (const Node& node : nodes) count(node, counts);
  return counts;
}

std::string Plan::to_text() const {
  std::string text;
  for (const Node& node : nodes) text += line_of(node);
  for (const Keep& keep : keeps) text += line_of(keep);
  for (const Foreign& object : foreign) text += line_of(object);
  for (const Rollout& rollout : rollouts)
    if (rollout.told) text += line_of(rollout);
  for (const std::string& warning : warnings) text += "! " + warning + '\n';
  return text;
}

Json Plan::to_json(std::string_view key) const {
  const Counts number = counts();
  Json steps = Json::array();
  for (const Node& node : nodes) steps.push(json_of(node, key));
  Json told = Json::array();
  for (const std::string& warning : warnings) told.push(warning);
  Json out = Json::object({{"project", project}, {"changes", changes()}});
  out.set("counts", Json::object({{"create", number.create},
                                  {"recreate", number.recreate},
                                  {"change", number.change},
                                  {"remove", number.remove},
                                  {"images", number.images}}));
  out.set("again", again);
  out.set("ops", std::move(steps));
  out.set("kept", list_of(keeps));
  out.set("foreign", list_of(foreign));
  Json ways = Json::array();
  for (const Rollout& rollout : rollouts)
    ways.push(
        Json::object({{"service", rollout.service}, {"start_first", rollout.start_first}, {"reason", rollout.reason}}));
  if (ways.size() > 0) out.set("rollouts", std::move(ways));
  out.set("warnings", std::move(told));
  return out;
}

std::string Plan::explain(std::string_view subject) const {
  std::string text;
  for (const Node& node : nodes)
    if (meant(node.subject, subject) || node.group == subject || object_of(node.op) == subject) text += line_of(node);
  for (const Keep& keep : keeps)
    if (meant(keep.subject, subject) || keep.id == subject) text += line_of(keep);
  for (const Foreign& object : foreign)
    if (meant(object.subject, subject) || object.id == subject) text += line_of(object);
  for (const Rollout& rollout : rollouts)
    if (meant("service:" + rollout.service, subject)) text += line_of(rollout);
  if (text.empty()) return text;
  for (const std::string& warning : warnings)
    if (warning.find('"' + std::string(subject) + '"') != std::string::npos) text += "! " + warning + '\n';
  return text;
}

const Node* Plan::find(int id) const {
  return id > 0 && static_cast<std::size_t>(id) <= nodes.size() ? &nodes[static_cast<std::size_t>(id) - 1] : nullptr;
}

std::string summary(const Plan& plan) {
  const Counts counts = plan.counts();
  std::string text;
  append(text, counts.images, counts.images == 1 ? "image operation" : "image operations");
  append(text, counts.create, "to create");
  append(text, counts.recreate, "to recreate");
  append(text, counts.change, "to change");
  append(text, counts.remove, "to remove");
  if (text.empty()) return plan.empty() ? "nothing to do" : "nothing to change, only to wait";
  return text;
}

}  // namespace berth::plan
