// Images that the fake engine holds.
#include <fmt/format.h>

#include "base/hash.h"
#include "base/text.h"
#include "engine/reference.h"
#include "testing/fake_route.h"

namespace berth::testing {
namespace {

constexpr std::int64_t kSize = 775'267;

// As the engine names what it did not find: with its tag, but an id as it is.
std::string shown(std::string_view name) {
  const auto reference = engine::parse_reference(name);
  return reference && !name.starts_with("sha256:") ? reference->text() : std::string(name);
}

FakeReply not_found(std::string_view name) {
  return refuse(404, fmt::format("No such image: {}", shown(name)));
}

void emit(FakeState& state, const FakeStoredImage& image, std::string_view action, std::string_view name) {
  Json attributes = image.image.config["Labels"].is_object() ? image.image.config["Labels"] : Json::object();
  state.emit("image", action, image.id, with(std::move(attributes), {{"name", name}}));
}

std::string layer_of(std::string_view image) {
  return "sha256:" + sha256_hex(image);
}

Json texts(const std::vector<std::string>& items) {
  Json list = Json::array();
  for (const std::string& item : items) list.push(item);
  return list;
}

Json inspect_json(const FakeState& state, const FakeStoredImage& image) {
  Json json = Json::object({{"Id", image.id},
                            {"RepoTags", texts(image.tags)},
                            {"RepoDigests", texts(image.digests)},
                            {"Parent", image.parent},
                            {"Comment", image.built ? "" : "Imported from -"},
                            {"Created", time_text(image.created)},
                            {"Container", image.built ? image.id.substr(7) : ""}});
  json.set("ContainerConfig", image.built ? image.image.config : image_config_defaults());
  put(json, {{"DockerVersion", state.options.version}, {"Author", ""}, {"Config", image.image.config}});
  put(json, {{"Architecture", "amd64"}, {"Os", "linux"}, {"Size", kSize}, {"VirtualSize", kSize}});
  if (state.at_least(52)) {  // see container_inspect
    json.set("Descriptor", manifest_descriptor(image.id));
  } else {
    Json data = Json::object();
    for (const std::string_view part : {"MergedDir", "UpperDir", "WorkDir"}) data.set(part, "/var/lib/docker/overlay2");
    json.set("GraphDriver", Json::object({{"Data", std::move(data)}, {"Name", "overlay2"}}));
  }
  json.set("RootFS", Json::object({{"Type", "layers"}, {"Layers", Json::array({layer_of(image.id)})}}));
  return with(std::move(json), {{"Metadata", Json::object({{"LastTagTime", time_text(image.created)}})}});
}

FakeReply inspect(FakeState& state, const FakeArgs& args) {
  const FakeStoredImage* image = state.find_image(args.name());
  if (image) return answer(200, inspect_json(state, *image));
  if (state.at_least(44)) return not_found(args.name());
  return refuse(404, fmt::format("no such image: {}: No such image: {}", args.name(), shown(args.name())));
}

// The tags that a `reference` filter leaves.
std::vector<std::string> listed_tags(const FakeStoredImage& image, const FakeFilters& filters) {
  const auto wanted = filters.find("reference");
  if (wanted == filters.end()) return image.tags;
  std::vector<std::string> tags;
  for (const std::string& tag : image.tags)
    if (std::ranges::any_of(wanted->second, [&](const std::string& pattern) {
          return glob(pattern, tag) || glob(pattern, cut_last(tag, ':').before);
        }))
      tags.push_back(tag);
  return tags;
}

Json summary(const FakeStoredImage& image, const std::vector<std::string>& tags) {
  const bool bare = image.tags.empty();
  Json json = Json::object({{"Containers", -1},
                            {"Created", image.created / 1'000'000'000},
                            {"Id", image.id},
                            {"Labels", image.image.config["Labels"]},
                            {"ParentId", image.parent}});
  json.set("RepoDigests", !image.digests.empty() ? texts(image.digests)
                          : bare                 ? Json::array({"<none>@<none>"})
                                                 : Json());
  put(json, {{"RepoTags", bare ? Json::array({"<none>:<none>"}) : texts(tags)}, {"SharedSize", -1}, {"Size", kSize}});
  json.set("VirtualSize", kSize);
  return json;
}

FakeReply list(FakeState& state, const FakeArgs& args) {
  const auto filters = read_filters(args, {"reference", "label", "dangling", "before", "since", "until"});
  if (!filters) return filters.error();
  Json found = Json::array();
  for (const FakeStoredImage& image : state.images) {
    const auto tags = listed_tags(image, *filters);
    const bool dangling = image.tags.empty();
    if (filters->contains("reference") && tags.empty()) continue;
    if (filters->contains("dangling") && passes(*filters, "dangling", "true") != dangling) continue;
    if (has_labels(image.image.config["Labels"], *filters)) found.push(summary(image, tags));
  }
  return answer(200, found);
}

FakeReply history(FakeState& state, const FakeArgs& args) {
  const FakeStoredImage* image = state.find_image(args.name());
  if (!image) return not_found(args.name());
  return answer(200, Json::array({Json::object({{"Id", image->id},
                                                {"Created", image->created / 1'000'000'000},
                                                {"CreatedBy", ""},
                                                {"Tags", image->tags.empty() ? Json() : texts(image->tags)},
                                                {"Size", kSize},
                                                {"Comment", image->built ? "" : "Imported from -"}})}));
}

FakeReply tag(FakeState& state, const FakeArgs& args) {
  FakeStoredImage* image = state.find_image(args.name());
  if (!image) return not_found(args.name());
  const std::string_view name = args.value("tag");
  const auto full = full_reference(std::string(args.value("repo")).append(name.empty() ? "" : ":").append(name));
  if (!full) return refuse(state.at_least(42) ? 400 : 500, full.error());
  untag(state, *full);
  image->tags.push_back(*full);
  emit(state, *image, "tag", *full);
  return answer(201);
}

const FakeContainer* user_of(const FakeState& state, const FakeStoredImage& image) {
  for (const FakeContainer& container : state.containers)
    if (container.image_id == image.id) return &container;
  return nullptr;
}

Json delete_image(FakeState& state, FakeStoredImage& image, Json done) {
  done.push(Json::object({{"Deleted", image.id}}));
  done.push(Json::object({{"Deleted", layer_of(image.id)}}));
  emit(state, image, "delete", image.id);
  std::erase_if(state.images, [&](const FakeStoredImage& other) { return &other == &image; });
  return done;
}

// As in use by `container`, in the engine's words.
FakeReply in_use(const FakeStoredImage& image, const FakeContainer& container, std::string_view reference) {
  const std::string_view who = std::string_view(container.id).substr(0, 12);
  const std::string id = short_image(image.id);
  if (!reference.empty())
    return refuse(409, fmt::format("conflict: unable to remove repository reference \"{}\" (must force) - container {} "
                                   "is using its referenced image {}",
                                   reference, who, id));
  if (container.up())
    return refuse(409, fmt::format("conflict: unable to delete {} (cannot be forced) - image is being used by running "
                                   "container {}",
                                   id, who));
  return refuse(409, fmt::format("conflict: unable to delete {} (must be forced) - image is being used by stopped "
                                 "container {}",
                                 id, who));
}

FakeReply remove(FakeState& state, const FakeArgs& args) {
  FakeStoredImage* image = state.find_image(args.name());
  if (!image) return not_found(args.name());
  const auto full = full_reference(args.name());
  const bool by_tag = full && std::ranges::find(image->tags, *full) != image->tags.end();
  const bool force = args.flag("force");
  const FakeContainer* user = user_of(state, *image);
  if (by_tag && image->tags.size() == 1 && user && !force) return in_use(*image, *user, args.name());
  if (!by_tag && user && (!force || user->up())) return in_use(*image, *user, "");
  if (!by_tag && image->tags.size() > 1 && !force)
    return refuse(409, fmt::format("conflict: unable to delete {} (must be forced) - image is referenced in multiple "
                                   "repositories",
                                   short_image(image->id)));
  Json done = Json::array();
  std::vector<std::string> gone = image->tags;
  if (by_tag) gone = {*full};
  for (const std::string& name : gone) {
    std::erase(image->tags, name);
    emit(state, *image, "untag", image->id);
    done.push(Json::object({{"Untagged", name}}));
  }
  if (!image->tags.empty() || (by_tag && user)) return answer(200, done);
  return answer(200, delete_image(state, *image, std::move(done)));
}

FakeReply prune(FakeState& state, const FakeArgs& args) {
  const auto filters = read_filters(args, {"dangling", "label", "label!", "until"});
  if (!filters) return filters.error();
  const bool all = filters->contains("dangling") && !passes(*filters, "dangling", "true");
  std::vector<FakeStoredImage*> unused;
  for (FakeStoredImage& image : state.images)
    if ((all || image.tags.empty()) && !user_of(state, image) && has_labels(image.image.config["Labels"], *filters))
      unused.push_back(&image);
  Json done;
  for (FakeStoredImage* image : unused) {
    for (const std::string& name : image->tags) done.push(Json::object({{"Untagged", name}}));
    done = delete_image(state, *image, std::move(done));
  }
  return answer(200, Json::object({{"ImagesDeleted", std::move(done)},
                                   {"SpaceReclaimed", kSize * static_cast<std::int64_t>(unused.size())}}));
}

}  // namespace

std::expected<std::string, std::string> full_reference(std::string_view text) {
  if (std::ranges::any_of(cut(text, '@').before.substr(0, cut_last(text, ':').before.size()),
                          [](char c) { return c >= 'A' && c <= 'Z'; }))
    return std::unexpected("invalid reference format: repository name must be lowercase");
  const auto reference = engine::parse_reference(text);
  if (!reference) return std::unexpected("invalid reference format");
  if (!reference->digest.empty()) return reference->repository() + "@" + reference->digest;
  return reference->repository() + ":" + reference->tag_or_digest();
}

std::string short_image(std::string_view id) {
  return std::string(id.substr(7, 12));
}

void untag(FakeState& state, std::string_view tag) {
  for (FakeStoredImage& image : state.images) std::erase(image.tags, tag);
}

FakeStoredImage& store_image(FakeState& state, std::string_view reference, FakeImage image) {
  const std::string full = full_reference(reference).value_or(std::string(reference));
  Json config = image_config_defaults();
  for (const auto& [key, value] : image.config.members()) config.set(key, value);
  image.config = std::move(config);
  std::string id = image.id;
  if (id.empty()) id = "sha256:" + sha256_hex(full + image.config.canonical());
  untag(state, full);
  FakeStoredImage* stored = nullptr;
  for (FakeStoredImage& known : state.images)
    if (known.id == id) stored = &known;
  if (!stored) stored = &state.images.emplace_front(FakeStoredImage{.id = id, .created = state.tick()});
  if (full.find('@') == full.npos) stored->tags.push_back(full);
  stored->image = std::move(image);
  return *stored;
}

const std::vector<FakeRoute>& image_routes() {
  static const std::vector<FakeRoute> routes{
      {"GET", "/images/json", list},
      {"POST", "/images/prune", prune},
      {"GET", "/images/{}/json", inspect, true},
      {"GET", "/images/{}/history", history, true},
      {"POST", "/images/{}/tag", tag, true},
      {"DELETE", "/images/{}", remove, true},
  };
  return routes;
}

}  // namespace berth::testing
