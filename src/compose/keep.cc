#include "compose/keep.h"

#include <fmt/chrono.h>

#include <algorithm>

#include "base/hash.h"
#include "base/text.h"
#include "compose/create.h"
#include "engine/image.h"
#include "engine/network.h"
#include "io/file.h"
#include "io/ownership.h"

namespace berth::compose {
namespace {

constexpr std::string_view kEngineVolume = "berth-engine";
constexpr std::string_view kEngineLabel = "berth.engine";
constexpr std::size_t kHeldGenerations = 5;
constexpr std::size_t kSecretLimit = 1u << 20;

// The id that this host remembers for the engine at that address: a pruned volume is made again with it.
std::string memory_of(const State& state, const engine::Client& client) {
  return state.folder + "/engines/" + sha256_hex(client.address().text()).substr(0, 16);
}

// The engine's own random id, from a volume that the first of all berths made. With `make` false "" where there is
// none.
io::Task<Result<std::string>> engine_id(engine::Client& client, const State& state, bool make) {
  const auto memory = memory_of(state, client);
  const auto remembered = io::read_file(memory, 64);
  if (!make) {
    const auto volume = co_await engine::inspect_volume(client, std::string(kEngineVolume));
    if (volume) co_return std::string((*volume)["Labels"][kEngineLabel].text());
    if (volume.error().code != Code::not_found) co_return fail(volume.error());
    co_return remembered.value_or("");
  }
  const auto own = remembered ? *remembered : to_hex(io::random_bytes(8));
  const Json volume = CO_TRY(co_await engine::create_volume(
      client, Json::object({{"Name", kEngineVolume},
                            {"Driver", "local"},
                            {"Labels", Json::object({{std::string(kEngineLabel), own}})}})));
  const std::string id(volume["Labels"][kEngineLabel].text());
  if (id.empty() || id.find_first_not_of("0123456789abcdef") != std::string::npos)
    co_return fail(Code::conflict, "volume " + std::string(kEngineVolume) + " is not berth's");
  if (!remembered || *remembered != id) {
    CO_TRY(io::make_folder(state.folder + "/engines", 0700));
    CO_TRY(io::write_file(memory, id, 0600));
  }
  co_return id;
}

// The image of a service after the change, as far as the plan tells.
std::string image_after(const Change& change, const Service& service) {
  const auto reference = image_name(change.project, service);
  for (const auto& node : change.plan.nodes) {
    const auto made = change.results.find(node.id);
    const bool image =
        std::holds_alternative<plan::PullImage>(node.op) || std::holds_alternative<plan::BuildImage>(node.op);
    if (image && plan::object_of(node.op) == reference && made != change.results.end()) return made->second;
  }
  const bool made_new = std::ranges::any_of(change.plan.nodes, [&](const plan::Node& node) {
    return node.group == service.name && std::holds_alternative<plan::CreateContainer>(node.op);
  });
  if (!made_new)
    for (const auto& container : change.observed.containers)
      if (container.service == service.name && !container.oneoff) return container.image_id;
  const auto* image = change.observed.image(reference);
  return image ? image->id : std::string();
}

io::Task<std::map<std::string, KeptImage>> images_after(engine::Client& client, const Change& change) {
  std::map<std::string, KeptImage> out;
  for (const auto& service : change.project.services) {
    // The files' own name: a rollback runs images by their ids.
    const auto named = change.project.document["services"][service.name]["image"].text();
    KeptImage image{.reference = named.empty() ? image_name(change.project, service) : std::string(named),
                    .id = image_after(change, service),
                    .scale = service.scale};
    if (const auto* known = image.id.empty() ? nullptr : change.observed.image(image.id)) {
      image.digests = known->digests;
    } else if (const auto found =
                   co_await engine::inspect_image(client, image.id.empty() ? image.reference : image.id)) {
      auto parsed = plan::parse_image(*found);
      image.id = std::move(parsed.id);
      image.digests = std::move(parsed.digests);
    }
    out[service.name] = std::move(image);
  }
  co_return out;
}

// Bodies are in the files already; what is wanted later is what was done and why.
Json plan_for_keeping(const plan::Plan& plan, const io::SealKey& key) {
  Json out = plan.to_json(key.derive("generation"));
  for (Json& op : out.slot("ops").items_mut()) op.erase("details");
  return out;
}

Texts secrets_of(const Files& files, const Project& project) {
  Texts out;
  for (const auto& [kind, section] : {std::pair{"secrets.", &project.secrets}, std::pair{"configs.", &project.configs}})
    for (const auto& [name, declared] : section->members()) {
      const std::string path(declared["file"].text());
      if (path.empty() || files.kind(path) != Files::Kind::file) continue;
      auto text = files.read(path);
      if (text && text->size() <= kSecretLimit) out[kind + name] = *std::move(text);
    }
  return out;
}

std::string tag_of(const std::string& project, std::string_view image_id) {
  return project + '.' + std::string(cut(image_id, ':').after.substr(0, 12));
}

// Tags "berth/keep:<project>.*" that the engine has.
io::Task<Result<std::set<std::string>>> kept_tags(engine::Client& client, const std::string& project) {
  const auto listed = CO_TRY(co_await engine::list_images(client, {{"reference", std::string(kKeepRepository)}}));
  const auto prefix = std::string(kKeepRepository) + ':' + project + '.';
  std::set<std::string> out;
  for (const Json& item : listed.items())
    for (const Json& tag : item["RepoTags"].items())
      if (tag.text().starts_with(prefix)) out.insert(std::string(tag.text()));
  co_return out;
}

// One tag an image, while one of the last generations has it.
io::Task<Result<void>> hold_images(engine::Client& client, const std::string& project, const GenerationStore& store,
                                   const std::set<std::string>& there) {
  std::map<std::string, std::string> wanted;  // tag -> id
  auto heads = store.heads();
  if (heads.size() > kHeldGenerations) heads.resize(kHeldGenerations);
  for (const auto& head : heads)
    for (const auto& [service, image] : head.images)
      if (!image.id.empty()) wanted[std::string(kKeepRepository) + ':' + tag_of(project, image.id)] = image.id;
  for (const auto& [tag, id] : wanted) {
    if (there.contains(tag)) continue;
    const auto tagged = co_await engine::tag_image(client, id, tag);
    // An image that is gone already cannot be held; rollback says so.
    if (!tagged && tagged.error().code != Code::not_found) co_return tagged;
  }
  for (const auto& tag : there)
    if (!wanted.contains(tag)) CO_TRY(co_await engine::remove_image(client, tag));
  co_return Result<void>{};
}

}  // namespace

Result<State> open_state(const std::vector<std::string>& folders) {
  Error last{.code = Code::denied, .message = "no folder for berth's state is known"};
  for (const auto& folder : folders) {
    auto key = io::SealKey::load_or_make(folder + "/seal.key");
    if (key) return State{.folder = folder, .key = *std::move(key)};
    // Somebody else's folder is passed over; a broken key in an own one is not.
    if (key.error().code == Code::invalid) return fail(std::move(key).error());
    last = std::move(key).error();
  }
  return fail(std::move(last));
}

io::Task<Result<Shelf>> open_shelf(engine::Client& client, std::vector<std::string> folders, std::string project) {
  Shelf shelf{.state = CO_TRY(open_state(folders))};
  shelf.engine = CO_TRY(co_await engine_id(client, shelf.state, true));
  shelf.tags = CO_TRY(co_await kept_tags(client, project));
  co_return shelf;
}

io::Task<Result<int>> keep_generation(engine::Client& client, const Keeping& keeping, const Source& source,
                                      Change change, const Shelf& shelf) {
  const auto& state = shelf.state;
  const auto& project = change.project;
  Generation generation{
      .load = source.load, .texts = source.texts, .remotes = source.remotes, .document = project.document};
  generation.load.environment = named_variables(project.environment, source.texts);
  generation.secrets = secrets_of(keeping.files, project);
  generation.plan = plan_for_keeping(change.plan, state.key);
  generation.events = std::move(change.events);
  generation.head = {.project = project.name,
                     .working_dir = project.working_dir,
                     .time = time_text(keeping.time),
                     .who = keeping.who,
                     .command = keeping.command,
                     .note = change.note,
                     .summary = plan::summary(change.plan),
                     .images = co_await images_after(client, change)};
  const auto folder = GenerationStore::folder_of(state.folder, project.name, shelf.engine);
  GenerationStore store(folder);
  const int number = CO_TRY(store.keep(std::move(generation), state.key));
  // Core reads it too, as its own account.
  CO_TRY(io::settle_file(folder));
  for (const auto& each : {folder, state.folder}) CO_TRY(io::settle_folder(each, {"edge", "projects"}));
  CO_TRY(co_await hold_images(client, project.name, store, shelf.tags));
  co_return number;
}

io::Task<Result<History>> open_history(engine::Client& client, std::vector<std::string> folders, std::string project) {
  auto state = CO_TRY(open_state(folders));
  const auto engine = CO_TRY(co_await engine_id(client, state, false));
  co_return History{.store = GenerationStore(GenerationStore::folder_of(state.folder, project, engine)),
                    .key = std::move(state.key)};
}

io::Task<Result<void>> drop_kept_images(engine::Client& client, std::string project) {
  for (const auto& tag : CO_TRY(co_await kept_tags(client, project))) {
    const auto removed = co_await engine::remove_image(client, tag);
    if (!removed && removed.error().code != Code::not_found) co_return fail(removed.error());
  }
  co_return Result<void>{};
}

plan::SavedPlan saved_plan(const Project& project, const Texts& texts, const plan::Plan& plan, const std::string& salt,
                           const io::SealKey& key) {
  const auto secret = key.derive("plan " + salt);
  const auto hashed = [&](const Texts& values) {
    Texts out;
    for (const auto& [name, text] : values) out[name] = hmac_sha256_hex(secret, text).substr(0, 32);
    return out;
  };
  return {.project = project.name,
          .salt = salt,
          .files = hashed(texts),
          .variables = hashed(named_variables(project.environment, texts)),
          .plan = plan.to_json(secret)};
}

std::string time_text(std::chrono::system_clock::time_point time) {
  return fmt::format("{:%FT%TZ}", fmt::gmtime(std::chrono::system_clock::to_time_t(time)));
}

}  // namespace berth::compose
