#include "compose/remote_files.h"

#include <fmt/format.h>

#include <csignal>
#include <filesystem>

#include "base/hash.h"
#include "compose/git_reference.h"
#include "compose/short.h"
#include "io/file.h"
#include "io/process.h"
#include "io/scope.h"
#include "io/temporary.h"

namespace berth::compose {
namespace {

constexpr auto kDeadline = std::chrono::minutes(2);
constexpr std::size_t kMostOutput = 1u << 20;

using Words = std::vector<std::string>;

// No question by any way, and no protocol but the URL's own: not by a redirection, not by a rewriting rule.
Words git_environment(const RemoteCache& cache, const GitReference& reference) {
  Words out;
  for (const auto& [name, value] : cache.environment)
    if (!name.starts_with("GIT_") && name != "SSH_ASKPASS") out.push_back(name + '=' + value);
  const std::string allowed = reference.scheme == "http" ? "http:https" : reference.scheme;
  for (const auto& own : {"GIT_ALLOW_PROTOCOL=" + allowed, std::string("GIT_TERMINAL_PROMPT=0"),
                          std::string("GIT_ASKPASS="), std::string("SSH_ASKPASS_REQUIRE=never")})
    out.push_back(own);
  return out;
}

// git with these arguments; what it printed.
io::Task<Result<std::string>> git(Words arguments, Words environment) {
  arguments.insert(arguments.begin(), "git");
  // A session of its own: ssh has no terminal to ask on then.
  io::Command command{.argv = std::move(arguments),
                      .environment = std::move(environment),
                      .death_signal = SIGKILL,
                      .new_session = true};
  const auto output = co_await io::run_command(std::move(command), "", kMostOutput);
  if (!output && output.error().code == Code::not_found)
    co_return fail(Code::unavailable, "the git program is needed and was not found; install git");
  if (!output) co_return fail(output.error());
  if (output->status != 0) co_return fail(Code::unavailable, failure_text(output->err));
  co_return output->out;
}

io::Task<Result<std::string>> commit_of(GitReference reference, Words environment) {
  if (reference.is_pinned()) co_return reference.ref;
  const std::string listed = CO_TRY(co_await git(list_arguments(reference), std::move(environment)));
  co_return choose_commit(reference, listed);
}

Result<void> make_folders(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) return fail(Code::denied, fmt::format("{} cannot be made: {}", path, error.message()));
  return {};
}

// The files of a commit in `target`: fetched beside it and then moved there, so that it is whole or absent.
io::Task<Result<void>> check_out(GitReference reference, std::string commit, std::string target, Words environment) {
  const std::string parent = parent_path(parent_path(target));
  CO_TRY(make_folders(parent));
  const auto scratch = CO_TRY(io::TemporaryFolder::make(parent, "fetch"));
  const std::string files = scratch.path() + "/files";
  CO_TRY(make_folders(files));
  for (auto& arguments : fetch_arguments(reference, commit, scratch.path() + "/store", files))
    CO_TRY(co_await git(std::move(arguments), environment));
  CO_TRY(make_folders(parent_path(target)));
  std::error_code error;
  std::filesystem::rename(files, target, error);
  // Somebody else may have been faster: theirs is the same commit.
  if (error && !std::filesystem::is_directory(target))
    co_return fail(Code::internal, fmt::format("{} cannot be made: {}", target, error.message()));
  co_return Result<void>{};
}

Result<std::string> file_in(const std::string& folder, const GitReference& reference) {
  const std::string path = reference.path.empty() ? folder : join_path(folder, reference.path);
  Words candidates{path};
  for (const char* name : {"compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"})
    candidates.push_back(join_path(path, name));
  std::error_code error;
  for (const std::string& candidate : candidates) {
    if (!std::filesystem::is_regular_file(candidate, error)) continue;
    // A link in a repository may point anywhere.
    if (!io::lies_in(folder, candidate))
      return fail(Code::denied, fmt::format("{} is a link out of the repository", candidate.substr(folder.size() + 1)));
    return candidate;
  }
  return fail(Code::not_found, fmt::format("the repository has no Compose file at \"{}\"",
                                           reference.path.empty() ? "." : reference.path));
}

io::Task<Result<RemoteFile>> fetch(GitReference reference, RemoteCache cache) {
  const auto environment = git_environment(cache, reference);
  const std::string commit = CO_TRY(co_await commit_of(reference, environment));
  const std::string repository = cache.folder + '/' + sha256_hex(reference.url).substr(0, 16);
  const std::string target = repository + '/' + commit + '/' + reference.name;
  std::error_code error;
  if (!std::filesystem::is_directory(target, error)) CO_TRY(co_await check_out(reference, commit, target, environment));
  co_return RemoteFile{.path = CO_TRY(file_in(target, reference)), .repository = repository};
}

}  // namespace

io::Task<Result<RemoteFile>> fetch_remote(std::string url, RemoteCache cache) {
  auto reference = parse_git_reference(url);
  if (!reference) co_return fail(std::move(reference).error());
  auto file = co_await io::within(kDeadline, fetch(*std::move(reference), std::move(cache)));
  if (!file) {
    const bool late = file.error().code == Code::timeout;
    co_return fail(file.error().code, fmt::format("{}: {}", url, late ? "git took too long" : file.error().message));
  }
  co_return file;
}

}  // namespace berth::compose
