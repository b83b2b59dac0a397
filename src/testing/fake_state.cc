#include "testing/fake_state.h"

#include "base/hash.h"
#include "testing/fake_route.h"

namespace berth::testing {
namespace {

constexpr std::size_t kKeptEvents = 256;  // eventsLimit of dockerd
constexpr std::string_view kDigest = "sha256:";

// From which API version on, which engine, and the oldest version that it takes.
struct Release {
  int since = 0;
  std::string_view engine{}, oldest{};
};
constexpr Release kReleases[] = {{52, "29.0.0", "1.44"},   {50, "28.2.2", "1.24"}, {47, "27.5.1", "1.24"},
                                 {45, "26.1.5", "1.24"},   {44, "25.0.5", "1.24"}, {42, "23.0.6", "1.12"},
                                 {40, "20.10.24", "1.12"}, {0, "1.12.6", "1.12"}};

const Release& release_of(int minor) {
  return *std::ranges::find_if(kReleases, [&](const Release& release) { return minor >= release.since; });
}

engine::ApiVersion version_of(std::string_view text) {
  return engine::parse_api_version(text).value_or(engine::ApiVersion{1, 41});
}

template <class List>
auto* by_prefix(List& list, std::string_view prefix) {
  typename List::pointer found = nullptr;
  for (auto& item : list) {
    if (prefix.empty() || !std::string_view(item.id).starts_with(prefix)) continue;
    if (found) return typename List::pointer{};
    found = &item;
  }
  return found;
}

}  // namespace

// FakeAgenda

void FakeAgenda::in(io::Duration after, std::function<void()> what) {
  todo_.emplace((running_ ? *running_ : now()) + after, std::move(what));
  rearm();
}

io::Time FakeAgenda::now() const {
  return running_.value_or(loop_.now() + skipped_);
}

void FakeAgenda::advance(io::Duration duration) {
  run_until(now() + duration);
  skipped_ += duration;
  rearm();
}

void FakeAgenda::fire() {
  run_until(loop_.now() + skipped_);
  rearm();
}

void FakeAgenda::run_until(io::Time when) {
  while (!todo_.empty() && todo_.begin()->first <= when) {
    auto next = todo_.extract(todo_.begin());
    running_ = next.key();
    next.mapped()();
  }
  running_.reset();
}

void FakeAgenda::rearm() {
  if (todo_.empty()) {
    disarm();
  } else {
    arm(todo_.begin()->first - skipped_);
  }
}

// FakeState

FakeState::FakeState(io::Loop& loop, FakeEngineOptions given)
    : options(std::move(given)), api(version_of(options.api)), agenda(loop) {
  begin = agenda.now();
  const Release& release = release_of(api.minor);
  if (options.version.empty()) options.version = std::string(release.engine);
  oldest = version_of(options.oldest_api.empty() ? std::string(release.oldest) : options.oldest_api);
  add_predefined_networks(*this);
}

FakeTime FakeState::now() const {
  const auto passed = std::chrono::duration_cast<std::chrono::nanoseconds>(agenda.now() - begin).count();
  return options.epoch * 1'000'000'000 + passed;
}

FakeTime FakeState::tick() {
  return last_tick = std::max(now(), last_tick + 1);
}

std::string FakeState::new_id(std::string_view kind) {
  return sha256_hex(std::string(kind) + std::to_string(++ids));
}

FakeContainer* FakeState::container_by_id(std::string_view id) {
  for (auto& container : containers)
    if (container.id == id) return &container;
  return nullptr;
}

FakeContainer* FakeState::find_container(std::string_view id_or_name) {
  if (FakeContainer* exact = container_by_id(id_or_name)) return exact;
  std::string_view name = id_or_name;
  if (name.starts_with('/')) name.remove_prefix(1);
  for (auto& container : containers)
    if (container.name == name) return &container;
  return by_prefix(containers, id_or_name);
}

FakeStoredImage* FakeState::find_image(std::string_view reference_or_id) {
  const auto full = full_reference(reference_or_id);
  for (auto& image : images) {
    if (image.id == reference_or_id) return &image;
    if (full && std::ranges::find(image.tags, *full) != image.tags.end()) return &image;
    if (full && std::ranges::find(image.digests, *full) != image.digests.end()) return &image;
  }
  if (reference_or_id.starts_with(kDigest)) return by_prefix(images, reference_or_id);
  return reference_or_id.empty() ? nullptr : by_prefix(images, std::string(kDigest).append(reference_or_id));
}

FakeNetwork* FakeState::find_network(std::string_view id_or_name) {
  for (auto& network : networks)
    if (network.id == id_or_name) return &network;
  for (auto& network : networks)
    if (network.name == id_or_name) return &network;
  return by_prefix(networks, id_or_name);
}

FakeVolume* FakeState::find_volume(std::string_view name) {
  for (auto& volume : volumes)
    if (volume.name == name) return &volume;
  return nullptr;
}

void FakeState::emit(std::string_view type, std::string_view action, std::string_view id, Json attributes) {
  const FakeTime time = tick();
  Json event = Json::object();
  if (type == "container" || type == "image") put(event, {{"status", action}, {"id", id}});
  if (type == "container") event.set("from", attributes["image"]);
  put(event, {{"Type", type}, {"Action", action}});
  event.set("Actor", Json::object({{"ID", id}, {"Attributes", std::move(attributes)}}));
  put(event, {{"scope", "local"}, {"time", time / 1'000'000'000}, {"timeNano", time}});
  events.push_back(event);
  if (events.size() > kKeptEvents) events.pop_front();
  std::erase_if(listeners, [](const FakeListener& listener) { return listener.feed.expired(); });
  for (auto& listener : listeners)
    if (event_passes(*this, event, listener.filters)) listener.feed.lock()->push(event_line(listener.version, event));
}

void FakeState::emit(const FakeContainer& container, std::string_view action, Json more) {
  Json attributes = container.config["Labels"].is_object() ? container.config["Labels"] : Json::object();
  for (const auto& [key, value] : more.members()) attributes.set(key, value);
  put(attributes, {{"image", container.config["Image"]}, {"name", container.name}});
  emit("container", action, container.id, std::move(attributes));
}

}  // namespace berth::testing
