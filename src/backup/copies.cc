#include "backup/copies.h"

#include <algorithm>
#include <chrono>
#include <ctime>

#include "io/file.h"
#include "io/ownership.h"

namespace berth::backup {
namespace {

constexpr std::string_view kPart = ".part";

bool is_volume_name(std::string_view name) {
  const auto is_word = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  return !name.empty() && name.size() <= 255 && is_word(name.front()) &&
         std::ranges::all_of(name, [&](char c) { return is_word(c) || c == '_' || c == '.' || c == '-'; });
}

std::optional<std::int64_t> parse_time(std::string_view text) {
  std::tm parts{};
  const std::string copy(text);
  const char* end = ::strptime(copy.c_str(), "%Y%m%dT%H%M%SZ", &parts);
  if (!end || *end != '\0') return std::nullopt;
  const std::int64_t seconds = ::timegm(&parts);
  // 32 January is read as 1 February: only what prints the same is a time.
  return time_text(seconds) == text ? std::optional(seconds) : std::nullopt;
}

/// "NAME" of "NAME.tar.zst" + `more`.
std::optional<CopyName> copy_of_file(std::string_view file, std::string_view more = {}) {
  if (!file.ends_with(more)) return std::nullopt;
  file.remove_suffix(more.size());
  if (!file.ends_with(kCopySuffix)) return std::nullopt;
  file.remove_suffix(kCopySuffix.size());
  return parse_copy(file);
}

std::string name_of(const std::string& file) {
  return file.substr(file.rfind('/') + 1);
}

std::string folder_of(const std::string& file) {
  const std::size_t slash = file.rfind('/');
  return slash == std::string::npos ? "." : file.substr(0, slash);
}

// Root's copies in a folder of another account are that account's only when berth made them so.
std::string why_not(const Error& error, const std::string& file) {
  if (error.code != Code::denied) return error.message;
  return file + " is not readable by " + io::own_account() + "; as root: chown --reference=" + folder_of(file) + " " +
         file + " " + manifest_path(file);
}

}  // namespace

std::string time_text(std::int64_t seconds) {
  const std::time_t time = seconds;
  std::tm parts{};
  ::gmtime_r(&time, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y%m%dT%H%M%SZ", &parts);
  return text;
}

std::optional<CopyName> parse_copy(std::string_view name) {
  const std::size_t dash = name.rfind('-');
  if (dash == std::string_view::npos || !is_volume_name(name.substr(0, dash))) return std::nullopt;
  const auto time = parse_time(name.substr(dash + 1));
  if (!time) return std::nullopt;
  return CopyName{.volume = std::string(name.substr(0, dash)), .time = *time};
}

std::string manifest_path(const std::string& file) {
  const bool known = file.ends_with(kCopySuffix);
  return (known ? file.substr(0, file.size() - kCopySuffix.size()) : file) + ".json";
}

Result<Json> read_manifest(const std::string& file) {
  const std::string path = manifest_path(file);
  auto text = io::read_file(path, 1u << 20);
  if (!text) return fail(std::move(text.error()).within("the description of the backup"));
  auto manifest = parse_json(*text);
  if (!manifest) return fail(std::move(manifest.error()).within(path));
  if ((*manifest)["version"].integer() != 1 || (*manifest)["volume"].text().empty())
    return fail(Code::invalid, path + " does not describe a backup of a volume that this berth knows");
  return std::move(*manifest);
}

Result<Stream> verify(const std::string& file) {
  const Json manifest = TRY(read_manifest(file));
  const auto reader = TRY(ArchiveReader::open(file));
  while (!TRY(reader->next()).empty()) {
  }
  const Stream found = reader->read();
  if (found.sha256 != manifest["sha256"].text())
    return fail(Code::invalid, file + " is not what was backed up: its SHA-256 is " + found.sha256 + ", not " +
                                   std::string(manifest["sha256"].text()));
  return found;
}

Result<Copies> list_copies(const std::string& folder, std::string_view volume) {
  Copies out;
  for (const std::string& name : TRY(io::list_folder(folder))) {
    if (!name.ends_with(kCopySuffix)) continue;
    const auto copy = copy_of_file(name);
    if (!volume.empty() && (!copy || copy->volume != volume)) continue;
    const std::string file = folder + "/" + name;
    auto manifest = read_manifest(file);
    if (!manifest) {
      out.broken.push_back(why_not(manifest.error(), file));
      continue;
    }
    manifest->set("file", file);
    manifest->set("name", name.substr(0, name.size() - kCopySuffix.size()));
    out.whole.push_back(std::move(*manifest));
  }
  std::ranges::stable_sort(out.whole, std::greater{},
                           [](const Json& each) { return std::string(each["time"].text()); });
  return out;
}

Result<Json> load_copy(const std::string& file) {
  const auto name = copy_of_file(name_of(file));
  if (!name) return fail(Code::invalid, file + " is not called as a copy is: VOLUME-TIME" + std::string(kCopySuffix));
  if (!io::exists(file)) return fail(Code::not_found, file + ": there is no such copy");
  auto manifest = read_manifest(file);
  if (!manifest) return fail(manifest.error().code, why_not(manifest.error(), file));
  if ((*manifest)["volume"].text() != name->volume || (*manifest)["time"].text() != time_text(name->time))
    return fail(Code::conflict, file + " is not the copy that its description is of");
  return manifest;
}

Result<void> remove_copy(const std::string& file) {
  TRY(load_copy(file));
  TRY(io::remove_file(file));
  return io::remove_file(manifest_path(file));
}

Result<std::vector<std::string>> thin_out(const std::string& file, std::size_t keep) {
  const auto made = copy_of_file(name_of(file));
  if (!made || keep == 0) return fail(Code::invalid, file + ": there is nothing to keep beside it");
  std::vector<std::pair<std::int64_t, std::string>> older;
  for (const std::string& each : TRY(io::list_folder(folder_of(file)))) {
    const auto copy = copy_of_file(each);
    const std::string path = folder_of(file) + "/" + each;
    if (copy && copy->volume == made->volume && copy->time < made->time && load_copy(path))
      older.emplace_back(copy->time, path);
  }
  std::ranges::sort(older, std::greater{});
  std::vector<std::string> gone;
  for (std::size_t i = keep - 1; i < older.size(); ++i) {
    TRY(remove_copy(older[i].second));
    gone.push_back(name_of(older[i].second));
  }
  return gone;
}

Result<void> give_copy(const std::string& file, const std::string& account) {
  const auto owner = io::owner_of(folder_of(file));
  if (!owner || *owner != account) return {};
  TRY(io::settle_file(file));
  return io::settle_file(manifest_path(file));
}

std::int64_t newest_copy(const std::string& folder, std::string_view volume) {
  std::int64_t newest = 0;
  const auto names = io::list_folder(folder);
  if (!names) return 0;
  for (const std::string& name : *names) {
    const auto copy = copy_of_file(name);
    if (copy && copy->volume == volume && copy->time > newest && io::exists(manifest_path(folder + "/" + name)))
      newest = copy->time;
  }
  return newest;
}

Result<void> drop_parts(const std::string& folder, std::string_view volume) {
  for (const std::string& name : TRY(io::list_folder(folder))) {
    const auto copy = copy_of_file(name, kPart);
    if (copy && copy->volume == volume) TRY(io::remove_file(folder + "/" + name));
  }
  return {};
}

}  // namespace berth::backup
