#include "plan/observed.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <set>
#include <tuple>

namespace berth::plan {
namespace {

constexpr std::pair<std::string_view, State> kStates[] = {
    {"created", State::created},   {"running", State::running},
    {"paused", State::paused},     {"restarting", State::restarting},
    {"removing", State::removing}, {"exited", State::exited},
    {"dead", State::dead},
};
constexpr std::pair<std::string_view, Health> kHealths[] = {
    {"none", Health::none},
    {"starting", Health::starting},
    {"healthy", Health::healthy},
    {"unhealthy", Health::unhealthy},
};

Labels labels_of(const Json& object) {
  Labels labels;
  for (const auto& [key, value] : object.members()) labels.emplace(key, value.text());
  return labels;
}

std::string_view find(const Labels& labels, std::string_view name) {
  const auto found = labels.find(name);
  return found == labels.end() ? std::string_view() : found->second;
}

int number_of(std::string_view text) {
  int number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// "linux/arm64/v8"
std::string platform_of(const Json& inspect) {
  const std::string_view system = inspect["Os"].text(), machine = inspect["Architecture"].text();
  const std::string_view variant = inspect["Variant"].text();
  if (system.empty() || machine.empty()) return {};
  std::string out(system);
  out.append("/").append(machine);
  return variant.empty() ? out : out.append("/").append(variant);
}

// "2026-11-22T08:58:31.123456789Z", with "+01:00" in place of Z too; 0 for what is none, and for the year 1.
std::int64_t seconds_since_1970(std::string_view text) {
  const auto number = [&](std::size_t at, std::size_t size) -> int {
    int value = -1;
    if (text.size() < at + size) return -1;
    const auto [end, error] = std::from_chars(text.data() + at, text.data() + at + size, value);
    return error == std::errc{} && end == text.data() + at + size ? value : -1;
  };
  const int parts[] = {number(0, 4), number(5, 2), number(8, 2), number(11, 2), number(14, 2), number(17, 2)};
  if (std::ranges::any_of(parts, [](int part) { return part < 0; }) || parts[0] < 1970) return 0;
  const std::chrono::year_month_day day{std::chrono::year{parts[0]},
                                        std::chrono::month{static_cast<unsigned>(parts[1])},
                                        std::chrono::day{static_cast<unsigned>(parts[2])}};
  if (!day.ok()) return 0;
  const std::int64_t days = std::chrono::sys_days(day).time_since_epoch().count();
  std::int64_t seconds = ((days * 24 + parts[3]) * 60 + parts[4]) * 60 + parts[5];
  const std::size_t zone = text.find_first_of("+-", 19);
  if (zone == std::string_view::npos) return seconds;
  const int hours = number(zone + 1, 2), minutes = number(zone + 4, 2);
  if (hours < 0 || minutes < 0) return 0;
  return seconds + (text[zone] == '-' ? 1 : -1) * (hours * 60 + minutes) * 60;
}

std::vector<Attachment> attachments_of(const Json& networks) {
  std::vector<Attachment> attachments;
  for (const auto& [name, endpoint] : networks.members()) {
    Attachment attachment{.network = name, .network_id = std::string(endpoint["NetworkID"].text())};
    for (const Json& alias : endpoint["Aliases"].items()) attachment.aliases.emplace_back(alias.text());
    attachments.push_back(std::move(attachment));
  }
  return attachments;
}

std::vector<Mount> mounts_of(const Json& items) {
  std::vector<Mount> mounts;
  for (const Json& item : items.items())
    mounts.push_back({.type = std::string(item["Type"].text()),
                      .name = std::string(item["Name"].text()),
                      .source = std::string(item["Source"].text()),
                      .target = std::string(item["Destination"].text()),
                      .writable = item["RW"].boolean(true)});
  return mounts;
}

using Names = std::set<std::string_view>;

Names names_of(const std::vector<std::string>& list) {
  return {list.begin(), list.end()};
}

void sort_all(Observed& observed) {
  const auto by_place = [](const Container& a, const Container& b) {
    return std::tie(a.service, a.oneoff, a.number, a.name, a.id) <
           std::tie(b.service, b.oneoff, b.number, b.name, b.id);
  };
  std::sort(observed.containers.begin(), observed.containers.end(), by_place);
  std::sort(observed.foreign.begin(), observed.foreign.end(), by_place);
  std::sort(observed.networks.begin(), observed.networks.end(),
            [](const Network& a, const Network& b) { return std::tie(a.name, a.id) < std::tie(b.name, b.id); });
  std::sort(observed.volumes.begin(), observed.volumes.end(),
            [](const Volume& a, const Volume& b) { return a.name < b.name; });
}

}  // namespace

State parse_state(std::string_view text) {
  for (const auto& [name, state] : kStates)
    if (name == text) return state;
  return State::dead;
}

std::string_view to_text(State state) {
  for (const auto& [name, value] : kStates)
    if (value == state) return name;
  return "dead";
}

bool is_up(State state) {
  return state == State::running || state == State::paused || state == State::restarting;
}

Health parse_health(std::string_view text) {
  for (const auto& [name, health] : kHealths)
    if (name == text) return health;
  return Health::none;
}

std::string_view to_text(Health health) {
  for (const auto& [name, value] : kHealths)
    if (value == health) return name;
  return "none";
}

std::string_view Container::label(std::string_view label) const {
  return find(labels, label);
}

Container parse_container(const Json& inspect) {
  const Json& config = inspect["Config"];
  const Json& state = inspect["State"];
  std::string_view name = inspect["Name"].text();
  if (name.starts_with('/')) name.remove_prefix(1);
  Container container{
      .id = std::string(inspect["Id"].text()),
      .name = std::string(name),
      .state = parse_state(state["Status"].text()),
      .health = parse_health(state["Health"]["Status"].text()),
      .exit_code = static_cast<int>(state["ExitCode"].integer()),
      .started_at = std::string(state["StartedAt"].text()),
      .image_id = std::string(inspect["Image"].text()),
      .image = std::string(config["Image"].text()),
      .labels = labels_of(config["Labels"]),
      .networks = attachments_of(inspect["NetworkSettings"]["Networks"]),
      .mounts = mounts_of(inspect["Mounts"]),
      .inspect = inspect,
  };
  container.project = container.label(label::kProject);
  container.service = container.label(label::kService);
  container.number = number_of(container.label(label::kNumber));
  container.oneoff = container.label(label::kOneoff) == "True";
  return container;
}

Network parse_network(const Json& inspect) {
  Network network{.id = std::string(inspect["Id"].text()),
                  .name = std::string(inspect["Name"].text()),
                  .labels = labels_of(inspect["Labels"]),
                  .inspect = inspect};
  for (const auto& member : inspect["Containers"].members()) network.containers.push_back(member.first);
  return network;
}

Volume parse_volume(const Json& inspect) {
  return {.name = std::string(inspect["Name"].text()), .labels = labels_of(inspect["Labels"]), .inspect = inspect};
}

Image parse_image(const Json& inspect) {
  Image image{.id = std::string(inspect["Id"].text()),
              .config = inspect["Config"],
              .platform = platform_of(inspect),
              .tagged_at = seconds_since_1970(inspect["Metadata"]["LastTagTime"].text())};
  for (const Json& digest : inspect["RepoDigests"].items()) image.digests.emplace_back(digest.text());
  return image;
}

const Image* Observed::image(std::string_view reference_or_id) const {
  const auto found = images.find(reference_or_id);
  return found == images.end() ? nullptr : &found->second;
}

const Volume* Observed::volume(std::string_view name) const {
  const auto at = std::ranges::lower_bound(volumes, name, {}, &Volume::name);
  return at != volumes.end() && at->name == name ? &*at : nullptr;
}

const Network* Observed::network(std::string_view name) const {
  const Network* chosen = nullptr;
  for (const Network& network : std::ranges::equal_range(networks, name, {}, &Network::name)) {
    if (find(network.labels, label::kProject) == project) return &network;
    if (!chosen) chosen = &network;
  }
  return chosen;
}

const Container* Observed::container(std::string_view id_or_name) const {
  for (const auto* list : {&containers, &foreign})
    for (const Container& container : *list)
      if (container.id == id_or_name || container.name == id_or_name) return &container;
  return nullptr;
}

Observed observed_from(const Wanted& wanted, const Replies& replies) {
  Observed observed{.project = wanted.project, .version = replies.version};
  const Names containers = names_of(wanted.containers), networks = names_of(wanted.networks),
              volumes = names_of(wanted.volumes);
  for (const Json& inspect : replies.containers) {
    Container container = parse_container(inspect);
    if (container.project == wanted.project && !wanted.project.empty())
      observed.containers.push_back(std::move(container));
    else if (containers.contains(container.name))
      observed.foreign.push_back(std::move(container));
  }
  for (const Json& inspect : replies.networks) {
    Network network = parse_network(inspect);
    if (find(network.labels, label::kProject) == wanted.project || networks.contains(network.name))
      observed.networks.push_back(std::move(network));
  }
  for (const Json& inspect : replies.volumes) {
    Volume volume = parse_volume(inspect);
    if (find(volume.labels, label::kProject) == wanted.project || volumes.contains(volume.name))
      observed.volumes.push_back(std::move(volume));
  }
  for (const auto& [reference, inspect] : replies.images) {
    Image image = parse_image(inspect);
    observed.images.insert_or_assign(image.id, image);
    observed.images.insert_or_assign(reference, std::move(image));
  }
  sort_all(observed);
  return observed;
}

}  // namespace berth::plan
