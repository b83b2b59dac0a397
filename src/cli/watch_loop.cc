#include "cli/watch_loop.h"

#include <set>

#include "base/text.h"
#include "cli/carry_out.h"
#include "cli/containers.h"
#include "cli/up_options.h"
#include "cli/watch_sync.h"
#include "engine/container.h"
#include "engine/exec.h"
#include "engine/image.h"
#include "io/folder_watch.h"

namespace berth::cli {
namespace {

constexpr auto kQuiet = std::chrono::milliseconds(150);  // a save of an editor is several changes
constexpr int kMostRounds = 20;                          // of collecting, when changes do not end

// All changes that come close together.
io::Task<Result<Texts>> next_changes(io::FolderWatch& watch) {
  auto first = CO_TRY(co_await watch.next());
  std::set<std::string> paths(first.paths.begin(), first.paths.end());
  for (int round = 0; round < kMostRounds; ++round) {
    const auto more = co_await io::within(kQuiet, watch.next());
    if (!more && more.error().code == Code::timeout) break;
    const auto changes = CO_TRY(more);
    paths.insert(changes.paths.begin(), changes.paths.end());
  }
  co_return Texts(paths.begin(), paths.end());
}

io::Task<Result<void>> rebuild(Session& session, const WatchWish& wish, std::string service) {
  const compose::UpOptions options{
      .services = {service}, .no_deps = true, .build = compose::Build::always, .adopt = session.options.global.adopt};
  const CarryOut what{.project = wish.project,
                      .planner = [&](const plan::Observed& observed,
                                     bool settled) { return plan_of_round(wish.project, observed, options, settled); },
                      .owner = "watch",
                      .quiet_images = wish.quiet};
  CO_TRY(co_await carry_out(session, what));
  co_return Result<void>{};
}

io::Task<Result<std::string>> image_of(Session& session, const compose::Project& project, std::string service) {
  const auto list = CO_TRY(co_await list_project(session, project.name, {.services = {service}}));
  co_return list.empty() ? std::string() : std::string(list.front().summary["ImageID"].text());
}

// The image before goes when nothing names or uses it any more.
io::Task<Result<void>> rebuild_and_prune(Session& session, const WatchWish& wish, std::string service) {
  const auto before = CO_TRY(co_await image_of(session, wish.project, service));
  CO_TRY(co_await rebuild(session, wish, service));
  const auto after = CO_TRY(co_await image_of(session, wish.project, service));
  if (!wish.prune || before.empty() || before == after) co_return Result<void>{};
  auto& client = *CO_TRY(co_await session.engine());
  const auto image = co_await engine::inspect_image(client, before);
  if (image && (*image)["RepoTags"].is_empty()) (void)co_await engine::remove_image(client, before);
  co_return Result<void>{};
}

io::Task<Result<void>> restart(Session& session, const WatchWish& wish, std::string service) {
  const compose::VerbOptions options{.services = {service}, .no_deps = true, .adopt = session.options.global.adopt};
  const CarryOut what{.project = wish.project,
                      .planner = [&](const plan::Observed& observed,
                                     bool) { return compose::plan_restart(wish.project, observed, options); },
                      .owner = "watch"};
  CO_TRY(co_await carry_out(session, what));
  co_return Result<void>{};
}

// A command in a container, its output to ours.
io::Task<Result<void>> run_inside(Session& session, const Listed& container, engine::CreateExec exec) {
  auto& client = *CO_TRY(co_await session.engine());
  const auto text = join(exec.command, " ");
  const auto id = CO_TRY(co_await engine::create_exec(client, container.id, std::move(exec)));
  auto attachment = CO_TRY(co_await engine::start_exec(client, id, false));
  for (;;) {
    const auto piece = CO_TRY(co_await attachment.next());
    if (!piece) break;
    session.console.err.write(piece->bytes);
  }
  const auto status = CO_TRY(co_await engine::exec_status(client, id));
  if (status != 0)
    co_return fail(Code::internal, container.name + ": " + text + " ended with status " + std::to_string(status));
  co_return Result<void>{};
}

Texts texts_of(const Json& list) {
  Texts out;
  for (const auto& item : list.items()) out.emplace_back(item.text());
  return out;
}

engine::CreateExec hook_of(const Json& hook) {
  engine::CreateExec out{.command = texts_of(hook["command"]),
                         .user = std::string(hook["user"].text()),
                         .working_dir = std::string(hook["working_dir"].text()),
                         .privileged = hook["privileged"].boolean()};
  for (const auto& [name, value] : hook["environment"].members())
    out.environment.push_back(name + "=" + (value.is_text() ? std::string(value.text()) : value.dump()));
  return out;
}

io::Task<Result<std::string_view>> piece_of(const std::string& text, bool& given) {
  co_return std::exchange(given, true) ? std::string_view() : std::string_view(text);
}

io::Task<Result<void>> sync_into(Session& session, const Listed& container, const SyncSet& set) {
  auto& client = *CO_TRY(co_await session.engine());
  if (!set.gone.empty()) {
    engine::CreateExec remove{.command = {"rm", "-rf", "--"}, .user = "0"};
    remove.command.insert(remove.command.end(), set.gone.begin(), set.gone.end());
    CO_TRY(co_await run_inside(session, container, std::move(remove)));
  }
  if (set.files == 0) co_return Result<void>{};
  bool given = false;
  co_return co_await engine::put_archive(client, container.id, "/", [&] { return piece_of(set.tar, given); });
}

io::Task<Result<void>> sync(Session& session, const WatchWish& wish, const std::string& service,
                            const WatchDeed& deed) {
  const auto set = CO_TRY(read_sync(deed.sync));
  const auto list = CO_TRY(co_await list_project(session, wish.project.name, {.services = {service}, .all = false}));
  for (const auto& container : list) CO_TRY(co_await sync_into(session, container, set));
  session.console.note(service + ": " + std::to_string(set.files) + " synced" +
                       (set.gone.empty() ? "" : ", " + std::to_string(set.gone.size()) + " removed") +
                       (list.empty() ? "; but no container of it runs" : ""));
  for (const auto& container : list)
    for (const auto& hook : deed.execs) CO_TRY(co_await run_inside(session, container, hook_of(hook)));
  co_return Result<void>{};
}

io::Task<Result<void>> act(Session& session, const WatchWish& wish, const std::string& service, const WatchDeed& deed) {
  if (deed.rebuild) {
    session.console.note(service + ": rebuilding");
    co_return co_await rebuild_and_prune(session, wish, service);
  }
  if (!deed.sync.empty()) CO_TRY(co_await sync(session, wish, service, deed));
  if (deed.restart) CO_TRY(co_await restart(session, wish, service));
  co_return Result<void>{};
}

io::Task<Result<void>> act_on(Session& session, const WatchWish& wish, const Texts& files) {
  for (const auto& [service, deed] : watch_deeds(wish.rules, files)) {
    const auto done = co_await act(session, wish, service, deed);
    if (!done && done.error().code == Code::cancelled) co_return fail(done.error());
    if (!done) session.console.warning(service + ": " + done.error().text());
  }
  co_return Result<void>{};
}

io::Task<Result<void>> first_sync(Session& session, const WatchWish& wish) {
  auto first = wish.rules;
  std::erase_if(first, [](const WatchRule& rule) { return !rule.initial_sync || !rule.sync; });
  Texts files;
  for (auto& rule : first) {
    rule.restart = rule.rebuild = false;
    rule.exec = {};
    for (auto& path : files_below(rule.path)) files.push_back(std::move(path));
  }
  const WatchWish only{.project = wish.project, .rules = std::move(first)};
  co_return co_await act_on(session, only, files);
}

}  // namespace

Result<std::vector<WatchRule>> rules_of(const Session& session, const compose::Project& project,
                                        const Texts& services) {
  const auto read = [&](const std::string& path) { return session.world.files.read(path).value_or(std::string()); };
  auto rules = TRY(watch_rules(project, services, read));
  if (rules.empty())
    return fail(Code::invalid, "none of the services says what to watch; write a develop.watch section");
  return rules;
}

io::Task<Result<void>> follow_sources(Session& session, WatchWish wish) {
  const auto skip = [&rules = wish.rules](const std::string& folder) {
    return std::ranges::all_of(rules, [&](const WatchRule& rule) { return rule.skips(folder); });
  };
  const auto watch = CO_TRY(io::FolderWatch::open(session.loop, skip));
  std::set<std::string> services;
  for (const auto& rule : wish.rules) {
    CO_TRY(watch->add(rule.path));
    services.insert(rule.service);
  }
  CO_TRY(co_await first_sync(session, wish));
  session.console.note("watching the sources of " + join(Texts(services.begin(), services.end()), ", "));
  for (;;) {
    const auto files = CO_TRY(co_await next_changes(*watch));
    CO_TRY(co_await act_on(session, wish, files));
  }
}

}  // namespace berth::cli
