#include <fmt/format.h>

#include <unordered_set>

#include "base/text.h"
#include "compose/dotenv.h"
#include "compose/load_finish.h"
#include "compose/load_stages.h"
#include "compose/short.h"

namespace berth::compose {
namespace {

// Members of `map` that are texts.
Environment texts_of(const Json& map) {
  Environment texts;
  for (const auto& [key, value] : map.members())
    if (value.is_text()) texts[key] = value.text();
  return texts;
}

void add_missing(const Environment& values, Json& map) {
  if (map.is_null()) map = Json::object();
  std::unordered_set<std::string> have;
  for (const auto& [key, value] : map.members()) have.insert(key);
  for (const auto& [key, value] : values)
    if (!have.contains(key)) map.members_mut().emplace_back(key, value);
}

class ServiceFiles {
 public:
  ServiceFiles(Context& context, const Node& model, const Environment& environment)
      : context_(context), model_(model), environment_(environment) {}

  // What the service says itself wins over its files, and a later file over an earlier one.
  Result<void> add_variables(Service& service) {
    Json& own = service.config.slot("environment");
    if (own.is_object())
      for (auto& [key, value] : own.members_mut())
        if (const auto at = environment_.find(key); value.is_null() && at != environment_.end()) value = at->second;
    const Environment given = texts_of(own);
    Environment variables = given;
    const Lookup lookup = [&](const std::string& name) -> const std::string* {
      if (const auto at = environment_.find(name); at != environment_.end()) return &at->second;
      const auto at = given.find(name);
      return at == given.end() ? nullptr : &at->second;
    };
    for (const Json& file : service.config["env_file"].items()) TRY(read_variables(service, file, lookup, variables));
    add_missing(variables, own);
    if (own.size() == 0) service.config.erase("environment");
    service.config.erase("env_file");
    return {};
  }

  Result<void> add_labels(Service& service) {
    Environment labels;
    const Lookup lookup = lookup_in(labels);
    for (const Json& file : service.config["label_file"].items()) {
      Environment read;
      TRY(read_variables(service, Json::object({{"path", file}}), lookup, read));
      for (auto& [key, value] : read) labels.insert_or_assign(key, std::move(value));
    }
    if (!labels.empty()) add_missing(labels, service.config.slot("labels"));
    service.config.erase("label_file");
    return {};
  }

  // `seccomp:FILE`: the engine takes the profile itself. A file that is missing matters only when a container is made.
  Result<void> read_profiles(const Service& service, Project& project) {
    for (const Json& option : service.config["security_opt"].items()) {
      const std::string_view text = option.text();
      const std::string_view profile = text.starts_with("seccomp") && text.size() > 8 ? text.substr(8) : "";
      if (profile.empty() || profile == "unconfined" || profile == "builtin" || profile.starts_with('{')) continue;
      const std::string path = join_path(project.working_dir, profile);
      if (context_.files.kind(path) != Files::Kind::file) continue;
      auto json = parse_json(TRY(context_.read(path)));
      if (!json)
        return context_.fail_at(mark_of(model_, {"services", service.name, "security_opt"}),
                                fmt::format("seccomp profile {}: {}", path, json.error().message));
      project.contents[fmt::format("services.{}.security_opt.{}", service.name, text)] = json->dump();
    }
    return {};
  }

 private:
  Result<void> read_variables(const Service& service, const Json& file, const Lookup& lookup, Environment& variables) {
    const std::string path(file["path"].text());
    const std::string_view format = file["format"].text();
    const auto mark = [&] { return mark_of(model_, {"services", service.name, "env_file"}); };
    if (context_.files.kind(path) == Files::Kind::absent) {
      if (!file["required"].boolean(true)) return {};
      Error missing = context_.sources.error(mark(), fmt::format("env file {} not found", path));
      missing.code = Code::not_found;
      return fail(std::move(missing));
    }
    if (!format.empty() && format != "raw" && format != ".env")
      return context_.fail_at(mark(), fmt::format("unsupported env_file format \"{}\": raw is the only one", format));
    const std::string text = TRY(context_.read(path));
    const std::string_view body = without_byte_order_mark(text);
    const Dotenv with{.lookup = lookup, .unset = context_.unset, .name = context_.shown(path)};
    return format == "raw" ? parse_raw_env(body, with, variables) : parse_dotenv(body, with, variables);
  }

