// Files in the fake engine's containers, and tar both ways.
#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>

#include "base/base64.h"
#include "base/text.h"
#include "testing/fake_route.h"

namespace berth::testing {
namespace {

constexpr unsigned kFolderMode = 0x80000000u | 0755;  // as Go's os.FileMode prints it
constexpr unsigned kFileMode = 0644;

struct ReadArchive {
  archive* handle = archive_read_new();
  ~ReadArchive() { archive_read_free(handle); }
};
struct WriteArchive {
  archive* handle = archive_write_new();
  ~WriteArchive() { archive_write_free(handle); }
};

// "/a//b/" -> "/a/b".
std::string tidy(std::string_view path) {
  std::string out;
  for (const std::string_view part : split(path, '/'))
    if (!part.empty() && part != ".") out.append("/").append(part);
  return out.empty() ? "/" : out;
}

bool is_folder(const FakeContainer& container, const std::string& path) {
  constexpr std::string_view kAlways[] = {"/",    "/etc", "/home", "/mnt", "/opt", "/root",
                                          "/run", "/srv", "/tmp",  "/usr", "/var"};
  if (std::ranges::find(kAlways, path) != std::end(kAlways)) return true;
  const auto is_there = [&](const Json& mount) { return mount["Destination"].text() == path; };
  if (std::ranges::any_of(container.mounts, is_there)) return true;
  const auto next = container.files.lower_bound(path + "/");
  return next != container.files.end() && next->first.starts_with(path + "/");
}

FakeReply not_in(const FakeArgs& args) {
  return refuse(404, fmt::format("Could not find the file {} in container {}", args.value("path"), args.name()));
}

std::string stat_text(const FakeState& state, std::string_view name, std::size_t size, bool folder) {
  return encode_base64(Json::object({{"name", name},
                                     {"size", size},
                                     {"mode", folder ? kFolderMode : kFileMode},
                                     {"mtime", time_text(state.now())},
                                     {"linkTarget", ""}})
                           .dump());
}

FakeReply get(FakeState& state, const FakeArgs& args) {
  FakeContainer* container = state.find_container(args.name());
  if (!container) return no_such_container(args.name());
  if (args.value("path").empty()) return refuse(400, "bad parameter: pathcannot be empty");
  const std::string path = tidy(args.value("path"));
  const std::string base = path == "/" ? "/" : path.substr(path.rfind('/') + 1);
  const auto file = container->files.find(path);
  const bool folder = file == container->files.end();
  if (folder && !is_folder(*container, path)) return not_in(args);
  std::vector<FakeEntry> entries;
  if (folder) {
    entries.push_back({.name = base + "/", .folder = true});
    const std::string prefix = path == "/" ? "/" : path + "/";
    for (const auto& [name, content] : container->files)
      if (name.starts_with(prefix) && name != prefix)
        entries.push_back({base + "/" + name.substr(prefix.size()), content, name.ends_with('/')});
  } else {
    entries.push_back({.name = base, .content = file->second});
  }
  return {.headers = {{"Content-Type", "application/x-tar"},
                      {"X-Docker-Container-Path-Stat",
                       stat_text(state, base, folder ? 4096 : file->second.size(), folder)}},
          .body = args.request.method == "HEAD" ? "" : write_tar(entries)};
}

FakeReply put(FakeState& state, const FakeArgs& args) {
  FakeContainer* container = state.find_container(args.name());
  if (!container) return no_such_container(args.name());
  if (args.value("path").empty()) return refuse(400, "bad parameter: pathcannot be empty");
  const std::string path = tidy(args.value("path"));
  if (container->files.contains(path))
    return refuse(state.at_least(42) ? 400 : 500, "extraction point is not a directory");
  if (!is_folder(*container, path)) return not_in(args);
  const bool in_mount = std::ranges::any_of(container->mounts, [&](const Json& mount) {
    return path.starts_with(mount["Destination"].text()) && mount["RW"].boolean();
  });
  if (container->host["ReadonlyRootfs"].boolean() && !in_mount)
    return refuse(state.at_least(42) ? 403 : 500, "container rootfs is marked read-only");
  const auto entries = read_tar(args.request.body);
  if (!entries) return refuse(500, "archive/tar: invalid tar header");
  for (const FakeEntry& entry : *entries) {
    const std::string full = tidy(path + "/" + entry.name);
    container->files[entry.folder ? full + "/" : full] = entry.content;
  }
  return answer(200);
}

}  // namespace

std::optional<std::vector<FakeEntry>> read_tar(std::string_view bytes) {
  std::vector<FakeEntry> entries;
  ReadArchive reader;
  archive_read_support_filter_all(reader.handle);
  archive_read_support_format_tar(reader.handle);
  archive_read_support_format_empty(reader.handle);
  if (archive_read_open_memory(reader.handle, bytes.data(), bytes.size()) != ARCHIVE_OK) return std::nullopt;
  archive_entry* item = nullptr;
  int state = ARCHIVE_OK;
  while ((state = archive_read_next_header(reader.handle, &item)) == ARCHIVE_OK) {
    FakeEntry entry{.name = archive_entry_pathname(item), .folder = archive_entry_filetype(item) == AE_IFDIR};
    char buffer[16384];
    la_ssize_t count = 0;
    while ((count = archive_read_data(reader.handle, buffer, sizeof buffer)) > 0)
      entry.content.append(buffer, static_cast<std::size_t>(count));
    if (count < 0) return std::nullopt;
    entries.push_back(std::move(entry));
  }
  if (state != ARCHIVE_EOF) return std::nullopt;
  return entries;
}

std::string write_tar(const std::vector<FakeEntry>& entries) {
  std::string out;
  WriteArchive writer;
  archive_write_set_format_pax_restricted(writer.handle);
  archive_write_set_bytes_per_block(writer.handle, 0);
  archive_write_open(
      writer.handle, &out, nullptr,
      [](archive*, void* to, const void* bytes, std::size_t size) -> la_ssize_t {
        static_cast<std::string*>(to)->append(static_cast<const char*>(bytes), size);
        return static_cast<la_ssize_t>(size);
      },
      nullptr);
  for (const FakeEntry& entry : entries) {
    archive_entry* item = archive_entry_new();
    archive_entry_set_pathname(item, entry.name.c_str());
    archive_entry_set_filetype(item, entry.folder ? AE_IFDIR : AE_IFREG);
    archive_entry_set_perm(item, entry.folder ? 0755 : 0644);
    archive_entry_set_size(item, static_cast<la_int64_t>(entry.content.size()));
    archive_write_header(writer.handle, item);
    if (!entry.content.empty()) archive_write_data(writer.handle, entry.content.data(), entry.content.size());
    archive_entry_free(item);
  }
  archive_write_close(writer.handle);
  return out;
}

const std::vector<FakeRoute>& archive_routes() {
  static const std::vector<FakeRoute> routes{
      {"GET", "/containers/{}/archive", get},
      {"HEAD", "/containers/{}/archive", get},
      {"PUT", "/containers/{}/archive", put},
  };
  return routes;
}

}  // namespace berth::testing
