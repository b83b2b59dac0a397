#include "api/project_folder.h"

#include <algorithm>
#include <mutex>
#include <optional>

#include "base/hash.h"
#include "base/json.h"
#include "base/text.h"
#include "compose/load.h"
#include "io/beneath.h"
#include "io/file.h"
#include "io/seal.h"
#include "io/temporary.h"

namespace berth::api {
namespace {

constexpr std::string_view kOwn = io::Beneath::kOwnPrefix;
constexpr std::size_t kMostPath = 200;
constexpr std::size_t kMostDepth = 8;

// Comparing an etag and writing are one deed; all of them are short.
std::mutex& editing() {
  static std::mutex mutex;
  return mutex;
}

bool is_plain(std::string_view part) {
  const bool dots = part == "." || part == "..";
  const auto odd = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f || c == '\\'; };
  return !part.empty() && !dots && !part.starts_with(kOwn) && part != ".git" && std::ranges::none_of(part, odd);
}

Result<void> check_files(const FileTexts& files) {
  std::size_t total = 0;
  for (const auto& [path, text] : files) {
    TRY(check_file_path(path));
    if (text.size() > kMostFileBytes)
      return fail(Code::invalid, path + " is larger than " + std::to_string(kMostFileBytes) + " bytes");
    total += text.size();
  }
  if (files.size() > kMostProjectFiles || total > kMostProjectBytes)
    return fail(Code::invalid, "a project holds at most " + std::to_string(kMostProjectFiles) + " files of " +
                                   std::to_string(kMostProjectBytes) + " bytes in all; keep data in volumes");
  if (compose_file_of(files).empty()) return fail(Code::invalid, "there is no Compose file; name one compose.yaml");
  return {};
}

// A dot file may hold what only its owner should read.
int mode_of(std::string_view path) {
  return cut_last(path, '/').after.starts_with('.') || path.starts_with('.') ? 0600 : 0644;
}

Error moved(std::string_view name, const std::string& path, std::string_view why) {
  return {.code = Code::moved,
          .message = path + " of project " + std::string(name) + ' ' + std::string(why) + "; read it again"};
}

constexpr std::string_view kAdoptedEnding = "adopted";

std::string path_in(const std::string& root, std::string_view name) {
  return root + '/' + std::string(name);
}

Json list_of(const auto& texts) {
  Json out = Json::array();
  for (const auto& text : texts) out.push(text);
  return out;
}

std::string text_of(const AdoptedProject& project) {
  return Json::object({{"folder", project.folder},
                       {"compose", list_of(project.compose)},
                       {"envFiles", list_of(project.env_files)},
                       {"files", list_of(project.files)}})
      .dump(1);
}

AdoptedProject adopted_of(const Json& kept) {
  AdoptedProject out{.folder = std::string(kept["folder"].text())};
  for (const Json& path : kept["compose"].items()) out.compose.emplace_back(path.text());
  for (const Json& path : kept["envFiles"].items()) out.env_files.emplace_back(path.text());
  for (const Json& path : kept["files"].items()) out.files.emplace(path.text());
  return out;
}

// What is there, or nothing.
Result<std::optional<std::string>> present(const io::Beneath& folder, const std::string& path) {
  auto text = folder.read(path, kMostFileBytes);
  if (text) return std::optional(std::move(*text));
  if (text.error().code == Code::not_found) return std::optional<std::string>();
  return fail(std::move(text).error());
}

Result<void> check_expected(std::string_view name, const std::string& path, const std::optional<std::string>& now,
                            std::string_view expected) {
  if (expected == "*") return {};
  if (expected.empty()) {
    if (now) return fail(moved(name, path, "exists already"));
    return {};
  }
  if (!now) return fail(moved(name, path, "was removed meanwhile"));
  if (etag_of(*now) != expected) return fail(moved(name, path, "was changed meanwhile"));
  return {};
}

Result<void> check_room(const std::vector<io::Beneath::Entry>& entries, const std::string& path, std::size_t size) {
  std::size_t count = 1, total = size;
  for (const auto& entry : entries)
    if (entry.path != path) {
      ++count;
      total += entry.size;
    }
  if (count <= kMostProjectFiles && total <= kMostProjectBytes) return {};
  return fail(Code::invalid, "a project holds at most " + std::to_string(kMostProjectFiles) + " files of " +
                                 std::to_string(kMostProjectBytes) + " bytes in all; keep data in volumes");
}

}  // namespace

std::string etag_of(std::string_view text) {
  return sha256_hex(text).substr(0, 32);
}

Result<void> check_project_name(std::string_view name) {
  const auto would_do = compose::normalize_project_name(name).substr(0, 63);
  if (!name.empty() && name == would_do) return {};
  return fail(Code::invalid,
              "\"" + std::string(name) +
                  "\" is no name of a project: at most 63 of a-z, 0-9, \"-\" and \"_\", beginning with a "
                  "letter or digit" +
                  (would_do.empty() ? "" : "; \"" + would_do + "\" would do"));
}