  Context& context_;
  const Node& model_;
  const Environment& environment_;
};

// A file that shall have another owner or mode in the container is copied, since a mount shows those of the host.
Result<void> read_copied(Context& context, std::string_view section, const Json& grants, const Json& declared,
                         Project& project) {
  for (const Json& grant : grants.items()) {
    const bool copied = !grant["uid"].is_empty() || !grant["gid"].is_empty() || !grant["mode"].is_empty();
    const std::string name(grant["source"].text()), path(declared[name]["file"].text());
    if (!copied || path.empty() || context.files.kind(path) != Files::Kind::file) continue;  // creation says so
    auto text = context.read(path);
    if (!text) return fail(std::move(text).error().within(fmt::format("{}.{}", section, name)));
    project.contents[fmt::format("{}.{}", section, name)] = std::move(*text);
  }
  return {};
}

Condition condition_of(std::string_view text) {
  if (text == "service_healthy") return Condition::healthy;
  if (text == "service_completed_successfully") return Condition::completed_successfully;
  return Condition::started;
}

void complete_service(Service& service, const LoadOptions& options) {
  for (const auto& [name, dependency] : service.config["depends_on"].members())
    service.dependencies.push_back({.service = name,
                                    .condition = condition_of(dependency["condition"].text()),
                                    .restart = dependency["restart"].boolean(),
                                    .required = dependency["required"].boolean(true)});
  std::ranges::sort(service.dependencies, {}, &Dependency::service);
  const Json& scale = service.config["scale"];
  if (!scale.is_null() && service.config.contains("deploy")) service.config.slot("deploy").set("replicas", scale);
  const Json& replicas = scale.is_null() ? service.config["deploy"]["replicas"] : scale;
  const auto asked = options.scale.find(service.name);
  service.scale = asked != options.scale.end() ? asked->second : static_cast<int>(replicas.integer(1));
}

// key=value lists are found by key, as the mappings that they become.
std::string name_in(const Node& parent, const Node& item, std::size_t index) {
  if (parent.is_map()) return item.key;
  if ((parent.key == "environment" || parent.key == "labels") && item.is_text())
    return std::string(cut(item.text, '=').before);
  return std::to_string(index);
}

bool same_place(Mark a, Mark b) {
  return a.line == b.line && a.column == b.column && a.file == b.file;
}

// Members that a stage added have no place of their own: what encloses them stands for them.
bool is_added(const Node& parent, const Node& item) {
  return same_place(item.key_mark, item.mark) && (!item.is_null() || same_place(item.mark, parent.mark));
}

void add_origins(const Context& context, const Node& node, std::string& path, Project& project) {
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    const Node& item = node.items[i];
    const std::size_t before = path.size();
    if (!path.empty()) path += '.';
    path += name_in(node, item, i);
    const Mark mark = item.key_mark.line > 0 ? item.key_mark : item.mark;
    if (mark.line > 0 && !is_added(node, item))
      project.origins.insert_or_assign(
          path,
          Origin{.file = context.sources.shown(mark.file), .line = static_cast<int>(mark.line), .column = mark.column});
    if (!item.key.starts_with("x-")) add_origins(context, item, path, project);
    path.resize(before);
  }
}

void add_contents(const Node& model, std::string_view section, Project& project) {
  const Node* entries = model.find(section);
  if (entries == nullptr) return;
  for (const Node& entry : entries->items)
    if (const Node* content = entry.is_map() ? entry.find(kContentKey) : nullptr)
      project.contents[fmt::format("{}.{}", section, entry.key)] = content->text;
}

}  // namespace

Result<void> read_service_files(Context& context, const Node& model, Project& project) {
  ServiceFiles files(context, model, project.environment);
  for (Service& service : project.services) {
    if (context.options.resolve_environment) TRY(files.add_variables(service));
    TRY(files.add_labels(service));
    TRY(files.read_profiles(service, project));
    if (!context.options.resolve_paths) continue;
    TRY(read_copied(context, "secrets", service.config["secrets"], project.secrets, project));
    TRY(read_copied(context, "configs", service.config["configs"], project.configs, project));
  }
  return {};
}

void complete(const Context& context, const Node& model, Project& project) {
  Json services = Json::object();
  for (Service& service : project.services) {
    complete_service(service, context.options);
    services.members_mut().emplace_back(service.name, service.config);
  }
  for (Service& service : project.disabled) complete_service(service, context.options);
  Json document = Json::object({{"name", project.name}, {"services", std::move(services)}});
  for (const auto& [key, section] : {std::pair<std::string_view, const Json*>{"networks", &project.networks},
                                     {"volumes", &project.volumes},
                                     {"secrets", &project.secrets},
                                     {"configs", &project.configs}})
    if (section->size() > 0) document.set(key, *section);
  for (auto& [key, value] : project.document.members_mut())
    if (key.starts_with("x-")) document.set(key, std::move(value));
  project.document = std::move(document);
  std::string path;
  add_origins(context, model, path, project);
  add_contents(model, "secrets", project);
  add_contents(model, "configs", project);
}

}  // namespace berth::compose
