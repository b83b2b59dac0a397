#include "compose/generation.h"

#include <algorithm>
#include <set>

#include "plan/redact.h"

namespace berth::compose {
namespace {

constexpr std::string_view kKind = "berth generation";
constexpr int kFormat = 1;

Json json_of(const Texts& texts) {
  Json out = Json::object();
  for (const auto& [name, text] : texts) out.set(name, text);
  return out;
}
Json json_of(const std::vector<std::string>& texts) {
  Json out = Json::array();
  for (const auto& text : texts) out.push(text);
  return out;
}
Texts texts_of(const Json& json) {
  Texts out;
  for (const auto& [name, text] : json.members()) out[name] = text.text();
  return out;
}
std::vector<std::string> list_of(const Json& json) {
  std::vector<std::string> out;
  for (const Json& item : json.items()) out.emplace_back(item.text());
  return out;
}

Json json_of(const LoadOptions& load) {
  Json scale = Json::object();
  for (const auto& [service, count] : load.scale) scale.set(service, count);
  Json out = Json::object({{"working_dir", load.working_dir}, {"project_name", load.project_name}});
  out.set("project_directory", load.project_directory);
  out.set("files", json_of(load.files));
  out.set("env_files", json_of(load.env_files));
  out.set("profiles", json_of(load.profiles));
  out.set("environment", json_of(load.environment));
  out.set("scale", std::move(scale));
  out.set("all_resources", load.all_resources);
  out.set("compatibility", load.compatibility);
  return out;
}

LoadOptions load_of(const Json& json) {
  LoadOptions out;
  out.working_dir = json["working_dir"].text();
  out.files = list_of(json["files"]);
  out.project_name = json["project_name"].text();
  out.project_directory = json["project_directory"].text();
  out.env_files = list_of(json["env_files"]);
  out.profiles = list_of(json["profiles"]);
  out.environment = texts_of(json["environment"]);
  out.all_resources = json["all_resources"].boolean();
  out.compatibility = json["compatibility"].boolean();
  for (const auto& [service, count] : json["scale"].members()) out.scale[service] = static_cast<int>(count.integer());
  return out;
}

Json json_of(const Remotes& remotes) {
  Json out = Json::object();
  for (const auto& [url, file] : remotes)
    out.set(url, Json::object({{"path", file.path}, {"repository", file.repository}}));
  return out;
}
Remotes remotes_of(const Json& json) {
  Remotes out;
  for (const auto& [url, file] : json.members())
    out[url] = {.path = std::string(file["path"].text()), .repository = std::string(file["repository"].text())};
  return out;
}

Json json_of(const KeptImage& image) {
  return Json::object(
      {{"reference", image.reference}, {"id", image.id}, {"digests", json_of(image.digests)}, {"scale", image.scale}});
}

// Contents of files, written in the document or read from a variable, may be anything.
bool is_hidden(std::string_view path, std::string_view key, const Json& value) {
  const bool content = key == "content" && (path.starts_with("configs.") || path.starts_with("secrets."));
  return content || plan::is_secret(key, value);
}

struct Comparison {
  std::vector<plan::Difference> found{};

  void compare(const std::string& path, std::string_view key, const Json& before, const Json& after) {
    if (before == after) return;
    if (before.is_object() && after.is_object()) return compare_members(path, before, after);
    const bool lists = before.is_array() && after.is_array() && before.size() == after.size();
    if (!lists) {
      found.push_back({.path = path,
                       .before = before,
                       .after = after,
                       .secret = is_hidden(path, key, before) || is_hidden(path, key, after)});
      return;
    }
    for (std::size_t i = 0; i < before.size(); ++i)
      compare(path + '[' + std::to_string(i) + ']', key, before.items()[i], after.items()[i]);
  }