Result<void> check_file_path(std::string_view path) {
  const auto parts = split(path, '/');
  if (path.size() <= kMostPath && parts.size() <= kMostDepth && std::ranges::all_of(parts, is_plain)) return {};
  return fail(Code::invalid, "\"" + std::string(path.substr(0, kMostPath)) +
                                 "\" is no path in a project: relative, without \"..\", at most " +
                                 std::to_string(kMostDepth) + " deep");
}

std::string compose_file_of(const FileTexts& files) {
  for (const auto name : kComposeNames)
    if (files.contains(std::string(name))) return std::string(name);
  return {};
}

// What was adopted is read once and then kept in memory: who asks for a path must not wait for a disk.
struct ProjectFolders::Adopted {
  mutable std::mutex mutex{};
  std::map<std::string, AdoptedProject, std::less<>> projects{};
};

ProjectFolders::ProjectFolders(std::string root) : root_(std::move(root)), adopted_(std::make_shared<Adopted>()) {}

Result<ProjectFolders> ProjectFolders::open(std::string root) {
  TRY(io::make_folder(root, 0755));
  ProjectFolders out(std::move(root));
  for (const auto& name : TRY(io::list_folder(out.root_)))
    if (name.starts_with(kOwn)) io::remove_tree(out.root_ + '/' + name);
  for (const auto& name : TRY(out.names())) TRY(TRY(io::Beneath::open(path_in(out.root_, name))).clean());
  TRY(out.load_adopted());
  return out;
}

Result<void> ProjectFolders::load_adopted() const {
  const std::lock_guard lock(adopted_->mutex);
  for (const auto& file : TRY(io::list_folder(root_))) {
    const auto [name, ending, found] = cut_last(file, '.');
    if (!found || ending != kAdoptedEnding || !check_project_name(name)) continue;
    const auto kept = parse_json(TRY(io::read_file(root_ + '/' + file, kMostFileBytes)));
    if (!kept) return fail(Error(kept.error()).within(root_ + '/' + file));
    adopted_->projects[std::string(name)] = adopted_of(*kept);
  }
  return {};
}

Result<void> ProjectFolders::keep_adopted(std::string_view name, const AdoptedProject& project) const {
  TRY(io::write_file(path_in(root_, name) + '.' + std::string(kAdoptedEnding), text_of(project), 0600));
  const std::lock_guard lock(adopted_->mutex);
  adopted_->projects[std::string(name)] = project;
  return {};
}

std::optional<AdoptedProject> ProjectFolders::adopted(std::string_view name) const {
  const std::lock_guard lock(adopted_->mutex);
  const auto at = adopted_->projects.find(name);
  return at == adopted_->projects.end() ? std::nullopt : std::optional(at->second);
}

Result<void> ProjectFolders::adopt(std::string_view name, AdoptedProject project) const {
  TRY(check_project_name(name));
  if (has(name)) return fail(Code::conflict, "berth manages project " + std::string(name) + " already");
  for (const auto& path : project.files) TRY(check_file_path(path));
  return keep_adopted(name, project);
}

std::string ProjectFolders::path_of(std::string_view name) const {
  const auto elsewhere = adopted(name);
  return elsewhere ? elsewhere->folder : path_in(root_, name);
}

bool ProjectFolders::has(std::string_view name) const {
  return check_project_name(name) && (adopted(name) || io::exists(path_in(root_, name)));
}

Result<std::vector<std::string>> ProjectFolders::names() const {
  auto names = TRY(io::list_folder(root_));
  std::erase_if(names, [](const std::string& name) { return !check_project_name(name); });
  const std::lock_guard lock(adopted_->mutex);
  for (const auto& [name, project] : adopted_->projects)
    if (!std::ranges::binary_search(names, name)) names.insert(std::ranges::upper_bound(names, name), name);
  return names;
}

Result<void> ProjectFolders::create(std::string_view name, const FileTexts& files) const {
  TRY(check_project_name(name));
  TRY(check_files(files));
  if (has(name)) return fail(Code::conflict, "there is a project " + std::string(name) + " already");
  if (TRY(names()).size() >= kMostProjects)
    return fail(Code::conflict, "there are " + std::to_string(kMostProjects) + " projects already; remove one first");
  const auto fresh = root_ + '/' + std::string(kOwn) + "new-" + to_hex(io::random_bytes(8));
  TRY(io::make_folder(fresh, 0755));
  const auto made = [&]() -> Result<void> {
    const auto folder = TRY(io::Beneath::open(fresh));
    for (const auto& [path, text] : files) TRY(folder.write(path, text, mode_of(path)));
    auto renamed = io::rename_to_free(fresh, path_in(root_, name));
    if (!renamed && renamed.error().code == Code::conflict)
      return fail(Code::conflict, "there is a project " + std::string(name) + " already");
    return renamed;
  }();
  if (!made) io::remove_tree(fresh);
  return made;
}

