#include "plan/saved.h"

#include <algorithm>
#include <set>

namespace berth::plan {
namespace {

constexpr std::string_view kKind = "berth plan";
constexpr int kFormat = 1;

Json json_of(const std::map<std::string, std::string>& texts) {
  Json out = Json::object();
  for (const auto& [name, text] : texts) out.set(name, text);
  return out;
}

std::map<std::string, std::string> texts_of(const Json& json) {
  std::map<std::string, std::string> out;
  for (const auto& [name, text] : json.members()) out[name] = text.text();
  return out;
}

void compare(std::string_view kind, const std::map<std::string, std::string>& then,
             const std::map<std::string, std::string>& now, std::vector<std::string>& out) {
  std::set<std::string_view> names;
  for (const auto* side : {&then, &now})
    for (const auto& entry : *side) names.insert(entry.first);
  for (const std::string_view name : names) {
    const auto was = then.find(std::string(name)), is = now.find(std::string(name));
    const bool had = was != then.end() && !was->second.empty(), has = is != now.end() && !is->second.empty();
    if (had && has && was->second == is->second) continue;
    if (!had && !has) continue;
    out.push_back(std::string(kind) + ' ' + std::string(name) + (!had ? " is new" : !has ? " is gone" : " changed"));
  }
}

// Subject -> everything that the plan says of it, as text that is equal for equal plans; and one line for people.
struct Said {
  std::string all{};
  std::string shown{};
};
std::map<std::string, Said> said_of(const Json& plan) {
  std::map<std::string, Said> out;
  for (const Json& op : plan["ops"].items()) {
    Said& said = out[std::string(op["subject"].text())];
    Json compared = op;
    compared.erase("id");  // numbers shift when another subject has more ops
    compared.erase("after");
    said.all += compared.canonical();
    if (said.shown.empty()) said.shown = std::string(op["op"].text()) + ", " + std::string(op["cause"].text());
  }
  for (const std::string_view list : {"kept", "foreign"})
    for (const Json& item : plan[list].items()) {
      Said& said = out[std::string(item["subject"].text())];
      said.all += item.canonical();
      if (said.shown.empty()) said.shown = std::string(list) + ", " + std::string(item["reason"].text());
    }
  return out;
}

}  // namespace

std::string to_text(const SavedPlan& saved) {
  Json arguments = Json::array();
  for (const auto& argument : saved.arguments) arguments.push(argument);
  Json out = Json::object({{"kind", kKind}, {"format", kFormat}});
  out.set("project", saved.project);
  out.set("working_dir", saved.working_dir);
  out.set("arguments", std::move(arguments));
  out.set("made", saved.made);
  out.set("salt", saved.salt);
  out.set("files", json_of(saved.files));
  out.set("variables", json_of(saved.variables));
  out.set("plan", saved.plan);
  return out.dump(2) + '\n';
}

Result<SavedPlan> parse_saved_plan(std::string_view text) {
  const auto json = parse_json(text);
  if (!json || (*json)["kind"].text() != kKind) return fail(Code::invalid, "it is no saved plan, or is cut off");
  if ((*json)["format"].integer() != kFormat)
    return fail(Code::invalid, "it was saved by another version of berth; plan again");
  SavedPlan out{.project = std::string((*json)["project"].text()),
                .working_dir = std::string((*json)["working_dir"].text()),
                .made = std::string((*json)["made"].text()),
                .salt = std::string((*json)["salt"].text()),
                .files = texts_of((*json)["files"]),
                .variables = texts_of((*json)["variables"]),
                .plan = (*json)["plan"]};
  for (const Json& argument : (*json)["arguments"].items()) out.arguments.emplace_back(argument.text());
  if (out.project.empty() || out.salt.empty() || out.arguments.empty() || !out.plan["ops"].is_array())
    return fail(Code::invalid, "it is no whole saved plan: members are missing");
  return out;
}

std::vector<std::string> moved(const SavedPlan& then, const SavedPlan& now) {
  std::vector<std::string> out;
  compare("file", then.files, now.files, out);
  compare("variable", then.variables, now.variables, out);
  const auto was = said_of(then.plan), is = said_of(now.plan);
  for (const auto& [subject, said] : was) {
    const auto found = is.find(subject);
    if (found == is.end())
      out.push_back(subject + ": " + said.shown + " is no longer to be done");
    else if (found->second.all != said.all && found->second.shown == said.shown)
      out.push_back(subject + ": " + said.shown + ", but not in the same way");
    else if (found->second.all != said.all)
      out.push_back(subject + ": " + said.shown + " became " + found->second.shown);
  }
  for (const auto& [subject, said] : is)
    if (!was.contains(subject)) out.push_back(subject + ": " + said.shown + " is new");
  // The order is a part of the plan too.
  if (out.empty() && then.plan["ops"] != now.plan["ops"]) out.emplace_back("the order of the operations");
  return out;
}

}  // namespace berth::plan
