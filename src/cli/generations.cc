#include "cli/generations.h"

#include <unistd.h>

#include <charconv>

#include "base/text.h"
#include "io/file.h"

namespace berth::cli {
namespace {

std::string user_name(const World& world) {
  const auto sudo = world.variable("SUDO_USER");
  if (!sudo.empty()) return sudo;
  const auto user = world.variable("USER");
  return user.empty() ? "uid " + std::to_string(::getuid()) : user;
}

std::string who(const World& world) {
  const auto host = io::read_file("/proc/sys/kernel/hostname", 1 << 12);
  return user_name(world) + (host ? " on " + std::string(trim(*host)) : std::string());
}

}  // namespace

compose::Keeping keeping_of(const Session& session) {
  return {.folders = session.world.state_folders,
          .files = session.world.files,
          .who = who(session.world),
          .command = "berth " + join(session.options.words, " "),
          .time = session.world.now()};
}

Result<Source> source_of(const Session& session, LoadWish wish) {
  wish.targets.clear();
  wish.with_dependencies = true;
  Source out{.load = TRY(session.load_options(wish)), .texts = session.texts(), .remotes = session.remotes()};
  // The environment is cut down to what the files name when a generation is kept.
  out.load.environment.clear();
  return out;
}

io::Task<Result<History>> open_history(Session& session, std::string project) {
  auto& client = *CO_TRY(co_await session.engine());
  co_return co_await compose::open_history(client, session.world.state_folders, std::move(project));
}

io::Task<Result<std::string>> history_project(Session& session) {
  const auto& flag = session.options.global.project_name;
  const auto given = flag.empty() ? session.setting("COMPOSE_PROJECT_NAME") : flag;
  if (!given.empty()) co_return given;
  auto loaded = co_await session.load({.every_profile = true});
  if (loaded) co_return loaded->name;
  const auto state = CO_TRY(compose::open_state(session.world.state_folders));
  const auto folders = io::list_folder(state.folder + "/projects");
  std::string found, time;
  for (const auto& name : folders ? *folders : Texts{}) {
    const auto heads = compose::GenerationStore(state.folder + "/projects/" + name).heads();
    if (heads.empty() || heads.front().working_dir != session.world.working_dir || heads.front().time < time) continue;
    found = heads.front().project;
    time = heads.front().time;
  }
  if (found.empty()) co_return fail(std::move(loaded).error());
  session.console.note("the files cannot be read (" + loaded.error().message + "); taking project " + found +
                       ", which was last brought up from here");
  co_return found;
}

Result<int> generation_number(std::string_view text) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc{} && end == text.data() + text.size() && number > 0) return number;
  return fail(Code::invalid, "\"" + std::string(text) + "\" is no generation: give its number; see berth history");
}

}  // namespace berth::cli
