#include "plan/apply_effects.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <concepts>

#include "base/hash.h"
#include "base/text.h"
#include "engine/container.h"
#include "engine/network.h"
#include "engine/tar.h"
#include "io/scope.h"
#include "plan/observed.h"

namespace berth::plan {
namespace {

using Done = io::Task<Result<void>>;
using Seconds = std::optional<std::chrono::seconds>;

std::string id_of(const EffectContext& context, const ContainerRef& container) {
  if (container.created_by == 0) return container.id;
  const auto made = context.results.find(container.created_by);
  return made == context.results.end() ? container.name : made->second;
}

Seconds seconds_of(const std::optional<std::int64_t>& grace) {
  if (!grace) return std::nullopt;
  return std::chrono::seconds(*grace);
}

Error moved(const ContainerRef& container, std::string_view how) {
  return Error{Code::moved, "container " + container.name + " " + std::string(how) +
                                " since the plan was made; nothing was done to it; plan again"};
}

// Reads a container again before the first op on it.
Done verify(EffectContext& context, const ContainerRef& container) {
  if (!container.seen || !context.verified.insert(container.id).second) co_return Result<void>{};
  const auto inspect = co_await engine::inspect_container(context.client, container.id);
  if (!inspect && inspect.error().code == Code::not_found) co_return fail(moved(container, "was removed"));
  if (!inspect) co_return fail(inspect.error());
  const Container now = parse_container(*inspect);
  if (now.name != container.name) co_return fail(moved(container, "was renamed to " + now.name));
  if (is_up(now.state) && !is_up(*container.seen)) co_return fail(moved(container, "was started"));
  co_return Result<void>{};
}

// Gone already is what a removal wanted.
Result<void> fine_when_missing(Result<void> result) {
  if (!result && result.error().code == Code::not_found) return {};
  return result;
}

// Networks and volumes; images are in apply_effects_image.cc.

// Engines look for duplicates only when a creation begins: one that a killed program left under way makes a second
// network of the name, and from then on no container can join by name. The smallest id stays, whoever made it; an
// unused one with the same project's label goes.
// `own` is the one just made, "" for none; the one that stays, "" when there is none.
io::Task<Result<std::string>> without_duplicates(engine::Client& client, Json body, std::string own) {
  const std::string_view name = body["Name"].text(), project = body["Labels"][label::kProject].text();
  const Json list = CO_TRY(co_await engine::list_networks(client, {{"name", std::string(name)}}));
  std::vector<std::string> ids = {own};
  for (const Json& one : list.items())
    if (one["Name"].text() == name && one["Labels"][label::kProject].text() == project && one["Id"].text() != own)
      ids.emplace_back(one["Id"].text());
  std::erase(ids, "");
  if (ids.empty()) co_return std::string();
  std::sort(ids.begin(), ids.end());
  for (std::size_t i = 1; i < ids.size(); ++i) CO_TRY(co_await engine::remove_network(client, ids[i]));
  co_return ids.front();
}

// A conflict is one that a killed program had asked for, which came to be meanwhile.
Done effect(EffectContext& context, const Node& node, const CreateNetwork& op) {
  const auto made = co_await engine::create_network(context.client, op.body);
  if (!made && made.error().code != Code::conflict) co_return fail(made.error());
  std::string id = CO_TRY(co_await without_duplicates(context.client, op.body, made.value_or("")));
  if (id.empty()) co_return fail(made.error());
  context.results[node.id] = std::move(id);
  co_return Result<void>{};
}

// dockerd 20.10 counts endpoints of containers that are just gone; most of them it forgets a moment later.
bool is_in_use(const Error& error) {
  const bool refused = error.code == Code::denied || error.code == Code::conflict;
  return refused && error.message.contains("active endpoints");
}

Done effect(EffectContext& context, const Node&, const RemoveNetwork& op) {
  constexpr std::array kPauses = {100, 300, 1000};  // milliseconds
  for (const int pause : kPauses) {
    auto removed = fine_when_missing(co_await engine::remove_network(context.client, op.id));
    if (removed || !is_in_use(removed.error())) co_return removed;
    CO_TRY(co_await io::sleep_for(std::chrono::milliseconds(pause)));
  }
  auto removed = fine_when_missing(co_await engine::remove_network(context.client, op.id));
  if (!removed && is_in_use(removed.error()))
    removed.error().message = "network " + op.name +
                              " is in use, as its engine says (active endpoints), and was left; the next run tries "
                              "again; when no container is on it, a restart of the engine frees it";
  co_return removed;
}

Done effect(EffectContext& context, const Node& node, const CreateVolume& op) {
  const Json made = CO_TRY(co_await engine::create_volume(context.client, op.body));
  context.results[node.id] = made["Name"].text();
  co_return Result<void>{};
}

Done effect(EffectContext& context, const Node&, const RemoveVolume& op) {
  co_return fine_when_missing(co_await engine::remove_volume(context.client, op.name));
}

template <class T>
concept ImageOp = std::same_as<T, PullImage> || std::same_as<T, BuildImage> || std::same_as<T, RemoveImage>;

template <ImageOp T>
Done effect(EffectContext& context, const Node& node, const T& op) {
  std::string id = CO_TRY(co_await take_effect(context, node, op));
  if (!id.empty()) context.results[node.id] = std::move(id);
  co_return Result<void>{};
}

// Containers.

Result<void> put_at(Json& body, const std::vector<std::string>& path, std::string text) {
  Json* here = &body;
  for (const auto& step : path) {
    if (here->is_array()) {
      std::size_t index = 0;
      std::from_chars(step.data(), step.data() + step.size(), index);
      if (index >= here->items().size()) return fail(Code::internal, "a fill leads out of the create body");
      here = &here->items_mut()[index];
    } else {
      here = &here->slot(step);
    }
  }
  *here = std::move(text);
  return {};
}

// The body with what is known only now.
Result<Json> completed(EffectContext& context, const CreateContainer& op) {
  Json body = op.body;
  for (const Fill& fill : op.fills)
    TRY(put_at(body, fill.path, fill.prefix + context.results[fill.from] + fill.suffix));
  for (const Digest& digest : op.digests) {
    std::string text = digest.text;
    for (const auto& [mark, from] : digest.marks) text = replace_all(text, mark, context.results[from]);
    TRY(put_at(body, digest.path, sha256_hex(text)));
  }
  return body;
}

// Whether a creation that failed so may have had its effect: the reply was lost, or the name is taken.
bool may_be_made(const Error& error) {
  return error.code == Code::conflict || error.code == Code::unavailable || error.code == Code::timeout;
}

// The container of that name, when it is what `body` asks for (its labels hold the hash of the configuration) and never
// ran: ours, of which the creation was not answered, here or to a program that was killed. Else `why`.
io::Task<Result<std::string>> made_already(EffectContext& context, std::string name, Json labels, Error why) {
  const auto inspect = co_await engine::inspect_container(context.client, std::move(name));
  if (!inspect) co_return fail(std::move(why));
  const Container there = parse_container(*inspect);
  if (there.state != State::created || labels[label::kConfigHash].is_empty()) co_return fail(std::move(why));
  for (const auto& [key, value] : labels.members())
    if (there.label(key) != value.text()) co_return fail(std::move(why));
  co_return there.id;
}

Done effect(EffectContext& context, const Node& node, const CreateContainer& op) {
  Json body = CO_TRY(completed(context, op));
  Json labels = body["Labels"];
  auto made = co_await engine::create_container(context.client,
                                                {.name = op.name, .body = std::move(body), .platform = op.platform});
  if (!made && !may_be_made(made.error())) co_return fail(std::move(made).error());
  if (!made) {
    context.results[node.id] =
        CO_TRY(co_await made_already(context, op.name, std::move(labels), std::move(made).error()));
    co_return Result<void>{};
  }
  context.results[node.id] = made->id;
  for (const auto& warning : made->warnings) context.warnings.push_back(op.name + ": " + warning);
  co_return Result<void>{};
}

Done effect(EffectContext& context, const Node&, const ConnectNetwork& op) {
  co_return co_await engine::connect_network(context.client, op.network, id_of(context, op.container), op.endpoint);
}

Done effect(EffectContext& context, const Node&, const DisconnectNetwork& op) {
  co_return fine_when_missing(
      co_await engine::disconnect_network(context.client, op.network, id_of(context, op.container), true));
}

std::uint32_t number_or_root(std::string_view text) {
  std::uint32_t out = 0;
  std::from_chars(text.data(), text.data() + text.size(), out);
  return out;
}

// The files below `folder`, which ends with a slash; their names in the archive are what follows it.
std::string archive_of(const std::vector<CopiedFile>& files, const std::string& folder) {
  std::string tar;
  for (const CopiedFile& file : files) {
    if (!file.target.starts_with(folder)) continue;
    engine::append_tar_file(tar,
                            {.path = file.target.substr(file.target.find_first_not_of('/', folder.size() - 1)),
                             .size = file.content.size(),
                             .mode = static_cast<unsigned>(file.mode),
                             .user = number_or_root(file.uid),
                             .group = number_or_root(file.gid)},
                            file.content);
  }
  engine::append_tar_end(tar);
  return tar;
}

// Gives `text` once, then the end.
struct OnePiece {
  std::string* text;
  bool given = false;
  io::Task<Result<std::string_view>> operator()() {
    return next(std::exchange(given, true) ? std::string_view() : *text);
  }
  static io::Task<Result<std::string_view>> next(std::string_view piece) { co_return piece; }
};

Done effect(EffectContext& context, const Node&, const CopyIn& op) {
  std::set<std::string> folders;
  for (const CopiedFile& file : op.files)
    folders.insert(op.into_volumes ? file.target.substr(0, file.target.rfind('/') + 1) : "/");
  for (const std::string& folder : folders) {
    std::string tar = archive_of(op.files, folder);
    CO_TRY(co_await engine::put_archive(context.client, id_of(context, op.container), folder, OnePiece{&tar}));
  }
  co_return Result<void>{};
}

Done effect(EffectContext& context, const Node&, const StartContainer& op) {
  co_return co_await engine::start_container(context.client, id_of(context, op.container));
}

Done effect(EffectContext& context, const Node&, const StopContainer& op) {
  co_return fine_when_missing(
      co_await engine::stop_container(context.client, id_of(context, op.container), seconds_of(op.grace)));
}

Done effect(EffectContext& context, const Node&, const RemoveContainer& op) {
  co_return fine_when_missing(co_await engine::remove_container(context.client, id_of(context, op.container),
                                                                {.force = op.force, .volumes = op.volumes}));
}

Done effect(EffectContext& context, const Node&, const RenameContainer& op) {
  co_return co_await engine::rename_container(context.client, id_of(context, op.container), op.name);
}

Done effect(EffectContext& context, const Node&, const RestartContainer& op) {
  co_return co_await engine::restart_container(context.client, id_of(context, op.container), seconds_of(op.grace));
}

Done effect(EffectContext& context, const Node&, const KillContainer& op) {
  co_return co_await engine::kill_container(context.client, id_of(context, op.container), op.signal);
}

Done effect(EffectContext& context, const Node&, const UnpauseContainer& op) {
  co_return co_await engine::unpause_container(context.client, id_of(context, op.container));
}

// Waiting, and commands in containers.

Done effect(EffectContext& context, const Node& node, const WaitContainer& op) {
  return wait_for(context, node, op, id_of(context, op.container));
}

Done effect(EffectContext& context, const Node& node, const RouteContainer& op) {
  return route_to(context, node, op, id_of(context, op.container));
}

Done effect(EffectContext& context, const Node& node, const DrainContainer& op) {
  return drain_of(context, node, op, id_of(context, op.container));
}

Done effect(EffectContext& context, const Node& node, const ExecHook& op) {
  return run_hook(context, node, op, id_of(context, op.container));
}

Done effect(EffectContext&, const Node&, const Pause& op) {
  if (op.time.count() == 0) co_return Result<void>{};
  co_return co_await io::sleep_for(op.time);
}

}  // namespace

void tell(EffectContext& context, const Node& node, std::string detail, Json message) {
  if (!context.options.progress) return;
  context.options.progress(
      {.node = &node, .phase = Phase::progress, .detail = std::move(detail), .message = std::move(message)});
}

Done take_effect(EffectContext& context, const Node& node) {
  if (const ContainerRef* container = container_of(node.op)) CO_TRY(co_await verify(context, *container));
  co_return co_await std::visit([&](const auto& op) { return effect(context, node, op); }, node.op);
}

}  // namespace berth::plan
