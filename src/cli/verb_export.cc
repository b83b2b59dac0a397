// export and commit: a container's files as a tar, or as an image.
#include <filesystem>

#include "cli/containers.h"
#include "cli/verbs.h"
#include "engine/capture.h"
#include "engine/reference.h"
#include "io/file.h"

namespace berth::cli {
namespace {

io::Task<Result<Listed>> one_container(Session& session) {
  const auto& service = session.options.arguments.front();
  const auto index = session.options.one.index;
  const auto target =
      CO_TRY(co_await session.load_or_name({.targets = {service}, .with_dependencies = false, .every_profile = true}));
  const auto list = CO_TRY(co_await list_project(session, target.project.name, {.services = {service}}));
  for (const auto& one : list)
    if (index == 0 || one.number == index) co_return one;
  const auto which = index > 0 ? " number " + std::to_string(index) : std::string();
  co_return fail(Code::not_found, "service \"" + service + "\" has no container" + which);
}

io::Task<Result<void>> read_all(http::Exchange& archive, std::function<Result<void>(std::string_view)> into) {
  for (;;) {
    const auto piece = CO_TRY(co_await archive.body.next());
    if (piece.empty()) co_return Result<void>{};
    CO_TRY(into(piece));
  }
}

// Beside its place first: an export that breaks off leaves no half of an archive there.
io::Task<Result<void>> write_archive(http::Exchange& archive, std::string path) {
  const auto part = path + ".part";
  std::error_code error;
  std::filesystem::remove(part, error);
  auto file = CO_TRY(io::AppendFile::open(part, 0600));
  auto done = co_await read_all(archive, [&](std::string_view piece) { return file.write(piece); });
  if (done) std::filesystem::rename(part, path, error);
  if (done && error) done = fail(Code::denied, path + ": " + error.message());
  if (!done) std::filesystem::remove(part, error);
  co_return done;
}

}  // namespace

io::Task<Result<int>> verb_export(Session& session) {
  const auto& path = session.options.one.output;
  if (path.empty() && session.console.out.terminal)
    co_return session.usage("a tar is nothing for a terminal: say -o FILE, or redirect the output");
  const auto container = CO_TRY(co_await one_container(session));
  auto& client = *CO_TRY(co_await session.engine());
  auto archive = CO_TRY(co_await engine::export_container(client, container.id));
  if (!path.empty()) {
    CO_TRY(co_await write_archive(archive, path));
    co_return kDone;
  }
  const auto& out = session.console.out;
  CO_TRY(co_await read_all(archive, [&](std::string_view piece) {
    out.write(piece);
    return Result<void>{};
  }));
  co_return kDone;
}

io::Task<Result<int>> verb_commit(Session& session) {
  const auto& flags = session.options.one;
  engine::CommitContainer commit{
      .comment = flags.message, .author = flags.author, .changes = flags.changes, .pause = flags.pause};
  if (session.options.arguments.size() > 1) {
    const auto reference = engine::parse_reference(session.options.arguments[1]);
    if (!reference || !reference->digest.empty())
      co_return session.usage(reference ? "an image cannot be named by a digest" : reference.error().message);
    commit.repository = reference->repository();
    commit.tag = reference->tag_or_digest();
  }
  const auto container = CO_TRY(co_await one_container(session));
  commit.container = container.id;
  if (session.options.global.dry_run) {
    session.console.print("commit " + container.name + "\n");
    co_return kDone;
  }
  auto& client = *CO_TRY(co_await session.engine());
  session.console.print(CO_TRY(co_await engine::commit_container(client, std::move(commit))) + "\n");
  co_return kDone;
}

}  // namespace berth::cli
