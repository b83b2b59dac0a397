// cp: one side is SERVICE:PATH. The engine speaks tar; the tar program packs and unpacks on our side.
#include <unistd.h>

#include <filesystem>

#include "base/text.h"
#include "cli/containers.h"
#include "cli/verbs.h"
#include "engine/container.h"
#include "io/process.h"

namespace berth::cli {
namespace {

namespace fs = std::filesystem;

struct Side {
  std::string service{};  ///< "" for this machine
  std::string path{};
};

// "web:/etc/x"; a path with a slash before the colon, or a dot in front, is ours.
Side side_of(const std::string& text) {
  const auto [service, path, found] = cut(text, ':');
  if (!found || service.contains('/') || service.starts_with('.')) return {.path = text};
  return {std::string(service), std::string(path)};
}

// For tar's --transform, which is a basic regular expression: OLD at the front of a member's name becomes NEW.
std::string rename_rule(std::string_view old_name, std::string_view new_name) {
  const auto escaped = [](std::string_view text, std::string_view special) {
    std::string out;
    for (const char c : text) {
      if (special.contains(c)) out += '\\';
      out += c;
    }
    return out;
  };
  return "flags=rSh;s,^" + escaped(old_name, ".[]*^$\\,") + "," + escaped(new_name, "\\&,") + ",";
}

io::Task<Result<void>> ended_well(io::Process& process) {
  const int status = CO_TRY(co_await process.wait());
  if (status != 0) co_return fail(Code::internal, "tar ended with status " + std::to_string(status));
  co_return Result<void>{};
}

io::Task<Result<void>> print_archive(Session& session, http::Exchange& archive) {
  for (;;) {
    const auto piece = CO_TRY(co_await archive.body.next());
    if (piece.empty()) co_return Result<void>{};
    session.console.print(piece);
  }
}

io::Task<Result<void>> unpack(Session& session, http::Exchange& archive, Texts argv) {
  auto tar = CO_TRY(io::Process::start(
      session.loop, {.argv = std::move(argv), .input = io::Command::Pipe::pipe, .output = io::Command::Pipe::none}));
  for (;;) {
    const auto piece = CO_TRY(co_await archive.body.next());
    if (piece.empty()) break;
    // When tar ends early its status says more than the broken pipe.
    if (!co_await io::write_all(*tar->input, piece)) break;
  }
  tar->input.reset();
  co_return co_await ended_well(*tar);
}

// A folder that exists takes the source under its own name; else the target is the new name.
io::Task<Result<void>> copy_out(Session& session, std::string id, std::string path, fs::path target) {
  auto& client = *CO_TRY(co_await session.engine());
  if (session.options.copy.follow_link) {
    const auto stat = CO_TRY(co_await engine::stat_in_container(client, id, path));
    if (const auto link = stat["linkTarget"].text(); !link.empty()) path = link;
  }
  auto archive = CO_TRY(co_await engine::get_archive(client, id, path));
  if (target == "-") co_return co_await print_archive(session, archive);
  std::error_code error;
  const bool into = fs::is_directory(target, error);
  const auto folder = into ? target : target.has_parent_path() ? target.parent_path() : fs::path(".");
  Texts argv = {"tar", "-x", "-f", "-", "-C", folder.string()};
  if (!session.options.copy.archive) argv.emplace_back("--no-same-owner");
  if (!into)
    argv.insert(argv.end(),
                {"--transform", rename_rule(fs::path(path).filename().string(), target.filename().string())});
  co_return co_await unpack(session, archive, std::move(argv));
}

// What comes next from a tar, as the body of a request.
io::Task<Result<std::string_view>> next_piece(io::Stream& from, std::string& buffer) {
  const auto count = CO_TRY(co_await io::read_some(from, buffer));
  co_return std::string_view(buffer).substr(0, count);
}

// A tar on standard input into a folder.
io::Task<Result<void>> copy_input(Session& session, std::string id, std::string path) {
  auto& client = *CO_TRY(co_await session.engine());
  const auto input = CO_TRY(io::stream_on(session.loop, io::Fd(::dup(STDIN_FILENO))));
  std::string buffer(65536, '\0');
  co_return co_await engine::put_archive(client, id, path, [&] { return next_piece(*input, buffer); });
}

io::Task<Result<void>> copy_in(Session& session, std::string id, fs::path source, std::string path) {
  if (source == "-") co_return co_await copy_input(session, id, path);
  auto& client = *CO_TRY(co_await session.engine());
  std::error_code error;
  if (!fs::exists(source, error)) co_return fail(Code::not_found, "there is no " + source.string());
  const auto stat = co_await engine::stat_in_container(client, id, path);
  constexpr std::uint32_t kFolder = 0x80000000;  // Go's os.ModeDir
  const bool into = stat && (static_cast<std::uint32_t>((*stat)["mode"].integer()) & kFolder) != 0;
  const auto target = fs::path(path);
  const auto from = fs::absolute(source, error).lexically_normal();
  const auto name = from.has_filename() ? from.filename() : from.parent_path().filename();
  const auto parent = from.has_filename() ? from.parent_path() : from.parent_path().parent_path();
  Texts argv = {"tar", "-c", "-f", "-", "-C", parent.string()};
  if (!session.options.copy.archive) argv.insert(argv.end(), {"--owner=0", "--group=0", "--numeric-owner"});
  if (session.options.copy.follow_link) argv.emplace_back("-h");
  if (!into) argv.insert(argv.end(), {"--transform", rename_rule(name.string(), target.filename().string())});
  argv.insert(argv.end(), {"--", name.string()});
  auto tar = CO_TRY(io::Process::start(session.loop, {.argv = argv, .output = io::Command::Pipe::pipe}));
  std::string buffer(65536, '\0');
  CO_TRY(co_await engine::put_archive(client, id, into ? path : target.parent_path().string(),
                                      [&] { return next_piece(*tar->output, buffer); }));
  co_return co_await ended_well(*tar);
}

// The service's containers that are meant: a copy out is of one, a copy in goes to all unless --index says which.
io::Task<Result<std::vector<Listed>>> meant(Session& session, const compose::Project& project, std::string service,
                                            bool into) {
  const auto index = session.options.copy.index;
  auto list = CO_TRY(co_await list_project(session, project.name, {.services = {service}}));
  if (index > 0) std::erase_if(list, [&](const Listed& one) { return one.number != index; });
  if (list.empty()) {
    const auto which = index > 0 ? " number " + std::to_string(index) : std::string();
    co_return fail(Code::not_found, "service \"" + service + "\" has no container" + which);
  }
  const bool all = into && session.options.copy.index == 0 && session.options.arguments[0] != "-";
  if (!all) list.resize(1);
  co_return list;
}

}  // namespace

io::Task<Result<int>> verb_cp(Session& session) {
  const auto source = side_of(session.options.arguments[0]);
  const auto target = side_of(session.options.arguments[1]);
  if (source.service.empty() == target.service.empty()) co_return session.usage("one of the two must be SERVICE:PATH");
  const auto& service = source.service.empty() ? target.service : source.service;
  const auto project =
      CO_TRY(co_await session.load_or_name({.targets = {service}, .with_dependencies = false, .every_profile = true}));
  const bool into = source.service.empty();
  const auto list = CO_TRY(co_await meant(session, project.project, service, into));
  for (const auto& one : list) {
    if (into)
      CO_TRY(co_await copy_in(session, one.id, source.path, target.path));
    else
      CO_TRY(co_await copy_out(session, one.id, source.path, target.path));
  }
  co_return kDone;
}

}  // namespace berth::cli
