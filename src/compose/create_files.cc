// Secrets and configs of a service: mounted where they are files as they stand, else copied in.
#include <algorithm>
#include <charconv>
#include <set>

#include "base/hash.h"
#include "base/text.h"
#include "compose/create_parts.h"
#include "plan/observed.h"

namespace berth::compose::detail {
namespace {

// One secret or config of a service: which, what it says, where it goes.
struct Grant {
  std::string_view kind;  ///< "secrets", "configs"
  const Json& item;
  const Json& declaration;
  std::string target;
};

std::string target_of(std::string_view kind, const Json& item) {
  std::string target(item["target"].text());
  if (target.starts_with('/')) return target;
  const std::string name = target.empty() ? std::string(item["source"].text()) : target;
  return (kind == "secrets" ? "/run/secrets/" : "/") + name;
}

// "/run/secrets" of "/run/secrets/key"; "" for a file in the root.
std::string folder_of(std::string_view target) {
  const std::size_t slash = target.rfind('/');
  return slash == std::string_view::npos ? std::string() : std::string(target.substr(0, slash));
}

// "0440" or 288
int mode_of(const Json& mode) {
  if (mode.is_number()) return static_cast<int>(mode.integer());
  const std::string_view text = mode.text("0444");
  int value = 0444;
  std::from_chars(text.data(), text.data() + text.size(), value, 8);
  return value;
}

bool asks_for_owner(const Json& item) {
  return !item["uid"].is_empty() || !item["gid"].is_empty() || !item["mode"].is_empty();
}

void mount_file(Draft& draft, const Grant& grant) {
  draft.host.slot("Mounts").push(Json::object(
      {{"Type", "bind"}, {"Source", grant.declaration["file"]}, {"Target", grant.target}, {"ReadOnly", true}}));
}

Result<std::string> content_of(const Draft& draft, const Grant& grant) {
  const Json& content = grant.declaration["content"];
  if (content.is_text()) return std::string(content.text());
  if (!grant.declaration["file"].is_empty()) {
    const auto read =
        draft.input.project.contents.find(std::string(grant.kind) + '.' + std::string(grant.item["source"].text()));
    if (read != draft.input.project.contents.end()) return read->second;
    return complain(draft, grant.kind,
                    "uid, gid and mode of \"" + grant.target + "\" need a file that can be read, not " +
                        std::string(grant.declaration["file"].text()));
  }
  const std::string variable(grant.declaration["environment"].text());
  const auto found = draft.input.project.environment.find(variable);
  const std::string name(grant.item["source"].text());
  if (variable.empty()) return complain(draft, grant.kind, '"' + name + "\" has neither file, environment nor content");
  if (found == draft.input.project.environment.end())
    return complain(draft, grant.kind,
                    '"' + name + "\" takes its value from the variable " + variable + ", which is not set");
  return found->second;
}

Result<void> copy_file(Draft& draft, const Grant& grant) {
  const bool read_only = draft.config["read_only"].boolean();
  if (read_only && folder_of(grant.target).empty())
    return complain(draft, grant.kind,
                    '"' + grant.target +
                        "\" cannot be copied into a container with read_only: true; give it a target in a folder, "
                        "or a file");
  draft.request.files.push_back({.target = grant.target,
                                 .content = TRY(content_of(draft, grant)),
                                 .mode = mode_of(grant.item["mode"]),
                                 .uid = std::string(grant.item["uid"].text()),
                                 .gid = std::string(grant.item["gid"].text())});
  return {};
}

Result<void> add_grant(Draft& draft, std::string_view kind, const Json& declared, const Json& item) {
  const std::string name(item["source"].text());
  if (!declared.contains(name))
    return complain(draft, kind, '"' + name + "\" is declared nowhere; add it to " + std::string(kind) + ':');
  const Grant grant{.kind = kind, .item = item, .declaration = declared[name], .target = target_of(kind, item)};
  if (is_external(grant.declaration))
    return complain(draft, kind, '"' + name + "\" is external, which an engine outside of Swarm mode does not know");
  if (grant.declaration["file"].is_empty() || asks_for_owner(grant.item)) return copy_file(draft, grant);
  mount_file(draft, grant);
  return {};
}

bool has_volume_at(const Draft& draft, std::string_view folder) {
  for (const Json& mount : draft.host["Mounts"].items())
    if (mount["Type"].text() == "volume" && mount["Target"].text() == folder) return true;
  return false;
}

// Whether something of the service's own is mounted writable there.
bool is_writable_mount(const Draft& draft, std::string_view folder) {
  for (const Json& mount : draft.host["Mounts"].items())
    if (mount["Type"].text() != "tmpfs" && !mount["ReadOnly"].boolean() && mount["Target"].text() == folder)
      return true;
  return std::ranges::any_of(draft.host["Binds"].items(), [&](const Json& bind) {
    const auto parts = split(bind.text(), ':');
    return parts.size() > 2 && parts[2].starts_with("rw") && parts[1] == folder;
  });
}

// An engine unpacks into a container with a read-only root only below volumes: each folder gets one of its own, which
// goes with its container. Its name says what is in it, so that other content is another volume.
void add_file_volumes(Draft& draft) {
  if (!draft.config["read_only"].boolean()) return;
  const CreateInput& input = draft.input;
  const std::string who =
      input.project.name + '\n' + input.service.name + '\n' + std::to_string(input.number) + '\n' + input.slug;
  const std::string content(draft.request.desired["Labels"][plan::label::kContent].text());
  std::set<std::string> folders;
  for (const plan::CopiedFile& file : draft.request.files) folders.insert(folder_of(file.target));
  for (const std::string& folder : folders) {
    if (is_writable_mount(draft, folder)) continue;
    const std::string name =
        std::string(plan::kFilesPrefix) + hmac_sha256_hex(who + '\n' + folder, content).substr(0, 24);
    Json options = Json::object();
    options.slot("Labels").set(plan::kFilesLabel, input.project.name);
    options.slot("Labels").set(plan::label::kProject, input.project.name);
    Json mount = Json::object({{"Type", "volume"}, {"Source", name}, {"Target", folder}});
    mount.set("VolumeOptions", std::move(options));
    draft.host.slot("Mounts").push(std::move(mount));
  }
}

// A tmpfs comes up empty over what was copied below it.
void warn_of_hidden_files(Draft& draft) {
  std::vector<std::string> covers;
  for (const auto& member : draft.host["Tmpfs"].members()) covers.push_back(member.first);
  for (const Json& mount : draft.host["Mounts"].items())
    if (mount["Type"].text() == "tmpfs") covers.emplace_back(mount["Target"].text());
  for (const plan::CopiedFile& file : draft.request.files)
    for (const std::string& cover : covers)
      if (file.target.starts_with(cover + '/') && !has_volume_at(draft, folder_of(file.target)))
        draft.request.warnings.push_back("service \"" + draft.input.service.name + "\": \"" + file.target +
                                         "\" is copied in and then hidden by the tmpfs at " + cover +
                                         "; give it as a file");
}

// So that a new value is seen, without a word about the old one: digests under a key that both sides can compute.
void add_content_label(Draft& draft) {
  if (draft.request.files.empty()) return;
  const std::string key = draft.input.project.name + '\n' + draft.input.service.name;
  Json digests = Json::object();
  for (const plan::CopiedFile& file : draft.request.files) {
    const std::string owner = std::to_string(file.mode) + ' ' + file.uid + ' ' + file.gid;
    digests.set(file.target, hmac_sha256_hex(key + '\n' + file.target + '\n' + owner, file.content).substr(0, 32));
  }
  draft.request.desired.slot("Labels").set(plan::label::kContent, digests.canonical());
}

}  // namespace

Result<void> add_files(Draft& draft) {
  for (const Json& item : draft.config["secrets"].items())
    TRY(add_grant(draft, "secrets", draft.input.project.secrets, item));
  for (const Json& item : draft.config["configs"].items())
    TRY(add_grant(draft, "configs", draft.input.project.configs, item));
  add_content_label(draft);
  add_file_volumes(draft);
  warn_of_hidden_files(draft);
  return {};
}

}  // namespace berth::compose::detail
