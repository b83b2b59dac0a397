#include "api/folder_view.h"

#include <algorithm>

#include "base/text.h"
#include "http/url.h"

namespace berth::api {
namespace {

using engine::TarFound;

constexpr std::size_t kMostPath = 4096;

bool is_utf8(std::string_view text) {
  const auto parsed = parse_json(quote_json(text));
  return parsed && parsed->text() == text;
}

bool is_plain(std::string_view name) {
  return std::ranges::none_of(name, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }) &&
         is_utf8(name);
}

PathParts parts_of(std::string_view path) {
  PathParts out;
  for (const std::string_view part : split(path, '/'))
    if (!part.empty() && part != ".") out.emplace_back(part);
  return out;
}

/// What of `parts` follows `front`; nothing where they do not begin with it.
std::optional<std::span<const std::string>> after(std::span<const std::string> parts, const PathParts& front) {
  if (parts.size() < front.size() || !std::ranges::equal(parts.first(front.size()), front)) return std::nullopt;
  return parts.subspan(front.size());
}

std::string encoded(const PathParts& parts) {
  std::string out;
  for (const std::string& part : parts) out.append("/").append(http::percent_encode(part));
  return out.empty() ? "/" : out;
}

std::string octal(unsigned mode) {
  std::string out(4, '0');
  for (std::size_t i = 4; i > 0; --i, mode >>= 3) out[i - 1] = static_cast<char>('0' + (mode & 7));
  return out;
}

// Of what a header's 96 bits can say, only times that a page can show.
Json time_of(const TarFound& found) {
  constexpr std::int64_t kMost = 253'402'300'799;  // the end of the year 9999
  return found.mtime < -kMost || found.mtime > kMost ? Json() : Json(found.mtime * 1000);
}

}  // namespace

Result<PathParts> path_parts(std::string_view path) {
  if (path.size() > kMostPath) return fail(Code::invalid, "path: longer than 4096 bytes");
  if (path.contains('\0')) return fail(Code::invalid, "path: holds a NUL");
  PathParts out = parts_of(path);
  if (std::ranges::find(out, "..") != out.end()) return fail(Code::invalid, "path: \"..\" leads out of the folder");
  return out;
}

std::string path_text(const PathParts& parts) {
  std::string out;
  for (const std::string& part : parts) out.append("/").append(part);
  return out.empty() ? "/" : out;
}

ArchivePlace archive_place(const PathParts& parts) {
  const auto odd = std::ranges::find_if_not(parts, is_plain);
  return {.path = path_text({parts.begin(), odd}), .below = {odd, parts.end()}};
}

bool FolderView::take(const TarFound& entry) {
  const PathParts parts = parts_of(entry.path);
  if (std::ranges::find(parts, "..") != parts.end()) return false;  // no engine writes such a name
  if (!root_) root_ = parts;
  const auto inside = after(parts, *root_);
  const auto rest = inside ? after(*inside, below_) : std::nullopt;
  if (!rest) return false;
  if (rest->empty()) {
    self_ = entry;
    return true;
  }
  const std::string& name = rest->front();
  auto at = items_.find(name);
  if (at == items_.end()) {
    cut_ = cut_ || items_.size() == kMostItems;
    if (items_.size() == kMostItems) return false;
    at = items_.emplace(name, Item{}).first;
  }
  if (rest->size() == 1) at->second.found = entry;
  at->second.folder = at->second.folder || rest->size() > 1 || entry.kind == TarFound::Kind::folder;
  at->second.size += entry.size;
  return false;
}

Json FolderView::items(const PathParts& above, bool whole) const {
  std::vector<std::pair<std::string_view, const Item*>> order;
  for (const auto& [name, item] : items_) order.emplace_back(name, &item);
  std::ranges::stable_sort(order, {}, [](const auto& each) { return !each.second->folder; });
  Json out = Json::array();
  PathParts path = above;
  path.emplace_back();
  for (const auto& [name, item] : order) {
    const TarFound& found = item->found ? *item->found : TarFound{.kind = TarFound::Kind::folder, .mode = 0755};
    const bool hard = found.kind == TarFound::Kind::hardlink;
    path.back() = name;
    out.push(Json::object({{"name", name},
                           {"path", encoded(path)},
                           {"type", item->folder ? "folder" : type_text(found.kind)},
                           {"size", hard || (item->folder && !whole) ? Json() : Json(item->size)},
                           {"mode", octal(found.mode)},
                           {"modifiedAt", item->found ? time_of(found) : Json()},
                           {"link", found.kind == TarFound::Kind::symlink ? Json(found.link) : Json()}}));
  }
  return out;
}

std::string_view type_text(TarFound::Kind kind) {
  switch (kind) {
    case TarFound::Kind::file:
    case TarFound::Kind::hardlink:
      return "file";
    case TarFound::Kind::folder:
      return "folder";
    case TarFound::Kind::symlink:
      return "link";
    case TarFound::Kind::other:
      return "other";
  }
  return "other";
}

std::string attachment(std::string_view name) {
  std::string plain;
  for (const char c : name) {
    const bool odd = static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7f || c == '"' ||
                     c == '\\' || c == '/' || c == '%';
    plain += odd ? '_' : c;
  }
  return "attachment; filename=\"" + plain + "\"; filename*=UTF-8''" +
         http::percent_encode(is_utf8(name) ? name : plain);
}

}  // namespace berth::api