Result<void> ProjectFolders::remove(std::string_view name) const {
  TRY(check_project_name(name));
  if (!has(name)) return fail(Code::not_found, "berth manages no project " + std::string(name));
  if (adopted(name)) {
    TRY(io::remove_file(path_in(root_, name) + '.' + std::string(kAdoptedEnding)));
    const std::lock_guard lock(adopted_->mutex);
    adopted_->projects.erase(std::string(name));
    return {};
  }
  const auto gone = root_ + '/' + std::string(kOwn) + "gone-" + to_hex(io::random_bytes(8));
  TRY(io::rename_to_free(path_in(root_, name), gone));
  io::remove_tree(gone);
  return {};
}

namespace {

// A project's folder, opened, and which of its files are the project's.
struct OpenProject {
  io::Beneath folder;
  std::optional<AdoptedProject> adopted{};

  bool owns(const std::string& path) const { return !adopted || adopted->files.contains(path); }
  Result<std::vector<io::Beneath::Entry>> list() const {
    if (!adopted) return folder.list(kMostProjectFiles);
    std::vector<io::Beneath::Entry> out;
    for (const auto& path : adopted->files)
      if (const auto text = TRY(present(folder, path))) out.push_back({.path = path, .size = text->size()});
    return out;
  }
};

Result<OpenProject> open_project(const ProjectFolders& folders, std::string_view name) {
  TRY(check_project_name(name));
  auto folder = io::Beneath::open(folders.path_of(name));
  if (!folder && folder.error().code == Code::not_found)
    return fail(Code::not_found, "berth manages no project " + std::string(name));
  if (!folder) return fail(std::move(folder).error());
  return OpenProject{.folder = std::move(*folder), .adopted = folders.adopted(name)};
}

Error not_ours(std::string_view name, const std::string& path) {
  return {.code = Code::not_found, .message = "project " + std::string(name) + " has no file " + path};
}

}  // namespace

Result<std::vector<ProjectFile>> ProjectFolders::files(std::string_view name) const {
  const auto project = TRY(open_project(*this, name));
  const auto& folder = project.folder;
  std::vector<ProjectFile> out;
  for (const auto& entry : TRY(project.list())) {
    // What is too big for us is listed and not read.
    const auto text = entry.size <= kMostFileBytes ? TRY(present(folder, entry.path)) : std::nullopt;
    out.push_back({.path = entry.path,
                   .size = entry.size,
                   .etag = text ? etag_of(*text) : std::string(),
                   .changed_at = entry.changed_at});
  }
  return out;
}

Result<FileTexts> ProjectFolders::texts(std::string_view name) const {
  const auto project = TRY(open_project(*this, name));
  FileTexts out;
  for (const auto& entry : TRY(project.list()))
    if (entry.size <= kMostFileBytes)
      if (auto text = TRY(present(project.folder, entry.path))) out[entry.path] = std::move(*text);
  return out;
}

Result<std::string> ProjectFolders::read(std::string_view name, const std::string& path) const {
  TRY(check_file_path(path));
  const auto project = TRY(open_project(*this, name));
  if (!project.owns(path)) return fail(not_ours(name, path));
  return project.folder.read(path, kMostFileBytes);
}

Result<std::string> ProjectFolders::write(std::string_view name, const std::string& path, std::string_view text,
                                          std::string_view expected) const {
  TRY(check_file_path(path));
  if (text.size() > kMostFileBytes)
    return fail(Code::invalid, path + " is larger than " + std::to_string(kMostFileBytes) + " bytes");
  auto project = TRY(open_project(*this, name));
  const std::lock_guard lock(editing());
  const auto now = TRY(present(project.folder, path));
  // What lies beside an adopted project is somebody else's, unless it is new.
  if (now && !project.owns(path)) return fail(Code::denied, path + " is no file of project " + std::string(name));
  TRY(check_expected(name, path, now, expected));
  if (now && *now == text) return etag_of(text);
  TRY(check_room(TRY(project.list()), path, text.size()));
  TRY(project.folder.write(path, text, mode_of(path)));
  if (!project.owns(path)) {
    project.adopted->files.insert(path);
    TRY(keep_adopted(name, *project.adopted));
  }
  return etag_of(text);
}

Result<void> ProjectFolders::remove_file(std::string_view name, const std::string& path,
                                         std::string_view expected) const {
  TRY(check_file_path(path));
  const auto project = TRY(open_project(*this, name));
  const std::lock_guard lock(editing());
  const auto now = TRY(present(project.folder, path));
  if (!now || !project.owns(path)) return fail(not_ours(name, path));
  TRY(check_expected(name, path, now, expected));
  auto left = TRY(texts(name));
  left.erase(path);
  const bool named =
      project.adopted && std::ranges::find(project.adopted->compose, path) != project.adopted->compose.end();
  if (named || (!project.adopted && compose_file_of(left).empty()))
    return fail(Code::conflict,
                path + " is the only Compose file of project " + std::string(name) + "; remove the project instead");
  return project.folder.remove(path);
}

}  // namespace berth::api
