#include "api/files.h"

#include "engine/container.h"
#include "io/scope.h"

namespace berth::api {
namespace {

using engine::TarFound;
using engine::TarReader;
using std::chrono::seconds;

constexpr auto kStall = seconds(60);            // a client that takes nothing for so long is gone
constexpr std::size_t kMostFront = 256u << 10;  // of an archive, until its first entry has come
constexpr std::string_view kTar = "application/x-tar", kBytes = "application/octet-stream";

std::string named(const FilePlace& place, const PathParts& path) {
  return "\"" + path_text(path) + "\" in " + place.shown;
}

io::Task<Result<http::Exchange>> open(engine::Client& client, FilePlace place, ArchivePlace from, PathParts path) {
  auto archive = co_await engine::get_archive(client, place.container, from.path);
  if (!archive && archive.error().code == Code::not_found)
    co_return fail(Code::not_found, "there is no " + named(place, path));
  co_return archive;
}

ArchivePlace place_of(const FilePlace& place, const PathParts& path) {
  PathParts whole = place.root;
  whole.insert(whole.end(), path.begin(), path.end());
  return archive_place(whole);
}

/// What is asked for is no folder (or, for `file`, no file either).
Error unfit(const FilePlace& place, const PathParts& path, const TarFound& found) {
  if (found.kind == TarFound::Kind::symlink)
    return {Code::invalid, named(place, path) + " is a link to \"" + found.link + "\"; ask for what it leads to"};
  if (found.kind == TarFound::Kind::hardlink)
    return {Code::invalid, named(place, path) + " is another name of \"" + found.link + "\"; ask for that one"};
  return {Code::invalid, named(place, path) + " is neither a file nor a folder"};
}

/// An archive entry by entry.
class Walk {
 public:
  /// `keeps`: what is read is kept until take_front().
  explicit Walk(http::BodyReader& body, bool keeps = false) : body_(body) {
    if (keeps) front_.emplace();
  }
  /// entry, content or end. Code::unavailable where the engine cut it off.
  io::Task<Result<TarReader::Step>> next() {
    while (true) {
      const auto step = CO_TRY(reader_.next(rest_));
      if (step != TarReader::Step::more) co_return step;
      rest_ = CO_TRY(co_await body_.next());
      if (rest_.empty()) co_return fail(Code::unavailable, "the engine cut its archive off; try again");
      if (front_ && front_->size() > kMostFront)
        co_return fail(Code::invalid, "the archive does not begin with a file");
      if (front_) *front_ += rest_;
    }
  }
  const TarFound& entry() const { return reader_.entry(); }
  std::string_view content() const { return reader_.content(); }
  /// All that was read of it; asked for once, before which it is kept.
  std::string take_front() {
    std::string out = std::move(*front_);
    front_.reset();
    return out;
  }