  void compare_members(const std::string& path, const Json& before, const Json& after) {
    std::set<std::string> names;
    for (const Json* side : {&before, &after})
      for (const auto& member : side->members()) names.insert(member.first);
    for (const auto& name : names) compare(path.empty() ? name : path + '.' + name, name, before[name], after[name]);
  }
};

}  // namespace

std::string head_text(const GenerationHead& head) {
  Json images = Json::object();
  for (const auto& [service, image] : head.images) images.set(service, json_of(image));
  Json out = Json::object({{"kind", kKind}, {"format", kFormat}, {"number", head.number}});
  out.set("project", head.project);
  out.set("working_dir", head.working_dir);
  out.set("time", head.time);
  out.set("who", head.who);
  out.set("command", head.command);
  out.set("note", head.note);
  out.set("summary", head.summary);
  out.set("images", std::move(images));
  return out.dump();
}

std::string body_text(const Generation& generation) {
  Json out = Json::object({{"load", json_of(generation.load)}, {"texts", json_of(generation.texts)}});
  out.set("remotes", json_of(generation.remotes));
  out.set("document", generation.document);
  out.set("secrets", json_of(generation.secrets));
  out.set("plan", generation.plan);
  out.set("events", generation.events);
  return out.dump();
}

Result<GenerationHead> parse_head(std::string_view text) {
  const auto json = parse_json(text);
  if (!json || (*json)["kind"].text() != kKind) return fail(Code::invalid, "it is no generation, or is cut off");
  if ((*json)["format"].integer() != kFormat)
    return fail(Code::invalid, "it was kept by another version of berth, which this one cannot read");
  GenerationHead out{.number = static_cast<int>((*json)["number"].integer()),
                     .project = std::string((*json)["project"].text()),
                     .working_dir = std::string((*json)["working_dir"].text()),
                     .time = std::string((*json)["time"].text()),
                     .who = std::string((*json)["who"].text()),
                     .command = std::string((*json)["command"].text()),
                     .note = std::string((*json)["note"].text()),
                     .summary = std::string((*json)["summary"].text())};
  if (out.number < 1 || out.project.empty()) return fail(Code::invalid, "it is no generation: its head has no number");
  for (const auto& [service, image] : (*json)["images"].members())
    out.images[service] = {.reference = std::string(image["reference"].text()),
                           .id = std::string(image["id"].text()),
                           .digests = list_of(image["digests"]),
                           .scale = static_cast<int>(image["scale"].integer(1))};
  return out;
}

Result<Generation> parse_generation(GenerationHead head, std::string_view body) {
  const auto json = parse_json(body);
  if (!json || !(*json)["load"].is_object() || !(*json)["texts"].is_object())
    return fail(Code::invalid, "it is no whole generation");
  return Generation{.head = std::move(head),
                    .load = load_of((*json)["load"]),
                    .texts = texts_of((*json)["texts"]),
                    .remotes = remotes_of((*json)["remotes"]),
                    .document = (*json)["document"],
                    .secrets = texts_of((*json)["secrets"]),
                    .plan = (*json)["plan"],
                    .events = (*json)["events"]};
}

Result<Project> project_of(const Generation& generation) {
  // Named as targets, so that those in a profile that was switched on by a command line are there again.
  LoadOptions options = generation.load;
  for (const auto& kept : generation.head.images) options.targets.push_back(kept.first);
  auto project = TRY(load(options, memory_files(generation.texts, generation.remotes)));
  for (Service& service : project.services) {
    const auto kept = generation.head.images.find(service.name);
    if (kept == generation.head.images.end()) continue;
    if (!kept->second.id.empty()) service.config.set("image", kept->second.id);
    service.scale = kept->second.scale;
  }
  return project;
}

std::vector<plan::Difference> document_differences(const Json& before, const Json& after) {
  Comparison out;
  out.compare("", "", before, after);
  return std::move(out.found);
}

std::vector<plan::Difference> text_differences(const Texts& before, const Texts& after, bool hidden) {
  auto out = document_differences(json_of(before), json_of(after));
  for (auto& difference : out) difference.secret |= hidden;
  return out;
}

std::vector<plan::Difference> image_differences(const GenerationHead& before, const GenerationHead& after) {
  Json sides[2] = {Json::object(), Json::object()};
  const GenerationHead* heads[2] = {&before, &after};
  for (int side = 0; side < 2; ++side)
    for (const auto& [service, image] : heads[side]->images)
      sides[side].slot("images").set(service, image.reference + " " + image.id.substr(0, 19));
  return document_differences(sides[0], sides[1]);
}

}  // namespace berth::compose
