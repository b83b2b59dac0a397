#include "plan/git_checkout.h"

#include <algorithm>
#include <vector>

#include "base/text.h"
#include "io/process.h"
#include "io/scope.h"

namespace berth::plan {
namespace {

using Arguments = std::vector<std::string>;

constexpr std::chrono::minutes kDeadline{10};

bool is_git_url(std::string_view url) {
  for (const std::string_view prefix : {"git://", "ssh://", "git@", "github.com/"})
    if (url.starts_with(prefix)) return true;
  return (url.starts_with("http://") || url.starts_with("https://")) && url.ends_with(".git");
}

// By argv; no question on a terminal, and no protocol that runs programs.
io::Task<Result<void>> git(Arguments arguments, std::string_view what) {
  Arguments argv{"env", "GIT_TERMINAL_PROMPT=0", "GIT_ALLOW_PROTOCOL=https:http:ssh:git", "git"};
  std::ranges::move(arguments, std::back_inserter(argv));
  io::Command command{.argv = std::move(argv)};
  command.errors = io::Command::Pipe::pipe;
  const auto output = CO_TRY(co_await io::run_command(std::move(command), ""));
  if (output.status == 0) co_return Result<void>{};
  if (output.status == 127)
    co_return fail(Code::not_found, "the git program is not installed, which " + std::string(what) + " needs");
  co_return fail(Code::unavailable, "git: " + std::string(trim(output.err).substr(0, 500)));
}

bool is_safe_ref(std::string_view ref) {
  return !ref.starts_with('-') && ref.find_first_of(" \t\r\n\\~^:?*[") == std::string_view::npos &&
         ref.find("..") == std::string_view::npos;
}

// One commit alone; servers that do not give any commit by its id give everything.
io::Task<Result<void>> fetch(const std::string& folder, const GitSource& source) {
  const std::string ref = source.ref.empty() ? "HEAD" : source.ref;
  CO_TRY(co_await git({"init", "-q", folder}, source.url));
  const Arguments in{"-C", folder, "-c", "advice.detachedHead=false", "-c", "core.hooksPath=/dev/null"};
  const auto run = [&](Arguments more) {
    Arguments all = in;
    std::ranges::move(more, std::back_inserter(all));
    return git(std::move(all), source.url);
  };
  const auto shallow = co_await run({"fetch", "-q", "--no-tags", "--depth", "1", "--", source.url, ref});
  if (!shallow && shallow.error().code != Code::unavailable) co_return shallow;
  if (!shallow) {
    const auto whole = co_await run({"fetch", "-q", "--tags", "--", source.url, "+refs/heads/*:refs/heads/*"});
    if (!whole) co_return shallow;
    if (!co_await run({"checkout", "-q", "--force", ref})) co_return shallow;
  } else {
    CO_TRY(co_await run({"checkout", "-q", "--force", "FETCH_HEAD"}));
  }
  co_return co_await run({"submodule", "-q", "update", "--init", "--recursive", "--depth", "1"});
}

io::Task<Result<Checkout>> check_out_in(GitSource source, io::TemporaryFolder kept) {
  CO_TRY(co_await fetch(kept.path(), source));
  const std::string folder = source.folder.empty() ? kept.path() : kept.path() + "/" + source.folder;
  bool inside = false;
  co_await io::on_pool([&] {
    io::remove_tree(kept.path() + "/.git");
    inside = io::lies_in(kept.path(), folder);
  });
  if (!inside) co_return fail(Code::invalid, "git: " + source.url + " has no folder \"" + source.folder + "\"");
  co_return Checkout{.kept = std::move(kept), .folder = folder};
}

}  // namespace

std::optional<GitSource> parse_git_source(std::string_view text) {
  const Cut parts = cut(text, '#');
  if (!is_git_url(parts.before)) return std::nullopt;
  const Cut fragment = cut(parts.after, ':');
  std::string url(parts.before);
  if (url.starts_with("github.com/")) url.insert(0, "https://");
  return GitSource{.url = std::move(url), .ref = std::string(fragment.before), .folder = std::string(fragment.after)};
}

bool is_url(std::string_view text) {
  return text.starts_with("http://") || text.starts_with("https://");
}

io::Task<Result<Checkout>> check_out(GitSource source, std::string temporary_folder) {
  if (!is_safe_ref(source.ref))
    co_return fail(Code::invalid, "git: \"" + source.ref + "\" is no branch, tag or commit");
  while (source.folder.starts_with('/')) source.folder.erase(0, 1);
  auto kept = CO_TRY(io::TemporaryFolder::make(temporary_folder, "berth-git"));
  auto done = co_await io::within(kDeadline, check_out_in(source, std::move(kept)));
  if (!done && done.error().code == Code::timeout)
    co_return fail(Code::timeout, "git: " + source.url + " was not fetched within 10 minutes");
  co_return done;
}

}  // namespace berth::plan