 private:
  http::BodyReader& body_;
  TarReader reader_;
  std::string_view rest_;
  std::optional<std::string> front_;
};

/// Until what was asked for has come; false where the archive ends before.
io::Task<Result<bool>> look_through(http::BodyReader& body, FolderView& view) {
  Walk walk(body);
  while (true) {
    const auto step = CO_TRY(co_await walk.next());
    if (step == TarReader::Step::end) co_return true;
    if (step == TarReader::Step::entry && view.take(walk.entry()) && view.self()->kind != TarFound::Kind::folder)
      co_return true;
  }
}

Headers headers_of(std::string_view type, const std::string& name) {
  return {{"Content-Type", std::string(type)},
          {"Content-Disposition", attachment(name)},
          {"Cache-Control", "no-store"},
          {"X-Content-Type-Options", "nosniff"},
          {"Content-Security-Policy", "sandbox; default-src 'none'"}};
}

io::Task<Result<void>> write(Call& call, std::string_view bytes) {
  co_return co_await io::within(kStall, call.response->write(bytes));
}

/// The archive as it is, `front` of which was read already.
io::Task<Result<void>> send_tar(Call& call, http::BodyReader& body, std::string name, std::string front) {
  CO_TRY(co_await call.response->begin(200, headers_of(kTar, name + ".tar")));
  CO_TRY(co_await write(call, front));
  while (true) {
    const auto piece = CO_TRY(co_await body.next());
    if (piece.empty()) break;
    CO_TRY(co_await write(call, piece));
  }
  co_return co_await call.response->finish();
}

io::Task<Result<void>> send_file(Call& call, Walk& walk, std::string name) {
  std::uint64_t left = walk.entry().size;
  CO_TRY(co_await call.response->begin(200, headers_of(kBytes, name), left));
  while (left > 0) {
    const auto step = CO_TRY(co_await walk.next());
    if (step != TarReader::Step::content) co_return fail(Code::unavailable, "the engine cut the file off");
    CO_TRY(co_await write(call, walk.content()));
    left -= walk.content().size();
  }
  co_return co_await call.response->finish();
}

/// From the entry that it is at to the file that was asked for. Code::not_found, invalid.
io::Task<Result<void>> find_file(Walk& walk, FilePlace place, PathParts below, PathParts path) {
  FolderView view(below);
  while (!view.take(walk.entry())) {
    TarReader::Step step{};
    do step = CO_TRY(co_await walk.next());
    while (step == TarReader::Step::content);
    if (step == TarReader::Step::end) co_return fail(Code::not_found, "there is no " + named(place, path));
  }
  const TarFound& found = *view.self();
  if (found.kind == TarFound::Kind::file) co_return Result<void>{};
  if (found.kind == TarFound::Kind::folder)
    co_return fail(Code::invalid, "a folder of such a name cannot be downloaded alone; download the one above it");
  co_return fail(unfit(place, path, found));
}

std::string name_of(const FilePlace& place, const PathParts& path) {
  if (!path.empty()) return path.back();
  return place.shown.substr(place.shown.rfind(' ') + 1);
}

}  // namespace

io::Task<Result<Json>> list_folder(engine::Client& client, FilePlace place, PathParts path, seconds most) {
  const ArchivePlace from = place_of(place, path);
  auto archive = CO_TRY(co_await open(client, place, from, path));
  FolderView view(from.below);
  const auto looked = co_await io::within(most, look_through(archive.body, view));
  const bool late = !looked && looked.error().code == Code::timeout;
  if (!looked && !late) co_return fail(looked.error());
  if (!view.self() && !late) co_return fail(Code::not_found, "there is no " + named(place, path));
  if (view.self() && view.self()->kind == TarFound::Kind::file)
    co_return fail(Code::invalid, named(place, path) + " is a file and no folder");
  if (view.self() && view.self()->kind != TarFound::Kind::folder) co_return fail(unfit(place, path, *view.self()));
  Json partial;
  if (view.is_cut()) partial = "the folder holds more than " + std::to_string(FolderView::kMostItems) + " names";
  if (late)
    partial = "the engine took longer than " + std::to_string(most.count()) + " seconds for all that lies beneath";
  co_return Json::object({{"path", path_text(path)}, {"items", view.items(path, !late)}, {"partial", partial}});
}

io::Task<Result<void>> send_content(Call& call, engine::Client& client, FilePlace place, PathParts path) {
  const ArchivePlace from = place_of(place, path);
  auto archive = CO_TRY(co_await open(client, place, from, path));
  Walk walk(archive.body, true);
  if (CO_TRY(co_await walk.next()) != TarReader::Step::entry)
    co_return fail(Code::not_found, "there is no " + named(place, path));
  std::string front = walk.take_front();
  if (from.below.empty() && walk.entry().kind == TarFound::Kind::folder)
    co_return co_await send_tar(call, archive.body, name_of(place, path), std::move(front));
  CO_TRY(co_await find_file(walk, place, from.below, path));
  co_return co_await send_file(call, walk, name_of(place, path));
}

}  // namespace berth::api
